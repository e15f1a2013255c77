"""SQLite for simulated towns: no thread between the test and the file, and no waiting for the disk.

Each statement of ``aiosqlite`` goes to a thread of its own, four times there and back; over the hundreds of statements
of a simulated rental that is a third of the time. Here a statement runs where it is awaited. The SQL, the locks and
the commits are the same, and calls of the store still are tasks of the loop. What depends on being cancelled in the
middle of a statement is shown in ``tests/store``, on the engine as it is.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Generator
from typing import Any, Self

import aiosqlite
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

Order = tuple[asyncio.Future[Any] | None, Callable[[], Any]]


class _AtOnce:
    """Stands in for the queue to ``aiosqlite``'s thread."""

    def put_nowait(self, order: Order) -> None:
        """Do it, and tell the future what came of it."""
        future, work = order
        try:
            done = work()
        except Exception as error:
            if future is None:
                raise
            future.set_exception(error)
        else:
            if future is not None:
                future.set_result(done)


class _Threadless(aiosqlite.Connection):
    """``aiosqlite``'s connection; its thread is made and never started."""

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        super().__init__(connect, iter_chunk_size=64)
        self._tx: Any = _AtOnce()

    def __await__(self) -> Generator[Any, None, Self]:
        return self._opened().__await__()

    async def _opened(self) -> Self:
        await self._connect()
        return self


def quicken(engine: AsyncEngine) -> AsyncEngine:
    """The same engine, before its first connection; one that is not SQLite's is left as it is."""
    if engine.dialect.name == "sqlite":
        event.listen(engine.sync_engine, "do_connect", _without_thread)
        event.listen(engine.sync_engine, "connect", lambda raw, _: raw.execute("PRAGMA synchronous=OFF"))
    return engine


def _without_thread(_dialect: Any, _record: Any, _words: list[Any], options: dict[str, Any]) -> None:
    def connect(file: str, **more: Any) -> _Threadless:
        return _Threadless(lambda: sqlite3.connect(file, **more))

    options["async_creator_fn"] = connect
