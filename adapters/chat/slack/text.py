"""Words in Slack's markup. Nothing that somebody else wrote becomes markup, and nobody is pinged but by ``mention``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from json.encoder import encode_basestring
from typing import Any

from adapters.chatkit import layout
from bot.domain.harmless import block as harmless
from bot.domain.talk import Actor

Json = dict[str, Any]

_UNIT = re.compile(r"&(?:amp|lt|gt);|<[^<>]*>|```|.", re.DOTALL)
"""What is never cut in two. An escaped text has no ``<`` but those of our own tokens."""
_PERSON = re.compile(r"[UW][A-Z0-9]+")
_CLOCK = re.compile(r"(?<![A-Z][a-z]{2} )(?<!\d )(?<!\d)\d\d:\d\d UTC")
_TICK = "\u02cb"
"""Looks like a back-tick and ends no code: a shell would not run it either, so that a command copied with it fails."""
ELLIPSIS = "…"


def weight(text: str) -> int:
    """Characters as a browser counts them (an emoji is two), and as JSON they travel in (a quote is two)."""
    return len(encode_basestring(text).encode("utf-16-le", "surrogatepass")) // 2 - 2


def escape(text: str) -> str:
    """``&``, ``<`` and ``>``, in that order and nothing else (chat-platforms.md, 5): what is left can ping nobody."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def words(text: str) -> str:
    """Any text as ``mrkdwn``: escaped, and without back-ticks, which would begin or end code."""
    return escape(harmless(text).replace("`", _TICK))


def bold(text: str) -> str:
    """One line in bold type; empty stays empty."""
    said = words(text).replace("\n", " ").replace("*", "\u2217").strip()
    return f"*{said}*" if said else ""


def code(text: str) -> str:
    """One line in fixed type; empty stays empty."""
    said = words(text).replace("\n", " ").strip()
    return f"`{said}`" if said else ""


def fence(escaped: str) -> str:
    """A block in fixed type, of what ``words`` made."""
    return f"```\n{escaped}\n```"


def cut(escaped: str, most: int) -> str:
    """At most so long, whole entities and whole characters only; where something is missing it ends with ``…``, and
    code that was begun is closed."""
    if weight(escaped) <= most:
        return escaped
    room, kept = most - (6 if "`" in escaped else 1), []
    for unit in _UNIT.finditer(escaped):
        room -= weight(unit[0])
        if room < 0:
            break
        kept.append(unit[0])
    if most <= 0:
        return ""
    said = "".join(kept).rstrip()
    is_block, is_code = said.count("```") % 2, said.replace("```", "").count("`") % 2
    return f"{said}{ELLIPSIS}" + ("\n```" if is_block else "`" if is_code else "")


def mention(who: Actor) -> str:
    """``<@U…>`` of somebody with an id that Slack gave; anybody else is only named."""
    if who.chat == "slack" and _PERSON.fullmatch(who.id):
        return f"<@{who.id}>"
    return words(who.name or who.id)


def moments(data: Mapping[str, Any]) -> dict[str, str]:
    """How the words of a reply name a moment, to how its reader's clock shows it."""
    return {
        said: f"<!date^{at}^{{time}} {{date_short_pretty}}|{said}>"
        for said, at in layout.moments(data).items()
    }


def local(escaped: str, known: Mapping[str, str]) -> str:
    """With every moment that is known in the reader's own time; one that is said with its day stays as it is, because
    it may be another one."""
    return _CLOCK.sub(lambda found: known.get(found[0], found[0]), escaped)


def plain(text: str, most: int) -> Json:
    """A ``plain_text`` object, which parses no mentions and no emoji names. It may not be empty."""
    said = cut(harmless(text).replace("\n", " ").strip(), most)
    return {"type": "plain_text", "text": said or "–", "emoji": False}


def mrkdwn(escaped: str) -> Json:
    """A ``mrkdwn`` object in which Slack looks for nothing by itself, such as addresses. It may not be empty."""
    return {"type": "mrkdwn", "text": escaped if escaped.strip() else "–", "verbatim": True}


def section(escaped: str) -> Json:
    """A paragraph."""
    return {"type": "section", "text": mrkdwn(escaped)}


def context(escaped: str) -> Json:
    """Small print."""
    return {"type": "context", "elements": [mrkdwn(escaped)]}
