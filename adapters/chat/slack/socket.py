"""Socket Mode, watched: the client of slack-sdk can stay deaf for good, and does not say so.

A used-up ticket is forgotten, a socket that stays away is made anew (chat-platforms.md, 1 and 2.3).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Awaitable, Callable

import aiohttp
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackClientError

from bot.domain.errors import LastcallError

log = logging.getLogger("lastcall.slack")

PING_S = 5
"""Four of them without a pong, and the client connects anew by itself."""
_LOOK_S = 2
_FORGET_S = 8
"""So long without a socket, and its ticket is forgotten."""
_GOODBYE_S = 5
_ANEW_S = 40
"""So long, and the client is thrown away. Together well below the 90 seconds in which a deaf socket is to be healed."""


class Socket:
    """One connection to Slack, kept until cancelled. ``prove`` asks Slack for a ticket and raises what keeps us out
    (a revoked token); ``pace`` shortens every wait, for tests."""

    def __init__(
        self, app: AsyncApp, app_token: str, *, prove: Callable[[], Awaitable[None]], pace: float = 1.0
    ) -> None:
        self._app = app
        self._prove = prove
        self._token = app_token
        self._pace = pace
        self.heard_at = 0.0
        """When the socket was last seen alive (``time.monotonic``)."""

    async def run(self) -> None:
        """Connect, watch, and connect anew, for ever."""
        tries = 0
        while True:
            began = time.monotonic()
            await self._one()
            tries = 0 if time.monotonic() - began > _ANEW_S * 2 * self._pace else tries + 1
            wait = min(30.0, 2.0**tries) * random.uniform(0.5, 1)
            await asyncio.sleep(wait * self._pace)

    async def _one(self) -> None:
        """One client, until it stays away."""
        handler = AsyncSocketModeHandler(self._app, self._token, ping_interval=PING_S * self._pace)
        connecting = asyncio.ensure_future(handler.connect_async())  # type: ignore[no-untyped-call]
        try:
            await self._watch(handler)
        finally:
            connecting.cancel()
            with contextlib.suppress(asyncio.CancelledError, aiohttp.ClientError, SlackClientError, OSError):
                await connecting
            with contextlib.suppress(aiohttp.ClientError, SlackClientError, OSError, TimeoutError):
                async with asyncio.timeout(_GOODBYE_S):
                    await handler.close_async()  # type: ignore[no-untyped-call]
            # A peer that says no goodbye leaves the library's session open.
            await handler.client.aiohttp_client_session.close()

    async def _watch(self, handler: AsyncSocketModeHandler) -> None:
        alive, was = time.monotonic(), False
        while True:
            await asyncio.sleep(_LOOK_S * self._pace)
            now = time.monotonic()
            live = await self._lives(handler)
            if live:
                alive = self.heard_at = now
            if live != was:
                log.info("the socket to Slack is %s", "open" if live else "gone")
                was = live
            if now - alive > _ANEW_S * self._pace:
                log.warning("no socket to Slack for %d s: %s", now - alive, await self._why())
                return
            if now - alive > _FORGET_S * self._pace:
                handler.client.wss_uri = None

    async def _why(self) -> str:
        try:
            await self._prove()
        except LastcallError as error:
            return str(error)
        return "a new client"

    async def _lives(self, handler: AsyncSocketModeHandler) -> bool:
        client = handler.client
        with contextlib.suppress(Exception):
            return await client.is_connected() and not await client.is_ping_pong_failing()
        return False
