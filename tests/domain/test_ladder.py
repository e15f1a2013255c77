"""The ladder: from any state there is exactly one next step, and all ways down lead to closed."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.ladder import (
    LOOK_AGAIN,
    MOST_SALVAGES,
    QUOTE_LIFE,
    Close,
    Decision,
    GiveUp,
    Rest,
    Rise,
    Seen,
    may_salvage,
    next_step,
)
from bot.domain.rental import Ending, Goal, Rental, Step
from tests.support.rentals import HOUR, OFFER, START, a_rental, an_attempt, begun, moments, rentals, running

UPWARD = frozenset(Step) - {Step.TEAR_DOWN, Step.PULL_RESULTS}
seens = st.sampled_from(Seen)
soft_ends = st.none() | moments


@given(rentals(), seens, moments, soft_ends)
def test_every_state_has_exactly_one_next_step(
    rental: Rental, seen: Seen, now: datetime, soft_end: datetime | None
):
    """Likely or not: nothing is raised, and the same look gives the same decision."""
    decision = next_step(rental, seen, now, soft_end)
    assert isinstance(decision, Decision)
    assert decision == next_step(rental, seen, now, soft_end)


@given(rentals(), seens, moments, soft_ends)
def test_a_rental_that_is_to_be_gone_never_steps_upward(
    rental: Rental, seen: Seen, now: datetime, soft_end: datetime | None
):
    """It pulls what may be pulled, tears down, closes; it neither rents nor trains again."""
    gone = replace(rental, goal=Goal.GONE, closed_at=None)
    decision = next_step(gone, seen, now, soft_end)
    assert decision in (Step.PULL_RESULTS, Step.TEAR_DOWN) or isinstance(decision, Close)


@given(rentals(), seens, moments, soft_ends)
def test_a_tab_with_a_machine_that_is_not_proven_gone_is_never_closed(
    rental: Rental, seen: Seen, now: datetime, soft_end: datetime | None
):
    """Closed means that nothing is left of any attempt."""
    decision = next_step(rental, seen, now, soft_end)
    if isinstance(decision, Close):
        assert all(attempt.gone_at is not None for attempt in rental.attempts)


@given(rentals(), seens, soft_ends, st.integers(0, 10**6))
def test_the_hard_end_leads_to_gone_whatever_the_state(
    rental: Rental, seen: Seen, soft_end: datetime | None, late: int
):
    """Results or not, booting or not: from the hard end on nothing but the way down."""
    if rental.hard_end is None or rental.closed_at is not None:
        return
    now = rental.hard_end + timedelta(seconds=late)
    decision = next_step(rental, seen, now, soft_end)
    if rental.goal is Goal.GONE:
        assert decision is Step.TEAR_DOWN or isinstance(decision, Close)
    else:
        assert isinstance(decision, Rise) and decision.ending is Ending.HARD_END


@given(rentals(), seens, moments, soft_ends)
def test_there_are_never_two_machines_at_once(
    rental: Rental, seen: Seen, now: datetime, soft_end: datetime | None
):
    """While an older attempt is not proven gone, nothing is launched."""
    decision = next_step(rental, seen, now, soft_end)
    if decision is Step.SPIN_UP and rental.attempt is None:
        assert all(attempt.gone_at is not None for attempt in rental.attempts)


@given(rentals(), seens, moments, soft_ends)
def test_nothing_is_rented_before_a_yes(rental: Rental, seen: Seen, now: datetime, soft_end: datetime | None):
    """A quote chooses, waits and expires."""
    quoted = replace(rental, goal=Goal.QUOTED, attempts=(), began_at=None, closed_at=None)
    decision = next_step(quoted, seen, now, soft_end)
    assert decision is Step.CHOOSE or isinstance(decision, Rest | Rise)


def _climbed(goal: Goal) -> list[Decision]:
    """Every decision on the way up, as each step writes its fact."""
    attempt = an_attempt()
    rungs = (
        {},
        {"offer": OFFER, "quoted_at": START},
        {"attempts": (attempt,), "began_at": START},
        {"attempts": (attempt := replace(attempt, machine_id="m1", running_at=START),)},
        {"attempts": (attempt := replace(attempt, ready_at=START),)},
        {"attempts": (attempt := replace(attempt, tools={}),)},
        {"attempts": (attempt := replace(attempt, dataset_at=START),)},
        {"trained_at": START},
        {"pulled_at": START},
    )
    rental, decisions = a_rental(goal=goal), []
    for facts in rungs:
        rental = replace(rental, **facts)
        decisions.append(next_step(rental, Seen.THERE, START, None))
    return decisions


def test_a_training_climbs_the_eight_rungs_in_order():
    """Each rung is the lowest fact that is missing; the top is the way down."""
    assert _climbed(Goal.TRAINED) == [
        Step.CHOOSE,
        Step.SPIN_UP,
        Step.SPIN_UP,
        Step.VALIDATE,
        Step.DEPLOY_TOOLS,
        Step.TRANSFER_DATASET,
        Step.TRAIN,
        Step.PULL_RESULTS,
        Rise(Ending.DONE),
    ]


def test_a_machine_for_hands_rests_and_is_looked_at_every_minute():
    """READY is a goal of its own: nothing is deployed on it, but a machine that vanished is noticed."""
    rental = begun(goal=Goal.READY, job=None)
    assert next_step(rental, Seen.THERE, START, None) == Rest(START + LOOK_AGAIN, "ready for you")
    late = START + 2 * HOUR - LOOK_AGAIN / 2
    assert next_step(rental, Seen.THERE, late, None) == Rest(START + 2 * HOUR, "ready for you")


def test_a_quote_waits_for_a_yes_and_expires():
    """A price that nobody confirmed in time is not offered any more."""
    quoted = a_rental(goal=Goal.QUOTED, offer=OFFER, quoted_at=START)
    assert next_step(quoted, Seen.UNKNOWN, START, None) == Rest(START + QUOTE_LIFE, "waiting for a confirm")
    late = next_step(quoted, Seen.UNKNOWN, START + QUOTE_LIFE, None)
    assert isinstance(late, Rise) and late.ending is Ending.EXPIRED


@pytest.mark.parametrize("seen", [Seen.VANISHED, Seen.STOPPED])
def test_a_machine_that_is_lost_is_given_up(seen: Seen):
    """Another one may do the work."""
    assert isinstance(next_step(begun(), seen, START, None), GiveUp)


@pytest.mark.parametrize("seen", [Seen.VANISHED, Seen.STOPPED])
def test_a_machine_that_is_lost_after_the_pull_is_no_loss(seen: Seen):
    """The results are at home: nobody trains them a second time."""
    rental = begun(trained_at=START, pulled_at=START)
    assert next_step(rental, seen, START, None) == Rise(Ending.DONE)


def test_unknown_is_never_gone():
    """A listing that cannot be read condemns nothing."""
    assert next_step(begun(), Seen.UNKNOWN, START, None) is Step.DEPLOY_TOOLS


def test_an_older_attempt_is_torn_down_before_anything_else():
    """Also before the next machine is chosen."""
    rental = begun(attempts=(running(condemned="bad"),), offer=None)
    assert next_step(rental, Seen.THERE, START, None) is Step.TEAR_DOWN


@pytest.mark.parametrize(
    "rental",
    [
        begun(),
        begun(attempts=(an_attempt(),)),
        begun(attempts=(running(condemned="bad", gone_at=START),), offer=None),
    ],
    ids=["while it deploys", "while it boots", "before the next machine is chosen"],
)
def test_after_the_soft_end_nothing_is_rented_booted_or_trained(rental: Rental):
    """A machine that comes up now could train nothing."""
    decision = next_step(rental, Seen.THERE, START + HOUR, START + HOUR)
    assert isinstance(decision, Rise) and decision.ending is Ending.SOFT_END


def test_a_training_that_is_done_at_the_soft_end_is_still_pulled():
    """The window until the hard end is there for that."""
    rental = begun(attempts=(running(tools={}, dataset_at=START),), trained_at=START)
    assert next_step(rental, Seen.THERE, START + HOUR, START + HOUR) is Step.PULL_RESULTS


def test_what_may_be_worth_saving_is_pulled_on_the_way_down():
    """A unit ran, nothing was pulled, and there are minutes left."""
    rental = begun(goal=Goal.GONE, ending=Ending.DOWN, attempts=(running(unit="train-1"),))
    assert next_step(rental, Seen.THERE, START, None) is Step.PULL_RESULTS
    over = (
        replace(rental, salvage_tries=MOST_SALVAGES),
        replace(rental, pulled_at=START),
        replace(rental, ending=Ending.CANCELLED),
        replace(rental, lifetime=timedelta(0)),
        replace(rental, attempts=(running(),)),
    )
    assert not any(may_salvage(one, Seen.THERE, START) for one in over)
    assert not may_salvage(rental, Seen.VANISHED, START)


def test_what_is_closed_stays_closed():
    """No state of the world opens it again."""
    rental = begun(goal=Goal.GONE, closed_at=START)
    assert isinstance(next_step(rental, Seen.THERE, START + 9 * HOUR, None), Rest)
