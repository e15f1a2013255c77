"""The way in: discord.py's client keeps the gateway (heartbeats, resume, compression); its events are taken as they
come.

A client that died is not used again (chat-platforms.md, 1.7 and 1.8): a new one is made, after a pause that grows. What
was heard goes on meanwhile, because answers need no gateway.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import time
from collections.abc import Callable, Mapping
from typing import Any

import aiohttp
import discord
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bot.domain.errors import NeedsHuman

log = logging.getLogger("lastcall.discord")
# At DEBUG it writes whole payloads, with the tokens of interactions in them; at WARNING each try to connect.
logging.getLogger("discord").setLevel(logging.CRITICAL)

Event = Callable[[str, Mapping[str, Any]], None]
_LONGEST_S = 60.0
_GOOD_S = 60.0
"""A client that lived so long did nothing wrong: the next one is made at once."""
_NO_CONTENT = (
    "Discord does not let the bot read messages (Message Content is off in the developer portal): '!gpu …' is not"
    " heard; /gpu, mentions and direct messages are."
)


class _Client(discord.Client):
    def __init__(self, heard: Event, *, intents: discord.Intents) -> None:
        super().__init__(
            intents=intents,
            enable_debug_events=True,
            max_messages=None,
            chunk_guilds_at_startup=False,
            member_cache_flags=discord.MemberCacheFlags.none(),
            allowed_mentions=discord.AllowedMentions.none(),
        )
        self._heard = heard
        self.heard_at = 0.0

    async def on_socket_raw_receive(self, message: str) -> None:
        """Before discord.py parses it. The answers to heartbeats come here, too."""
        self.heard_at = time.monotonic()
        try:
            said = json.loads(message)
        except ValueError:
            return
        if isinstance(said, dict) and said.get("op") == 0 and isinstance(said.get("d"), dict):
            self._heard(str(said.get("t")), said["d"])


class Gateway:
    """One connection, kept until cancelled. ``content``: whether to ask for the content of all messages."""

    def __init__(
        self, token: str, heard: Event, *, url: str, gateway: str, content: bool, pace: float = 1.0
    ) -> None:
        self._token = token
        self._heard = heard
        self._content = content
        self._pace = pace
        self._client: _Client | None = None
        Route.BASE = url.rstrip("/")
        if gateway:
            DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(gateway)

    @property
    def heard_at(self) -> float:
        """When the gateway last said anything (``time.monotonic``); 0 while there is none."""
        return self._client.heard_at if self._client is not None else 0.0

    async def run(self) -> None:
        """Connect, and connect anew, for ever. Raises ``NeedsHuman`` when Discord does not take the token."""
        tries = 0
        while True:
            began = time.monotonic()
            why = await self._one()
            lived = time.monotonic() - began
            tries = 0 if lived > _GOOD_S * self._pace else tries + 1
            wait = min(_LONGEST_S, 2.0**tries) * random.uniform(0.5, 1)
            log.warning("the gateway to Discord is gone (%s); again in %.0f s", why, wait * self._pace)
            await asyncio.sleep(wait * self._pace)

    async def _one(self) -> str:
        """One client, from its start to its death; what it died of."""
        client = self._client = _Client(self._heard, intents=_intents(content=self._content))
        try:
            await client.start(self._token)
        except discord.LoginFailure:
            raise NeedsHuman(
                "Discord does not take DISCORD_BOT_TOKEN; reset it in the developer portal"
            ) from None
        except discord.PrivilegedIntentsRequired:
            self._content = False
            log.warning(_NO_CONTENT)
            return "its intents were refused"
        except (discord.DiscordException, aiohttp.ClientError, OSError, TimeoutError) as error:
            return type(error).__name__
        except Exception as fault:
            # One event that discord.py cannot parse ends its client with whatever it stumbled over.
            log.info("discord.py stumbled", exc_info=fault)
            return f"an event could not be read: {type(fault).__name__}"
        finally:
            await _closed(client)
        return "it ended"


def _intents(*, content: bool) -> discord.Intents:
    """The least: servers for their ids, messages for mentions and direct messages."""
    intents = discord.Intents.none()
    intents.guilds = intents.guild_messages = intents.dm_messages = True
    intents.message_content = content
    return intents


async def _closed(client: discord.Client) -> None:
    try:
        async with asyncio.timeout(5):
            await client.close()
    except (discord.DiscordException, aiohttp.ClientError, OSError, TimeoutError, AttributeError) as error:
        log.debug("a client could not be closed: %s", type(error).__name__)
