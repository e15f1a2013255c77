"""Each chat before its own fake, with one set of words for what a contract asks of all of them."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass

from adapters.chat import console
from adapters.chat.console import Seat
from adapters.clock import SystemClock
from bot.domain.talk import Actor, Channel
from bot.ports import Chat
from tests.support.discord_story import DiscordStory
from tests.support.slack_story import SlackStory


@dataclass
class ChatStand:
    """``texts``: what people see in the channel now. A chat on nobody's network has no
    ``lose_answer`` and no ``outage``."""

    chat: Chat
    channel: Channel
    texts: Callable[[], list[str]]
    pressable: Callable[[], list[str]]
    """The labels of buttons that can be pressed in the channel now."""
    lose_answer: Callable[[], None] | None = None
    outage: Callable[[], None] | None = None
    lose_place: Callable[[], None] | None = None
    remove: Callable[[], None] | None = None
    """Somebody deletes the newest message."""


def slack_stand(story: SlackStory) -> ChatStand:
    """The workspace's channel."""
    faults, place = story.slack.faults, story.gpu

    def remove() -> None:
        place.shown[-1].deleted = True

    return ChatStand(
        story.front.chat,
        Channel("slack", place.id),
        lambda: [f"{one.text} {one.blocks}" for one in place.shown],
        lambda: [one["text"]["text"] for message in place.shown for one in message.buttons],
        lambda: faults.lose_answer("chat.postMessage"),
        faults.outage,
        lambda: story.workspace.archive(place),
        remove,
    )


def discord_stand(story: DiscordStory) -> ChatStand:
    """The server's channel."""
    faults, place = story.discord.faults, story.gpu

    def lose_place() -> None:
        place.gone = True

    def remove() -> None:
        place.shown[-1].deleted = True

    return ChatStand(
        story.front.chat,
        Channel("discord", place.id),
        lambda: [one.text for one in place.shown],
        lambda: [str(one["label"]) for message in place.shown for one in message.buttons],
        lambda: faults.lose_answer("POST /channels/*/messages"),
        faults.outage,
        lose_place,
        remove,
    )


def console_stand() -> ChatStand:
    """A terminal that is a pipe: plain lines."""
    out = io.StringIO()
    seat = Seat("s1", Actor("console", "host", "ada", "Ada"), SystemClock(), lambda: "k")
    chat = console.open_console(
        seat, interactive=False, stdin=io.StringIO(), stdout=out, stderr=io.StringIO(), environ={}
    )
    return ChatStand(chat, seat.channel, lambda: [out.getvalue()] if out.getvalue() else [], list)
