"""Files: what is worth having goes to the thread, and what came with a message is fetched.

Uploads are Slack's flow of three calls (files.getUploadURLExternal, the upload, files.completeUploadExternal).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from adapters.chat.slack.api import Api
from bot.domain.errors import Refused, TryLater
from bot.domain.talk import Attached

MOST_BYTES = 100_000_000
"""Larger results are named by their path. Slack takes up to 1 GB; a chat is no place for it."""
MOST_ATTACHED = 20_000_000_000
_UPLOAD_S = 120
_FETCH_S = 3600
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Upload:
    """``data`` or the file at ``path``."""

    name: str
    title: str
    data: bytes = b""
    path: Path | None = None

    @property
    def bytes(self) -> int:
        """Its size, 0 when it is not there."""
        try:
            return self.path.stat().st_size if self.path else len(self.data)
        except OSError:
            return 0


class Files:
    """``token`` goes to Slack's own addresses only."""

    def __init__(self, api: Api, token: str) -> None:
        self._api = api
        self._token = token

    async def share(self, channel: str, thread: str, uploads: list[Upload]) -> None:
        """Put them into a thread as one message. Raises as ``Api.call``."""
        ids = [await self._put(one) for one in uploads]
        files = [{"id": file, "title": one.title} for file, one in zip(ids, uploads, strict=True)]
        await self._api.call(
            "files.completeUploadExternal", files=files, channel_id=channel, thread_ts=thread or None
        )

    async def _put(self, upload: Upload) -> str:
        data = upload.data or await asyncio.to_thread(_read, upload.path)
        asked = await self._api.call("files.getUploadURLExternal", filename=upload.name, length=len(data))
        try:
            async with _session(_UPLOAD_S) as session, session.post(asked["upload_url"], data=data) as answer:
                if answer.status != 200:
                    raise TryLater(f"Slack does not take {upload.name} ({answer.status})")
        except (aiohttp.ClientError, TimeoutError, OSError):
            raise TryLater(f"{upload.name} could not be sent to Slack") from None
        return str(asked["file_id"])

    def attached(self, shared: object) -> tuple[Attached, ...]:
        """What came with a message, not fetched yet."""
        found = [one for one in shared if isinstance(one, dict)] if isinstance(shared, list) else []
        return tuple(
            Attached(str(one.get("name") or "file"), int(one.get("size") or 0), self._fetching(one))
            for one in found
            if one.get("url_private_download") or one.get("url_private")
        )

    def _fetching(self, shared: dict[str, Any]) -> Any:
        url = str(shared.get("url_private_download") or shared["url_private"])
        name = str(shared.get("name") or "the file")

        async def fetch(path: Path) -> None:
            if not self._is_slacks(url):
                raise Refused(
                    f"{name} is not kept by Slack.", help="Attach the file itself, not a link to it."
                )
            try:
                async with _session(_FETCH_S) as session:
                    await self._stream(session, url, path, name)
            except (aiohttp.ClientError, TimeoutError):
                raise Refused(f"{name} could not be fetched from Slack.", help="Try again.") from None

        return fetch

    def _is_slacks(self, url: str) -> bool:
        """The token goes nowhere else, whatever a message says."""
        host = urlsplit(url).hostname or ""
        own = urlsplit(self._api.client.base_url).hostname
        return host == own or (host.endswith(".slack.com") and url.startswith("https://"))

    async def _stream(self, session: aiohttp.ClientSession, url: str, path: Path, name: str) -> None:
        headers = {"Authorization": f"Bearer {self._token}"}
        async with session.get(url, headers=headers, allow_redirects=False) as answer:
            if answer.status != 200 or answer.content_type == "text/html":
                raise Refused(
                    f"Slack does not hand out {name}.",
                    help="The app needs the scope files:read; then share it anew.",
                )
            got = 0
            with path.open("wb") as file:
                async for chunk in answer.content.iter_chunked(_CHUNK):
                    got += len(chunk)
                    if got > MOST_ATTACHED:
                        raise Refused(f"{name} is larger than {MOST_ATTACHED // 10**9} GB.")
                    await asyncio.to_thread(file.write, chunk)


def _read(path: Path | None) -> bytes:
    return path.read_bytes() if path else b""


@asynccontextmanager
async def _session(seconds: float) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=seconds, sock_read=60)) as session:
        yield session
