"""What a reap found and did, provider by provider: for its exit code, for people and for programs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.domain.money import Usd


class Fate(StrEnum):
    """What became of a machine."""

    ENDED = "ended"
    """Proven gone; also when somebody else had ended it meanwhile."""
    WOULD_END = "would end"
    """Due, and this was a dry run."""
    STILL_THERE = "still there"
    """Due, and not proven gone in time."""
    NOT_DUE = "not due"
    DOUBTFUL = "in doubt, left alone"
    UNREADABLE = "unreadable, left alone"
    UNREADABLE_ELSEWHERE = "unreadable, not of this namespace"


FAILED = frozenset({Fate.STILL_THERE, Fate.DOUBTFUL, Fate.UNREADABLE})
"""What a person must look at: it may bill on, and nobody else will end it."""


@dataclass(frozen=True, slots=True)
class Found:
    """One machine that bears a label of Lastcall. ``why`` is half a sentence where there is something to look at."""

    id: str
    label: str
    fate: Fate
    until: datetime | None
    why: str = ""
    gpu: str = ""
    hourly: Usd | None = None


@dataclass(frozen=True, slots=True)
class Visit:
    """One provider. ``listed``: all machines on the account, also those that are none of our business."""

    provider: str
    listed: int = 0
    machines: tuple[Found, ...] = ()
    unknown: str = ""
    """Why it could not be asked: then nothing is known of its machines."""
    notes: tuple[str, ...] = ()

    @property
    def failed(self) -> tuple[Found, ...]:
        """What a person must look at."""
        return tuple(one for one in self.machines if one.fate in FAILED)

    @property
    def well(self) -> bool:
        """It was asked, and nothing that is due is left."""
        return not self.unknown and not self.failed
