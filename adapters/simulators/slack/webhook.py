"""HTTP mode from Slack's side (chat-platforms.md, 2.6): signed requests to the app's one address, and forged ones."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlencode

import aiohttp

from adapters.simulators.slack.delivery import Delivered, Occurrence
from adapters.simulators.slack.things import Json
from bot.ports import Clock

_FORM, _JSON = "application/x-www-form-urlencoded", "application/json"


class Webhook:
    """Tells the app by POST. ``wall`` dates the signatures: Bolt compares them with the real time."""

    def __init__(self, url: str, secret: str, wall: Clock, limit_s: float) -> None:
        self._url = url
        self._secret = secret
        self._wall = wall
        self._limit_s = limit_s

    async def tell(self, what: Occurrence) -> Delivered:
        """As Slack sends it, newly signed."""
        kind, body = _body(what)
        headers = self.signed(body) | {"Content-Type": kind}
        if what.attempt:
            headers |= {"X-Slack-Retry-Num": str(what.attempt), "X-Slack-Retry-Reason": what.reason}
        return await self._sent(what, body, headers)

    async def replay(self, delivered: Delivered) -> Delivered:
        """The very same bytes under the very same signature once more."""
        if delivered.wire is None:
            raise ValueError("was not sent as a request")
        return await self._sent(delivered.sent, *delivered.wire)

    def signed(self, body: bytes, *, at: int | None = None, secret: str | None = None) -> dict[str, str]:
        """The two headers for these bytes; ``at``: unix seconds, another moment than now."""
        moment = str(int(self._wall.now().timestamp()) if at is None else at)
        key = self._secret if secret is None else secret
        digest = hmac.new(key.encode(), f"v0:{moment}:".encode() + body, hashlib.sha256).hexdigest()
        return {"X-Slack-Request-Timestamp": moment, "X-Slack-Signature": f"v0={digest}"}

    async def raw(self, body: bytes, headers: Mapping[str, str], method: str = "POST") -> tuple[int, str]:
        """Anything at all; status and text of the answer. Raises what aiohttp raises."""
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=self._limit_s)) as session,
            session.request(method, self._url, data=body, headers=headers) as answer,
        ):
            return answer.status, await answer.text()

    async def _sent(self, what: Occurrence, body: bytes, headers: dict[str, str]) -> Delivered:
        loop = asyncio.get_running_loop()
        began = loop.time()
        told = Delivered(what, acked=False, took=0.0, wire=(body, headers))
        try:
            status, text = await self.raw(body, headers)
        except TimeoutError:
            return replace(told, took=loop.time() - began, why="timeout")
        except aiohttp.ClientError:
            return replace(told, took=loop.time() - began, why="no_connection")
        took = loop.time() - began
        if status != 200:
            return replace(told, took=took, status=status, why=f"http_{status}")
        return replace(told, acked=True, took=took, status=status, payload=_carried(text))


def _body(what: Occurrence) -> tuple[str, bytes]:
    if what.kind == "slash_commands":
        return _FORM, urlencode(what.payload).encode()
    if what.kind == "interactive":
        return _FORM, urlencode({"payload": json.dumps(what.payload)}).encode()
    return _JSON, json.dumps(what.payload).encode()


def _carried(text: str) -> Json:
    if not text:
        return {}
    try:
        found = json.loads(text)
    except json.JSONDecodeError:
        return {"text": text}
    return found if isinstance(found, dict) else {"text": text}
