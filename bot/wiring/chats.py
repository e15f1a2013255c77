"""The chats of a running bot: those that have a token, each kept listening whatever the others do."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy.exc import SQLAlchemyError

from bot.domain.market import Finding
from bot.domain.vitals import Line
from bot.ports import Chat, Clock, Desk
from bot.settings import Settings

log = logging.getLogger("lastcall.chats")

_LONGEST = timedelta(minutes=2)
_LEASE, _LOOK = timedelta(seconds=20), timedelta(seconds=5)
"""How long a chat's lease lasts, and how often it is asked for: together below half a minute."""
_SETTLED = timedelta(minutes=5)
"""A chat that held so long is begun anew at once."""


class Front(Protocol):
    """A chat with what belongs to it."""

    @property
    def chat(self) -> Chat:
        """What the bot is given."""

    @property
    def line(self) -> Line:
        """How the way in is."""

    async def check(self) -> Sequence[Finding]:
        """What ``lastcall check`` says of it."""


def fronts_of(settings: Settings, clock: Clock) -> tuple[Front, ...]:
    """One per token. Nothing is asked before it listens."""
    return tuple(_fronts(settings, clock))


async def chat_findings(settings: Settings, clock: Clock) -> list[Finding]:
    """What ``lastcall check`` says of the chats that have a token."""
    return [finding for one in _fronts(settings, clock) for finding in await one.check()]


def _fronts(settings: Settings, clock: Clock) -> Iterator[Front]:
    if settings.slack_bot_token.get_secret_value():
        yield _slack(settings, clock)
    if settings.discord_bot_token.get_secret_value():
        yield _discord(settings, clock)


# Loaded by those who use them: the two libraries and what they bring take half a second and 40 MiB.


def _slack(settings: Settings, clock: Clock) -> Front:
    from adapters.chat.slack import Slack, SlackLogin  # noqa: PLC0415

    login = SlackLogin(
        bot_token=settings.slack_bot_token.get_secret_value(),
        app_token=settings.slack_app_token.get_secret_value(),
        signing_secret=settings.slack_signing_secret.get_secret_value(),
        mode=settings.slack_mode,
        url=settings.slack_api_url,
        host=settings.http_host,
        port=settings.http_port,
        allowed=settings.slack_allowed,
    )
    return Slack(login, clock)


def _discord(settings: Settings, clock: Clock) -> Front:
    from adapters.chat.discord import Discord, DiscordLogin  # noqa: PLC0415

    login = DiscordLogin(
        token=settings.discord_bot_token.get_secret_value(),
        url=settings.discord_api_url,
        gateway=settings.discord_gateway_url,
        servers=settings.discord_servers,
        roles=settings.discord_role_map,
        content=settings.discord_message_content,
    )
    return Discord(login, clock)


class Elect(Protocol):
    """Which of several processes listens in a chat that wants only one."""

    async def take(self, name: str, *, token: str, now: datetime, until: datetime) -> bool:
        """Take or keep it."""

    async def release(self, name: str, *, token: str) -> None:
        """Give it back."""


class FrontEnds:
    """Listens in every chat until it is stopped. A fault in one is logged, and it is begun anew. Where only one process
    may listen, it is the one that holds the chat's lease; when that dies another takes over within half a minute."""

    def __init__(
        self,
        chats: Sequence[Chat],
        desk: Desk,
        clock: Clock,
        elect: Elect,
        token: str,
        *,
        look: timedelta = _LOOK,
    ) -> None:
        self._look = look
        self._elect = elect
        self._token = token
        self._chats = chats
        self._desk = desk
        self._clock = clock
        self._tasks: list[asyncio.Task[None]] = []
        self._end = asyncio.Event()
        self.aside: set[str] = set()
        """Chats in which another process listens."""

    def start(self) -> None:
        """Begin to listen."""
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self._keep(chat), name=f"chat {chat.name}") for chat in self._chats]

    async def stop(self) -> None:
        """Hear nothing more; what was heard is answered first, for a few seconds."""
        self._end.set()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _keep(self, chat: Chat) -> None:
        faults = 0
        while not self._end.is_set():
            began = self._clock.now()
            try:
                await (self._alone(chat) if chat.capabilities.alone else chat.listen(self._desk))
            except Exception:
                log.exception("%s has stopped listening; it begins anew", chat.name)
            faults = 0 if self._clock.now() - began > _SETTLED else faults + 1
            pause = min(_LONGEST, timedelta(seconds=2) * 2**faults)
            await self._wait(pause)

    async def _alone(self, chat: Chat) -> None:
        """Listen while the lease is ours."""
        name = f"chat:{chat.name}"
        while not await self._held(name):
            self.aside.add(chat.name)
            await self._wait(self._look)
        self.aside.discard(chat.name)
        log.info("%s: this process listens", chat.name)
        listening = asyncio.ensure_future(chat.listen(self._desk))
        try:
            while not listening.done():
                await asyncio.wait({listening}, timeout=self._look.total_seconds())
                if not listening.done() and not await self._held(name):
                    log.warning("%s: another process listens now", chat.name)
                    break
        finally:
            listening.cancel()
            (ended,) = await asyncio.gather(listening, return_exceptions=True)
            await self._elect.release(name, token=self._token)
        if isinstance(ended, Exception):
            raise ended

    async def _held(self, name: str) -> bool:
        now = self._clock.now()
        try:
            return await self._elect.take(name, token=self._token, now=now, until=now + _LEASE)
        except (SQLAlchemyError, OSError) as error:
            log.warning("who listens could not be settled: %s", type(error).__name__)
            return False

    async def _wait(self, pause: timedelta) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause.total_seconds()):
                await self._end.wait()
