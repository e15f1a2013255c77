"""Our own disk, kept off the event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from adapters.shell.far.words import Trouble, trouble_of
from bot.domain.errors import FarSideFailed

T = TypeVar("T")


class Stopped(Exception):
    """Raised inside the thread when nobody waits for its work any more."""


class Disk:
    """Runs one piece of blocking work after another in threads. A cancelled caller first waits until the thread has
    let go, so that nobody closes a file under its hands; ``tick``, given to long work, ends it early then."""

    def __init__(self) -> None:
        self._stop = threading.Event()

    def tick(self) -> None:
        """To be called by long work."""
        if self._stop.is_set():
            raise Stopped

    async def do(self, work: Callable[..., T], *args: Any, **named: Any) -> T:
        """The result of ``work``. Its troubles are told as ours, not the machine's."""
        task = asyncio.ensure_future(asyncio.to_thread(work, *args, **named))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            self._stop.set()
            await asyncio.wait({task})
            if not task.exception() and hasattr(opened := task.result(), "close"):
                opened.close()
            raise
        except OSError as error:
            raise _ours(trouble_of(error)) from error
        except Trouble as trouble:
            raise _ours(trouble) from trouble


def _ours(trouble: Trouble) -> FarSideFailed:
    return FarSideFailed(f"On the bot's own computer: {trouble.reason}.", kind=trouble.kind)
