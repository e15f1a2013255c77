"""How a reply is laid out in any chat: what of a card comes first, where a typed line is wrong, how full a bar is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rich.cells import cell_len

from bot.domain.clocktime import utc
from bot.domain.errors import Caret
from bot.domain.talk import Kind, Meter, Reply

LONG = 60
"""A value that is longer is a sentence and has a line of its own."""
_PRICES = ("cost", "at most", "now", "spent")
_ENDS = ("ends", "time", "length", "left")
_CARET = 84
_MOMENTS = ("hard_end", "kill_at", "dry_at", "until")
"""Names of a reply's data that are moments which its words name too. A past one needs no reader's zone."""


def state_of(reply: Reply) -> str:
    """What is going on with the rental that this is the card of."""
    is_card = reply.kind is Kind.CARD and reply.rental
    return next((value for label, value in reply.fields if is_card and label == "state"), "")


def told(reply: Reply) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """The fields that stand beside each other, what it costs and when it ends first, and the sentences among them."""
    state = state_of(reply)
    some = [one for one in reply.fields if any(one) and not (state and one[0] == "state")]
    short = sorted((one for one in some if len(one[1]) <= LONG and "\n" not in one[1]), key=_rank)
    return short, [one for one in some if one not in short]


def _rank(one: tuple[str, str]) -> int:
    return 0 if one[0] in _PRICES else 1 if one[0] in _ENDS else 2


def capital(label: str) -> str:
    """``at most`` begins a line."""
    return label[:1].upper() + label[1:]


def pointer(fault: Caret) -> tuple[str, str]:
    """The line that was typed, and carets for the line below it, under what is wrong; of a long one the part
    around it."""
    before, at, after = (
        fault.line[: fault.start],
        fault.line[fault.start : fault.end],
        fault.line[fault.end :],
    )
    if cell_len(before) > _CARET * 2 // 3:
        before = f"…{before[-_CARET // 3 :]}"
    if cell_len(at) > _CARET:
        at, after = f"{at[: _CARET // 2]}…", ""
    if cell_len(before + at + after) > _CARET * 2:
        after = f"{after[:_CARET]}…"
    return before + at + after, " " * cell_len(before) + "^" * max(1, cell_len(at))


def bar(meter: Meter, width: int) -> str:
    """``██████░░░░ 62 %`` without its caption; empty when there is nothing to be full of."""
    if not meter.total > 0:
        return ""
    share = min(1.0, meter.done / meter.total) if meter.done > 0 else 0.0
    full = int(share * width + 1e-9)
    return f"{'█' * full}{'░' * (width - full)} {int(share * 100 + 1e-9)} %"


def moments(data: Mapping[str, Any]) -> dict[str, int]:
    """How the words of a reply name a moment (``14:05 UTC``), to its Unix time. Two moments that read the same are
    left alone."""
    found: dict[str, set[int]] = {}
    for name in _MOMENTS:
        moment = _moment(data.get(name))
        if moment is not None:
            found.setdefault(utc(moment), set()).add(int(moment.timestamp()))
    return {said: at.pop() for said, at in found.items() if len(at) == 1}


def _moment(said: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(said) if isinstance(said, str) else None
    except ValueError:
        return None
    return moment if moment is not None and moment.tzinfo is not None else None
