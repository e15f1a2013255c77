"""Numbers with units in a line: how many words they are, and where in the line they are wrong."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Final

from bot.commands import host_units, regions, units
from bot.commands.caret import ask, word
from bot.commands.options import Slot
from bot.commands.scope import Scope
from bot.commands.words import Word
from bot.domain import gpus
from bot.domain.money import Usd


def parse_amount(text: str) -> timedelta | Usd:
    """More time or more money: ``1h`` or ``$2``; ``+1h`` says the same."""
    expected = "1h or $2"
    if re.match(r"\+ *[$0-9.]", text):
        return parse_amount(f" {text[1:]}".lstrip())
    if units.is_bare_number(text):
        raise units.UnitFault("It has no unit.", 0, len(text), expected, "")
    money = re.search(r"[$¢/]|usd|dollar|cent|[0-9] ?c\b", text.lower())
    try:
        return units.parse_money(text) if money else units.parse_duration(text)
    except units.UnitFault as fault:
        fault.expected = expected
        raise


Parser = Callable[[str], timedelta | Usd | float | str]
Measured = tuple[timedelta | Usd | float | str, int]
"""A value and how many words it took."""
_BEGINS = re.compile(r"[-−–—+$.0-9]|us", re.IGNORECASE)
"""How every number with a unit begins; asked first, because most words are none."""
PARSERS: Final[dict[Slot, tuple[Parser, tuple[re.Pattern[str], ...]]]] = {
    Slot.HOURS: (units.parse_duration, (units.TIME_SPAN,)),
    Slot.BUDGET: (units.parse_money, (units.MONEY_SPAN,)),
    Slot.MAX: (units.parse_rate, (units.MONEY_SPAN,)),
    Slot.RATE: (units.parse_rate, (units.MONEY_SPAN,)),
    Slot.DISK: (units.parse_size, (units.SIZE_SPAN,)),
    Slot.VRAM: (partial(units.parse_size, most_gb=gpus.MOST_VRAM_GB), (units.SIZE_SPAN,)),
    Slot.REGION: (host_units.parse_region, (regions.SPAN,)),
    Slot.RELIABILITY: (host_units.parse_share, (host_units.SHARE_SPAN,)),
    Slot.CUDA: (host_units.parse_cuda, ()),
    Slot.NET: (host_units.parse_speed, (host_units.SPEED_SPAN,)),
    Slot.AMOUNT: (parse_amount, (units.TIME_SPAN, units.MONEY_SPAN)),
}


def measure(scope: Scope, slot: Slot, words: list[Word], at: int) -> Measured:
    """The value with its unit, which may be several words. Raises ``AskAgain`` at the very place."""
    run = scope.run(words, at)
    try:
        return _measure(scope, slot, run)
    except units.UnitFault as fault:
        taken = _taken(scope, slot, run)
        text, first = scope.text(run[:taken]), run[0]
        start, end = first.inner + fault.start, first.inner + fault.end
        if fault.end <= fault.start:
            start, end = first.start, first.end
        sentence = about(text, fault)
        raise ask(scope.line, start, end, sentence, expected=fault.expected, nearest=fault.nearest) from None


def measure_bare(scope: Scope, slot: Slot, words: list[Word], at: int) -> Measured | None:
    """A value that stands without its option's name, or None. What has a unit of time is a time, and may be
    one that is too long: that is a fault, unless it could be a rental's id."""
    run = scope.run(words, at)
    if not _BEGINS.match(run[0].text):
        return None
    try:
        return _measure(scope, slot, run)
    except units.UnitFault:
        text = scope.text(run[: _taken(scope, slot, run)])
        time = slot in (Slot.HOURS, Slot.AMOUNT) and units.TIME_SPAN.fullmatch(text.lower())
        if time and not (text.isalnum() and len(text) == 6):
            return measure(scope, slot, words, at)
        return None  # something else, or wrong in another way: `stray` finds out


def _taken(scope: Scope, slot: Slot, run: list[Word]) -> int:
    """How many words of the run are one value: ``2 hours``, ``0.40 usd per hour``, also ``2 hurs``."""
    _, spans = PARSERS[slot]
    for taken in range(len(run), 1, -1):
        text = scope.text(run[:taken]).lower()
        if any(span.fullmatch(text) for span in spans):
            return taken
    slip = len(run) > 1 and units.is_bare_number(run[0].text) and units.is_near_unit(run[1].text)
    return 2 if slip else 1


def _measure(scope: Scope, slot: Slot, run: list[Word]) -> Measured:
    parser, _ = PARSERS[slot]
    taken = _taken(scope, slot, run)
    return parser(scope.text(run[:taken])), taken


def about(text: str, fault: units.UnitFault) -> str:
    """The sentence, with the text itself for its "It"."""
    rest = fault.sentence.removeprefix("It ")
    return fault.sentence if rest == fault.sentence or not text.strip() else f"{word(text)} {rest}"
