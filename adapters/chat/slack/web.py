"""HTTP mode: one address for commands, clicks and events; every request is signed by Slack.

Bolt checks signature and time. What would be an exception inside its verifier is refused before it, and bodies have a
limit, because Bolt sets none (chat-platforms.md, 2.6).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import socket
from collections.abc import Iterator

import uvicorn
from slack_bolt.adapter.starlette.async_handler import AsyncSlackRequestHandler
from slack_bolt.async_app import AsyncApp
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

log = logging.getLogger("lastcall.slack")

PATH = "/slack/events"
MOST_BYTES = 1_000_000
_SIGNATURE = re.compile(r"v0=[0-9a-f]{64}")
_TIME = re.compile(r"[0-9]{1,12}")


def web_app(bolt: AsyncApp) -> Starlette:
    """The ASGI application."""
    handler = AsyncSlackRequestHandler(bolt)

    async def slack(request: Request) -> Response:
        length = request.headers.get("content-length", "")
        if length and (not length.isdecimal() or int(length) > MOST_BYTES):
            return PlainTextResponse("too large", 413)
        body = bytearray()
        try:
            async for chunk in request.stream():
                body += chunk
                if len(body) > MOST_BYTES:
                    return PlainTextResponse("too large", 413)
        except ClientDisconnect:
            return Response(status_code=400)
        signed = _SIGNATURE.fullmatch(request.headers.get("x-slack-signature", ""))
        timed = _TIME.fullmatch(request.headers.get("x-slack-request-timestamp", ""))
        if not signed or not timed:
            return PlainTextResponse("not signed by Slack", 401)
        request._body = bytes(body)  # noqa: SLF001 - Starlette keeps a read body here, and Bolt reads it again
        return await handler.handle(request)

    async def alive(_: Request) -> Response:
        return PlainTextResponse("ok")

    return Starlette(routes=[Route(PATH, slack, methods=["POST"]), Route("/healthz", alive)])


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
