"""How an answer reaches the person: where the command was typed, and privately where that is closed."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp
from slack_sdk.webhook.async_client import AsyncWebhookClient

from adapters.chat.slack.api import Api
from adapters.chat.slack.blocks import render
from adapters.chat.slack.files import MOST_BYTES, Files, Upload
from bot.domain.errors import LastcallError
from bot.domain.talk import Reply

log = logging.getLogger("lastcall.slack")

_ANSWER_S = 10


@dataclass(frozen=True, slots=True)
class Spot:
    """Where somebody spoke. ``response_url`` is a secret for half an hour; it is kept until it was answered."""

    user: str
    channel: str = ""
    """Empty: nowhere (a form, the App Home); answered by direct message."""
    thread: str = ""
    public: bool = False
    """Said for everybody to see (a mention): answered in the thread."""
    response_url: str = ""

    @property
    def is_direct(self) -> bool:
        """A conversation with the bot alone."""
        return not self.channel or self.channel.startswith("D")


class Answers:
    """Says replies at spots. Nothing here raises: an answer that cannot be given is logged."""

    def __init__(self, api: Api, files: Files) -> None:
        self._api = api
        self._files = files

    async def give(self, spot: Spot, reply: Reply) -> None:
        """Private ones, and those to a slash command or a click, are seen by this person only."""
        try:
            await self._give(spot, reply)
        except LastcallError as error:
            log.warning("an answer to %s could not be given: %s", spot.user, error)
        except Exception:
            log.exception("an answer to %s", spot.user)

    async def _give(self, spot: Spot, reply: Reply) -> None:
        uploads = uploads_of(reply)
        rendered = render(reply)
        body = {"text": rendered.text, "blocks": rendered.blocks}
        uploads += [Upload(one.name, one.title, one.text.encode()) for one in rendered.overflow]
        if spot.is_direct or (spot.public and not reply.private):
            channel = spot.channel or await self.direct(spot.user)
            thread = spot.thread or None
            said = await self._api.call(
                "chat.postMessage",
                channel=channel,
                thread_ts=thread,
                unfurl_links=False,
                unfurl_media=False,
                **body,
            )
            if uploads:
                await self._files.share(channel, spot.thread or str(said["ts"]), uploads)
            return
        if not await self._responded(spot, body):
            await self._aside(spot, body)
        if uploads:
            await self._by_direct(spot.user, reply, uploads)

    async def _responded(self, spot: Spot, body: Mapping[str, Any]) -> bool:
        """A used-up address answers 404, and does not raise (chat-platforms.md, 2.4)."""
        if not spot.response_url:
            return False
        try:
            hook = AsyncWebhookClient(spot.response_url, timeout=_ANSWER_S)
            answer = await hook.send_dict(
                {**body, "response_type": "ephemeral", "replace_original": False}
                | ({"thread_ts": spot.thread} if spot.thread else {})
            )
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False
        return bool(answer.status_code == 200)

    async def _aside(self, spot: Spot, body: Mapping[str, Any]) -> None:
        try:
            await self._api.call(
                "chat.postEphemeral",
                channel=spot.channel,
                user=spot.user,
                thread_ts=spot.thread or None,
                **body,
            )
        except LastcallError:
            await self._api.call("chat.postMessage", channel=await self.direct(spot.user), **body)

    async def _by_direct(self, user: str, reply: Reply, uploads: list[Upload]) -> None:
        """What only one person sees cannot hold files; a direct message can."""
        channel = await self.direct(user)
        short = render(
            replace(reply, tables=(), code="", buttons=(), lines=(), fields=(), caret=None, meter=None)
        )
        said = await self._api.call("chat.postMessage", channel=channel, text=short.text, blocks=short.blocks)
        await self._files.share(channel, str(said["ts"]), uploads)

    async def direct(self, user: str) -> str:
        """The conversation with this person alone. Raises as ``Api.call``."""
        opened = await self._api.call("conversations.open", users=user)
        return str((opened.get("channel") or {}).get("id") or user)


def uploads_of(reply: Reply) -> list[Upload]:
    """The pictures and files of a reply that are there and not too large for a chat."""
    paths = [Path(one) for one in dict.fromkeys((*reply.pictures, *reply.files))]
    found = [Upload(path.name, path.name, path=path) for path in paths]
    return [one for one in found if 0 < one.bytes <= MOST_BYTES]
