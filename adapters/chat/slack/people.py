"""Who is heard: members of the workspace. Guests, people of other companies and bots are not, unless they are allowed.

A person is workspace and user id; names can be changed and are only shown.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from datetime import datetime, timedelta

from adapters.chat.slack.api import Api, SlackRefused
from bot.domain.errors import NeedsHuman, PlaceLost, TryLater
from bot.domain.talk import Actor
from bot.ports import Clock

KNOWN_FOR = timedelta(minutes=5)
"""Minutes, not hours: somebody who became a guest or left is one soon."""
STILL_KNOWN = timedelta(hours=1)
"""While Slack does not answer, so long it is believed what it said last."""
_MANY = 5000
GUESTS = "guests"


@dataclass(frozen=True, slots=True)
class _Seen:
    at: datetime
    name: str
    why_not: str


class People:
    """``allowed``: ``guests``, and ids of other teams."""

    def __init__(self, api: Api, clock: Clock, allowed: Container[str] = ()) -> None:
        self._api = api
        self._clock = clock
        self._allowed = allowed
        self._seen: dict[str, _Seen] = {}
        self.team = ""
        """The workspace that the token is for; filled at the start."""

    async def actor(self, user: str, *, name: str = "") -> tuple[Actor, str]:
        """The person, and why this person is not heard (empty: is heard)."""
        seen = await self._look(user)
        return Actor("slack", self.team, user, seen.name or name), seen.why_not

    async def _look(self, user: str) -> _Seen:
        now = self._clock.now()
        known = self._seen.get(user)
        if known is not None and now - known.at < KNOWN_FOR:
            return known
        try:
            person = (await self._api.call("users.info", user=user)).get("user") or {}
        except (TryLater, NeedsHuman):
            if known is not None and now - known.at < STILL_KNOWN:
                return known
            return _Seen(now, "", "Slack does not tell who you are right now. Try again in a minute.")
        except (PlaceLost, SlackRefused):
            return _Seen(now, "", "Slack does not know you in this workspace.")
        if len(self._seen) >= _MANY:
            self._seen.clear()
        profile = person.get("profile") or {}
        name = profile.get("display_name") or person.get("real_name") or person.get("name") or ""
        found = _Seen(now, str(name), self._why_not(person))
        self._seen[user] = found
        return found

    def _why_not(self, person: dict[str, object]) -> str:
        team = str(person.get("team_id") or "")
        if person.get("deleted"):
            return "This account is deactivated."
        if person.get("is_bot") or person.get("id") == "USLACKBOT":
            return "Lastcall takes no commands from bots."
        stranger = bool(person.get("is_stranger")) or (bool(team) and team != self.team)
        if stranger and team not in self._allowed:
            return "Lastcall hears the members of its own workspace only. Ask who runs it to allow your team."
        guest = bool(person.get("is_restricted") or person.get("is_ultra_restricted"))
        if guest and GUESTS not in self._allowed:
            return "Lastcall takes no commands from guests here. Ask who runs it to allow them."
        return ""
