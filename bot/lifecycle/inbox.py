"""Inbox: data sets that came with a message are kept as long as their rental is open, and no longer."""

from __future__ import annotations

import asyncio
import logging
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.ports import Clock
from bot.store import Store
from bot.unpack import inbox

log = logging.getLogger("lastcall.inbox")

STRAY = timedelta(days=1)
"""What no rental owns by then, nobody will: a refused request, or a download that was cut off."""
_LOOKED_AT = 1_000
"""So many closed rentals are looked through for the owner of a folder; an older one's goes as a stray."""


class Inbox:
    """Any process may tidy at any time: a folder that is gone already is no loss."""

    def __init__(self, store: Store, clock: Clock, data: Path) -> None:
        self._store = store
        self._clock = clock
        self._folder = inbox(data)

    async def tick(self) -> list[str]:
        """Remove what is not needed any more; the names of the folders."""
        # Listed first, owners second: a rental that was opened after our look is then known.
        folders = await asyncio.to_thread(_folders, self._folder)
        if not folders:
            return []
        kept = {one.job.dataset for one in await self._store.rentals.open_ones() if one.job}
        closed = await self._store.rentals.closed_ones(limit=_LOOKED_AT)
        over = {one.job.dataset for one in closed if one.job}
        before, removed = self._clock.now() - STRAY, []
        for folder, changed in folders.items():
            path = str(folder)
            if path not in kept and (path in over or changed < before):
                await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
                log.info("inbox: %s is not needed any more", folder.name)
                removed.append(folder.name)
        return removed


def _folders(place: Path) -> dict[Path, datetime]:
    """Each with when it was changed."""
    found: dict[Path, datetime] = {}
    try:
        for each in place.iterdir():
            found[each] = datetime.fromtimestamp(each.lstat().st_mtime, UTC)
    except OSError:
        return found  # there is none yet, or another process tidies as well
    return found
