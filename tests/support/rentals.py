"""Rentals as plain values: what pure tests begin from, and what hypothesis draws."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from bot.domain.market import Access, Offer, Want
from bot.domain.money import Usd
from bot.domain.rental import Attempt, Check, Ending, Goal, Job, Progress, Rental, ResultFile, Step
from bot.domain.talk import Actor, Channel

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ANN = Actor("sim", "acme", "ann", "ann")
OFFER = Offer("world", "offer-cheap", "RTX 3090", 1, 24, Usd.of("0.20"), host="cheap")
ACCESS = Access("ssh", "/work", host="m1")
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def a_job(**changes: Any) -> Job:
    """A small training."""
    job = Job("tiny-lora", "ab", "quick", {"rank": 16}, "/data", "cd", 2, 2000, 300, 5 * MINUTE)
    return replace(job, **changes)


def a_rental(**changes: Any) -> Rental:
    """A training of two hours for a dollar that nobody has worked on yet."""
    rental = Rental(
        id="k7m2qd",
        namespace="test",
        owner=ANN,
        channel=Channel("sim", "general"),
        created_at=START,
        want=Want(),
        job=a_job(),
        budget=Usd.of(1),
        lifetime=2 * HOUR,
        goal=Goal.TRAINED,
    )
    return replace(rental, **changes)


def an_attempt(number: int = 1, **changes: Any) -> Attempt:
    """A launch that was tried at START."""
    label = f"lc-test-k7m2qd-{number}-20260303T0900Z"
    return replace(Attempt(number, label, OFFER, START), **changes)


def running(**changes: Any) -> Attempt:
    """A machine that runs and passed gate 3."""
    facts: dict[str, Any] = {"machine_id": "m1", "running_at": START, "access": ACCESS, "ready_at": START}
    return an_attempt(**(facts | changes))


def begun(**changes: Any) -> Rental:
    """A rental whose first machine runs since START."""
    facts: dict[str, Any] = {"offer": OFFER, "quoted_at": START, "began_at": START, "attempts": (running(),)}
    return a_rental(**(facts | changes))


_MOMENTS = st.integers(0, 300).map(lambda minutes: START + minutes * MINUTE)
_MAYBE = st.none() | _MOMENTS


@st.composite
def attempts(draw: st.DrawFn, number: int) -> Attempt:
    """Any attempt whose facts came in the order in which the steps write them."""
    rungs = draw(st.integers(0, 6))
    moment = draw(_MOMENTS)
    facts: dict[str, Any] = {"tried_at": moment}
    order = (
        ("machine_id", "m1"),
        ("running_at", moment),
        ("ready_at", moment),
        ("tools", {"python": "python3"}),
        ("dataset_at", moment),
        ("unit", f"train-{number}"),
    )
    facts |= dict(order[:rungs])
    if rungs > 1:
        facts["access"] = ACCESS
    if draw(st.booleans()):
        facts["condemned"] = "bad"
        facts["destroy_asked_at"] = draw(_MAYBE)
        facts["gone_at"] = draw(_MAYBE)
        facts["refused"] = draw(st.booleans())
    facts["report"] = draw(st.sampled_from(((), (Check("GPU", "PASS", "There."),))))
    return an_attempt(number, **facts)


@st.composite
def rentals(draw: st.DrawFn) -> Rental:
    """Any rental that the store could hold, likely or not."""
    many = tuple(draw(attempts(number)) for number in range(1, draw(st.integers(0, 3)) + 1))
    goal = draw(st.sampled_from(Goal))
    progress = Progress(
        stage=draw(st.sampled_from(("", "training", "saving"))),
        step=draw(st.integers(0, 300)),
        total=draw(st.sampled_from((0, 300))),
        loss=draw(st.none() | st.floats(0, 10)),
        eta=draw(st.none() | st.just(MINUTE)),
    )
    return a_rental(
        job=draw(st.sampled_from((None, a_job()))),
        goal=goal,
        ending=draw(st.sampled_from(Ending)) if goal is Goal.GONE else None,
        ending_note=draw(st.sampled_from(("", "why", "why\nfix"))),
        offer=draw(st.sampled_from((None, OFFER))),
        worst_case=draw(st.sampled_from((None, Usd.of(1)))),
        quoted_at=draw(_MAYBE),
        began_at=many[0].tried_at if many else None,
        attempts=many,
        progress=progress,
        trained_at=draw(_MAYBE),
        results=draw(st.sampled_from(((), (ResultFile("/r/x.safetensors", "x.safetensors", 5, "ab"),)))),
        pulled_at=draw(_MAYBE),
        closed_at=draw(_MAYBE) if goal is Goal.GONE else None,
        salvage_tries=draw(st.integers(0, 4)),
        stumbles=draw(st.integers(0, 9)),
        step=draw(st.none() | st.sampled_from(Step)),
        note=draw(st.sampled_from(("", "waiting"))),
    )


moments = _MOMENTS
