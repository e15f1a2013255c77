"""Secrets that are planted, and a search for them in whatever form: in logs, files, databases and process lists."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import logging
import sqlite3
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import httpx
import psutil

_PIECE = 12
"""So much of its beginning or end is as bad as all of it: sentences are cut somewhere."""
_LOOK_S = 0.03
_AT_ONCE = 2000
"""Log lines that are looked at together."""


def forms(secret: str) -> dict[str, bytes]:
    """How a secret may be written: as it is, in part, hex, base64 wherever it begins, in an address, UTF-16."""
    plain = secret.encode()
    found = {
        "as it is": plain,
        "its beginning": plain[:_PIECE],
        "its end": plain[-_PIECE:],
        "hex": plain.hex().encode(),
        "HEX": plain.hex().upper().encode(),
        "in an address": quote(secret, safe="").encode(),
        "UTF-16": secret.encode("utf-16-le"),
    }
    for before in range(3):
        # What stands before and behind it changes the letters at both ends.
        whole = base64.b64encode(b"\0" * before + plain)
        found[f"base64, {before} in"] = whole[4 if before else 0 : len(whole) // 4 * 4 - 4]
    return found


@dataclass
class Hunt:
    """What was looked at, and where something was found."""

    secrets: dict[str, str]
    """By a name that may be said."""
    looked: dict[str, int] = field(default_factory=dict)
    """Bytes, by the kind of place."""
    found: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._forms = [
            (name, how, form) for name, one in self.secrets.items() for how, form in forms(one).items()
        ]

    def look(self, place: str, content: str | bytes) -> None:
        """``place`` is ``kind: which``."""
        data = content.encode("utf-8", "replace") if isinstance(content, str) else content
        kind = place.partition(":")[0]
        self.looked[kind] = self.looked.get(kind, 0) + len(data)
        self.found |= {f"{name} in {place} ({how})" for name, how, form in self._forms if form in data}

    def files(self, kind: str, folder: Path) -> None:
        """Names and bytes of everything below a folder; what is deleted meanwhile is not there."""
        for path in folder.rglob("*"):
            self.look(f"{kind}: a name", str(path.relative_to(folder)))
            with contextlib.suppress(OSError):
                if path.is_file():
                    self.look(f"{kind}: {path.name}", path.read_bytes())

    def database(self, file: Path) -> None:
        """The bytes of SQLite's files, and every row: the bytes of a long one lie apart."""
        for path in file.parent.glob(f"{file.name}*"):
            self.look(f"database: {path.name}", path.read_bytes())
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
            self.look("database: rows", "\n".join(connection.iterdump()))

    def process(self, process: psutil.Process, *, environment: bool = True) -> str:
        """Its command line and what it was given; its command line, or nothing when it is gone."""
        try:
            words = " ".join(process.cmdline())
            self.look(f"process list: {words[:60]}", words)
            if environment:
                told = "\n".join(f"{name}={value}" for name, value in process.environ().items())
                self.look(f"environment: {words[:60]}", told)
        except (psutil.Error, OSError):
            return ""
        return words


class Ears(logging.Handler):
    """Hears everything that any library logs, as it would be written and as it was given."""

    def __init__(self, hunt: Hunt) -> None:
        super().__init__(logging.NOTSET)
        self.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
        self.heard: dict[str, int] = {}
        """Records, by the first part of their logger's name."""
        self.tracebacks = 0
        self._hunt = hunt
        self._lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        first = record.name.partition(".")[0]
        self.heard[first] = self.heard.get(first, 0) + 1
        self.tracebacks += record.exc_info is not None
        self._lines.append(f"{self.format(record)}\n{record.args!r}\n{record.exc_info!r}")
        if len(self._lines) >= _AT_ONCE:
            self.flush()

    def flush(self) -> None:
        """Look at what was heard since."""
        text = "\n".join(self._lines)
        self._lines.clear()
        self._hunt.look("log", text)


@contextmanager
def listening(hunt: Hunt) -> Iterator[Ears]:
    """Every logger says all it can, whatever it was set to; as before afterwards."""
    ears, root = Ears(hunt), logging.getLogger()
    loggers = [root, *(logging.getLogger(name) for name in root.manager.loggerDict)]
    before, handlers = {one: one.level for one in loggers}, root.handlers[:]
    for one in loggers:
        one.setLevel(logging.DEBUG)
    root.handlers[:] = [ears]
    try:
        yield ears
    finally:
        root.handlers[:] = handlers
        ears.flush()
        for one, level in before.items():
            one.setLevel(level)


class Parrot(httpx.AsyncBaseTransport):
    """A vendor, or a gateway before it, that repeats what it was sent: in a refusal with ``status``, as JSON or as a
    page, or in an error of the transport itself. ``status`` 0: it is silent and lets everything through."""

    def __init__(self, line: httpx.AsyncBaseTransport) -> None:
        self._line = line
        self.status = 0
        self.shape = "json"
        self.said = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if not self.status:
            return await self._line.handle_async_request(request)
        self.said += 1
        given = request.headers["authorization"]
        key = given.removeprefix("Bearer ")
        # Where a sentence is cut after 300 letters, the cut goes through the key of a long one.
        words = f"{key} is not taken: {request.url} was sent with {given}"
        words = "x" * 285 + words if self.shape == "long" else words
        match self.shape:
            case "json" | "long":
                body = {
                    "error": {"code": key, "message": words},
                    "detail": words,
                    "msg": words,
                    "errors": [words],
                }
                return httpx.Response(self.status, json=body)
            case "text":
                return httpx.Response(self.status, text=words)
            case _:
                raise RuntimeError("a fault of the library itself")


@contextlib.asynccontextmanager
async def watching(hunt: Hunt, parents: Iterable[int], mark: str) -> AsyncIterator[set[str]]:
    """Looks at every process that descends from ``parents``, or has a variable of that name, for as long as it lasts;
    yields the command lines that it saw."""
    seen: set[str] = set()
    known: set[tuple[int, float]] = set()

    own = set(parents)

    def look() -> None:
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                one = process.pid, process.create_time()
                if process.pid in own or one in known or not _ours(process, own, mark):
                    continue
                known.add(one)
                if words := hunt.process(process):
                    seen.add(words)

    async def keep() -> None:
        while True:
            await asyncio.to_thread(look)
            await asyncio.sleep(_LOOK_S)

    task = asyncio.create_task(keep())
    try:
        yield seen
    finally:
        task.cancel()
        await asyncio.wait({task})


def _ours(process: psutil.Process, own: set[int], mark: str) -> bool:
    """Not a moment before it is itself: between ``fork`` and ``exec`` a child is still shown as its parent."""
    parents = process.parents()
    if parents and process.cmdline() == parents[0].cmdline():
        return False
    return bool(own & {parent.pid for parent in parents}) or mark in process.environ()
