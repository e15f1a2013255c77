"""HTTP mode: one address for commands, clicks and events; every request is signed by Slack.

Bolt checks signature and time. What would be an exception inside its verifier is refused before it, and bodies have a
limit, because Bolt sets none (chat-platforms.md, 2.6).
"""

from __future__ import annotations

import logging
import re

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
