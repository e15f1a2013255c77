"""The real clock and the real dice."""

from __future__ import annotations

import secrets
import time
from datetime import UTC, datetime, timedelta

_LETTERS = "abcdefghjkmnpqrstuvwxyz"
_MARKS = _LETTERS + "23456789"
"""No i, l, o, 0 and 1: an id is read aloud and typed."""


class SystemClock:
    """Aware UTC from the operating system."""

    def now(self) -> datetime:
        """Now."""
        return datetime.now(UTC)


class FastClock:
    """Runs ``speed`` times as fast as the operating system's, from ``start`` on: for the demo."""

    def __init__(self, speed: int, start: datetime) -> None:
        self._speed = speed
        self._start = start
        self._began = time.monotonic()

    def now(self) -> datetime:
        """Where it is by now."""
        return self._start + timedelta(seconds=(time.monotonic() - self._began) * self._speed)


class RandomIds:
    """From the operating system's source of chance. ``mark`` ends every token, to tell whose it is."""

    def __init__(self, mark: str = "") -> None:
        self._mark = mark

    def rental(self) -> str:
        """Six marks: a letter first, so that an id is never taken for a number; at least one digit, so that it is
        never taken for a word."""
        while True:
            text = secrets.choice(_LETTERS) + "".join(secrets.choice(_MARKS) for _ in range(5))
            if any(mark.isdigit() for mark in text):
                return text

    def token(self) -> str:
        """128 bits."""
        return secrets.token_hex(16) + self._mark
