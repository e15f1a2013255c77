"""Discord's REST API: one try for each call, errors named for what the caller does next, and no call to a place while
Discord wants it to be left alone.

Not discord.py's own: that one sleeps inside a call and repeats it for up to half a minute, while the outbox knows
better what may be repeated and when; and it ends with the gateway's client, while an answer has to outlive that.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import aiohttp

from bot.domain.errors import NeedsHuman, PlaceLost, Refused, TryLater
from bot.ports import Clock

CALL_S = 15
"""Seconds that a call may take; below what a delivery gives a message."""
_MOST_WAIT = timedelta(minutes=10)
_LOST = {
    10003: "there is no such channel",
    10004: "there is no such server",
    10013: "there is no such person",
    50001: "the bot may not see the channel",
    50007: "the person takes no direct messages from the bot",
    50013: "the bot may not write in the channel",
    50278: "the person shares no server with the bot",
}
"""Codes of a place (discord.com/developers/docs/topics/opcodes-and-status-codes#json)."""
_AGENT = "DiscordBot (https://github.com/lastcall, 0.1)"


class DiscordRefused(Refused):
    """Discord answered with ``code``, its own number, and repeating does not help."""

    def __init__(self, code: int, said: str) -> None:
        super().__init__(f"Discord refuses it: {said or 'no reason given'} ({code}).")
        self.code = code


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that goes with a message."""

    name: str
    data: bytes


class Rest:
    """One bot, by its token, which stands in a header and nowhere else."""

    def __init__(self, url: str, token: str, clock: Clock) -> None:
        self._url = url.rstrip("/")
        self._token = token
        self._clock = clock
        self._closed_until: dict[str, datetime] = {}
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Let the connections go."""
        if self._session is not None:
            await self._session.close()
        self._session = None

    async def call(
        self, method: str, path: str, body: Any = None, *, files: Sequence[Upload] = (), **query: str | int
    ) -> Any:
        """Ask once; the answer's JSON. Raises ``TryLater`` (nothing is known to be done), ``PlaceLost``, ``NeedsHuman``
        (the token), ``DiscordRefused``."""
        place = f"{method} {path.partition('?')[0]}"
        now = self._clock.now()
        if (until := max(self._closed_until.get(place, now), self._closed_until.get("*", now))) > now:
            raise TryLater("Discord wants to be left alone", after=until - now)
        headers = {"Authorization": f"Bot {self._token}", "User-Agent": _AGENT}
        sent: dict[str, Any] = (
            {"data": _form(body, files)} if files else {"json": body} if body is not None else {}
        )
        try:
            async with asyncio.timeout(CALL_S):
                session = self._open()
                async with session.request(
                    method, f"{self._url}{path}", headers=headers, params=query or None, **sent
                ) as answer:
                    text = await answer.text()
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise TryLater(f"Discord cannot be reached ({type(error).__name__})") from None
        said = _json(text)
        if 200 <= answer.status < 300:
            return said
        raise self._meant(place, answer.status, said if isinstance(said, dict) else {}, answer.headers)

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=CALL_S))
        return self._session

    def _meant(self, place: str, status: int, said: dict[str, Any], headers: Any) -> Exception:
        code = int(said.get("code") or 0) if str(said.get("code") or "0").isdecimal() else 0
        if status == 429:
            after = _seconds(said.get("retry_after") or headers.get("Retry-After"))
            now = self._clock.now()
            self._closed_until = {key: until for key, until in self._closed_until.items() if until > now}
            self._closed_until["*" if said.get("global") else place] = now + after
            return TryLater("Discord asks for fewer calls", after=after)
        if status == 401 and not code:  # an interaction's token that is used up has a code
            return NeedsHuman(
                "Discord does not take DISCORD_BOT_TOKEN (401); reset it in the developer portal"
            )
        if code in _LOST:
            return PlaceLost(f"Discord: {_LOST[code]}.")
        if status >= 500 or (status == 403 and not code):
            return TryLater(f"Discord has trouble ({status})")
        return DiscordRefused(code or status, str(said.get("message") or ""))


def _form(body: Any, files: Sequence[Upload]) -> aiohttp.FormData:
    form = aiohttp.FormData(quote_fields=False)  # Discord does not take escaped brackets in names
    form.add_field("payload_json", json.dumps(body or {}), content_type="application/json")
    for number, one in enumerate(files):
        form.add_field(
            f"files[{number}]", one.data, filename=one.name, content_type="application/octet-stream"
        )
    return form


def _json(text: str) -> Any:
    try:
        return json.loads(text) if text else None
    except ValueError:
        return None


def _seconds(said: object) -> timedelta:
    try:
        return min(timedelta(seconds=max(0.0, float(str(said)))), _MOST_WAIT)
    except ValueError:
        return timedelta(minutes=1)
