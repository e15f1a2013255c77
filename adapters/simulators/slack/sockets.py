"""Socket Mode from Slack's side (chat-platforms.md, 2.3): tickets, envelopes, acknowledgements, and its bad days."""

from __future__ import annotations

import asyncio
import itertools
import json
from dataclasses import dataclass
from typing import Any

from aiohttp import WSMsgType, web

from adapters.simulators.slack.delivery import Delivered, Occurrence
from adapters.simulators.slack.things import Json
from adapters.simulators.slack.town import SlackTown

MOST_SOCKETS = 10
LIFE_S = 3600
"""What ``hello`` says about how long a socket lives."""


@dataclass(slots=True, eq=False)
class Socket:
    """One open connection. A deaf one takes frames and neither answers nor tells anything."""

    ws: web.WebSocketResponse
    request: web.BaseRequest
    deaf: bool = False


class Sockets:
    """All connections of the app. ``frames``: what came from it; ``opened``: how many there have been."""

    def __init__(self, town: SlackTown, ack_limit_s: float) -> None:
        self._town = town
        self._ack_limit_s = ack_limit_s
        self._tickets: dict[str, str] = {}
        self._refused: int | None = 0
        self._waiting: dict[str, asyncio.Future[Json]] = {}
        self._turns = itertools.count()
        self.live: list[Socket] = []
        self.frames: list[Json] = []
        self.opened = 0
        self.tried = 0
        """How often a ticket was shown, refused ones included."""

    # -- stage directions

    async def connected(self, count: int = 1, limit_s: float = 5.0) -> None:
        """Wait until so many sockets hear. Raises ``TimeoutError``."""
        await self._town.bell.until(lambda: len(self.hearing) >= count, limit_s)

    @property
    def hearing(self) -> list[Socket]:
        """Those that an envelope would reach."""
        return [one for one in self.live if not one.ws.closed and not one.deaf]

    async def refresh(self, reason: str = "refresh_requested") -> None:
        """Ask the app to take new sockets: ``warning``, ``refresh_requested``, ``link_disabled``. It closes the old."""
        await self.raw(
            json.dumps({"type": "disconnect", "reason": reason, "debug_info": {"host": "loopback"}})
        )

    def cut(self) -> None:
        """Abort every connection without a word."""
        for one in self.live:
            if one.request.transport is not None:
                one.request.transport.abort()

    def go_deaf(self) -> None:
        """The sockets of now stay open, and nothing comes over them any more: no pong, no envelope. New ones hear."""
        for one in self.live:
            one.deaf = True

    def hear(self) -> None:
        """Deaf ones hear again."""
        for one in self.live:
            one.deaf = False

    def refuse_tickets(self, times: int | None = 1) -> None:
        """The next new tickets (None: all; 0: none any more) are refused, each as often as it is shown."""
        self._refused = times

    async def raw(self, text: str) -> None:
        """Send this frame, sense or nonsense, over every socket."""
        for one in self.hearing:
            await one.ws.send_str(text)

    # -- what the server does

    def ticket(self) -> str:
        """The path of a new one-time address."""
        name = self._town.number("ticket")
        self._tickets[name] = "new"
        return f"link/?ticket={name}&app_id={self._town.app_id}"

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """A connection comes in. A ticket that was used or refused once is refused for good."""
        self.tried += 1
        self._town.bell.ring()
        name = request.query.get("ticket", "")
        if not self._valid(name):
            return web.Response(status=403, text="invalid ticket")
        ws = web.WebSocketResponse(autoping=False, autoclose=True)
        await ws.prepare(request)
        if len(self.live) >= MOST_SOCKETS:
            await ws.send_json({"type": "disconnect", "reason": "too_many_websockets", "debug_info": {}})
            await ws.close()
            return ws
        socket = Socket(ws, request)
        self.live.append(socket)
        self.opened += 1
        try:
            await ws.send_json(self._hello())
            self._town.bell.ring()
            await self._listen(socket)
        except ConnectionError:
            pass  # cut, by either side
        finally:
            self.live.remove(socket)
            self._town.bell.ring()
        return ws

    def _valid(self, name: str) -> bool:
        if self._tickets.get(name) != "new":
            return False
        if self._refused is None or self._refused > 0:
            self._tickets[name] = "refused"
            self._refused = None if self._refused is None else self._refused - 1
            return False
        self._tickets[name] = "used"
        return True

    def _hello(self) -> Json:
        debug = {"host": "loopback", "approximate_connection_time": LIFE_S}
        return {
            "type": "hello",
            "num_connections": len(self.live),
            "connection_info": {"app_id": self._town.app_id},
            "debug_info": debug,
        }

    async def _listen(self, socket: Socket) -> None:
        async for message in socket.ws:
            if socket.deaf:
                continue
            if message.type is WSMsgType.PING:
                await socket.ws.pong(message.data)
            elif message.type is WSMsgType.TEXT:
                self._heard(message.data)

    def _heard(self, text: str) -> None:
        frame: Any = json.loads(text)
        self.frames.append(frame)
        waiting = self._waiting.get(str(frame.get("envelope_id")))
        if waiting is not None and not waiting.done():
            waiting.set_result(frame)
        self._town.bell.ring()

    # -- Transport

    async def tell(self, what: Occurrence) -> Delivered:
        """Over one of the sockets, in turn; the answer may come over any other."""
        hearing = self.hearing
        if not hearing:
            return Delivered(what, acked=False, took=0.0, why="deaf" if self.live else "no_connection")
        loop = asyncio.get_running_loop()
        name = self._town.number("envelope-")
        answer: asyncio.Future[Json] = loop.create_future()
        self._waiting[name] = answer
        began = loop.time()
        try:
            await hearing[next(self._turns) % len(hearing)].ws.send_json(_envelope(name, what))
            frame = await asyncio.wait_for(answer, self._ack_limit_s)
        except (TimeoutError, ConnectionError) as error:
            why = "timeout" if isinstance(error, TimeoutError) else "no_connection"
            return Delivered(what, acked=False, took=loop.time() - began, why=why)
        finally:
            del self._waiting[name]
        carried = frame.get("payload") or {} if what.accepts_response else {}
        return Delivered(what, acked=True, took=loop.time() - began, payload=carried)


def _envelope(name: str, what: Occurrence) -> Json:
    envelope: Json = {
        "envelope_id": name,
        "type": what.kind,
        "payload": what.payload,
        "accepts_response_payload": what.accepts_response,
    }
    if what.kind == "events_api":
        envelope |= {"retry_attempt": what.attempt, "retry_reason": what.reason if what.attempt else ""}
    return envelope
