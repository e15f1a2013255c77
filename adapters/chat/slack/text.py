"""Words in Slack's markup. Nothing that somebody else wrote becomes markup, and nobody is pinged but by ``mention``."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bot.domain.clocktime import utc
from bot.domain.harmless import block as harmless
from bot.domain.talk import Actor

Json = dict[str, Any]

_UNIT = re.compile(r"&(?:amp|lt|gt);|<[^<>]*>|.", re.DOTALL)
"""What is never cut in two. An escaped text has no ``<`` but those of our own tokens."""
_PERSON = re.compile(r"[UW][A-Z0-9]+")
_TICK = "\u02cb"
"""Looks like a back-tick and ends no code: a shell would not run it either, so that a command copied with it fails."""
_MOMENTS = ("hard_end", "kill_at", "dry_at", "until")
"""Names of a reply's data that are moments which its words name too. A past one needs no reader's zone."""
ELLIPSIS = "…"


def weight(text: str) -> int:
    """Characters as a browser counts them (an emoji is two), and as JSON they travel in (a quote is two)."""
    return len(json.dumps(text, ensure_ascii=False).encode("utf-16-le", "surrogatepass")) // 2 - 2


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
    """At most so long, whole entities and whole characters only; where something is missing it ends with ``…``."""
    if weight(escaped) <= most:
        return escaped
    room, kept = most - 1, []
    for unit in _UNIT.findall(escaped):
        room -= weight(unit)
        if room < 0:
            break
        kept.append(unit)
    return "".join(kept).rstrip() + ELLIPSIS if most > 0 else ""


def mention(who: Actor) -> str:
    """``<@U…>`` of somebody with an id that Slack gave; anybody else is only named."""
    if who.chat == "slack" and _PERSON.fullmatch(who.id):
        return f"<@{who.id}>"
    return words(who.name or who.id)


def moments(data: Mapping[str, Any]) -> dict[str, str]:
    """How the words of a reply name a moment, to how its reader's clock shows it. Two moments that read the same are
    left alone."""
    found: dict[str, set[int]] = {}
    for name in _MOMENTS:
        moment = _moment(data.get(name))
        if moment is not None:
            found.setdefault(utc(moment), set()).add(int(moment.timestamp()))
    return {
        said: f"<!date^{at.pop()}^{{time}} {{date_short_pretty}}|{said}>"
        for said, at in found.items()
        if len(at) == 1
    }


def local(escaped: str, known: Mapping[str, str]) -> str:
    """With every moment that is known in the reader's own time."""
    for said, token in known.items():
        escaped = escaped.replace(said, token)
    return escaped


def plain(text: str, most: int) -> Json:
    """A ``plain_text`` object, which parses no mentions and no emoji names. It may not be empty."""
    said = cut(harmless(text).replace("\n", " ").strip(), most)
    return {"type": "plain_text", "text": said or "–", "emoji": False}


def mrkdwn(escaped: str) -> Json:
    """A ``mrkdwn`` object in which Slack looks for nothing by itself, such as addresses to link."""
    return {"type": "mrkdwn", "text": escaped, "verbatim": True}


def section(escaped: str) -> Json:
    """A paragraph."""
    return {"type": "section", "text": mrkdwn(escaped)}


def context(escaped: str) -> Json:
    """Small print."""
    return {"type": "context", "elements": [mrkdwn(escaped)]}


def _moment(said: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(said) if isinstance(said, str) else None
    except ValueError:
        return None
    return moment if moment is not None and moment.tzinfo is not None else None
