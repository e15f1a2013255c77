"""A face as httpx's transport: the real adapter talks to the simulated vendor without a socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx

from adapters.simulators.faces.face import Dropped, Face, call_of


class FaceTransport(httpx.AsyncBaseTransport):
    """Every request goes to the face, whatever its host. ``cut``: nothing arrives; ``deaf``: nothing comes back."""

    def __init__(self, face: Face, *more: Face) -> None:
        """``more``: faces with a ``prefix`` of their own at the same address."""
        self.faces = (*more, face)
        self.cut = False
        self.deaf = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.cut:
            raise httpx.ConnectError("the line is cut", request=request)
        await request.aread()
        path = request.url.raw_path.decode()
        face = next(one for one in self.faces if path.startswith(one.prefix))
        call = call_of(request.method, path, dict(request.headers), request.content)
        try:
            said = face.handle(call)
        except Dropped as dropped:
            kind = httpx.ReadTimeout if dropped.how == "timeout" else httpx.RemoteProtocolError
            raise kind(dropped.how, request=request) from None
        if self.deaf:
            raise httpx.ReadTimeout("the answer was lost", request=request)
        headers = {"Content-Type": "application/json", **said.headers}
        if said.endless:
            return httpx.Response(said.status, headers=headers, stream=_Endless(said.payload()))
        return httpx.Response(said.status, headers=headers, content=said.payload())


class _Endless(httpx.AsyncByteStream):
    """What was said, and then nothing for ever."""

    def __init__(self, payload: bytes) -> None:
        self._payload = payload

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._payload
        await asyncio.Event().wait()
