"""Detached units on a simulated machine: a script of beats, played by the clock."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate

from bot.ports import UnitJob, UnitState

TERMINATED, KILLED, LIMIT_PASSED = 143, 137, 124


@dataclass(frozen=True, slots=True)
class Beat:
    """At ``at`` after the start the log grows by ``log`` and ``files`` (relative to the unit's cwd) appear."""

    at: timedelta
    log: bytes = b""
    files: Mapping[str, bytes] | None = None


class Play:
    """What a unit does from start to end. Immutable, so that one object serves thousands of rentals."""

    def __init__(
        self,
        beats: Sequence[Beat] = (),
        *,
        lasts: timedelta | None = timedelta(0),
        exit_code: int = 0,
        stubborn: bool = False,
        folders: Sequence[str] = (),
    ) -> None:
        """``lasts`` None: it never ends by itself. ``stubborn``: it ignores TERM and has to be killed. ``folders`` are
        made at the start, relative to the unit's cwd."""
        ordered = sorted(beats, key=lambda beat: beat.at)
        self.lasts, self.exit_code, self.stubborn = lasts, exit_code, stubborn
        self.folders = tuple(folders)
        self._times = [beat.at for beat in ordered]
        self._sizes = [0, *accumulate(len(beat.log) for beat in ordered)]
        self._whole = b"".join(beat.log for beat in ordered)
        self.files = [(beat.at, beat.files) for beat in ordered if beat.files]

    def log(self, elapsed: timedelta) -> memoryview:
        """Everything that was said by then."""
        return memoryview(self._whole)[: self._sizes[bisect_right(self._times, elapsed)]]


UnitScript = Callable[[str, UnitJob, Mapping[str, bytes]], Play]
"""(unit name, job, files on the machine) → what happens."""


@dataclass(slots=True)
class SimUnit:
    """A unit that was started on a machine."""

    name: str
    job: UnitJob
    play: Play
    began: datetime
    ended: datetime | None
    """When its own course, its limit or a stop ends it; None: not foreseeable."""
    exit_code: int | None
    """What is written at the end; None when nobody is left to write it."""
    files_done: int = 0

    @classmethod
    def start(cls, name: str, job: UnitJob, play: Play, now: datetime) -> SimUnit:
        """Begin at ``now``."""
        lasts, code = play.lasts, play.exit_code
        if job.limit is not None and (lasts is None or job.limit < lasts):
            lasts, code = job.limit, LIMIT_PASSED
        return cls(name, job, play, now, None if lasts is None else now + lasts, code)

    def state(self, now: datetime) -> UnitState:
        """As the supervisor's files and the process table tell it."""
        if self.ended is None or now < self.ended:
            return UnitState.RUNNING
        return UnitState.KILLED if self.exit_code is None else UnitState.EXITED

    def log(self, now: datetime) -> memoryview:
        """Everything it said by ``now``."""
        return self.play.log(self._elapsed(now))

    def end(self, at: datetime, exit_code: int | None) -> None:
        """End it at ``at`` unless it ends before."""
        if self.ended is None or at < self.ended:
            self.ended, self.exit_code = at, exit_code

    def stop(self, now: datetime, grace: timedelta) -> None:
        """TERM now, KILL after ``grace``."""
        if self.play.stubborn:
            self.end(now + grace, KILLED)
        else:
            self.end(now, TERMINATED)

    def settle(self, now: datetime, files: dict[str, bytes]) -> None:
        """Put the files that appeared since the last look on the machine."""
        elapsed, due = self._elapsed(now), self.play.files
        while self.files_done < len(due) and due[self.files_done][0] <= elapsed:
            for name, content in (due[self.files_done][1] or {}).items():
                files[self.place(name)] = content
            self.files_done += 1

    def place(self, name: str) -> str:
        """A name in the unit's cwd, relative to the workdir; one that begins with ``/`` is below the workdir itself."""
        if name.startswith("/"):
            return name.lstrip("/")
        folder = self.job.cwd.strip("/")
        return name if folder in ("", ".") else f"{folder}/{name}"

    def _elapsed(self, now: datetime) -> timedelta:
        return (now if self.ended is None else min(now, self.ended)) - self.began
