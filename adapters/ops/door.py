"""The operations door: three addresses for who runs the bot. It asks nobody who they are, so it stands on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket

from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from adapters.ops.metrics import Metrics
from adapters.ops.tally import Counts
from adapters.web import Web
from bot.ports import Watched

log = logging.getLogger("lastcall.ops")


def ops_app(watched: Watched, metrics: Metrics) -> Starlette:
    """The ASGI application."""

    async def live(_: Request) -> Response:
        return PlainTextResponse("ok")

    async def ready(_: Request) -> Response:
        parts = await watched.ready()
        well = all(one.ok for one in parts)
        body = {
            "ready": well,
            "not_ready": [one.name for one in parts if not one.ok],
            "parts": {one.name: {"ok": one.ok, "said": one.said} for one in parts},
        }
        return JSONResponse(body, 200 if well else 503)

    async def numbers(_: Request) -> Response:
        text = metrics.text(await watched.vitals())
        return Response(text, headers={"Content-Type": CONTENT_TYPE_LATEST})

    routes = [Route("/healthz", live), Route("/readyz", ready), Route("/metrics", numbers)]
    return Starlette(routes=routes)


class Door:
    """Open between ``open`` and ``close``."""

    def __init__(self, watched: Watched, counts: Counts, host: str, port: int) -> None:
        self._app = ops_app(watched, Metrics(counts))
        self._host, self._port = host, port
        self._serving: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Listen. An address that cannot be had is logged: machines are torn down without a door, too."""
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        try:
            bound = socket.create_server((self._host, self._port), family=family)
        except (OSError, OverflowError) as error:
            why = getattr(error, "strerror", None) or error
            log.error(  # noqa: TRY400 - the sentence says it all
                "LASTCALL_OPS_PORT %d of %s cannot be listened on (%s); there is no operations door",
                self._port, self._host, why,
            )  # fmt: skip
            return
        log.info("operations door: http://%s:%d", self._host, bound.getsockname()[1])
        self._serving = asyncio.create_task(Web(self._app, bound).run(), name="operations door")

    async def close(self) -> None:
        """What is being answered is answered."""
        if self._serving is not None:
            self._serving.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._serving
