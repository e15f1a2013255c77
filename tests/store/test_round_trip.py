"""What goes into the database comes back as it was: to the micro-dollar and the microsecond."""

from __future__ import annotations

import builtins
import itertools
import math
from collections import abc
from dataclasses import is_dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import StatementError

from bot.domain.money import Usd
from bot.domain.rental import Attempt, Ending, Goal, Progress, Rental
from bot.store import Store
from bot.store.claims import Rising
from bot.store.rows import Entry
from tests.store.tabs import HOUR, T0, attempt, claimed, found, offer, opened, say, tab, texts

BIG = 2**63 - 1
_numbers = itertools.count()

words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
floats = st.floats(allow_nan=False)
PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    str: words,
    float: floats,
    int: st.integers(-(2**31), 2**31 - 1),
    bool: st.booleans(),
    Any: st.one_of(words, st.integers(), floats, st.booleans()),
    type(None): st.none(),
    Usd: st.builds(Usd, st.integers(0, BIG)),
    timedelta: st.timedeltas(timedelta(0), timedelta(days=4000)),
    datetime: st.datetimes(
        datetime(1990, 1, 1),  # noqa: DTZ001 - hypothesis puts the zone on
        datetime(2200, 1, 1),  # noqa: DTZ001
        timezones=st.integers(-12, 14).map(lambda hours: timezone(timedelta(hours=hours))),
    ),
}


def any_of(shape: Any) -> st.SearchStrategy[Any]:
    """Anything of a type that a field of a rental has."""
    inner = get_args(shape)
    match get_origin(shape):
        case None if shape in PLAIN:
            return PLAIN[shape]
        case None if is_dataclass(shape):
            return st.builds(shape, **{name: any_of(kind) for name, kind in get_type_hints(shape).items()})
        case None:
            return st.sampled_from(shape)
        case builtins.tuple if inner[-1] is ...:
            return st.lists(any_of(inner[0]), max_size=3).map(tuple)
        case builtins.tuple:
            return st.tuples(*map(any_of, inner))
        case builtins.frozenset:
            return st.frozensets(any_of(inner[0]), max_size=3)
        case abc.Mapping:
            return st.dictionaries(any_of(inner[0]), any_of(inner[1]), max_size=3)
        case _:
            return st.one_of(*map(any_of, inner))


@st.composite
def rentals(draw: st.DrawFn) -> Rental:
    """A rental with anything in any field; its id, and the labels of its attempts, are new."""
    number = f"{next(_numbers):06d}"
    attempts = tuple(
        replace(one, number=place, label=f"lc-test-{number}-{place}")
        for place, one in enumerate(draw(any_of(tuple[Attempt, ...])))
    )
    return replace(draw(any_of(Rental)), id=number, attempts=attempts, closed_at=None)


@settings(
    max_examples=20, deadline=None, suppress_health_check=list(HealthCheck), database=None, derandomize=True
)
@given(rental=rentals())
async def test_a_rental_comes_back_exactly(store: Store, rental: Rental):
    """Every field of a rental and its attempts: sums up to 9.2 trillion dollars, moments of any zone, any words."""
    await store.rentals.open(rental, key=rental.id, entry=Entry("asked", rental.note, cost=rental.budget))
    at = rental.created_at
    mine = [
        claim
        for claim in await store.claims.due(now=at, until=at, token=rental.id, limit=100)
        if claim.rental.id == rental.id
    ]
    await store.claims.apply(mine[0], rental, now=at, wake_at=at)
    assert await found(store, rental.id) == rental
    [line] = await store.journal.lines(rental=rental.id)
    assert (line.text, line.cost, line.at) == (rental.note, rental.budget, at)


@pytest.mark.parametrize("micros", [0, 1, 100_000, 2**53 + 1, BIG])
async def test_money_is_whole_micro_dollars(store: Store, micros: int):
    """Also where a floating-point column would begin to round."""
    await opened(store, budget=Usd(micros), worst_case=Usd(micros))
    rental = await found(store)
    assert (rental.budget, rental.worst_case) == (Usd(micros), Usd(micros))


async def test_money_adds_up_exactly_in_the_database(store: Store):
    """A hundred extensions by a micro-dollar and a microsecond are a hundred of each."""
    await opened(store, budget=Usd(2**53), began_at=T0)
    tick = timedelta(microseconds=1)
    for number in range(100):
        assert await store.rentals.extend(
            "abc234", by=tick, budget=Usd(1), now=T0, key=f"{number}", entry=Entry("asked", ""), rev=number
        )
    rental = await found(store)
    assert (rental.budget, rental.lifetime) == (Usd(2**53 + 100), 4 * HOUR + 100 * tick)


async def test_a_naive_moment_is_refused(store: Store):
    """A moment without a zone would be another moment on another computer."""
    naive = datetime(2026, 3, 2, 9, 0)  # noqa: DTZ001 - that is the point
    with pytest.raises(StatementError, match="without a time zone"):
        await store.rentals.open(tab(quoted_at=naive), key="k", entry=Entry("asked", ""))
    assert await store.rentals.open_ones() == []
    await opened(store)
    claim = await claimed(store)
    with pytest.raises(StatementError, match="without a time zone"):
        await store.claims.apply(claim, claim.rental, now=T0, wake_at=naive)
    with pytest.raises(StatementError, match="without a time zone"):
        await store.claims.due(now=naive, until=T0, token="t", limit=1)


async def test_a_loss_that_is_no_number_does_not_spoil_the_row(store: Store):
    """Trainers do say nan and inf; the row can be read afterwards, above all by the teardown."""
    await opened(store)
    claim = await claimed(store)
    odd = Progress(step=2, loss=math.nan, first_loss=math.inf, losses=((1, -math.inf), (2, math.nan)))
    await store.claims.apply(claim, replace(claim.rental, progress=odd), now=T0, wake_at=T0)
    progress = (await found(store)).progress
    assert progress.loss is not None
    assert math.isnan(progress.loss)
    assert progress.first_loss == math.inf
    assert progress.losses[0] == (1, -math.inf)


async def test_letters_that_no_database_keeps_are_replaced(store: Store):
    """The last words of a trainer may hold NUL or broken letters; a pass that ends a rental with them is written."""
    words = "killed\0 \udcff"
    kept = "killed\N{REPLACEMENT CHARACTER} \N{REPLACEMENT CHARACTER}"
    await opened(store)
    claim = await claimed(store)
    after = replace(
        claim.rental,
        note=words,
        attempts=(attempt(condemned=words),),
        progress=Progress(stage="\udcff"),
        offer=offer(where="a\0b"),
    )
    rising = Rising(Goal.GONE, Ending.FAILED, words)
    entries, says = [Entry("failure", words)], [say("card", words)]
    await store.claims.apply(claim, after, now=T0, wake_at=T0, rising=rising, entries=entries, says=says)
    rental = await found(store)
    assert (rental.note, rental.ending_note, rental.attempts[0].condemned) == (kept, kept, kept)
    assert (rental.goal, rental.progress.stage) == (Goal.GONE, "\N{REPLACEMENT CHARACTER}")
    assert rental.offer is not None
    assert rental.offer.where == "a\0b"
    assert (await texts(store))[-1] == kept
    seqs = await store.outbox.waiting(now=T0, serves=lambda _: True, limit=9)
    [due] = await store.outbox.claim(seqs, now=T0, until=T0, token="t")
    await store.outbox.drop(due, words)
