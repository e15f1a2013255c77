"""What machines that should not be have cost: counted beside the passes, charged to tabs that are closed already."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from bot.domain import budget
from bot.domain.market import Machine, MachineState
from bot.domain.money import ZERO, Usd
from bot.domain.rental import Attempt, Ending, Goal, Rental
from bot.store import Store
from bot.store.rows import RENTALS
from bot.store.session import reading
from tests.store.tabs import HOUR, MINUTE, SECOND, T0, attempt, claimed, found, offer, opened

GONE = T0 + HOUR
HOURLY = Usd.of("0.60")
A_CENT = Usd.of("0.01")
"""A minute of it."""


def machine(**changed: Any) -> Machine:
    """The one that the attempt knows, running again at the agreed price."""
    return replace(Machine("sim", "m1", attempt().label, MachineState.RUNNING), **changed)


def given_back(**changed: Any) -> Attempt:
    facts: dict[str, Any] = {"machine_id": "m1", "running_at": T0, "ended_at": GONE, "gone_at": GONE}
    return attempt(**({"offer": offer(hourly=HOURLY)} | facts | changed))


async def written(store: Store, one: Attempt, *, closed: datetime | None) -> Rental:
    """A tab with this attempt."""
    await opened(store)
    claim = await claimed(store)
    facts: dict[str, Any] = {"attempts": (one,), "began_at": T0, "goal": Goal.READY}
    if closed is not None:
        facts |= {"closed_at": closed, "goal": Goal.GONE, "ending": Ending.DOWN}
    after = replace(claim.rental, **facts)
    await store.claims.apply(claim, after, now=T0, wake_at=T0)
    return after


async def charged(store: Store) -> Usd:
    """What the budgets are charged for the tab."""
    async with reading(store.engine) as connection:
        cost: Usd = (await connection.execute(select(RENTALS.c.charged))).scalar_one()
    return cost


async def strayed(store: Store) -> Usd:
    """What is in its row."""
    return (await found(store)).attempts[0].strayed


async def test_a_closed_tab_is_charged_what_came_back(store: Store):
    """Two looks in a row add two stretches that meet; ``costs`` and the budgets say the same."""
    await written(store, given_back(), closed=GONE)
    before = await charged(store)
    since, first, second = GONE + HOUR, GONE + HOUR + MINUTE, GONE + HOUR + 2 * MINUTE
    assert await store.ledger.stray(machine(), since, since, now=first) == A_CENT
    assert await store.ledger.stray(machine(), since, first, now=second) == A_CENT
    assert await strayed(store) == A_CENT * 2
    assert await charged(store) == before + A_CENT * 2 == budget.spent(await found(store), second)


async def test_only_what_no_attempt_counts_already_is_added(store: Store):
    """Its own machine was counted until it was proven gone; another one under its label since it can have been there,
    at most since the launch."""
    await written(store, given_back(), closed=GONE)
    long_ago, now = T0 - HOUR, GONE + MINUTE
    assert await store.ledger.stray(machine(), long_ago, long_ago, now=now) == A_CENT
    assert await store.ledger.stray(machine(id="m2"), long_ago, long_ago, now=now) == A_CENT * 61
    assert await store.ledger.stray(machine(label="lc-test-zzzzzz-1"), T0, T0, now=now) == ZERO
    assert await strayed(store) == A_CENT * 62


async def test_an_attempt_that_never_was_billed_is_when_its_machine_comes_late(store: Store):
    """Its launch was refused, or was proven to have brought forth nothing."""
    await written(store, given_back(machine_id=None, ended_at=None, refused=True), closed=GONE)
    assert await charged(store) == ZERO
    await store.ledger.stray(machine(id="m2"), GONE + HOUR, GONE + HOUR, now=GONE + HOUR + MINUTE)
    assert await charged(store) == A_CENT == budget.spent(await found(store), GONE + 2 * HOUR)


@pytest.mark.parametrize("late", [timedelta(0), timedelta(milliseconds=300)])
async def test_steps_are_rounded_once_and_not_at_each_look(store: Store, late: timedelta):
    """By the minute, looked at every minute or a little later: ten looks are ten minutes, or eleven."""
    await written(store, given_back(offer=offer(hourly=HOURLY, billing_step=MINUTE)), closed=GONE)
    since = counted = GONE + HOUR
    for _ in range(10):
        now = counted + MINUTE + late
        await store.ledger.stray(machine(), since, counted, now=now)
        counted = now
    assert await strayed(store) == A_CENT * (11 if late else 10)


async def test_no_pass_writes_it_and_a_pass_that_closes_takes_it_in(store: Store):
    """The sweep counts while a pass holds the row; what the pass read before is old."""
    await written(store, given_back(gone_at=None, ended_at=None), closed=None)
    claim = await claimed(store, now=T0 + MINUTE)
    twin = machine(id="m2")
    await store.ledger.stray(twin, T0, T0, now=T0 + MINUTE)
    assert await charged(store) == ZERO
    last = replace(claim.rental.attempts[0], ended_at=GONE, gone_at=GONE, traffic_bytes=7)
    after = replace(claim.rental, attempts=(last,), closed_at=GONE, goal=Goal.GONE, ending=Ending.DOWN)
    assert after.attempts[0].strayed == ZERO
    await store.claims.apply(claim, after, now=GONE, wake_at=GONE)
    assert await strayed(store) == A_CENT
    assert await charged(store) == A_CENT * 61 == budget.spent(await found(store), GONE + SECOND)
