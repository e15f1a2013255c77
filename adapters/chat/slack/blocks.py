"""A reply as a Slack message: blocks within every limit, words for a notification, and files for what did not fit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from adapters.chat.slack import limits
from adapters.chat.slack.body import MARKS, bar, headline, pointed, write
from adapters.chat.slack.buttons import pressable
from adapters.chat.slack.page import Overflow, Page, size
from adapters.chat.slack.text import Json, cut, fence, words
from adapters.chatkit.layout import state_of
from bot.domain.harmless import clean
from bot.domain.talk import Reply

__all__ = ["MARKS", "Overflow", "Rendered", "render"]

_MARGIN = 200


@dataclass(frozen=True, slots=True)
class Rendered:
    """``text`` is the whole of it in words, for notifications, screen readers, and a Slack that refuses the blocks."""

    text: str
    blocks: list[Json]
    overflow: tuple[Overflow, ...] = ()
    private: bool = False


def render(reply: Reply) -> Rendered:
    """Any reply, however long and whoever wrote its words. What is closed has no buttons."""
    reply = clean(reply)
    pressed = pressable(() if reply.final else reply.buttons)
    page = Page(
        blocks_left=limits.MESSAGE_BLOCKS - len(pressed.blocks),
        room=limits.MESSAGE_CHARACTERS - _MARGIN - size(pressed.blocks),
    )
    write(page, reply, pressed.unsaid)
    return Rendered(
        text=cut("\n".join(_in_words(reply)), limits.MESSAGE_TEXT),
        blocks=[*page.blocks, *pressed.blocks],
        overflow=tuple(page.overflow),
        private=reply.private,
    )


def _in_words(reply: Reply) -> Iterator[str]:
    yield headline(reply)
    if reply.caret:
        yield fence(cut(pointed(reply.caret), 1_200))
    yield from (words(line) for line in reply.lines)
    if reply.meter:
        yield bar(reply.meter)
    state = state_of(reply)
    yield from (
        f"{words(label)}: {words(value)}" for label, value in reply.fields if not (state and label == "state")
    )
