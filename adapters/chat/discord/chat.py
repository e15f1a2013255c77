"""Posts and edits: the ``Chat`` port over REST. A reference is ``channel/message``: a direct message's channel is not
the one that was asked for.

A message is found again by small print that is a digest of its key; the same digest is its nonce, by which Discord
itself drops a repeat within minutes.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from adapters.chat.discord import limits
from adapters.chat.discord.people import NAME
from adapters.chat.discord.render import Rendered, render
from adapters.chat.discord.rest import DiscordRefused, Rest, Upload
from bot.domain.errors import PlaceLost
from bot.domain.talk import Channel, ChatCapabilities, Kind, Reply
from bot.ports import Desk

log = logging.getLogger("lastcall.discord")

Listen = Callable[[Desk], Awaitable[None]]
_GONE = frozenset({10008, 50083})
"""Unknown message; an archived thread."""
_HAS_THREAD, _NO_THREADS = 160004, frozenset({50024, 160005, 50068})
_LOOK_BACK = 100
_THREAD_MINUTES = 1440


class DiscordChat:
    """``ready`` tells whether Discord took the token when it was last asked."""

    name = NAME
    capabilities = ChatCapabilities(
        edits=True, buttons=True, pictures=True, threads=True, pace=timedelta(seconds=3), alone=True
    )

    def __init__(self, rest: Rest, listen: Listen) -> None:
        self._rest = rest
        self._listen = listen
        self._directs: dict[str, str] = {}
        self.ready = False

    async def listen(self, desk: Desk) -> None:
        """Hear until cancelled, or until only a person can mend it (that is logged)."""
        await self._listen(desk)

    def serves(self, channel: Channel) -> bool:
        """Every channel of Discord, while the token is good."""
        return self.ready and channel.chat == NAME

    async def post(self, channel: Channel, reply: Reply, *, key: str, retried: bool) -> str:
        mark = marked(key)
        rendered = render(reply, mark=mark)
        place = await self._place(channel, reply)
        if retried and (found := await self._said_before(place, mark)):
            return f"{place}/{found}"
        wanted = {**body(rendered), "nonce": mark, "enforce_nonce": True}
        said = await self._written(
            "POST", f"/channels/{place}/messages", wanted, await uploads(reply, rendered)
        )
        return f"{place}/{said['id']}"

    async def edit(self, channel: Channel, ref: str, reply: Reply) -> None:
        place, _, message = ref.rpartition("/")
        place = place or channel.id
        old = await self._message(place, message)
        if old is None:
            return
        mark = str((((old.get("embeds") or [{}])[0]).get("footer") or {}).get("text") or "")
        rendered = render(reply, mark=mark)
        there = {str(one.get("filename")) for one in old.get("attachments") or ()}
        new = (
            [one for one in await uploads(reply, rendered) if one.name not in there] if _brings(reply) else []
        )
        kept = [{"id": one["id"]} for one in old.get("attachments") or ()]
        said = {**body(rendered), **({"attachments": _attached(kept, new)} if new else {})}
        try:
            await self._written("PATCH", f"/channels/{place}/messages/{message}", said, new)
        except DiscordRefused as error:
            if error.code not in _GONE:
                raise

    # --- inside ------------------------------------------------------------------------------

    async def _written(self, method: str, path: str, said: dict[str, Any], files: list[Upload]) -> Any:
        """With its files; where they are too large or not allowed, without them: the words matter more."""
        try:
            return await self._rest.call(method, path, said, files=files)
        except DiscordRefused as error:
            if not files or error.code in _GONE:
                raise
            log.warning("files could not be put into Discord: %s", error)
            return await self._rest.call(
                method, path, {name: one for name, one in said.items() if name != "attachments"}
            )

    async def _message(self, place: str, message: str) -> Mapping[str, Any] | None:
        try:
            found = await self._rest.call("GET", f"/channels/{place}/messages/{message}")
        except DiscordRefused as error:
            if error.code in _GONE:
                return None
            raise
        return found if isinstance(found, dict) else None

    async def _place(self, channel: Channel, reply: Reply) -> str:
        """``@1`` is the conversation with that person alone, which has no threads."""
        if channel.id.startswith("@"):
            return await self.direct(channel.id.removeprefix("@"))
        if not channel.thread:
            return channel.id
        return await self._thread(channel.id, channel.thread.rpartition("/")[2], reply)

    async def _thread(self, channel: str, message: str, reply: Reply) -> str:
        """The thread of a card has the card's id (discord.com/developers/docs/topics/threads); it is begun by the first
        word in it. Where none can be, it is said in the channel."""
        name = (reply.rental or reply.title or "Lastcall")[: limits.THREAD_NAME]
        asked = {"name": name, "auto_archive_duration": _THREAD_MINUTES}
        try:
            await self._rest.call("GET", f"/channels/{message}")
        except (PlaceLost, DiscordRefused):
            try:
                await self._rest.call("POST", f"/channels/{channel}/messages/{message}/threads", asked)
            except PlaceLost:
                return channel
            except DiscordRefused as error:
                return message if error.code == _HAS_THREAD else channel
        return message

    async def direct(self, user: str) -> str:
        """The channel with this person alone. Raises as ``Rest.call``."""
        if user not in self._directs:
            opened = await self._rest.call("POST", "/users/@me/channels", {"recipient_id": user})
            self._directs[user] = str(opened["id"])
        return self._directs[user]

    async def _said_before(self, place: str, mark: str) -> str:
        """Whether an earlier try was said. Where nobody may look it is said again: better once too often than never."""
        try:
            found = await self._rest.call("GET", f"/channels/{place}/messages", limit=_LOOK_BACK)
        except DiscordRefused:
            return ""
        for message in found or ():
            if any((one.get("footer") or {}).get("text") == mark for one in message.get("embeds") or ()):
                return str(message["id"])
        return ""


def marked(key: str) -> str:
    """The small print of the message under ``key``."""
    return f"lastcall {hashlib.sha256(key.encode()).hexdigest()[:12]}"


def body(rendered: Rendered) -> dict[str, Any]:
    """A message as Discord takes it. Nobody is pinged but those that are meant (chat-platforms.md, 5)."""
    return {
        "content": rendered.content,
        "embeds": [rendered.embed],
        "components": rendered.components,
        "allowed_mentions": {"parse": [], "users": list(rendered.users)},
    }


async def uploads(reply: Reply, rendered: Rendered) -> list[Upload]:
    """The pictures and files of a reply that are there and not too large, and what did not fit."""
    paths = [Path(one) for one in dict.fromkeys((*reply.pictures, *reply.files))]
    found = [one for path in paths if (one := await asyncio.to_thread(_upload, path)) is not None]
    return [*found, *(Upload(one.name, one.text.encode()) for one in rendered.overflow)][: limits.FILES]


def _upload(path: Path) -> Upload | None:
    try:
        size = path.stat().st_size
        return Upload(path.name, path.read_bytes()) if 0 < size <= limits.FILE_BYTES else None
    except OSError:
        return None


def _brings(reply: Reply) -> bool:
    """A card's pictures come when it is closed; what is edited in between brings none."""
    return reply.final or reply.kind is not Kind.CARD


def _attached(kept: Sequence[Mapping[str, str]], new: Sequence[Upload]) -> list[dict[str, Any]]:
    """Old attachments stay only if they are named (discord.com/developers/docs/resources/message#edit-message)."""
    return [*map(dict, kept), *({"id": number, "filename": one.name} for number, one in enumerate(new))]
