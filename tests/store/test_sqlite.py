"""What only SQLite has: one file, one writer at a time, a disk that can be full."""

from __future__ import annotations

import asyncio
import random
import re
import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from bot.store import Store
from bot.store.session import all_written, migrate, open_database
from tests.store.tabs import ASKED, HOUR, KEY, T0, attempt, claimed, found, opened, say, texts
from tests.support.disks import small_disk

LONG = "x" * 20_000


def file_of(store: Store) -> Path:
    return Path(make_url(str(store.engine.url)).database or "")


def writes_at_once(path: Path) -> None:
    """Raises when anybody holds the write lock now."""
    connection = sqlite3.connect(path, timeout=0, isolation_level=None)
    try:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    finally:
        connection.close()


async def test_every_connection_survives_a_power_cut(sqlite_store: Store):
    """WAL and FULL on each connection of the pool: what was committed is on the disk before a paid call."""
    settings = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 20_000}
    connections = [await sqlite_store.engine.connect() for _ in range(5)]
    for raw in connections:
        connection = await raw.execution_options(reading=True)
        for name, wanted in settings.items():
            assert (await connection.exec_driver_sql(f"PRAGMA {name}")).scalar_one() == wanted
    for raw in connections:
        await raw.close()


async def test_readers_do_not_wait_for_the_writer(sqlite_store: Store):
    """Somebody who looks at the status is not held up by a pass that writes, and sees what was committed."""
    await opened(sqlite_store)
    async with sqlite_store.engine.begin() as writing:
        await writing.execute(text("UPDATE rentals SET note = 'half'"))
        assert (await found(sqlite_store)).note == ""
    assert (await found(sqlite_store)).note == "half"


async def test_a_cancelled_caller_leaves_no_lock(sqlite_store: Store):
    """Passes, commands and messages are cancelled at any moment, hundreds of times; the next write works at once and
    every change is there with its journal line, or neither is."""
    chance = random.Random(5)
    await opened(sqlite_store)
    claim = await claimed(sqlite_store)

    async def change(number: int) -> None:
        key, said = f"key-{number}", say(f"say-{number}")
        ways: list[Callable[[], Awaitable[object]]] = [
            lambda: sqlite_store.outbox.put(said, now=T0),
            lambda: sqlite_store.journal.add([ASKED], now=T0),
            lambda: sqlite_store.claims.hold(claim, until=T0 + HOUR),
            sqlite_store.rentals.open_ones,
            lambda: opened(sqlite_store, f"row{number:03d}"),
            lambda: sqlite_store.leases.take(key, token=key, now=T0, until=T0 + HOUR),
            lambda: sqlite_store.claims.record(
                claim, replace(claim.rental, attempts=(attempt(),)), now=T0, until=T0 + HOUR
            ),
        ]
        await ways[number % len(ways)]()

    for start in range(0, 120, 12):
        tasks = [asyncio.create_task(change(number)) for number in range(start, start + 12)]
        for task in tasks:
            for _ in range(chance.randrange(200)):
                await asyncio.sleep(0)
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        assert {type(one) for one in ended} <= {asyncio.CancelledError, type(None)}
        async with asyncio.timeout(10):
            await sqlite_store.journal.add([ASKED], now=T0)
    await all_written()
    writes_at_once(file_of(sqlite_store))
    for rental in await sqlite_store.rentals.open_ones():
        assert await texts(sqlite_store, rental.id) == [ASKED.text]


async def test_a_write_goes_on_when_its_caller_is_cancelled(sqlite_store: Store):
    """Closing the store waits for what was begun: nothing is lost that was under way."""
    task = asyncio.create_task(sqlite_store.journal.add([ASKED], now=T0))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await all_written()
    assert await texts(sqlite_store) == [ASKED.text]


async def until_full(store: Store) -> int:
    """Claim and work until there is no room, be it for a claim or for what a pass found; how many were written."""
    for number in range(1000):
        try:
            claim = await claimed(store)
            after = replace(claim.rental, note=f"{number} {LONG}")
            card = say(f"{number}", LONG)
            await store.claims.apply(claim, after, now=T0, wake_at=T0, entries=[ASKED], says=[card])
        except OperationalError as error:
            assert re.search("full|disk I/O", str(error))
            return number
    raise AssertionError("it was never full")


async def usable_after(store: Store, passes: int) -> None:
    """Each pass is there wholly, or not at all, and the next one is written."""
    rental = await found(store)
    assert rental.note.startswith(f"{passes - 1} ")
    assert len(await texts(store)) == passes + 1
    assert await store.outbox.unsaid() == passes
    late = T0 + HOUR
    claim = await claimed(store, now=late)
    await store.claims.apply(claim, replace(rental, note="after"), now=late, wake_at=late, entries=[ASKED])
    assert (await found(store)).note == "after"
    writes_at_once(file_of(store))


async def test_a_full_database_is_an_error_and_usable_afterwards(sqlite_store: Store):
    """A pass that finds no room raises and leaves nothing; when there is room again the next one is written."""
    pages = {"most": 150}

    def limit(connection: sqlite3.Connection, *_: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages['most']}")

    event.listen(sqlite_store.engine.sync_engine, "checkout", limit)
    await opened(sqlite_store)
    passes = await until_full(sqlite_store)
    pages["most"] = 10_000
    await usable_after(sqlite_store, passes)


async def test_a_full_disk_is_an_error_and_usable_afterwards(tmp_path: Path):
    """The same on a real file system without a free block, where the write-ahead log has no room either."""
    with small_disk(tmp_path / "disk") as disk:
        store = Store(open_database(f"sqlite+aiosqlite:///{disk / 'lastcall.db'}"), lambda: KEY, tmp_path)
        await migrate(store.engine)
        ballast = disk / "ballast"
        ballast.write_bytes(bytes(300 * 1024))
        await opened(store)
        try:
            passes = await until_full(store)
            ballast.unlink()
            await usable_after(store, passes)
        finally:
            await store.close()
