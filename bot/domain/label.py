"""The label that everything we rent carries: ``lc-<namespace>-<rental>-<attempt>-<yyyymmddThhmmZ>``.

The time is the latest moment at which the machine may exist, so that a reaper without a database knows
what to end. At most 60 characters, letters, digits and dashes: every vendor's label or name takes that.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_PATTERN = re.compile(
    r"lc-(?P<namespace>[a-z0-9]{1,20})-(?P<rental>[a-z0-9]{6})-(?P<attempt>\d{1,4})-(?P<until>\d{8}T\d{4}Z)",
    re.ASCII,
)
NAMESPACE = re.compile(r"[a-z0-9]{1,20}")


@dataclass(frozen=True, slots=True)
class Label:
    """A parsed label; ``until`` is aware UTC, whole minutes."""

    namespace: str
    rental: str
    attempt: int
    until: datetime

    def __str__(self) -> str:
        return f"lc-{self.namespace}-{self.rental}-{self.attempt}-{self.until:%Y%m%dT%H%MZ}"


def make(namespace: str, rental: str, attempt: int, until: datetime) -> str:
    """The label's text; ``until`` is rounded up to the minute, never down."""
    whole = until.replace(second=0, microsecond=0)
    if whole != until:
        whole += timedelta(minutes=1)
    return str(Label(namespace, rental, attempt, whole))


def parse(text: str) -> Label | None:
    """The label, or None when it is not one of ours (or was altered by hand)."""
    found = _PATTERN.fullmatch(text)
    if not found:
        return None
    try:
        until = datetime.strptime(found["until"], "%Y%m%dT%H%MZ").replace(tzinfo=UTC)
    except ValueError:
        return None
    return Label(found["namespace"], found["rental"], int(found["attempt"]), until)
