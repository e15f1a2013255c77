"""The real clock and the real dice."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from bot.ports import Clock

log = logging.getLogger("lastcall.clock")

TRUSTED = timedelta(hours=26)
"""No zone and no winter time sets a clock further back than this: it had been wrong, and is right now."""
_WORTH_SAYING = timedelta(minutes=1)

_LETTERS = "abcdefghjkmnpqrstuvwxyz"
_MARKS = _LETTERS + "23456789"
"""No i, l, o, 0 and 1: an id is read aloud and typed."""


class SystemClock:
    """Aware UTC from the operating system."""

    def now(self) -> datetime:
        """Now."""
        return datetime.now(UTC)


def _since_boot() -> float:
    """Seconds on the computer's running clock: no calendar moves it. Where there is one (Linux), it is the one that
    counts sleep too (clock_gettime(2), CLOCK_BOOTTIME)."""
    boot: int | None = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot is None else time.clock_gettime(boot)


class SteadyClock:
    """A clock that never goes back: hard ends and what is counted must not wait while a calendar is lived twice.

    When the wall clock is set back, it goes on by the computer's running clock, so that it stays ahead until ``follow``
    is called. A clock that is set forward is followed: ending too early costs less than too late."""

    def __init__(self, wall: Clock, running: Callable[[], float] = _since_boot) -> None:
        """``running``: seconds on a clock that is never set."""
        self._wall, self._running = wall, running
        self._at, self._ran = wall.now(), running()
        self._told = False

    def now(self) -> datetime:
        """Never earlier than what it said before, unless the wall clock was set back by more than ``TRUSTED``: that is
        taken as it is, and the log says so."""
        wall, ran = self._wall.now(), self._running()
        steady = self._at + timedelta(seconds=ran - self._ran)
        if wall >= steady:
            self._anchor(wall, ran)
            self._told = False
        elif steady - wall > TRUSTED:
            log.error("the clock was set back by %s; it is taken as it is now", steady - wall)
            self._anchor(wall, ran)
        else:
            self._tell(steady - wall)
            return steady
        return wall

    def not_before(self, moment: datetime) -> bool:
        """Go on from ``moment``, which another process or an earlier life of this one has seen; False where that is
        further ahead than ``TRUSTED``."""
        wall = self._wall.now()
        if moment - wall > TRUSTED:
            return False
        if moment > self.now():
            self._anchor(moment, self._running())
            self._tell(moment - wall)
        return True

    def follow(self) -> bool:
        """Take the wall clock as it is, while nothing is open that it could make run longer; True if it is behind."""
        before = self.now()
        wall = self._wall.now()
        self._anchor(wall, self._running())
        self._told = False
        return wall < before

    def _anchor(self, moment: datetime, ran: float) -> None:
        self._at, self._ran = moment, ran

    def _tell(self, ahead: timedelta) -> None:
        if not self._told and ahead >= _WORTH_SAYING:
            log.warning(
                "the clock is %s behind what was seen before; while anything is open time goes on from there",
                ahead,
            )
            self._told = True


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
