"""The state of the workspace, and what happens to it without the app: channels are archived, tokens end."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from adapters.simulators.slack.bell import Bell
from adapters.simulators.slack.refusals import Refusal
from adapters.simulators.slack.things import Call, Json, Kind, Message, Place, SlackFile, User, View
from bot.ports import Clock

TRIGGER_LIFE = timedelta(seconds=3)
"""How long a ``trigger_id`` opens a modal, once (chat-platforms.md, 4.1)."""
ALL_SCOPES = frozenset(
    {
        *("commands", "chat:write", "app_mentions:read", "users:read", "files:read", "files:write"),
        *("im:read", "im:history", "im:write", "channels:read", "channels:history", "channels:join"),
        *("groups:read", "groups:history"),
    }
)


@dataclass(slots=True)
class Trigger:
    """A right to open one modal for one person."""

    user: str
    ends: datetime
    used: bool = False


class SlackTown:
    """One workspace with one app in it. ``ts`` rise strictly, whatever the clock does."""

    def __init__(self, clock: Clock, *, team: str = "T1", scopes: Iterable[str] = ALL_SCOPES) -> None:
        """``scopes``: what the bot token may do; a call without its scope is ``missing_scope``."""
        self.clock = clock
        self.team = team
        self.domain = "acme"
        self.app_id, self.bot_id = "A0APP", "B0BOT"
        self.bot_token, self.app_token = "xoxb-town-bot", "xapp-town-app"
        self.scopes = frozenset(scopes)
        self.revoked = False
        self.users: dict[str, User] = {}
        self.places: dict[str, Place] = {}
        self.files: dict[str, SlackFile] = {}
        self.views: dict[str, View] = {}
        self.homes: dict[str, str] = {}
        self.triggers: dict[str, Trigger] = {}
        self.calls: list[Call] = []
        self.base_url = ""
        """The server's own address; set when it runs."""
        self.bell = Bell()
        self.complaints: list[str] = []
        """What Slack showed people as the app's failure."""
        self._numbers = 0
        self._last_ts = 0
        self.bot = self.person("lastcall", id="U0BOT", is_bot=True)

    # -- who and what is there

    def person(self, name: str, *, id: str = "", team: str = "", **flags: bool) -> User:
        """A new user with the flags of ``User``. One of another ``team`` is a stranger."""
        team = team or self.team
        if team != self.team:
            flags["is_stranger"] = True
        user = User(id=id or f"U{name.upper()}", name=name, team=team, real_name=name.title(), **flags)
        if user.id in self.users:
            raise ValueError(f"{user.id} is there already")
        self.users[user.id] = user
        return user

    def channel(
        self, name: str, *, kind: Kind = "public", members: Iterable[User | str] = (), bot: bool = True
    ) -> Place:
        """A new channel with these people (users or their names) and, unless told otherwise, the bot in it."""
        ids = {one.id if isinstance(one, User) else f"U{one.upper()}" for one in members}
        if lost := ids - self.users.keys():
            raise ValueError(f"nobody is called {lost}")
        sign = {"public": "C", "private": "G", "im": "D", "mpim": "G"}[kind]
        place = Place(f"{sign}{name.upper().replace('-', '')}", name, kind, ids)
        if place.id in self.places:
            raise ValueError(f"{place.id} is there already")
        if bot:
            place.members.add(self.bot.id)
        self.places[place.id] = place
        return place

    def im(self, user: User) -> Place:
        """The direct message between this person and the bot; made when it is asked for first."""
        found = self.places.get(f"D{user.id}")
        if found is None:
            found = Place(f"D{user.id}", "directmessage", "im", {user.id, self.bot.id})
            self.places[found.id] = found
        return found

    def home(self, user: User) -> View | None:
        """The App Home that was published for this person."""
        return self.views.get(self.homes.get(user.id, ""))

    def modal(self, user: User) -> View | None:
        """The modal on top of this person's stack."""
        stack = self.stack(user.id)
        return stack[-1] if stack else None

    def stack(self, user_id: str) -> list[View]:
        """The open modals of a person, the top one last."""
        return [v for v in self.views.values() if v.user == user_id and v.kind == "modal" and v.open]

    # -- what happens to them

    def archive(self, place: Place) -> None:
        """Nobody can post there any more."""
        place.archived = True

    def kick_bot(self, place: Place) -> None:
        """The bot is removed from the channel."""
        place.members.discard(self.bot.id)

    def deactivate(self, user: User) -> None:
        """The person leaves the company; the direct message stays and takes nothing more."""
        user.deleted = True
        for place in self.places.values():
            if place.kind != "im":
                place.members.discard(user.id)

    def revoke(self) -> None:
        """The app's tokens are worth nothing from now on (``token_revoked``)."""
        self.revoked = True

    # -- what everything is numbered with

    def ts(self) -> str:
        """The next message's time and name: seconds and microseconds of the clock, always later than the last."""
        micros = int(self.clock.now().timestamp()) * 1_000_000 + self.clock.now().microsecond
        self._last_ts = max(micros, self._last_ts + 1)
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"

    def number(self, sign: str) -> str:
        """An id that was never given before."""
        self._numbers += 1
        return f"{sign}{self._numbers:08d}"

    def trigger(self, user: User) -> str:
        """A new ``trigger_id`` for something that this person has just done."""
        name = f"{self.number('')}.{self.team[1:]}.{self.number('x')}"
        self.triggers[name] = Trigger(user.id, self.clock.now() + TRIGGER_LIFE)
        return name

    def take_trigger(self, name: object) -> str:
        """Whose it is; it is spent by that."""
        trigger = self.triggers.get(str(name))
        if trigger is None:
            raise Refusal("invalid_trigger_id")
        if trigger.used:
            raise Refusal("exchanged_trigger_id")
        if self.clock.now() > trigger.ends:
            raise Refusal("expired_trigger_id")
        trigger.used = True
        return trigger.user

    # -- what the API looks up

    def place(self, channel: object) -> Place:
        """A channel by id, or the direct message with a user by theirs. A private one hides from who is not in it."""
        if not isinstance(channel, str) or not channel:
            raise Refusal("channel_not_found")
        if channel in self.users:
            user = self.users[channel]
            if user.deleted or user.is_bot:
                raise Refusal("channel_not_found")
            return self.im(user)
        found = self.places.get(channel)
        if found is None or (found.kind != "public" and self.bot.id not in found.members):
            raise Refusal("channel_not_found")
        return found

    def writable(self, channel: object) -> Place:
        """A channel that the bot may post in now."""
        place = self.place(channel)
        if place.archived:
            raise Refusal("is_archived")
        if self.bot.id not in place.members:
            raise Refusal("not_in_channel")
        if place.kind == "im" and any(self.users[one].deleted for one in place.members):
            raise Refusal("is_inactive")
        return place

    def somebody(self, user_id: object) -> User:
        """A user by id."""
        user = self.users.get(str(user_id))
        if user is None:
            raise Refusal("user_not_found")
        return user

    def put(self, place: Place, message: Message) -> Message:
        """Say it there; a reply makes a thread of the message above it."""
        if message.only_for:
            place.ephemerals.append(message)
            return message
        if message.thread_ts:
            head = place.at(message.thread_ts)
            if head is None or (head.thread_ts and head.thread_ts != head.ts):
                raise Refusal("thread_not_found")
            head.thread_ts = head.ts
        place.messages.append(message)
        return message

    def has_file(self, name: str) -> bool:
        """Whether a picture of this id or private address can be shown."""
        return any(
            file.complete and name in (file.id, self.private_url(file)) for file in self.files.values()
        )

    def private_url(self, file: SlackFile) -> str:
        """Where its bytes are, for who has a token."""
        return f"{self.base_url}files-pri/{file.id}/{file.name}"

    def shown_file(self, file: SlackFile) -> Json:
        """As the API and the payloads tell it."""
        url = self.private_url(file)
        return {
            "id": file.id,
            "name": file.name,
            "title": file.title or file.name,
            "mimetype": file.mimetype,
            "filetype": file.name.rsplit(".", 1)[-1].lower(),
            "size": file.size,
            "user": file.owner,
            "mode": "hosted",
            "url_private": url,
            "url_private_download": url.replace(f"/{file.name}", f"/download/{file.name}"),
            "channels": list(file.shared),
        }
