"""Bolt's part: acknowledge at once, hand over, never raise. One listener per kind; the ear tells them apart."""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from adapters.chat.slack.hearing import Ear
from adapters.chatkit.work import Work

log = logging.getLogger("lastcall.slack")
for _chatty in ("slack_bolt", "slack_sdk"):
    # At DEBUG they write whole payloads, with response_urls and tickets in them; below that nothing that is ours.
    logging.getLogger(_chatty).setLevel(logging.WARNING)

_ANYTHING = re.compile(".*", re.DOTALL)

Ack = Callable[..., Awaitable[Any]]
Payload = Mapping[str, Any]


def bolt_app(client: AsyncWebClient, ear: Ear, work: Work, *, signing_secret: str = "") -> AsyncApp:
    """``signing_secret`` is for HTTP mode; a socket needs none."""
    quiet = logging.getLogger("slack_bolt.lastcall")
    # It warns of SLACK_BOT_TOKEN in the environment, and while Slack is away writes a traceback every few seconds. What
    # matters of both is said by the socket's watch and by `_net`.
    quiet.setLevel(logging.CRITICAL)
    app = AsyncApp(client=client, signing_secret=signing_secret or None, logger=quiet)

    async def command(ack: Ack, body: Payload) -> None:
        await ack()
        work.spawn(ear.command(body))

    async def click(ack: Ack, body: Payload) -> None:
        await ack()
        work.spawn(ear.click(body))

    async def submitted(ack: Ack, body: Payload) -> None:
        await ack(**await ear.submitted(body))

    async def closed(ack: Ack) -> None:
        await ack()

    app.command(_ANYTHING)(command)
    app.action(_ANYTHING)(click)
    app.view(_ANYTHING)(submitted)
    app.view_closed(_ANYTHING)(closed)
    _events(app, ear, work)
    app.error(_net)
    return app


def _events(app: AsyncApp, ear: Ear, work: Work) -> None:
    """Bolt acknowledges these by itself, before a listener runs."""

    async def mention(event: Payload) -> None:
        work.spawn(ear.mention(event))

    async def message(event: Payload) -> None:
        work.spawn(ear.message(event))

    async def home(event: Payload) -> None:
        if event.get("tab", "home") == "home":
            work.spawn(ear.opened(str(event["user"])))

    async def other() -> None:
        """What nobody listens to is delivered again and again (chat-platforms.md, 2.3)."""

    app.event("app_mention")(mention)
    app.event("message")(message)
    app.event("app_home_opened")(home)
    app.event(_ANYTHING)(other)


async def _net(error: Exception) -> BoltResponse:
    log.error("a Slack payload could not be taken: %s", type(error).__name__, exc_info=error)
    return BoltResponse(status=200, body="")
