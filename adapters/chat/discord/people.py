"""Who is heard: people of the servers that this bot works for. Bots are not.

A person is server and user id; names can be changed and are only shown. What Discord's roles give is looked at anew in
every interaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from adapters.chat.discord.rest import DiscordRefused, Rest
from bot.domain.allowance import Role
from bot.domain.errors import NeedsHuman, PlaceLost, TryLater
from bot.domain.talk import Actor
from bot.ports import Clock

NAME = "discord"
KNOWN_FOR = timedelta(minutes=5)
_MANY = 5_000
_STRENGTH = (Role.VIEWER, Role.MEMBER, Role.ADMIN)


class People:
    """``servers``: ids of those that are heard, empty for all that the bot is in; ``roles``: a Discord role's id to
    ours."""

    def __init__(self, rest: Rest, clock: Clock, servers: Sequence[str], roles: Mapping[str, Role]) -> None:
        self._rest = rest
        self._clock = clock
        self._servers = frozenset(servers)
        self._roles = roles
        self._members: dict[tuple[str, str], tuple[datetime, Mapping[str, Any] | None]] = {}
        self.guilds: Sequence[str] = ()
        """The servers that the bot is in, as the gateway tells."""

    def here(self, guild: str, user: Mapping[str, Any], member: Mapping[str, Any]) -> tuple[Actor, str]:
        """Somebody in a server, and why this person is not heard (empty: is heard)."""
        name = str(member.get("nick") or user.get("global_name") or user.get("username") or "")
        actor = Actor(NAME, guild, str(user["id"]), name, rank=self._rank(member.get("roles") or ()))
        if user.get("bot"):
            return actor, "Lastcall takes no commands from bots."
        if self._servers and guild not in self._servers:
            return (
                actor,
                "Lastcall does not work for this server. Ask who runs it to add it to DISCORD_GUILD_IDS.",
            )
        return actor, ""

    async def alone(self, user: Mapping[str, Any]) -> tuple[Actor, str]:
        """Somebody in a direct message: which server they mean is the one that they share with the bot."""
        if user.get("bot"):
            return Actor(NAME, "", str(user["id"]), ""), "Lastcall takes no commands from bots."
        heard = [one for one in self.guilds if not self._servers or one in self._servers]
        try:
            found = [
                (guild, member) for guild in heard if (member := await self._member(guild, str(user["id"])))
            ]
        except (TryLater, NeedsHuman):
            return Actor(
                NAME, "", str(user["id"]), ""
            ), "Discord does not tell who you are right now. Try again soon."
        if len(found) == 1:
            return self.here(found[0][0], user, found[0][1])
        why = (
            "You share several servers with Lastcall. Say it in the one that you mean."
            if found
            else "Lastcall hears the people of its own servers only."
        )
        return Actor(NAME, "", str(user["id"]), ""), why

    async def _member(self, guild: str, user: str) -> Mapping[str, Any] | None:
        now = self._clock.now()
        at, known = self._members.get((guild, user), (now - KNOWN_FOR, None))
        if now - at < KNOWN_FOR:
            return known
        try:
            found = await self._rest.call("GET", f"/guilds/{guild}/members/{user}")
        except (PlaceLost, DiscordRefused):
            found = None
        if len(self._members) >= _MANY:
            self._members.clear()
        self._members[guild, user] = (now, found)
        return found if isinstance(found, dict) else None

    def _rank(self, roles: Sequence[str]) -> str:
        """The strongest that any of their roles gives; empty when none says anything."""
        given = [self._roles[str(one)] for one in roles if str(one) in self._roles]
        return max(given, key=_STRENGTH.index).value if given else ""
