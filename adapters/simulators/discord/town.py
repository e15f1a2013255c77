"""Servers, people, places and what was said in them, as Discord would remember it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any, TypeVar

from adapters.simulators.slack.bell import Bell
from bot.ports import Clock

Json = dict[str, Any]
T = TypeVar("T")
TEXT, DM, THREAD = 0, 1, 11
ONLY_YOU = 64
_EPOCH_MS = 1_420_070_400_000


@dataclass(slots=True)
class User:
    """Somebody. ``closed``: takes no direct messages."""

    id: str
    name: str
    bot: bool = False
    closed: bool = False

    @property
    def json(self) -> Json:
        """As Discord tells of a user; discord.py insists on all four (chat-platforms.md, 3.3)."""
        return {"id": self.id, "username": self.name, "discriminator": "0", "avatar": None, "bot": self.bot}


@dataclass(slots=True)
class Message:
    """``raw`` is what was last written. ``only_for`` names the one person who sees it."""

    id: str
    channel: str
    author: str
    raw: Json
    files: list[tuple[str, bytes]] = field(default_factory=list)
    edited: int = 0
    edited_at: str | None = None
    deleted: bool = False
    only_for: str = ""
    token: str = ""
    """Of the interaction that it answers."""

    @property
    def text(self) -> str:
        """All its words: content, and the embeds' titles, descriptions, fields and small print."""
        parts = [str(self.raw.get("content") or "")]
        for one in self.raw.get("embeds") or ():
            parts += [str(one.get("title") or ""), str(one.get("description") or "")]
            parts += [f"{each['name']}: {each['value']}" for each in one.get("fields") or ()]
        return "\n".join(part for part in parts if part)

    @property
    def footer(self) -> str:
        """Its small print."""
        return "".join(
            str((one.get("footer") or {}).get("text") or "") for one in self.raw.get("embeds") or ()
        )

    @property
    def buttons(self) -> list[Json]:
        """In order."""
        return [one for row in self.raw.get("components") or () for one in row.get("components") or ()]

    def button(self, label: str) -> Json:
        """The one that shows ``label``. Raises ``LookupError``."""
        for one in self.buttons:
            if one.get("label") == label:
                return one
        raise LookupError(f"no button {label!r} in {[one.get('label') for one in self.buttons]}")


@dataclass(slots=True)
class Place:
    """A channel, a thread (``parent`` is its channel) or a direct conversation. ``gone``: deleted; ``shut``: the bot
    may not see it."""

    id: str
    name: str
    kind: int = TEXT
    guild: str = ""
    parent: str = ""
    messages: list[Message] = field(default_factory=list)
    gone: bool = False
    shut: bool = False

    @property
    def shown(self) -> list[Message]:
        """What everybody there sees."""
        return [one for one in self.messages if not one.deleted and not one.only_for]

    def seen_by(self, user: User) -> list[Message]:
        """What only this person sees there."""
        return [one for one in self.messages if not one.deleted and one.only_for == user.id]

    def at(self, id: str) -> Message | None:
        """The message with this id, if it is still there."""
        return next((one for one in self.messages if one.id == id and not one.deleted), None)


class DiscordTown:
    """What is there. ``bell`` rings whenever something changed."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._numbers = itertools.count(1)
        self.bell = Bell()
        self.users: dict[str, User] = {}
        self.places: dict[str, Place] = {}
        self.guilds: dict[str, Json] = {}
        self.members: dict[tuple[str, str], Json] = {}
        self.commands: dict[str, list[Json]] = {}
        self.syncs = 0
        self.complaints: list[str] = []
        self.token = "MTIz.fake.token-of-a-test"  # noqa: S105 - of a fake
        self.bot = self.person("lastcall", bot=True)
        self.application = self.number()
        self.public = False
        self.allows_content = True

    def number(self) -> str:
        """The next id: the moment stands in its upper bits, as in Discord's."""
        ms = int(self.clock.now().timestamp() * 1000) - _EPOCH_MS
        return str((ms << 22) + next(self._numbers))

    def now(self) -> str:
        """The moment as Discord writes it."""
        return self.clock.now().astimezone(UTC).isoformat()

    def ring(self) -> None:
        """Something changed."""
        self.bell.ring()

    async def until(self, seen: Callable[[], T], limit_s: float = 5.0) -> T:
        """The first true value of ``seen``, looked at after each change. Raises ``TimeoutError``."""
        return await self.bell.until(seen, limit_s)

    def person(self, name: str, *, bot: bool = False) -> User:
        """A new user."""
        user = User(self.number(), name, bot)
        self.users[user.id] = user
        return user

    def guild(self, name: str) -> str:
        """A new server with the bot in it; its id."""
        guild = self.number()
        self.guilds[guild] = {"id": guild, "name": name, "roles": [{"id": guild, "name": "@everyone"}]}
        self.join(guild, self.bot)
        return guild

    def join(self, guild: str, user: User, *, roles: tuple[str, ...] = ()) -> None:
        """Become a member, or get other roles."""
        self.members[guild, user.id] = {"user": user.json, "roles": list(roles), "flags": 0, "nick": None}

    def channel(self, guild: str, name: str) -> Place:
        """A new text channel."""
        return self._place(Place(self.number(), name, TEXT, guild))

    def dm(self, user: User) -> Place:
        """The conversation of this person with the bot."""
        for one in self.places.values():
            if one.kind == DM and one.name == user.id:
                return one
        return self._place(Place(self.number(), user.id, DM))

    def thread(self, parent: Place, name: str, id: str = "") -> Place:
        """A new thread; one that begins at a message has its id."""
        return self._place(Place(id or self.number(), name, THREAD, parent.guild, parent.id))

    def put(self, place: Place, author: str, raw: Json, **more: Any) -> Message:
        """Something is said."""
        message = Message(self.number(), place.id, author, raw, **more)
        place.messages.append(message)
        self.ring()
        return message

    def told(self, message: Message) -> Json:
        """A message as the API tells it."""
        place = self.places[message.channel]
        attachments = [
            {"id": f"{message.id}{n}", "filename": name, "size": len(data), "url": f"file://{name}"}
            for n, (name, data) in enumerate(message.files)
        ]
        return {
            "id": message.id,
            "channel_id": message.channel,
            "author": self.users[message.author].json,
            "content": message.raw.get("content") or "",
            "embeds": message.raw.get("embeds") or [],
            "components": message.raw.get("components") or [],
            "attachments": attachments,
            "flags": ONLY_YOU if message.only_for else 0,
            "type": 0,
            "timestamp": self.now(),
            "edited_timestamp": message.edited_at,
            "mentions": [],
            "mention_roles": [],
            "mention_everyone": False,
            "pinned": False,
            "tts": False,
            **({"guild_id": place.guild} if place.guild else {}),
        }

    def _place(self, place: Place) -> Place:
        self.places[place.id] = place
        return place
