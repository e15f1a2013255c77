"""The words of ``notify``: their order, and what may stand where. No address is ever quoted back."""

from __future__ import annotations

import re
from typing import Final

from bot.commands.caret import word
from bot.commands.scope import Scope, listing
from bot.commands.spoken import Command, Notify
from bot.commands.words import Word
from bot.domain.alert import Loudness
from bot.domain.nearest import nearest
from bot.domain.outlet import LEVELS, TOPICS, Topic

HERE: Final = "here"
_DEEDS = ("list", "add", "test", "remove")
_FROM = "from"
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://\S+")
_PLACE = re.compile(r"[a-z]+:[^\s:/]+")
_EXAMPLE = "add here, or add ntfy://ntfy.sh/our-gpus"
_LONGEST = 2000


def notify(scope: Scope, _name: Word, words: list[Word]) -> Command:
    """Nothing or ``list`` shows; ``add``, ``test`` and ``remove`` do."""
    if not words or (len(words) == 1 and words[0].text.lower() == "list"):
        return Notify()
    deed, rest = words[0], words[1:]
    match deed.text.lower():
        case "add":
            return _add(scope, deed, rest)
        case "test":
            return Notify(test=_number(scope, deed, rest))
        case "remove":
            return Notify(remove=_number(scope, deed, rest))
        case text:
            near = nearest(text, _DEEDS)
            raise scope.fault(
                deed, f"{word(deed.text)} is nothing that `notify` does.", listing(_DEEDS), near
            )


def _number(scope: Scope, deed: Word, words: list[Word]) -> int:
    shown = f"{deed.text.lower()} 2"
    if len(words) != 1:
        raise scope.fault(deed, f"`{deed.text.lower()}` needs the number of one channel.", shown)
    text = words[0].text.removeprefix("#")
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise scope.fault(words[0], "This is no number of a channel; `notify` shows them.", shown)
    return int(text)


def _add(scope: Scope, deed: Word, words: list[Word]) -> Command:
    if not words:
        raise scope.fault(deed, "It is not said what to add.", _EXAMPLE)
    where = scope.line[words[0].start : words[0].end]
    if where.lower() != HERE and not _ADDRESS.fullmatch(where) and not _PLACE.fullmatch(where):
        near = nearest(where.lower(), (HERE,))
        raise scope.fault(
            words[0], "This is neither `here` nor an address.", _EXAMPLE, f"add {near}" if near else ""
        )
    if len(where) > _LONGEST:
        raise scope.fault(words[0], f"This address is longer than {_LONGEST} characters.", _EXAMPLE)
    topics: list[Topic] = []
    least: Loudness | None = None
    rest = [each for each in words[1:] if each.text.lower() != "for"]
    while rest:
        found = rest.pop(0)
        if found.text.lower() == _FROM:
            least = _level(scope, found, rest)
        else:
            topics += _topics(scope, found)
    return Notify(HERE if where.lower() == HERE else where, topics=tuple(dict.fromkeys(topics)), least=least)


def _level(scope: Scope, found: Word, rest: list[Word]) -> Loudness:
    said = rest.pop(0) if rest else None
    if said is None:
        raise scope.fault(
            found, "`from` needs a rung after it.", f"from {listing(tuple(LEVELS))}", "from direct"
        )
    level = LEVELS.get(said.text.lower())
    if level is None:
        near = nearest(said.text.lower(), tuple(LEVELS))
        raise scope.fault(said, f"{word(said.text)} is no rung.", listing(tuple(LEVELS)), near)
    return level


def _topics(scope: Scope, found: Word) -> list[Topic]:
    topics: list[Topic] = []
    for text in filter(None, found.text.lower().split(",")):
        if text == "all":
            topics += TOPICS
        elif text in TOPICS:
            topics.append(Topic(text))
        else:
            near = nearest(text, (*TOPICS, "all", _FROM))
            raise scope.fault(
                found, f"{word(text)} is nothing that is told of.", listing((*TOPICS, "all")), near
            )
    return topics
