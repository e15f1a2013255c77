"""The metronome: beats come again, a nudge is never lost, and the end cuts nothing in two."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from adapters.clock import SystemClock
from adapters.ticker import Ticker

NEVER = timedelta(days=1)


async def test_a_nudge_during_a_beat_lets_it_come_once_more() -> None:
    """It may have looked before there was something to see; the next regular beat would be a day away."""
    ticker = Ticker(SystemClock())
    began, go_on, twice = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def beat() -> None:
        if began.is_set():
            twice.set()
        began.set()
        await go_on.wait()

    ticker.every("engine", lambda: NEVER, beat)
    ticker.start()
    await asyncio.wait_for(began.wait(), 10)
    ticker.nudge("engine")
    go_on.set()
    await asyncio.wait_for(twice.wait(), 10)
    await ticker.stop()


async def test_a_nudge_between_beats_is_obeyed_at_once() -> None:
    """And one before the start or for a name nobody knows does no harm."""
    ticker = Ticker(SystemClock())
    beats: asyncio.Queue[int] = asyncio.Queue()

    async def beat() -> None:
        await beats.put(1)

    ticker.nudge("nobody")
    ticker.every("engine", lambda: NEVER, beat)
    ticker.start()
    await asyncio.wait_for(beats.get(), 10)
    await ticker.rest("engine")
    ticker.nudge("engine")
    await asyncio.wait_for(beats.get(), 10)
    await ticker.stop()


async def test_a_beat_that_fails_comes_again() -> None:
    """A fault of one beat is written to the log and ends nothing."""
    ticker = Ticker(SystemClock())
    tries: asyncio.Queue[int] = asyncio.Queue()

    async def beat() -> None:
        await tries.put(1)
        raise RuntimeError("the database is away")

    ticker.every("engine", lambda: timedelta(0), beat)
    ticker.start()
    for _ in range(3):
        await asyncio.wait_for(tries.get(), 10)
    await ticker.stop()


async def test_the_end_waits_for_a_beat_in_the_middle_and_begins_no_other() -> None:
    """A write is not cut in two; a nudge after the end is too late."""
    ticker = Ticker(SystemClock())
    began, go_on = asyncio.Event(), asyncio.Event()
    count = {"begun": 0, "ended": 0}

    async def beat() -> None:
        count["begun"] += 1
        began.set()
        await go_on.wait()
        count["ended"] += 1

    ticker.every("engine", lambda: timedelta(0), beat)
    ticker.start()
    await asyncio.wait_for(began.wait(), 10)
    ending = asyncio.ensure_future(ticker.stop())
    await asyncio.sleep(0)
    go_on.set()
    await ending
    ticker.nudge("engine")
    await asyncio.sleep(0)
    assert count == {"begun": 1, "ended": 1}
