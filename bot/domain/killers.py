"""Which killers stand behind a machine: each alone would end it. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.domain import label
from bot.domain.clocktime import short, utc
from bot.domain.deadman import Ends
from bot.domain.rental import Attempt, Rental

_QUIET = timedelta(minutes=12)
"""Two heartbeats that did not arrive."""


def killers(rental: Rental, now: datetime) -> tuple[str, ...]:
    """One phrase for each that is armed now, and for a switch that is not, why; empty while there is no machine."""
    attempt = rental.attempt
    if attempt is None or attempt.machine_id is None or not rental.is_open:
        return ()
    found = ["bot"]
    known = label.parse(attempt.label)
    if known is not None:
        found.append(f"reaper label until {known.until:%d %b} {utc(known.until)}")
    return (*found, _switch(attempt, now)) if attempt.ready_at or attempt.switch_kind else tuple(found)


def _switch(attempt: Attempt, now: datetime) -> str:
    kind, _, why = attempt.switch_kind.partition(": ")
    if attempt.switch_at is None or kind == Ends.NOTHING:
        return f"no switch on the machine{f' ({why})' if why else ''}"
    heard = attempt.beat_at or attempt.switch_at
    silent = f"; not reached for {short(now - heard)}" if now - heard >= _QUIET else ""
    return f"switch on the machine ({kind}{f': {why}' if why else ''}{silent})"
