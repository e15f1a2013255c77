"""``lastcall serve``: the engine and the chats, until told to stop. What cannot be finished is left for the
next process."""

from __future__ import annotations

import asyncio
import logging
import os
import signal

from bot.entry import logs
from bot.settings import Settings
from bot.wiring import App
from bot.wiring.chats import FrontEnds, fronts_of
from bot.wiring.ops import Watch, door_of

log = logging.getLogger("lastcall")

LONGEST_S = 9
"""From the signal to the end of the process, whatever hangs: Docker and people wait for ten seconds."""


async def serve(settings: Settings) -> int:
    """Run until SIGINT or SIGTERM; returns the exit code."""
    logs.to_stderr(settings.log_level, as_json=settings.log_format == "json")
    app = await App.build(settings)
    end = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, _ending, end)
    fronts = fronts_of(settings, app.clock)
    chats = tuple(one.chat for one in fronts)
    front_ends = FrontEnds(chats, app.desk, app.clock, app.store.leases, app.token)
    watch = Watch(app, fronts, front_ends)
    door = door_of(settings, watch)
    await app.start(chats, homes=settings.home_channels)
    front_ends.start()
    if door is not None:
        door.open()
    open_now = await app.store.rentals.open_ones()
    log.info("serving %s, namespace %s: %d rentals open", app.where, app.house.namespace, len(open_now))
    try:
        await end.wait()
    finally:
        log.info("stopping; what runs goes on and is found again")
        watch.stopping = True
        await front_ends.stop()
        await app.stop()
        if door is not None:
            await door.close()
    return 0


def _ending(end: asyncio.Event) -> None:
    """All that matters is in rows, so that a process may go at any moment: one that cannot leave in order (a database
    that hangs holds a thread) is ended by the alarm."""
    if not end.is_set():
        signal.signal(signal.SIGALRM, _late)
        signal.alarm(LONGEST_S)
    end.set()


def _late(*_: object) -> None:
    log.error("not stopped in order within %d s; the next process goes on from the rows", LONGEST_S)
    os._exit(1)
