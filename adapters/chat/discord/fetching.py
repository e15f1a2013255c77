"""What came with a message: fetched from Discord's own hosts, and only when a command asks for it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from bot.domain.errors import Refused
from bot.domain.talk import Attached

MOST_ATTACHED = 20_000_000_000
_FETCH_S = 3600
_CHUNK = 1 << 20
_HOSTS = frozenset({"cdn.discordapp.com", "media.discordapp.net"})


class Fetching:
    """``api``: Discord's address, whose host may hand out files, too."""

    def __init__(self, api: str) -> None:
        self._hosts = _HOSTS | {urlsplit(api).hostname or ""}

    def attached(self, shared: Iterable[Mapping[str, Any]]) -> tuple[Attached, ...]:
        """Not fetched yet."""
        return tuple(
            Attached(str(one.get("filename") or "file"), int(one.get("size") or 0), self._fetching(one))
            for one in shared
            if one.get("url")
        )

    def _fetching(self, shared: Mapping[str, Any]) -> Any:
        url, name = str(shared["url"]), str(shared.get("filename") or "the file")

        async def fetch(path: Path) -> None:
            if (urlsplit(url).hostname or "") not in self._hosts:
                raise Refused(
                    f"{name} is not kept by Discord.", help="Attach the file itself, not a link to it."
                )
            timeout = aiohttp.ClientTimeout(total=_FETCH_S, sock_read=60)
            try:
                async with aiohttp.ClientSession(timeout=timeout) as session:
                    await _stream(session, url, path, name)
            except (aiohttp.ClientError, TimeoutError):
                raise Refused(f"{name} could not be fetched from Discord.", help="Try again.") from None

        return fetch


async def _stream(session: aiohttp.ClientSession, url: str, path: Path, name: str) -> None:
    async with session.get(url, allow_redirects=False) as answer:
        if answer.status != 200:
            raise Refused(f"Discord does not hand out {name}.", help="Share it anew.")
        got = 0
        with path.open("wb") as file:
            async for chunk in answer.content.iter_chunked(_CHUNK):
                got += len(chunk)
                if got > MOST_ATTACHED:
                    raise Refused(f"{name} is larger than {MOST_ATTACHED // 10**9} GB.")
                await asyncio.to_thread(file.write, chunk)
