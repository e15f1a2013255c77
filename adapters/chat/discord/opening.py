"""From a token to a chat: who we are, whether Discord takes us, the commands, and the way in."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from adapters.chat.discord import commands
from adapters.chat.discord.answers import Answers
from adapters.chat.discord.chat import DiscordChat
from adapters.chat.discord.fetching import Fetching
from adapters.chat.discord.gateway import Gateway
from adapters.chat.discord.hearing import Ear
from adapters.chat.discord.people import People
from adapters.chat.discord.rest import Rest
from adapters.chatkit.work import Work
from bot.domain.allowance import Role
from bot.domain.errors import LastcallError, NeedsHuman
from bot.domain.market import Finding, Mark
from bot.domain.vitals import Line
from bot.ports import Clock, Desk

log = logging.getLogger("lastcall.discord")

API, GATEWAY = "https://discord.com/api/v10", "wss://gateway.discord.gg/"
PERMISSIONS = 1024 | 2048 | 16384 | 32768 | 65536 | 34359738368 | 274877906944
"""View Channels, Send Messages, Embed Links, Attach Files, Read Message History, Create Public Threads, Send Messages
in Threads (discord.com/developers/docs/topics/permissions)."""
_AGAIN_S, _SOON_S = 60, 5
_DEAF = timedelta(seconds=120)
"""Discord asks for a heartbeat about every 41 s, and answers each."""


@dataclass(frozen=True, slots=True)
class DiscordLogin:
    """One bot. ``servers``: those that it works for, empty for all that it is in; ``roles``: a Discord role's id to
    ours."""

    token: str = field(repr=False)
    url: str = API
    gateway: str = GATEWAY
    servers: tuple[str, ...] = ()
    roles: Mapping[str, Role] = field(default_factory=dict)
    content: bool = False
    """Whether ``!gpu …`` is heard: the Message Content intent is switched on in the developer portal."""
    pace: float = 1.0
    """Shortens every wait of the connection, for tests."""


class Discord:
    """Holds the parts together; ``chat`` is what the bot is given."""

    def __init__(self, login: DiscordLogin, clock: Clock) -> None:
        self._login = login
        self._clock = clock
        self._rest = Rest(login.url, login.token, clock)
        self.chat = DiscordChat(self._rest, self._listen)
        self._work: Work | None = None
        self._gateway: Gateway | None = None
        self.synced = 0
        """How often commands were registered."""

    async def settled(self) -> None:
        """Everything that was heard up to now is done and answered."""
        if self._work is not None:
            await self._work.idle()

    @property
    def line(self) -> Line:
        """How the way in is."""
        heard = self._gateway.heard_at if self._gateway is not None else 0.0
        silence = timedelta(seconds=time.monotonic() - heard) if heard else None
        return Line(self.chat.ready and silence is not None and silence < _DEAF, silence)

    async def _listen(self, desk: Desk) -> None:
        work = self._work = Work()
        login = self._login
        people = People(self._rest, self._clock, login.servers, login.roles)
        answers = Answers(self._rest, self.chat, self._clock)
        ear = Ear(
            desk, people=people, answers=answers, fetching=Fetching(login.url), clock=self._clock, work=work
        )
        try:
            while True:
                await self._introduced(ear, desk)
                gateway = self._gateway = Gateway(
                    login.token,
                    ear.event,
                    url=login.url,
                    gateway=login.gateway,
                    content=login.content,
                    pace=login.pace,
                )
                try:
                    await gateway.run()
                except NeedsHuman as error:
                    log.warning("Discord has shut us out: %s. The rest of Lastcall goes on.", error)
                    self.chat.ready = False
                    await asyncio.sleep(_AGAIN_S * login.pace)
        finally:
            self.chat.ready = False
            await work.drain()
            await self._rest.close()

    async def _introduced(self, ear: Ear, desk: Desk) -> None:
        """Until Discord takes the token. What only a person can mend is said once, in one sentence."""
        told = ""
        while True:
            try:
                me = await self._rest.call("GET", "/oauth2/applications/@me")
                bot = await self._rest.call("GET", "/users/@me")
                ear.bot = str(bot["id"])
                self.chat.ready = True
                self.synced += await commands.sync(self._rest, desk, str(me["id"]), self._login.servers)
            except LastcallError as error:
                said = str(error)
                if said != told:
                    log.warning(
                        "Discord is not connected: %s. The rest of Lastcall goes on.", said.rstrip(".")
                    )
                told = said
                self.chat.ready = False
                wait = _AGAIN_S if isinstance(error, NeedsHuman) else _SOON_S
                await asyncio.sleep(wait * self._login.pace)
                continue
            log.info("Discord: %s. Invite: %s", bot.get("username"), invite(str(me["id"])))
            if me.get("bot_public") and not self._login.servers:
                log.warning(_PUBLIC)
            return

    async def check(self) -> tuple[Finding, ...]:
        """What ``lastcall check`` says of it. Nothing listens by it."""
        try:
            me = await self._rest.call("GET", "/oauth2/applications/@me")
            bot = await self._rest.call("GET", "/users/@me")
            missing = [one for one in self._login.servers if not await self._is_in(one)]
        except LastcallError as error:
            return (Finding("Discord", Mark.BAD, f"{str(error).rstrip('.')}.", "See docs/discord.md."),)
        finally:
            await self._rest.close()
        said = f"{bot.get('username')}. Invite: {invite(str(me['id']))}"
        if missing:
            return (
                Finding(
                    "Discord", Mark.WARN, f"{said} It is not in: {', '.join(missing)}.", "Invite it there."
                ),
            )
        if me.get("bot_public") and not self._login.servers:
            return (Finding("Discord", Mark.WARN, f"{said} {_PUBLIC}", "Set DISCORD_GUILD_IDS."),)
        return (Finding("Discord", Mark.GOOD, said),)

    async def _is_in(self, server: str) -> bool:
        try:
            await self._rest.call("GET", f"/guilds/{server}")
        except NeedsHuman:
            raise
        except LastcallError:
            return False
        return True


_PUBLIC = (
    "Anybody may invite this bot and rent with your keys: switch Public Bot off, or set DISCORD_GUILD_IDS."
)


def invite(application: str) -> str:
    """The link by which somebody who may manage a server adds the bot, with the least permissions."""
    return (
        f"https://discord.com/oauth2/authorize?client_id={application}"
        f"&scope=bot+applications.commands&permissions={PERMISSIONS}"
    )
