"""Our end of a transfer: both directions over one stream, our disk in threads, some hundred KiB at a time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from adapters.shell.conversation import Conversation
from adapters.shell.disk import Disk
from adapters.shell.far.files import Inbox, Source, size_of
from adapters.shell.far.words import CHUNK, CHUNK_HEAD, parts_of, show
from bot.domain.errors import FarSideFailed, Unreachable
from bot.ports import FileDigest, Parcel, TransferProgress

T = TypeVar("T")
Announced = list[tuple[str, int]]
"""Name and size of each file, in the order in which they travel."""
Had = tuple[int, str] | None
"""How many first bytes of a file the receiver has, and their digest."""
BATCH_BYTES = 1024 * 1024
BATCH_STEPS = 512


async def announce(parcels: Sequence[Parcel]) -> Announced:
    """Names and sizes of what is to be sent; refused before anybody is called."""

    def measure() -> Announced:
        for parcel in parcels:
            parts_of(parcel.name)
        return [(parcel.name, size_of(str(parcel.source))) for parcel in parcels]

    files = await Disk().do(measure)
    if len({name for name, _ in files}) < len(files):
        raise FarSideFailed("Two files were to be sent under one name.")
    return files


class _Progress:
    def __init__(self, tell: TransferProgress | None, files: Announced) -> None:
        self._tell = tell
        self._total = sum(size for _, size in files)
        self._done = 0

    def to(self, done: int) -> None:
        if self._tell is not None and done != self._done:
            self._tell(done, self._total)
        self._done = done

    def add(self, count: int) -> None:
        self.to(self._done + count)


class _Outgoing:
    """What goes over the wire for a list of files, cut into blocks; small files share one."""

    def __init__(
        self, parcels: Sequence[Parcel], files: Announced, have: Sequence[Had], tick: Callable[[], None]
    ) -> None:
        self.digests: list[str] = []
        self.done = 0
        self._tick = tick
        self._frames = self._all(parcels, files, have)

    def block(self) -> bytes:
        """The next block; empty at the end."""
        block = bytearray()
        for frame in self._frames:
            block += frame
            if len(block) >= CHUNK:
                break
        return bytes(block)

    def _all(self, parcels: Sequence[Parcel], files: Announced, have: Sequence[Had]) -> Iterator[bytes]:
        for index, (parcel, (_, size), had) in enumerate(zip(parcels, files, have, strict=True)):
            yield from self._one(index, str(parcel.source), size, had)
        yield _line({"end": True})

    def _one(self, index: int, path: str, size: int, had: Had) -> Iterator[bytes]:
        source, start = Source(path, size, self._tick), 0
        try:
            if had is not None and source.skip(had[0]) == had[1]:
                start = had[0]
            elif had is not None:
                source.close()
                source = Source(path, size, self._tick)
            self.done += start
            if had is None or start < size:
                yield _line({"file": index, "from": start})
                while data := source.chunk():
                    self.done += len(data)
                    yield CHUNK_HEAD.pack(len(data)) + data
                yield CHUNK_HEAD.pack(0) + _line({"sha256": source.sha256()})
            self.digests.append(source.sha256())
        finally:
            source.close()

    def close(self) -> None:
        self._frames.close()  # type: ignore[attr-defined]  # it is a generator, which mypy forgets


def _line(word: dict[str, Any]) -> bytes:
    return json.dumps(word).encode("ascii") + b"\n"


async def send(
    talk: Conversation, parcels: Sequence[Parcel], files: Announced, tell: TransferProgress | None
) -> tuple[FileDigest, ...]:
    """Send what the far side does not have, and hear what it stored."""
    have: list[Had] = (await talk.hear())["have"]
    disk, progress = Disk(), _Progress(tell, files)
    outgoing = _Outgoing(parcels, files, have, disk.tick)

    async def speak() -> None:
        while block := await disk.do(outgoing.block):
            await talk.write(block)
            progress.to(outgoing.done)

    async def listen() -> dict[int, str]:
        stored: dict[int, str] = {}
        while not (word := await talk.hear()).get("done"):
            stored[int(word["stored"])] = str(word["sha256"])
        return stored

    try:
        stored = await _both(speak(), listen())
    finally:
        outgoing.close()
    for index, (ours, had) in enumerate(zip(outgoing.digests, have, strict=True)):
        if ours != (stored.get(index) or (had and had[1])):
            raise FarSideFailed(
                f"{show(files[index][0])} has another digest there than here.", kind="corrupt"
            )
    return tuple(
        FileDigest(name, size, sha256) for (name, size), sha256 in zip(files, outgoing.digests, strict=True)
    )


async def _both(speak: Coroutine[Any, Any, None], listen: Coroutine[Any, Any, T]) -> T:
    """Speak and listen at once. When speaking is cut off, what the far side last said is the better reason."""
    speaker, listener = asyncio.create_task(speak), asyncio.create_task(listen)
    try:
        await asyncio.wait({speaker, listener}, return_when=asyncio.FIRST_EXCEPTION)
        if speaker.done() and isinstance(speaker.exception(), Unreachable) and not listener.done():
            await asyncio.wait({listener}, timeout=5)
        if not listener.done():
            await speaker
        return await listener
    finally:
        speaker.cancel()
        listener.cancel()
        await asyncio.gather(speaker, listener, return_exceptions=True)


class _Incoming:
    """Stores files as they come. Steps are collected, so that a thousand small files are not as many threads."""

    def __init__(self, inbox: Inbox, disk: Disk) -> None:
        self._inbox = inbox
        self._disk = disk
        self._steps: list[Callable[[], object]] = []
        self._bytes = 0

    async def add(self, step: Callable[[], object], count: int = 0) -> None:
        self._steps.append(step)
        self._bytes += count
        if self._bytes >= BATCH_BYTES or len(self._steps) >= BATCH_STEPS:
            await self.flush()

    async def flush(self) -> None:
        steps, self._steps, self._bytes = self._steps, [], 0
        await self._disk.do(lambda: [step() for step in steps] and None)

    async def take(
        self, talk: Conversation, name: str, size: int, had: Had, progress: _Progress
    ) -> FileDigest:
        """One file off the wire."""
        start = int((await talk.hear())["from"])
        if start and (had is None or start != had[0]):
            raise FarSideFailed(f"{show(name)} was continued where nobody asked.", kind="corrupt")
        progress.add(start)
        is_here = had is not None and had[0] == size == start
        if not is_here:
            await self.add(lambda: self._inbox.begin(name, start))
        left = size - start
        while data := await talk.chunk():
            left -= len(data)
            if left < 0:
                raise FarSideFailed(f"{show(name)} is longer than was announced.", kind="corrupt")
            await self.add(lambda data=data: self._inbox.write(data), len(data))  # type: ignore[misc]
            progress.add(len(data))
        sha256 = str((await talk.hear())["sha256"])
        if not is_here:
            await self.add(lambda: self._inbox.finish(name, sha256))
        elif had is not None and had[1] != sha256:
            raise FarSideFailed(f"{show(name)} has another digest there than here.", kind="corrupt")
        return FileDigest(name, size, sha256)


async def fetch(talk: Conversation, dest: Path, tell: TransferProgress | None) -> tuple[FileDigest, ...]:
    """Take what the far side announces. Its names are checked here as well: it is somebody else's machine."""
    files: Announced = [(str(name), int(size)) for name, size in (await talk.hear())["files"]]
    disk = Disk()
    await disk.do(dest.mkdir, parents=True, exist_ok=True)
    inbox = await disk.do(Inbox, str(dest), ".", disk.tick)
    done = False
    try:
        have: list[Had] = await disk.do(inbox.have_all, files)
        await talk.say({"have": have})
        progress, incoming = _Progress(tell, files), _Incoming(inbox, disk)
        try:
            got = [
                await incoming.take(talk, name, size, had, progress)
                for (name, size), had in zip(files, have, strict=True)
            ]
            await talk.hear()
        finally:
            # What came before a cut need not come again.
            await incoming.flush()
        done = True
        return tuple(got)
    finally:
        await Disk().do(inbox.close, done=done)
