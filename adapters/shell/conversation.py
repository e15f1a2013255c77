"""One request and its answer over a channel to the far side, whatever the machine prints before it."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Mapping
from typing import Any, Protocol

from adapters.shell.bundle import bundle
from adapters.shell.far.runs import OUTPUT_LIMIT
from adapters.shell.far.words import CHUNK, CHUNK_HEAD
from bot.domain.errors import FarSideFailed, TooSlow, Unreachable

BANNER_LIMIT = 1024 * 1024
LINE_LIMIT = 64 * 1024 * 1024
"""Bytes of one JSON line: a list of some 500,000 files."""


class Channel(Protocol):
    """A command that runs on the far side. Its methods raise ``Unreachable`` when the connection is cut."""

    async def read(self) -> bytes:
        """Some bytes of its stdout; empty at the end."""

    async def write(self, data: bytes) -> None:
        """Bytes for its stdin; waits while too much is under way."""

    async def exit_code(self) -> int | None:
        """How it ended (128 and more: by a signal), once stdout has; None when nobody told."""

    def stderr(self) -> str:
        """The last of what it wrote to stderr."""

    async def close(self) -> None:
        """Hang up; the far side ends what it does for us."""


class Conversation:
    """Speaks with ``far/main.py``. ``where`` names the machine in sentences; ``patience`` is how many seconds
    without a sign of life mean that the connection is lost."""

    def __init__(self, channel: Channel, where: str, *, patience: float) -> None:
        self._channel = channel
        self._where = where
        self._patience = patience
        self._buffer = bytearray()

    async def ask(self, verb: str, request: Mapping[str, Any], data: bytes = b"") -> None:
        """Bring the program over, ask, and read up to where the answer begins."""
        marker = f"lastcall-{secrets.token_hex(16)}"
        words = json.dumps({"marker": marker, **request}).encode("ascii") + b"\n"
        try:
            await self.write(bundle(verb) + words + data)
        except Unreachable:
            await self._explain_silence()
            raise
        await self._skip_banner(marker.encode("ascii") + b"\n")

    async def hear(self) -> dict[str, Any]:
        """The next word of the far side. Raises what it says went wrong there."""
        while True:
            while b"\n" not in self._buffer:
                await self._more(LINE_LIMIT)
            line, _, rest = self._buffer.partition(b"\n")
            self._buffer = rest
            try:
                word = json.loads(line)
            except ValueError:
                raise self.nonsense() from None
            if not isinstance(word, dict):
                raise self.nonsense()
            if "error" in word:
                raise self._failure(str(word["error"]), str(word["reason"]))
            if "tick" not in word:
                return word

    async def say(self, word: Mapping[str, Any]) -> None:
        await self.write(json.dumps(word).encode("ascii") + b"\n")

    async def write(self, data: bytes) -> None:
        """Send bytes; ``Unreachable`` when none of them moves for the length of the patience."""
        try:
            for start in range(0, len(data), CHUNK):
                async with asyncio.timeout(self._patience):
                    await self._channel.write(data[start : start + CHUNK])
        except TimeoutError:
            raise self._silent() from None

    async def take(self, count: int) -> bytes:
        """Exactly ``count`` raw bytes; never more than a command's output may have."""
        if not 0 <= count <= OUTPUT_LIMIT:
            raise self.nonsense()
        while len(self._buffer) < count:
            await self._more(LINE_LIMIT)
        data = bytes(self._buffer[:count])
        del self._buffer[:count]
        return data

    async def chunk(self) -> bytes:
        """The next chunk of a body; empty at its end."""
        (count,) = CHUNK_HEAD.unpack(await self.take(CHUNK_HEAD.size))
        return await self.take(count)

    def nonsense(self) -> FarSideFailed:
        """What came is no answer of our helper's: another program speaks there."""
        return FarSideFailed(f"{self._where} answered with something that is no word of ours.")

    async def _more(self, limit: int) -> None:
        if len(self._buffer) > limit:
            raise FarSideFailed(f"{self._where} answered with more than can be read.")
        try:
            async with asyncio.timeout(self._patience):
                data = await self._channel.read()
        except TimeoutError:
            raise self._silent() from None
        if not data:
            await self._explain_silence()
            raise Unreachable(f"The connection to {self._where} was cut.")
        self._buffer += data

    async def _skip_banner(self, marker: bytes) -> None:
        while (at := self._buffer.find(marker)) < 0:
            await self._more(BANNER_LIMIT)
        del self._buffer[: at + len(marker)]

    async def _explain_silence(self) -> None:
        """The command ended without a word: raise what its exit code tells, if there is one."""
        code = await self._channel.exit_code()
        if code is None:
            return
        said = self._channel.stderr().strip().rpartition("\n")[2][-300:]
        if code == 127:
            raise FarSideFailed(
                f"There is no Python on {self._where}: {said or 'exit code 127'}", kind="missing"
            )
        raise FarSideFailed(
            f"Our helper on {self._where} ended with code {code}: {said or 'nothing was said'}"
        )

    def _failure(self, kind: str, reason: str) -> FarSideFailed | TooSlow:
        if kind == "too_slow":
            return TooSlow(f"{reason} (on {self._where}).")
        return FarSideFailed(f"{self._where}: {reason}.", kind=kind)

    def _silent(self) -> Unreachable:
        return Unreachable(f"Nothing was heard from {self._where} for {self._patience:g} s.")
