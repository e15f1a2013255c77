"""Words in Discord's markdown. What somebody else wrote is no markup, and nobody is pinged but by ``mention``."""

from __future__ import annotations

import re
from collections.abc import Mapping

from bot.domain.harmless import block as harmless
from bot.domain.harmless import line
from bot.domain.talk import Actor

_MARKUP = re.compile(r"([\\*_~|\[\]<@])")
_LINE_MARKUP = re.compile(r"(?m)^(\s*)(?:([#>+-])|(\d+)(?=\.\s))")
"""What is markup at the front of a line only: headings, quotes, lists, small print."""
_TICK = "\u02cb"
"""Looks like a back-tick and ends no code: a shell would not run it either, so that a command copied with it fails."""
_ID = re.compile(r"\d{5,20}")
_CLOCK = re.compile(r"(?<![A-Z][a-z]{2} )(?<!\d )(?<!\d)\d\d:\d\d UTC")
_UNIT = re.compile(r"\\.|<[^<>\s]*>|```|.", re.DOTALL)
"""What is never cut in two: an escaped letter, one of our own tokens, a fence."""
ELLIPSIS = "…"


def weight(text: str) -> int:
    """Characters as a browser counts them: an emoji is two."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def words(text: str) -> str:
    """Any text as markdown that shows just that text: no format, no mention, no hidden link, no heading or list."""
    said = harmless(text).replace("`", _TICK)
    return _LINE_MARKUP.sub(
        lambda found: f"{found[1]}\\{found[2]}" if found[2] else f"{found[1]}{found[3]}\\",
        _MARKUP.sub(r"\\\1", said),
    )


def bold(text: str) -> str:
    """One line in bold type; empty stays empty."""
    said = words(text).replace("\n", " ").strip()
    return f"**{said}**" if said else ""


def code(text: str) -> str:
    """One line in fixed type; empty stays empty."""
    said = harmless(text).replace("`", _TICK).replace("\n", " ").strip()
    return f"`{said}`" if said else ""


def verbatim(text: str) -> str:
    """Text for a block in fixed type, where only a back-tick means something."""
    return harmless(text).replace("`", _TICK)


def fence(verbatim_: str) -> str:
    """A block in fixed type."""
    return f"```\n{verbatim_}\n```"


def cut(escaped: str, most: int) -> str:
    """At most so long, whole tokens and whole characters only; where something is missing it ends with ``…``, and code
    that was begun is closed."""
    if weight(escaped) <= most:
        return escaped
    if most <= 0:
        return ""
    room, kept = most - (6 if "`" in escaped else 3 if "**" in escaped else 1), []
    for unit in _UNIT.finditer(escaped):
        room -= weight(unit[0])
        if room < 0:
            break
        kept.append(unit[0])
    said = "".join(kept).rstrip()
    if said.count("```") % 2:
        return f"{said}{ELLIPSIS}\n```"
    if said.replace("```", "").count("`") % 2:
        return f"{said}{ELLIPSIS}`"
    return f"{said}{ELLIPSIS}" + ("**" if said.count("**") % 2 else "")


def mention(who: Actor) -> str:
    """``<@…>`` of somebody with an id that Discord gave; anybody else is only named."""
    if who.chat == "discord" and _ID.fullmatch(who.id):
        return f"<@{who.id}>"
    return words(who.name or who.id)


def local(escaped: str, known: Mapping[str, int]) -> str:
    """With every moment that is known in the reader's own time; one that is said with its day stays as it is."""
    return _CLOCK.sub(lambda found: f"<t:{known[found[0]]}:t>" if found[0] in known else found[0], escaped)


def plain(text: str, most: int) -> str:
    """One line where nothing is markup (labels, titles of modals): never empty, at most so long."""
    said = line(text).strip() or "–"
    if weight(said) <= most:
        return said
    kept, room = [], most - 1
    for letter in said:
        room -= weight(letter)
        if room < 0:
            break
        kept.append(letter)
    return "".join(kept).rstrip() + ELLIPSIS
