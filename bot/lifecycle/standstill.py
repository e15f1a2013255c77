"""Machines that stand still: stopped in the console, by their own switch or by their vendor, and not deleted yet."""

from __future__ import annotations

from dataclasses import replace

from bot.domain.attempt import Attempt
from bot.domain.market import MachineState
from bot.domain.rental import Rental
from bot.lifecycle.watch import Watch


def noted(rental: Rental, watch: Watch) -> Rental:
    """The rental with what the last listings say about its machines, as far as their vendor bills a stopped one
    otherwise. One that is seen to do anything else counts as if it had never stopped: in doubt it was billed."""
    attempts = tuple(_noted(one, watch) if one.gone_at is None else one for one in rental.attempts)
    return rental if attempts == rental.attempts else replace(rental, attempts=attempts)


def _noted(attempt: Attempt, watch: Watch) -> Attempt:
    seen = watch.last(attempt)
    if seen is None or attempt.offer.stopped_hourly is None:
        return attempt
    asked_at, state = seen
    if state is MachineState.STOPPED and attempt.stopped_at is None:
        return replace(attempt, stopped_at=max(asked_at, attempt.tried_at))
    if state in (MachineState.STOPPED, MachineState.ENDING):
        return attempt
    return attempt if attempt.stopped_at is None else replace(attempt, stopped_at=None)
