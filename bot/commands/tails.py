"""Commands whose words have an order: ``budget set team month $300``, ``decline k7m2qd too dear``."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import time
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bot.commands import units
from bot.commands.caret import word
from bot.commands.measures import about
from bot.commands.notify_tail import notify
from bot.commands.scope import Scope, listing
from bot.commands.spoken import Budget, Command, Decline
from bot.commands.values import rental
from bot.commands.words import Word
from bot.domain import gpus
from bot.domain.allowance import KINDS, Kind, Role
from bot.domain.allowance import Scope as Whose
from bot.domain.nearest import nearest

_OFF, _USUAL = "off", "default"
_LONGEST_REASON = 300
_MOST_MACHINES = 1000
_SPAN = re.compile(r"(?P<first>[0-9]{1,2}(?::[0-9]{2})?)-(?P<last>[0-9]{1,2}(?::[0-9]{2})?)")
_PERSON = re.compile(r"<@!?(?P<marked>[A-Za-z0-9_-]+)(?:\|[^>]*)?>|@(?P<named>\S+)")
"""A mention as Slack and Discord write it, or a name with an @."""
_SHOWN = {
    Kind.DAY: "$10",
    Kind.MONTH: "$100",
    Kind.RATE: "$2/h",
    Kind.MACHINES: "3",
    Kind.HOURS: "08:00-20:00 Europe/Berlin",
    Kind.TOTAL: "$20",
    Kind.CARDS: "H100,A100",
    Kind.ROLE: "member",
}


def decline(scope: Scope, name: Word, words: list[Word]) -> Command:
    """The id, and all that follows is the reason, as it was typed."""
    if not words:
        raise scope.fault(name, "`decline` needs a rental id.", "decline k7m2qd too dear")
    which = rental(words[0].text)
    if which is None:
        raise scope.fault(words[0], f"{word(words[0].text)} is no rental id.", "six letters and digits")
    said = scope.line[words[1].start :].strip() if len(words) > 1 else ""
    return Decline(which, " ".join(said.split())[:_LONGEST_REASON])


def budget(scope: Scope, _name: Word, words: list[Word]) -> Command:
    """Nothing or ``show`` shows; ``set`` sets; ``role`` is short for setting a role."""
    if not words or (len(words) == 1 and words[0].text.lower() == "show"):
        return Budget()
    deed, rest = words[0], words[1:]
    match deed.text.lower():
        case "set":
            return _Setting(scope, deed, rest).read()
        case "role":
            return _role(scope, deed, rest)
        case text:
            near = nearest(text, ("show", "set", "role"))
            raise scope.fault(
                deed, f"{word(deed.text)} is nothing that `budget` does.", "show, set or role", near
            )


def _role(scope: Scope, deed: Word, words: list[Word]) -> Command:
    if len(words) != 2:
        raise scope.fault(deed, "A role is given to a person.", "role @ann member")
    return Budget((Whose.PERSON, Kind.ROLE), _person(scope, words[0]), _one_role(scope, words[1]))


def _person(scope: Scope, found: Word) -> str:
    said = _PERSON.fullmatch(found.text)
    if said is None:
        raise scope.fault(
            found, f"{word(found.text)} names nobody.", "a person such as @ann", f"@{found.text}"
        )
    return said["marked"] or said["named"]


class _Setting:
    """``set WHOSE [@person] WHAT VALUE``."""

    def __init__(self, scope: Scope, deed: Word, words: list[Word]) -> None:
        self._scope, self._deed, self._words = scope, deed, words

    def read(self) -> Command:
        """The rule, or the question back."""
        scope, words = self._scope, self._words
        shown = "set team month $300"
        if not words:
            raise scope.fault(self._deed, "It is not said what to set.", shown)
        person = ""
        if _PERSON.fullmatch(words[0].text):
            whose, person, rest = Whose.PERSON, _person(scope, words[0]), words[1:]
        else:
            whose, rest = self._whose(words[0]), words[1:]
            if whose is Whose.PERSON and rest and _PERSON.fullmatch(rest[0].text):
                person, rest = _person(scope, rest[0]), rest[1:]
        if not rest:
            expected = listing(tuple(KINDS[whose]))
            raise scope.fault(words[-1], "It is not said what to limit.", expected)
        kind = self._kind(whose, rest[0])
        if len(rest) < 2:
            raise scope.fault(rest[0], f"`{kind}` needs a value.", f"{kind} {_SHOWN[kind]}, or {kind} off")
        return Budget((whose, kind), person, self._value(kind, rest[1:]))

    def _whose(self, found: Word) -> Whose:
        text = found.text.lower()
        if text in tuple(Whose):
            return Whose(text)
        near = nearest(text, tuple(Whose))
        raise self._scope.fault(
            found, f"{word(found.text)} has no budget.", "person, @somebody, channel, team or approval", near
        )

    def _kind(self, whose: Whose, found: Word) -> Kind:
        text = found.text.lower()
        if text in tuple(KINDS[whose]):
            return Kind(text)
        near = nearest(text, tuple(KINDS[whose]))
        sentence = f"{word(found.text)} cannot be limited for {whose}."
        raise self._scope.fault(found, sentence, listing(tuple(KINDS[whose])), near)

    def _value(self, kind: Kind, words: list[Word]) -> str | None:
        text = self._scope.line[words[0].start : words[-1].end]
        if text.lower() == _OFF:
            return ""
        if text.lower() == _USUAL:
            return None
        if kind is Kind.ROLE:
            return _one_role(self._scope, words[0])
        try:
            return _READ[kind](text)
        except units.UnitFault as fault:
            whole = Word(text, words[0].start, words[-1].end, words[0].start)
            raise self._scope.fault(
                whole, about(text, fault), f"{_SHOWN[kind]}, or off for no limit", _SHOWN[kind]
            ) from None


def _one_role(scope: Scope, found: Word) -> str:
    text = found.text.lower()
    if text in tuple(Role):
        return text
    near = nearest(text, tuple(Role))
    raise scope.fault(found, f"{word(found.text)} is no role.", listing(tuple(Role)), near)


def _no(text: str, sentence: str, expected: str) -> units.UnitFault:
    return units.UnitFault(sentence, 0, len(text), expected)


def _machines(text: str) -> str:
    if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) > _MOST_MACHINES:
        raise _no(text, f"It is no number from 0 to {_MOST_MACHINES}.", "3")
    return str(int(text))


def _hours(text: str) -> str:
    span, _, zone = text.partition(" ")
    found = _SPAN.fullmatch(span)
    try:
        ZoneInfo(zone.strip() or "UTC")
        ends = [_clock(part) for part in (found["first"], found["last"])] if found else []
    except (ValueError, ZoneInfoNotFoundError, OSError):
        ends = []
    if len(ends) != 2 or ends[0] == ends[1]:
        raise _no(text, "It is no time of day with a zone.", _SHOWN[Kind.HOURS])
    return f"{ends[0]:%H:%M}-{ends[1]:%H:%M} {zone.strip() or 'UTC'}"


def _clock(text: str) -> time:
    hour, _, minute = text.partition(":")
    return time(int(hour), int(minute or 0))


def _cards(text: str) -> str:
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names or not all(gpus.lookup(name) for name in names):
        raise _no(text, "It is no list of GPUs.", _SHOWN[Kind.CARDS])
    return ",".join(names)


_READ: Final[dict[Kind, Callable[[str], str]]] = {
    Kind.DAY: lambda text: str(units.parse_money(text).micros),
    Kind.MONTH: lambda text: str(units.parse_money(text).micros),
    Kind.TOTAL: lambda text: str(units.parse_money(text).micros),
    Kind.RATE: lambda text: str(units.parse_rate(text).micros),
    Kind.MACHINES: _machines,
    Kind.HOURS: _hours,
    Kind.CARDS: _cards,
}
TAILS: Final[dict[str, Callable[[Scope, Word, list[Word]], Command]]] = {
    "decline": decline,
    "budget": budget,
    "notify": notify,
}
