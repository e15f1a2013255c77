"""``python -m tests.bench.ladder [how many]``: each rung once, over many seeded schedules.

Exit code 1 at the first fault."""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
from pathlib import Path

from bot.store.session import migrate, open_database
from tests.support.reminding import Pager, Schedule
from tests.support.small_town import SmallTown


async def _empty(path: Path) -> None:
    engine = open_database(f"sqlite+aiosqlite:///{path}")
    await migrate(engine)
    await engine.dispose()


async def _one(empty: Path, seed: int) -> list[str]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copyfile(empty, folder / "lastcall.db")
        town = SmallTown(f"sqlite+aiosqlite:///{folder / 'lastcall.db'}", folder, notifier=Pager())
        schedule = Schedule(town, seed)
        try:
            return await schedule.faults(await schedule.play())
        finally:
            await town.close()


async def _all(many: int) -> int:
    with tempfile.TemporaryDirectory() as name:
        empty = Path(name) / "empty.db"
        await _empty(empty)
        for seed in range(many):
            if faults := await _one(empty, seed):
                print(f"seed {seed}: {'; '.join(faults)}")
                return 1
    print(f"{many} schedules: each rung and level once")
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(_all(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)))
