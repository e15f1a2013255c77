"""A reply as plain lines: no colour, no cursor, no boxes. What a log file, a pipe and a screen reader get."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rich.cells import cell_len

from adapters.chat.console.screen import Told
from bot.domain.errors import Caret
from bot.domain.harmless import clean, line
from bot.domain.talk import Button, Kind, Meter, Reply, Table

_NUMBER = re.compile(r"[-+~<]?\$?\d[\d., ]*(?:%|[A-Za-z/]{1,4})?")
_WIDEST = 160
"""Columns of a table that a log or a pipe still shows well."""
_SENTENCE = 40
"""A cell that is wider holds a sentence, not a value."""
_DIGITS = re.compile(r"\d[\d.,:]*")


def plain(reply: Reply, *, numbered: bool = False) -> list[str]:
    """The whole reply. With ``numbered``, its buttons carry the numbers that press them."""
    reply = clean(reply)
    body = [f"  {text}".rstrip() for text in _body(reply, numbered=numbered)]
    return [reply.title, *body] if reply.title else body


def news(reply: Reply) -> str:
    """What there is to say about a card that changed, on one line."""
    reply = clean(reply)
    parts = [reply.title, stage(reply)]
    if reply.meter:
        parts.append(meter_line(reply.meter))
    elif reply.lines:
        parts.append(reply.lines[0])
    return "  ".join(part for part in parts if part)


def story(told: Told) -> str:
    """``17:14:40  3/8  validate          gate 3: 8 passed``: columns, so that the eye runs down the steps."""
    return f"  {told.at:<8}  {told.number:>3}  {line(told.word):<16}  {line(told.text)}"


def pictures(reply: Reply) -> list[str]:
    """Those that no table of the reply has named with its folder already."""
    named = {
        f"{table.note.removeprefix('In ')}/{row[0]}" for table in reply.tables for row in table.rows if row
    }
    return [path for path in reply.pictures if path not in named]


def stage(reply: Reply) -> str:
    """What is going on, in a word or two, where the title does not say it."""
    word = reply.data.get("state")
    if not isinstance(word, str) or word.lower() in reply.title.lower():
        return ""
    return line(word)


def gist(reply: Reply) -> tuple[object, ...]:
    """What a person cares about: two versions of a card with the same gist need not both be said.

    Digits are left out (a clock, a cost, a step count run on by themselves); of a meter only its tenths count."""
    data = reply.data
    said = tuple(
        _DIGITS.sub("#", str(word)) for word in (reply.title, data.get("state", ""), data.get("stage", ""))
    )
    return (*said, reply.tone, reply.final, reply.meter and int(share(reply.meter) * 10 + 1e-9))


def share(meter: Meter) -> float:
    """How much is done, 0 to 1; nothing when the total makes no sense."""
    if not meter.total > 0 or not meter.done > 0:
        return 0.0
    return min(1.0, meter.done / meter.total)


def meter_line(meter: Meter) -> str:
    """``62 %  step 620 of 1000``."""
    percent = f"{int(share(meter) * 100 + 1e-9)} %" if meter.total > 0 else ""
    return "  ".join(part for part in (percent, meter.caption) if part)


def is_numeric(cells: list[str]) -> bool:
    """Whether a column reads better aligned to the right."""
    filled = [cell for cell in cells if cell not in ("", "-", "–", "—")]
    return bool(filled) and all(_NUMBER.fullmatch(cell) for cell in filled)


def say_buttons(buttons: tuple[Button, ...], *, numbered: bool) -> list[str]:
    """``[1] Confirm  [2] Cancel`` where a number can be typed, the commands themselves where not."""
    if numbered:
        return ["  ".join(f"[{n}] {button.label}" for n, button in enumerate(buttons, 1))]
    return [f"{button.label}: {button.command}" for button in buttons]


def _body(reply: Reply, *, numbered: bool) -> Iterator[str]:
    if reply.caret:
        yield from _caret(reply.caret)
    yield from reply.lines
    if reply.mention and reply.kind is Kind.NOTICE:
        yield "For " + ", ".join(who.name for who in reply.mention)
    if reply.meter:
        yield meter_line(reply.meter)
    yield from _fields(reply.fields)
    for table in reply.tables:
        yield from _table(table)
    if reply.code:
        yield from reply.code.split("\n")
    yield from (f"Picture  {path}" for path in pictures(reply))
    if reply.buttons:
        yield from say_buttons(reply.buttons, numbered=numbered)


def _caret(fault: Caret) -> Iterator[str]:
    yield fault.line
    pointed = cell_len(fault.line[fault.start : fault.end])
    yield " " * cell_len(fault.line[: fault.start]) + "^" * max(1, pointed)


def _fields(fields: tuple[tuple[str, str], ...]) -> Iterator[str]:
    width = max((cell_len(label) for label, _ in fields), default=0)
    for label, value in fields:
        first, *more = value.split("\n")
        yield f"{_pad(label, width)}  {first}"
        yield from (" " * (width + 2) + text for text in more)


def _table(table: Table) -> Iterator[str]:
    rows = [table.header, *table.rows] if any(table.header) else list(table.rows)
    columns = max((len(row) for row in rows), default=0)
    full = [[*row, *[""] * (columns - len(row))] for row in rows]
    widths = [max(cell_len(row[n]) for row in full) for n in range(columns)]
    body = full[1:] if any(table.header) else full
    if any(table.header) and sum(widths) > _WIDEST and sum(width > _SENTENCE for width in widths) > 1:
        yield from _records(full[0], body)
        yield from [table.note] if table.note else []
        return
    right = [is_numeric([row[n] for row in body]) for n in range(columns)]
    for row in full:
        yield "  ".join(_pad(row[n], widths[n], right=right[n]) for n in range(columns)).rstrip()
    if table.note:
        yield table.note


def _records(header: list[str], rows: list[list[str]]) -> Iterator[str]:
    """One short record for each row: several sentences do not stand beside each other on any line."""
    width = max(map(cell_len, header))
    for number, row in enumerate(rows):
        if number:
            yield ""
        yield from (f"{_pad(name, width)}  {cell}" for name, cell in zip(header, row, strict=True) if cell)


def _pad(text: str, width: int, *, right: bool = False) -> str:
    room = " " * max(0, width - cell_len(text))
    return room + text if right else text + room
