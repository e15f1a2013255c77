"""Serving a small web application beside everything else that the process does."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import uvicorn
from starlette.applications import Starlette


class _Server(uvicorn.Server):
    """Signals are the process's business, not a front-end's."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """None."""
        yield


class Web:
    """A server for ``app``, until cancelled. ``bound`` listens already; it is closed at the end."""

    def __init__(self, app: Starlette, bound: socket.socket) -> None:
        self._bound = bound
        config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", server_header=False)
        self._server = _Server(config)

    async def run(self) -> None:
        """Serve; what is being answered when it is cancelled is answered."""
        serving = asyncio.ensure_future(self._server.serve(sockets=[self._bound]))
        try:
            await asyncio.shield(serving)
        finally:
            self._server.should_exit = True
            await serving
            self._bound.close()

    @property
    def port(self) -> int:
        """The port, once it listens; 0 before."""
        return int(self._bound.getsockname()[1]) if self._server.started else 0
