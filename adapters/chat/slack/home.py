"""App Home: everything that is open, one below the other, with its buttons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from adapters.chat.slack import limits
from adapters.chat.slack.body import write
from adapters.chat.slack.buttons import pressable
from adapters.chat.slack.page import Page, size
from adapters.chat.slack.text import Json, context, plain, section
from bot.domain.harmless import clean
from bot.domain.talk import Reply

_ROOM = 40_000
"""Of all blocks. Slack names no figure but that of blocks; a page that is longer is not read either."""
_ONE = 6_000
"""Of one reply."""


def view(replies: Sequence[Reply]) -> Json:
    """The first reply is the page's headline. What is no longer shown is said to be missing."""
    blocks: list[Json] = []
    pressed = 0
    for number, reply in enumerate(replies):
        made = _part(clean(reply), first=not number, button=pressed)
        if len(blocks) + len(made) + 1 > limits.VIEW_BLOCKS - 1 or size(blocks) + size(made) > _ROOM:
            blocks.append(context("… more than this page can show: `/gpu status`"))
            break
        blocks += ([{"type": "divider"}] if number else []) + made
        pressed += len(reply.buttons)
    return {"type": "home", "blocks": blocks or [section("Nothing is open. Nothing costs.")]}


def _part(reply: Reply, *, first: bool, button: int) -> list[Json]:
    shown = pressable(() if reply.final else reply.buttons, first=button, room=3_000)
    page = Page(blocks_left=30, room=_ONE, files=False)
    headed = first and 0 < len(reply.title) <= limits.HEADER_TEXT
    if headed:
        page.add({"type": "header", "text": plain(reply.title, limits.HEADER_TEXT)})
    write(page, replace(reply, mention=()), shown.unsaid, headed=headed)
    return [*page.blocks, *shown.blocks]
