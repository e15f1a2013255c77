"""The whole theory of the lifecycle: one pure function that reads like a table.

goal GONE      salvage what may be salvaged, tear every attempt down, close
any goal       hard end passed            -> GONE
               an older attempt not gone  -> tear it down first: never two machines at once
QUOTED         choose, show the price, wait for a person (or for the quote to expire)
READY          spin up, validate, and keep it until the hard end
TRAINED        ... deploy tools, transfer dataset, train (not beyond the soft end), pull results -> GONE
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto

from bot.domain.rental import Ending, Goal, Rental, Step

QUOTE_LIFE = timedelta(minutes=15)
"""A price that nobody confirmed for this long is not offered any more."""
MOST_MACHINES = 3
"""Machines that may turn out bad before a rental gives up."""
MOST_REFUSALS = 12
"""Offers that may be refused by the vendor before a rental gives up."""
LOOK_AGAIN = timedelta(seconds=60)
"""A machine that is only kept ready is looked at this often: it may have vanished."""
MOST_SALVAGES = 3
"""Tries to bring home what there is on the way down."""
MOST_FAULTS = 8
"""Faults of our own in a row, in one step, before a rental gives up."""
FOREVER = timedelta(days=3650)


class Seen(Enum):
    """What the provider tells of the current attempt's machine."""

    UNKNOWN = auto()
    """Could not be asked or not be read. Never the same as VANISHED."""
    THERE = auto()
    VANISHED = auto()
    """A complete listing and ``inspect`` both do not know it."""
    STOPPED = auto()
    """It is listed, and it does not run any more."""


@dataclass(frozen=True, slots=True)
class Rest:
    """Nothing to do before ``until``."""

    until: datetime
    note: str


@dataclass(frozen=True, slots=True)
class Rise:
    """Raise the goal to GONE."""

    ending: Ending
    note: str = ""


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Condemn the current attempt: its machine is of no use any more."""

    why: str


@dataclass(frozen=True, slots=True)
class Close:
    """Everything is proven gone."""


Decision = Step | Rest | Rise | GiveUp | Close


def next_step(rental: Rental, seen: Seen, now: datetime, soft_end: datetime | None) -> Decision:
    """What to do next. Raises nothing, looks at nothing but its arguments."""
    if rental.closed_at is not None:
        return Rest(now + FOREVER, "closed")
    if rental.goal is Goal.GONE:
        return _closing(rental, seen, now)
    if rental.hard_end is not None and now >= rental.hard_end:
        return Rise(Ending.HARD_END, "the time that was paid for is over")
    if _leftovers(rental):
        return Step.TEAR_DOWN
    if rental.goal is Goal.QUOTED:
        return _quoting(rental, now)
    return _climbing(rental, seen, now, soft_end)


def _closing(rental: Rental, seen: Seen, now: datetime) -> Decision:
    if may_salvage(rental, seen, now):
        return Step.PULL_RESULTS
    if any(attempt.gone_at is None for attempt in rental.attempts):
        return Step.TEAR_DOWN
    return Close()


def may_salvage(rental: Rental, seen: Seen, now: datetime) -> bool:
    """Whether there may be results on the machine that are worth the minutes left."""
    attempt = rental.attempt
    return (
        attempt is not None
        and attempt.unit is not None
        and rental.pulled_at is None
        and rental.ending is not Ending.CANCELLED
        and seen not in (Seen.VANISHED, Seen.STOPPED)
        and rental.salvage_tries < MOST_SALVAGES
        and rental.hard_end is not None
        and now < rental.hard_end
    )


def _leftovers(rental: Rental) -> bool:
    current = rental.attempt
    return any(attempt is not current and attempt.gone_at is None for attempt in rental.attempts)


def _quoting(rental: Rental, now: datetime) -> Decision:
    if rental.offer is None or rental.quoted_at is None:
        return Step.CHOOSE
    until = max(rental.quoted_at + QUOTE_LIFE, rental.approval_until or rental.quoted_at)
    if now >= until:
        why = "nobody agreed to it in time" if rental.approval_until else "nobody confirmed the price in time"
        return Rise(Ending.EXPIRED, why)
    return Rest(until, "waiting for an approval" if rental.approval_until else "waiting for a confirm")


def _climbing(rental: Rental, seen: Seen, now: datetime, soft_end: datetime | None) -> Decision:
    if rental.pulled_at is not None:
        return Rise(Ending.DONE)  # first of all: a machine that is lost now has nothing of ours any more
    if _too_late_to_train(rental, now, soft_end):
        return Rise(Ending.SOFT_END, "the time for training is used; what there is gets pulled")
    if rental.asks_again:
        return _asking_again(rental, now)
    attempt = rental.attempt
    if attempt is not None and attempt.machine_id and attempt.running_at:
        if seen is Seen.VANISHED:
            return GiveUp("the machine vanished")
        if seen is Seen.STOPPED:
            return GiveUp("the machine was stopped by somebody else or failed")
    if rental.offer is None:
        return Step.CHOOSE
    if attempt is None or attempt.running_at is None:
        return Step.SPIN_UP
    if attempt.ready_at is None:
        return Step.VALIDATE
    if rental.goal is Goal.READY:
        return Rest(min(rental.hard_end or now, now + LOOK_AGAIN), "ready for you")
    rungs = (
        (attempt.tools, Step.DEPLOY_TOOLS),
        (attempt.dataset_at, Step.TRANSFER_DATASET),
        (rental.trained_at, Step.TRAIN),
    )
    return next((step for fact, step in rungs if fact is None), Step.PULL_RESULTS)


def _asking_again(rental: Rental, now: datetime) -> Decision:
    """The price rose after the confirm: nothing is rented before somebody says yes to the new one."""
    asked_at = rental.reasked_at or now
    until = max(asked_at + QUOTE_LIFE, rental.approval_until or asked_at)
    if now >= until:
        return Rise(Ending.EXPIRED, "nobody confirmed the new price in time")
    return Rest(until, "the price rose; waiting for a confirm of the new one")


def _too_late_to_train(rental: Rental, now: datetime, soft_end: datetime | None) -> bool:
    """Asked before anything is rented or booted: a machine that comes up now could train nothing."""
    return soft_end is not None and now >= soft_end and rental.trained_at is None
