"""The chats of a running bot: those that have a token, each kept listening whatever the others do."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from datetime import timedelta

from adapters.chat.slack import Slack, SlackLogin
from bot.domain.market import Finding
from bot.ports import Chat, Clock, Desk
from bot.settings import Settings

log = logging.getLogger("lastcall.chats")

_LONGEST = timedelta(minutes=2)
_SETTLED = timedelta(minutes=5)
"""A chat that held so long is begun anew at once."""


def chats_of(settings: Settings, clock: Clock) -> tuple[Chat, ...]:
    """One per token. Nothing is asked before it listens."""
    login = _slack(settings)
    return (Slack(login, clock).chat,) if login.bot_token else ()


async def chat_findings(settings: Settings, clock: Clock) -> list[Finding]:
    """What ``lastcall check`` says of the chats that have a token."""
    login = _slack(settings)
    return [*await Slack(login, clock).check()] if login.bot_token else []


def _slack(settings: Settings) -> SlackLogin:
    return SlackLogin(
        bot_token=settings.slack_bot_token.get_secret_value(),
        app_token=settings.slack_app_token.get_secret_value(),
        signing_secret=settings.slack_signing_secret.get_secret_value(),
        mode=settings.slack_mode,
        url=settings.slack_api_url,
        host=settings.http_host,
        port=settings.http_port,
        allowed=settings.slack_allowed,
    )


class FrontEnds:
    """Listens in every chat until it is stopped. A fault in one is logged, and it is begun anew."""

    def __init__(self, chats: Sequence[Chat], desk: Desk, clock: Clock) -> None:
        self._chats = chats
        self._desk = desk
        self._clock = clock
        self._tasks: list[asyncio.Task[None]] = []
        self._end = asyncio.Event()

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
                await chat.listen(self._desk)
            except Exception:
                log.exception("%s has stopped listening; it begins anew", chat.name)
            faults = 0 if self._clock.now() - began > _SETTLED else faults + 1
            pause = min(_LONGEST, timedelta(seconds=2) * 2**faults)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause.total_seconds()):
                    await self._end.wait()
