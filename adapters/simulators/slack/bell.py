"""Waiting for something to become true, without asking again and again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

Seen = TypeVar("Seen")


class Bell:
    """Rung whenever something changed; who waits looks again."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Something changed."""
        self._rung.set()
        self._rung = asyncio.Event()

    async def until(self, seen: Callable[[], Seen], limit_s: float = 5.0) -> Seen:
        """The first true value of ``seen``. Raises ``TimeoutError`` after so many real seconds."""
        async with asyncio.timeout(limit_s):
            while True:
                rung = self._rung
                if found := seen():
                    return found
                await rung.wait()
