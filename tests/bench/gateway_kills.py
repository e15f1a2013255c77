"""``python -m tests.bench.gateway_kills [minutes]``: the gateway is killed every five seconds of real time while people
give a command a second; 1 when a command that Discord delivered is lost, or has two effects."""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
import time
from pathlib import Path

from bot.domain.money import ZERO
from bot.store.session import migrate, open_database
from tests.support.discord_story import DiscordStory, discord_story
from tests.support.small_town import SmallTown

EVERY_S = 5.0
_SETTLING_S = 30.0


async def _kill(story: DiscordStory, until: float) -> int:
    killed = 0
    while time.monotonic() < until:
        await asyncio.sleep(EVERY_S)
        await story.discord.gateway.cut()
        killed += 1
    return killed


async def _command(story: DiscordStory, until: float) -> tuple[int, int]:
    """Commands that were delivered, and those that Discord had nobody to deliver to."""
    delivered = undelivered = 0
    while time.monotonic() < until:
        began = time.monotonic()
        told = await story.discord.line(story.ann, story.gpu, "up world 3090 for 1h")
        delivered, undelivered = delivered + told.acked, undelivered + (not told.acked)
        await asyncio.sleep(max(0.0, 1 - (time.monotonic() - began)))
    return delivered, undelivered


async def run(minutes: float) -> int:
    """The exit code."""
    folder = Path(tempfile.mkdtemp())
    url = f"sqlite+aiosqlite:///{folder / 'lastcall.db'}"
    engine = open_database(url)
    await migrate(engine)
    await engine.dispose()
    town = SmallTown(url, folder, threads=True, auto_confirm=ZERO)
    try:
        async with discord_story(town) as story:
            until = time.monotonic() + 60 * minutes
            killed, (delivered, undelivered) = await asyncio.gather(
                _kill(story, until), _command(story, until)
            )
            await asyncio.wait_for(story.quiet(), _SETTLING_S)
            rentals = len(await town.life.store.rentals.open_ones())
    finally:
        await town.close()
        shutil.rmtree(folder)
    print(
        f"{minutes:g} min, gateway killed {killed} times: {delivered} commands delivered, {rentals} rentals;"
        f" {undelivered} found no gateway and were answered so by Discord itself"
    )
    return 0 if rentals == delivered else 1


def main() -> int:
    """By hand."""
    return asyncio.run(run(float(sys.argv[1]) if len(sys.argv) > 1 else 10.0))


if __name__ == "__main__":
    sys.exit(main())
