"""Faces as real HTTP servers on loopback, for the demo and for whoever wants to try an adapter by hand."""

from __future__ import annotations

import asyncio
import contextlib
from types import TracebackType
from typing import Self

from aiohttp import web

from adapters.simulators.faces.face import Dropped, Face, Said, call_of

_NEVER_S = 3600


class FaceServer:
    """One face on one port of loopback. ``url`` is its base address, without the vendor's path."""

    def __init__(self, *faces: Face, port: int = 0) -> None:
        """With several faces, a call goes to the first whose ``prefix`` its path begins with."""
        self._faces = faces
        self._port = port
        self._runner: web.ServerRunner | None = None
        self.url = ""

    async def __aenter__(self) -> Self:
        self._runner = web.ServerRunner(web.Server(self._answer, access_log=None), shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        face = next(one for one in self._faces if request.raw_path.startswith(one.prefix))
        call = call_of(request.method, request.raw_path, dict(request.headers), await request.read())
        try:
            said = face.handle(call)
        except Dropped as dropped:
            if dropped.how == "timeout":
                await asyncio.sleep(_NEVER_S)
            if request.transport is not None:
                request.transport.abort()
            raise ConnectionResetError from None
        return await _written(request, said)


async def _written(request: web.BaseRequest, said: Said) -> web.StreamResponse:
    headers = {"Content-Type": "application/json", **said.headers}
    if not said.endless:
        return web.Response(status=said.status, headers=headers, body=said.payload())
    stream = web.StreamResponse(status=said.status, headers=headers)
    await stream.prepare(request)
    with contextlib.suppress(ConnectionError):
        await stream.write(said.payload())
        await asyncio.sleep(_NEVER_S)
    return stream
