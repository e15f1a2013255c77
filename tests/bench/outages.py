"""``python -m tests.bench.outages [how many]``: outages of Slack; 1 when a word was lost or said twice."""

from __future__ import annotations

import asyncio
import logging
import shutil
import sys
import tempfile
from pathlib import Path

from bot.store.session import migrate, open_database
from tests.support.outages import outage
from tests.support.slack_story import slack_story
from tests.support.small_town import SmallTown

A_TOWN = 50


async def run(many: int) -> list[str]:
    """What went wrong, fifty outages to a workspace."""
    wrong: list[str] = []
    for first in range(0, many, A_TOWN):
        folder = Path(tempfile.mkdtemp())
        url = f"sqlite+aiosqlite:///{folder / 'lastcall.db'}"
        engine = open_database(url)
        await migrate(engine)
        await engine.dispose()
        town = SmallTown(url, folder)
        try:
            async with slack_story(town) as story:
                for seed in range(first, min(many, first + A_TOWN)):
                    wrong += await outage(story, seed)
        finally:
            await town.close()
            shutil.rmtree(folder)
    return wrong


def main() -> int:
    """By hand."""
    logging.getLogger("aiohttp.server").disabled = True  # the fake cuts its connections by raising in them
    many = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    wrong = asyncio.run(run(many))
    print(f"{many} outages, 4 words each: {len(wrong)} lost or twice")
    for one in wrong[:20]:
        print(f"  {one}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
