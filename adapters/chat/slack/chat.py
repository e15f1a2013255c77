"""Slack as a ``Chat``: posts and edits. What it hears is ``hearing``'s business."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any

from adapters.chat.slack.answers import Answers, uploads_of
from adapters.chat.slack.api import Api, SlackRefused
from adapters.chat.slack.blocks import Rendered, render
from adapters.chat.slack.files import Files, Upload
from bot.domain.errors import NeedsHuman
from bot.domain.talk import Channel, ChatCapabilities, Kind, Reply
from bot.ports import Clock, Desk

log = logging.getLogger("lastcall.slack")

NAME = "slack"
EVENT = "lastcall_message"
"""The type of the metadata by which a message is found again."""
_LOOK_BACK = 100
_YESTERDAY = timedelta(days=1)
_GONE = frozenset({"message_not_found", "cant_update_message", "edit_window_closed"})
_TOO_RICH = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long"})

Listen = Callable[[Desk], Awaitable[None]]


class SlackChat:
    """Keeps the promises of the ``Chat`` port for one workspace. A reference is ``channel/ts``: a direct message's
    channel is not the one that was asked for."""

    name = NAME
    capabilities = ChatCapabilities(
        edits=True, buttons=True, pictures=True, threads=True, pace=timedelta(seconds=3)
    )

    def __init__(self, api: Api, files: Files, answers: Answers, clock: Clock, listen: Listen) -> None:
        self._api = api
        self._clock = clock
        self._files = files
        self._answers = answers
        self._listen = listen
        self._directs: dict[str, str] = {}
        self.ready = False
        """Whether Slack took the token when it was last asked."""

    async def listen(self, desk: Desk) -> None:
        """Hear until cancelled, or until only a person can mend it (that is logged)."""
        await self._listen(desk)

    def serves(self, channel: Channel) -> bool:
        """Every channel of the workspace, while the token is good."""
        return self.ready and channel.chat == NAME

    async def post(self, channel: Channel, reply: Reply, *, key: str, retried: bool) -> str:
        place, thread = await self._place(channel.id), channel.thread.rpartition("/")[2]
        rendered = render(reply)
        ts = await self._said_before(place, thread, key) if retried else ""
        if not ts:
            ts = await self._say(place, thread, key, rendered)
        await self._share(place, thread or ts, reply, rendered, again=retried)
        return f"{place}/{ts}"

    async def edit(self, channel: Channel, ref: str, reply: Reply) -> None:
        place, _, ts = ref.rpartition("/")
        rendered = render(reply)
        body = {"channel": place or channel.id, "ts": ts, "text": rendered.text}
        try:
            await self._api.call("chat.update", blocks=rendered.blocks, **body)
        except SlackRefused as error:
            if error.error in _GONE:
                return
            if error.error not in _TOO_RICH:
                raise
            await self._api.call("chat.update", blocks=[], **body)
        if reply.final or reply.kind is not Kind.CARD:
            await self._share(place or channel.id, ts, reply, rendered, again=True)

    # --- inside ------------------------------------------------------------------------------

    async def _place(self, id: str) -> str:
        """``@U1`` is the conversation with that person alone."""
        if not id.startswith("@"):
            return id
        if id not in self._directs:
            self._directs[id] = await self._answers.direct(id.removeprefix("@"))
        return self._directs[id]

    async def _say(self, place: str, thread: str, key: str, rendered: Rendered) -> str:
        body: dict[str, Any] = {
            "channel": place,
            "text": rendered.text,
            "thread_ts": thread or None,
            "metadata": {"event_type": EVENT, "event_payload": {"key": key}},
            "unfurl_links": False,
            "unfurl_media": False,
        }
        try:
            said = await self._api.call("chat.postMessage", blocks=rendered.blocks, **body)
        except SlackRefused as error:
            # Words without form are better than silence; that it does not fit is a fault of ours.
            if error.error not in _TOO_RICH:
                raise
            said = await self._api.call("chat.postMessage", **body)
        return str(said["ts"])

    async def _said_before(self, place: str, thread: str, key: str) -> str:
        """Whether an earlier try was said, by the key in the message's metadata. Without the scope to look nobody
        knows; then it is said again, because once too often is better than never."""
        try:
            for message in await self._recent(place, thread):
                payload = (message.get("metadata") or {}).get("event_payload") or {}
                if payload.get("key") == key:
                    return str(message["ts"])
        except (NeedsHuman, SlackRefused):
            return ""
        return ""

    async def _recent(self, place: str, thread: str) -> list[Mapping[str, Any]]:
        words: dict[str, Any] = {"channel": place, "limit": _LOOK_BACK, "include_all_metadata": True}
        if thread:
            # A thread is told from its beginning: what was said in the last day is what a lost answer can be.
            oldest = f"{(self._clock.now() - _YESTERDAY).timestamp():.6f}"
            found = await self._api.call("conversations.replies", ts=thread, oldest=oldest, **words)
        else:
            found = await self._api.call("conversations.history", **words)
        return list(found.get("messages") or [])

    async def _share(self, place: str, thread: str, reply: Reply, rendered: Rendered, *, again: bool) -> None:
        """Pictures, files and what did not fit, in the thread; those that are there already are left out."""
        uploads = uploads_of(reply)
        uploads += [Upload(one.name, one.title, one.text.encode()) for one in rendered.overflow]
        if uploads and again:
            there = await self._shared(place, thread)
            uploads = [one for one in uploads if one.title not in there]
        if not uploads:
            return
        try:
            await self._files.share(place, thread, uploads)
        except (NeedsHuman, SlackRefused) as error:
            # The words were said. A workspace that takes no files must not keep them, and all after them, waiting.
            log.warning("files could not be put into Slack: %s", error)

    async def _shared(self, place: str, thread: str) -> set[str]:
        try:
            messages = await self._recent(place, thread)
        except (NeedsHuman, SlackRefused):
            return set()
        return {str(file.get("title")) for message in messages for file in message.get("files") or []}
