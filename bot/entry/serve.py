"""``lastcall serve``: the engine and the chats, until told to stop. What cannot be finished is left for the
next process."""

from __future__ import annotations

import asyncio
import logging
import signal

from bot.entry import logs
from bot.settings import Settings
from bot.wiring import App
from bot.wiring.chats import FrontEnds, chats_of

log = logging.getLogger("lastcall")


async def serve(settings: Settings) -> int:
    """Run until SIGINT or SIGTERM; returns the exit code."""
    logs.to_stderr(settings.log_level)
    app = await App.build(settings)
    end = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end.set)
    chats = chats_of(settings, app.clock)
    front_ends = FrontEnds(chats, app.desk, app.clock, app.store.leases, app.token)
    await app.start(chats, homes=settings.home_channels)
    front_ends.start()
    open_now = await app.store.rentals.open_ones()
    log.info("serving %s, namespace %s: %d rentals open", app.where, app.house.namespace, len(open_now))
    try:
        await end.wait()
    finally:
        log.info("stopping; what runs goes on and is found again")
        await front_ends.stop()
        await app.stop()
    return 0
