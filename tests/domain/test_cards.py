"""Cards: every state has its words, its numbers and its buttons."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given
from pydantic import TypeAdapter

from bot.domain import cards, notices
from bot.domain.money import Usd
from bot.domain.rental import Ending, Goal, Progress, Rental, ResultFile, Step
from bot.domain.talk import Kind, Reply, Tone
from tests.support.rentals import (
    HOUR,
    MINUTE,
    OFFER,
    START,
    a_rental,
    an_attempt,
    begun,
    moments,
    rentals,
    running,
)

SHAPE = TypeAdapter(Reply)


@given(rentals(), moments)
def test_every_state_has_a_card_that_can_be_kept(rental: Rental, now: datetime):
    """Nothing raises, and what is shown survives the outbox word for word."""
    shown = cards.card(rental, now, now)
    assert shown.fields[0] == ("state", cards.status(rental))
    assert shown.final is (rental.closed_at is not None)
    assert SHAPE.validate_json(SHAPE.dump_json(shown)) == SHAPE.validate_python(shown)
    json.dumps(shown.data, allow_nan=False)


STATES = [
    ("choosing an offer", a_rental(goal=Goal.QUOTED)),
    ("quoted", a_rental(goal=Goal.QUOTED, offer=OFFER, quoted_at=START, worst_case=Usd.of(1))),
    ("starting", a_rental()),
    ("spinning up", begun(attempts=(an_attempt(),), step=Step.SPIN_UP)),
    ("training", begun(step=Step.TRAIN)),
    ("ready", begun(goal=Goal.READY, job=None)),
    ("pulling results", begun(goal=Goal.GONE, step=Step.PULL_RESULTS)),
    ("tearing down", begun(goal=Goal.GONE, step=Step.TEAR_DOWN)),
    ("closed", begun(goal=Goal.GONE, ending=Ending.DONE, closed_at=START)),
]


@pytest.mark.parametrize(("state", "rental"), STATES)
def test_the_state_is_derived_from_the_facts(state: str, rental: Rental):
    """It is stored nowhere, so that it cannot be wrong."""
    assert cards.status(rental) == state


def test_a_quote_names_the_most_it_can_cost_and_asks():
    """Before anything is rented."""
    shown = cards.card(STATES[1][1], START)
    assert "cannot cost more than $1.00" in shown.lines[0]
    assert [button.command for button in shown.buttons] == ["confirm k7m2qd budget $1.00", "cancel k7m2qd"]


def test_what_runs_can_be_ended_and_extended_and_what_is_closed_cannot():
    """Buttons are only what would work."""
    assert [one.command for one in cards.card(begun(), START).buttons] == [
        "down k7m2qd",
        "extend k7m2qd 1h",
        "extend k7m2qd $2",
        "logs k7m2qd",
    ]
    trains = begun(attempts=(replace(running(), unit="train-1"),))
    assert [one.command for one in cards.card(trains, START).buttons][3:] == ["pull k7m2qd", "logs k7m2qd"]
    home = replace(trains, pulled_at=START)
    assert "pull k7m2qd" not in [one.command for one in cards.card(home, START).buttons]
    free = begun(offer=replace(OFFER, hourly=Usd(0)))
    assert "extend k7m2qd $2" not in [one.command for one in cards.card(free, START).buttons]
    assert [one.danger for one in cards.card(trains, START).buttons] == [True, False, False, False, False]
    ready = begun(goal=Goal.READY, job=None)
    assert [one.label for one in cards.card(ready, START).buttons][-1] == "SSH"
    assert cards.card(begun(goal=Goal.GONE), START).buttons == ()


@pytest.mark.parametrize("ending", Ending)
def test_every_ending_has_its_last_word(ending: Ending):
    """With why, and what to do about it."""
    rental = begun(goal=Goal.GONE, ending=ending, ending_note="the reason\nThe fix.", closed_at=START + HOUR)
    shown = cards.card(rental, START + 2 * HOUR)
    assert shown.lines[0].endswith((".", "the reason"))
    assert shown.tone is (Tone.GOOD if ending.is_success else Tone.WARN)
    assert shown.data["success"] is ending.is_success
    assert dict(shown.fields)["time"] == "1 h"


def test_the_last_card_names_cost_duration_and_results_with_digests():
    """For people and for programs."""
    results = (ResultFile("/r/k/lora.safetensors", "lora.safetensors", 1500, "ab" * 32),)
    rental = begun(
        goal=Goal.GONE,
        ending=Ending.DONE,
        closed_at=START + HOUR,
        results=results,
        attempts=(running(gone_at=START + HOUR),),
    )
    shown = cards.card(rental, START + 9 * HOUR)
    assert shown.data["cost_usd"] == "0.200000" and shown.data["duration_s"] == 3600
    assert shown.data["results"][0]["sha256"] == "ab" * 32
    assert shown.tables[0].rows == (("lora.safetensors", "1.5 kB", "ab" * 8),)
    assert shown.tables[0].note == "In /r/k"


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (999_949, "999.9 kB"), (999_950, "1.0 MB"),
     (171_000_000, "171.0 MB"), (6_940_000_000, "6.9 GB"), (10**15, "1000000.0 GB")],
)  # fmt: skip
def test_sizes_are_decimal_and_short(size: int, text: str):
    """Never 1000.0 of a smaller unit."""
    assert cards._size(size) == text


def test_progress_is_a_bar_only_while_it_trains():
    """With stage, steps and pace."""
    progress = Progress(stage="training", step=30, total=300, seconds_per_step=0.5)
    shown = cards.card(begun(step=Step.TRAIN, progress=progress), START)
    assert shown.meter is not None and shown.meter.caption == "training 30/300, 0.5 s a step"
    assert cards.card(begun(step=Step.PULL_RESULTS, progress=progress), START).meter is None


@given(rentals(), moments)
def test_notices_can_be_said_in_every_state(rental: Rental, now: datetime):
    """The engine decides them from the same facts."""
    said = [notices.reminder(rental, 90, now), notices.unpulled(rental, now)]
    ending = notices.ending_attempt(rental)
    said += [notices.stuck(rental, ending, 60, now)] if ending else []
    assert all(one.kind is Kind.NOTICE and one.mention == (rental.owner,) for one in said)


def test_a_teardown_that_does_not_end_is_told_after_ten_thirty_and_sixty_minutes():
    """Counted from the first try to end it; each once; nothing when it is gone."""
    stuck = begun(goal=Goal.GONE, attempts=(running(destroy_asked_at=START),))
    assert [notices.stuck_rung(stuck, START + m * MINUTE) for m in (9, 10, 31, 300)] == [None, 10, 30, 60]
    assert notices.stuck_rung(replace(stuck, alarmed=60), START + 9 * HOUR) is None
    assert notices.next_stuck_at(replace(stuck, alarmed=10)) == START + 30 * MINUTE
    assert (
        notices.stuck_rung(begun(attempts=(running(destroy_asked_at=START, gone_at=START),)), START + HOUR)
        is None
    )


@pytest.mark.parametrize("goal", Goal)
def test_reminders_end_with_the_decision_to_end(goal: Goal):
    """Nobody is reminded of a tab that is being closed."""
    assert notices.wants_reminders(begun(goal=goal)) is (goal is not Goal.GONE)
