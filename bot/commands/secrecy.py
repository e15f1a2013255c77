"""Addresses in what people type: a notification address holds its password, and is echoed nowhere."""

from __future__ import annotations

import re
from dataclasses import replace

from bot.domain.talk import Reply

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:/\S*")
_SAFE = re.compile(r"\W*(?:gpu\s+)?(?:up|train|estimate)\b", re.IGNORECASE)
"""Commands that take data sets: an https address there is no secret, and a fault in it must be shown."""


def masked(line: str) -> str:
    """The line as it may be written down."""
    return line if _SAFE.match(line) else _ADDRESS.sub(_hidden, line)


def hushed(line: str, reply: Reply) -> Reply:
    """A refusal of this line without what it must not repeat. A caret into an address is left out: its window may have
    cut off the part by which it is known for one."""
    if masked(line) == line:
        return reply
    said = {"expected": reply.data.get("expected", ""), "nearest": masked(str(reply.data.get("nearest", "")))}
    lines = tuple(masked(one) for one in reply.lines)
    return replace(reply, title=masked(reply.title), lines=lines, caret=None, data={**reply.data, **said})


def _hidden(found: re.Match[str]) -> str:
    scheme = found[0].partition(":")[0]
    return f"{scheme}://…"
