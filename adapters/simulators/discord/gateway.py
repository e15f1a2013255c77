"""The gateway of the fake: hello, identify, ready, heartbeats, resume; and what can go wrong with it."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any

from aiohttp import WSMsgType, web

from adapters.simulators.discord.town import DiscordTown, Json

_CONTENT = 1 << 15
_HEARTBEAT_MS = 41_250


class Gateway:
    """All connections of the bot. An event goes to each that has identified; who resumes gets what was missed."""

    def __init__(self, town: DiscordTown, base: str) -> None:
        self._town = town
        self.base = base
        self._sockets: list[web.WebSocketResponse] = []
        self._ready: list[web.WebSocketResponse] = []
        self._transports: dict[web.WebSocketResponse, asyncio.WriteTransport] = {}
        self._events: list[Json] = []
        self._refuse = 0
        self.identifies = 0
        self.resumes = 0
        self.intents = 0

    # -- stage directions

    @property
    def live(self) -> int:
        """How many would hear an event."""
        return len([one for one in self._ready if not one.closed])

    async def connected(self, limit_s: float = 5.0) -> None:
        """Wait until somebody hears."""
        await self._town.until(lambda: self.live > 0, limit_s)

    async def cut(self) -> None:
        """Every connection breaks without a word."""
        for one in list(self._sockets):
            self._transports[one].abort()
        self._ready.clear()

    def refuse(self, times: int) -> None:
        """The next so many connections are turned away."""
        self._refuse = times

    async def reconnect(self) -> None:
        """Asked to come again (op 7)."""
        await self._send_all({"op": 7, "d": None})

    async def invalidate(self, *, resumable: bool) -> None:
        """The session is over (op 9)."""
        await self._send_all({"op": 9, "d": resumable})

    async def invited(self, guild: str) -> None:
        """Somebody has added the bot to a server."""
        await self.tell("GUILD_CREATE", self._guild(self._town.guilds[guild]))

    async def raw(self, kind: str, data: Any) -> None:
        """An event as it is, sense or nonsense."""
        await self.tell(kind, data)

    async def tell(self, kind: str, data: Any) -> None:
        """Dispatch an event; it is remembered for who resumes."""
        event = {"op": 0, "t": kind, "s": len(self._events) + 1, "d": data}
        self._events.append(event)
        for one in list(self._ready):
            with contextlib.suppress(ConnectionError):
                await one.send_str(json.dumps(event))

    # -- behind the scenes

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """A connection comes in."""
        if self._refuse > 0:
            self._refuse -= 1
            return web.Response(status=503)
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        self._sockets.append(ws)
        assert request.transport is not None
        self._transports[ws] = request.transport
        await ws.send_str(
            json.dumps({"op": 10, "d": {"heartbeat_interval": _HEARTBEAT_MS}, "s": None, "t": None})
        )
        try:
            async for message in ws:
                if message.type is not WSMsgType.TEXT:
                    break
                await self._heard(ws, json.loads(message.data))
        finally:
            self._sockets.remove(ws)
            del self._transports[ws]
            with contextlib.suppress(ValueError):
                self._ready.remove(ws)
            self._town.ring()
        return ws

    async def _heard(self, ws: web.WebSocketResponse, said: Json) -> None:
        match said.get("op"):
            case 1:
                await ws.send_str(json.dumps({"op": 11, "d": None, "s": None, "t": None}))
            case 2:
                await self._identified(ws, said["d"])
            case 6:
                await self._resumed(ws, said["d"])

    async def _identified(self, ws: web.WebSocketResponse, data: Json) -> None:
        town = self._town
        if data["token"] != town.token:
            await ws.close(code=4004, message=b"Authentication failed.")
            return
        self.intents = int(data["intents"])
        if self.intents & _CONTENT and not town.allows_content:
            await ws.close(code=4014, message=b"Disallowed intent(s).")
            return
        self.identifies += 1
        ready = {
            "v": 10, "user": town.bot.json, "guilds": [{"id": one, "unavailable": True} for one in town.guilds],
            "session_id": f"session-{self.identifies}", "resume_gateway_url": self.base,
            "application": {"id": town.application, "flags": 0}, "private_channels": [], "relationships": [],
        }  # fmt: skip
        await self._one(ws, "READY", ready)
        for guild in town.guilds.values():
            await self._one(ws, "GUILD_CREATE", self._guild(guild))
        self._ready.append(ws)
        town.ring()

    def _guild(self, guild: Json) -> Json:
        channels = [
            {"id": one.id, "type": one.kind, "name": one.name, "position": 0, "permission_overwrites": []}
            for one in self._town.places.values()
            if one.guild == guild["id"] and not one.parent
        ]
        members = [one for (where, _), one in self._town.members.items() if where == guild["id"]]
        return {
            **guild,
            "channels": channels,
            "members": members,
            "member_count": len(members),
            "threads": [],
        }

    async def _resumed(self, ws: web.WebSocketResponse, data: Json) -> None:
        if data["token"] != self._town.token:
            await ws.close(code=4004, message=b"Authentication failed.")
            return
        self.resumes += 1
        self._ready.append(ws)
        for event in self._events[int(data.get("seq") or 0) :]:
            await ws.send_str(json.dumps(event))
        await self._one(ws, "RESUMED", {})
        self._town.ring()

    async def _one(self, ws: web.WebSocketResponse, kind: str, data: Json) -> None:
        event = {"op": 0, "t": kind, "s": len(self._events) + 1, "d": data}
        self._events.append(event)
        await ws.send_str(json.dumps(event))

    async def _send_all(self, said: Json) -> None:
        for one in list(self._sockets):
            with contextlib.suppress(ConnectionError):
                await one.send_str(json.dumps({"s": None, "t": None, **said}))
        await asyncio.sleep(0)
