"""A small workspace and the real Slack libraries in it, for the tests of the fake itself."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import uvicorn
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.adapter.starlette.async_handler import AsyncSlackRequestHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.clock import SystemClock
from adapters.simulators.clock import SimClock
from adapters.simulators.slack.fake import FakeSlack
from adapters.simulators.slack.things import Json, Place, User
from adapters.simulators.slack.town import SlackTown
from adapters.simulators.slack.webhook import Webhook

SECRET = "signing-secret-of-a-test"
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@dataclass
class Scene:
    """Who and what a test speaks of."""

    clock: SimClock
    town: SlackTown
    slack: FakeSlack
    client: AsyncWebClient
    ann: User
    bob: User
    gpu: Place

    async def call(self, method: str, **args: Any) -> Json:
        """The answer of one call as JSON; raises ``SlackApiError``."""
        answer = await self.client.api_call(method, json=args)
        assert isinstance(answer.data, dict)
        return answer.data


@contextlib.asynccontextmanager
async def scene(*, ack_limit_s: float = 3.0, **town_args: Any) -> AsyncIterator[Scene]:
    """A workspace of two people and one channel."""
    clock = SimClock(START)
    town = SlackTown(clock, **town_args)
    ann, bob = town.person("ann"), town.person("bob")
    gpu = town.channel("gpu", members=[ann, bob])
    async with FakeSlack(town, wall=SystemClock(), ack_limit_s=ack_limit_s) as slack:
        client = AsyncWebClient(token=town.bot_token, base_url=slack.api_url)
        yield Scene(clock, town, slack, client, ann, bob, gpu)


@contextlib.asynccontextmanager
async def over_socket(
    scene: Scene, app: AsyncApp, ping_s: float = 0.1
) -> AsyncIterator[AsyncSocketModeHandler]:
    """The app, connected."""
    handler = AsyncSocketModeHandler(app, scene.town.app_token, ping_interval=ping_s)
    try:
        await handler.connect_async()  # type: ignore[no-untyped-call]
        await scene.slack.sockets.connected()
        yield handler
    finally:
        await handler.close_async()  # type: ignore[no-untyped-call]


@contextlib.asynccontextmanager
async def over_http(scene: Scene, app: AsyncApp) -> AsyncIterator[Webhook]:
    """The app behind Starlette on a port of its own, told by signed requests."""
    handler = AsyncSlackRequestHandler(app)

    async def events(request: Request) -> Response:
        return await handler.handle(request)

    web = Starlette(routes=[Route("/slack/events", events, methods=["POST"])])
    config = uvicorn.Config(web, port=0, log_config=None, access_log=False, lifespan="off")
    server = uvicorn.Server(config)
    socket = config.bind_socket()
    running = asyncio.create_task(server.serve(sockets=[socket]))
    try:
        while not server.started:  # noqa: ASYNC110 - uvicorn says it in no other way
            await asyncio.sleep(0.005)
        yield scene.slack.webhook(f"http://127.0.0.1:{socket.getsockname()[1]}/slack/events", SECRET)
    finally:
        server.should_exit = True
        await running
        socket.close()
