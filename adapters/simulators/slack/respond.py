"""Answers that need no token: a ``response_url``, and what an acknowledgement carries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from adapters.simulators.slack.api_chat import change_message, said_blocks
from adapters.simulators.slack.refusals import Refusal
from adapters.simulators.slack.things import Json, Message, Place, User
from adapters.simulators.slack.town import SlackTown

LIFE, POSTS = timedelta(minutes=30), 5
"""Of a ``response_url`` (chat-platforms.md, 4.1)."""


@dataclass(slots=True)
class ResponseUrl:
    """One address: for whom and where it speaks, and the message that was clicked, if one was."""

    user: User
    place: Place
    ends: datetime
    original: Message | None = None
    left: int = POSTS


class Responses:
    """All that were given out."""

    def __init__(self, town: SlackTown) -> None:
        self._town = town
        self._given: dict[str, ResponseUrl] = {}

    def give(self, user: User, place: Place, original: Message | None = None) -> str:
        """A new address for what this person has just done here."""
        name = self._town.number("r")
        self._given[name] = ResponseUrl(user, place, self._town.clock.now() + LIFE, original)
        return f"{self._town.base_url}response/{name}"

    def take(self, name: str, args: Json) -> None:
        """Say what was posted to an address. Raises ``Refusal``: ``expired_url`` and ``used_url`` are a 404."""
        found = self._given.get(name)
        if found is None or self._town.clock.now() > found.ends:
            raise Refusal("expired_url")
        if found.left <= 0:
            raise Refusal("used_url")
        say_back(self._town, found, args)
        found.left -= 1

    def of(self, url: str) -> ResponseUrl:
        """What is behind an address."""
        return self._given[url.rsplit("/", 1)[-1]]


def say_back(town: SlackTown, where: ResponseUrl, args: Json) -> None:
    """To the person alone unless ``in_channel``; over or instead of what was clicked when it says so."""
    original = where.original
    if original is not None and args.get("delete_original"):
        original.deleted = True
        return
    if original is not None and args.get("replace_original"):
        if original.deleted:
            raise Refusal("message_not_found")
        change_message(town, original, args)
        return
    if where.place.archived:
        raise Refusal("is_archived")
    blocks = said_blocks(town, args)
    if not args.get("text") and not blocks:
        raise Refusal("no_text")
    public = args.get("response_type") == "in_channel"
    said = Message(
        channel=where.place.id,
        ts=town.ts(),
        user=town.bot.id,
        bot_id=town.bot_id,
        text=str(args.get("text") or ""),
        thread_ts=str(args.get("thread_ts") or ""),
        blocks=blocks,
        only_for="" if public else where.user.id,
        args=args,
    )
    town.put(where.place, said)
