"""Admission on the real databases: two requests at once cannot overdraw, and nothing that was promised is lost."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.domain.allowance import Ask, Defaults, Kind, Scope
from bot.domain.errors import Refused
from bot.domain.money import ZERO, Usd
from bot.domain.rental import Ending, Goal
from bot.domain.talk import Actor, Channel
from bot.store import Store
from tests.store.tabs import ANN, ASKED, HERE, HOUR, KEY, LEASE, T0, attempt, offer, tab

BEN = Actor("sim", "acme", "ben", "ben")
DAY = timedelta(days=1)


@pytest.fixture
async def store(database_url: str, tmp_path: Path):
    """A store whose teams may spend $10 a month, and whose people may spend $6 a day."""
    rules = {
        (Scope.TEAM, "", Kind.MONTH): str(Usd.of(10).micros),
        (Scope.PERSON, "", Kind.DAY): str(Usd.of(6).micros),
    }
    store = await Store.open(database_url, lambda: KEY, tmp_path, Defaults(rules))
    yield store
    await store.close()


def ask(worst: str = "4", *, actor: Actor = ANN, channel: Channel = HERE, at: datetime = T0) -> Ask:
    return Ask(actor, channel, Usd.of(worst), Usd.of("0.40"), at)


async def quoted(store: Store, id: str, worst: str = "4", *, actor: Actor = ANN) -> None:
    rental = tab(id, worst_case=Usd.of(worst), owner=actor, offer=offer(), quoted_at=T0)
    await store.rentals.open(rental, key=f"open-{id}", entry=ASKED)


async def confirmed(
    store: Store, id: str, worst: str = "4", *, actor: Actor = ANN, at: datetime = T0
) -> bool:
    """Whether it was admitted."""
    try:
        return await store.rentals.raise_goal(
            id, Goal.READY, now=at, key=f"confirm-{id}-{at}", entry=ASKED, confirmed_by=actor.key,
            ask=ask(worst, actor=actor, at=at),
        )  # fmt: skip
    except Refused:
        return False


async def closed(store: Store, id: str, at: datetime) -> None:
    """It ran for an hour at $0.20 and is proven gone."""
    claims = await store.claims.due(now=at, until=at + LEASE, token="t", limit=50)
    claim = next(one for one in claims if one.rental.id == id)
    one = attempt(rental=id, machine_id="m", running_at=T0, ended_at=T0 + HOUR, gone_at=at)
    after = replace(claim.rental, attempts=(one,), closed_at=at)
    await store.claims.apply(claim, after, now=at, wake_at=at)
    for other in claims:
        if other is not claim:
            await store.claims.release(other, now=at)


async def test_what_is_not_covered_is_not_confirmed_and_nothing_is_changed(store: Store):
    """$4 and $4 of $6 a day: the second is refused, its quote stands, and the same click may come again later."""
    await quoted(store, "aaaaa2")
    await quoted(store, "bbbbb2")
    assert await confirmed(store, "aaaaa2")
    with pytest.raises(Refused, match=r"Your budget has \$2.00 of \$6.00 left today"):
        await store.rentals.raise_goal(
            "bbbbb2", Goal.READY, now=T0, key="again", entry=ASKED, confirmed_by=ANN.key, ask=ask()
        )
    rental = await store.rentals.get("bbbbb2")
    assert rental is not None
    assert (rental.goal, rental.confirmed_at) == (Goal.QUOTED, None)
    assert await store.rentals.raise_goal(
        "bbbbb2", Goal.READY, now=T0 + DAY, key="again", entry=ASKED, ask=ask("2", at=T0 + DAY)
    )


async def test_what_was_not_spent_is_given_back(store: Store):
    """Once it is proven gone only what it cost is charged."""
    await quoted(store, "aaaaa2")
    await quoted(store, "bbbbb2", "5.50")
    assert await confirmed(store, "aaaaa2")
    assert not await confirmed(store, "bbbbb2", "5.50")
    await closed(store, "aaaaa2", T0 + HOUR)
    charged = await store.budgets.charges(ask(at=T0 + HOUR))
    assert charged[Scope.PERSON].day == Usd.of("0.20")
    assert (charged[Scope.TEAM].rate, charged[Scope.TEAM].machines) == (ZERO, 0)
    assert await confirmed(store, "bbbbb2", "5.50", at=T0 + HOUR)


async def test_a_quote_that_ends_unconfirmed_was_never_charged(store: Store):
    """Asking costs nothing."""
    await quoted(store, "aaaaa2")
    await store.rentals.raise_goal(
        "aaaaa2", Goal.GONE, now=T0, key="no", entry=ASKED, ending=Ending.CANCELLED
    )
    assert (await store.budgets.charges(ask()))[Scope.TEAM].month == ZERO


async def test_a_rental_that_is_still_open_is_charged_in_every_new_month(store: Store):
    """What may still be spent counts where it may be spent."""
    await quoted(store, "aaaaa2")
    assert await confirmed(store, "aaaaa2")
    later = T0 + 40 * DAY
    assert (await store.budgets.charges(ask(at=later)))[Scope.TEAM].month == Usd.of(4)


async def test_an_extension_is_charged_only_for_what_it_is_more(store: Store):
    """$4 was admitted; $6 in all is $2 more, and $6.01 is too much."""
    await quoted(store, "aaaaa2")
    assert await confirmed(store, "aaaaa2")
    for worst, fits in (("6.01", False), ("6", True)):
        rental = await store.rentals.get("aaaaa2")
        assert rental is not None
        more = Usd.of(worst) - Usd.of(4)
        extended = store.rentals.extend(
            "aaaaa2", by=HOUR, budget=more, now=T0, key=worst, entry=ASKED, rev=rental.rev, ask=ask(worst)
        )
        if fits:
            assert await extended
        else:
            with pytest.raises(Refused, match="left today"):
                await extended
    assert (await store.budgets.charges(ask()))[Scope.PERSON].day == Usd.of(6)


async def test_many_at_once_never_overdraw_and_none_that_fits_is_lost(store: Store):
    """Sixty people confirm $1 in the same moment on a team's last $10: ten are admitted, and exactly $10 is charged."""
    names = [f"c{number:04}2" for number in range(60)]
    people = {name: Actor("sim", "acme", name) for name in names}
    for name in names:
        await quoted(store, name, "1", actor=people[name])
    done = await asyncio.gather(*(confirmed(store, name, "1", actor=people[name]) for name in names))
    assert sum(done) == 10
    assert (await store.budgets.charges(ask()))[Scope.TEAM].month == Usd.of(10)


async def test_two_teams_do_not_wait_for_each_others_money(store: Store):
    """The same budget holds for each of them by itself."""
    other = Actor("sim", "umbrella", "eve", "eve")
    await quoted(store, "aaaaa2", "6")
    await quoted(store, "bbbbb2", "6", actor=other)
    assert await confirmed(store, "aaaaa2", "6")
    assert await confirmed(store, "bbbbb2", "6", actor=other)


async def test_a_team_may_overrule_the_settings_and_take_a_limit_away(store: Store):
    """What an admin says holds at once; ``default`` brings the settings' limit back."""
    rule = (Scope.PERSON, "", Kind.DAY)
    await quoted(store, "aaaaa2", "9")
    assert not await confirmed(store, "aaaaa2", "9")
    assert await store.budgets.set("sim:acme", rule, "", now=T0, key="k1", entry=ASKED)
    assert await confirmed(store, "aaaaa2", "9")
    assert await store.budgets.set("sim:acme", rule, None, now=T0, key="k2", entry=ASKED)
    assert not await store.budgets.set("sim:acme", rule, "", now=T0, key="k2", entry=ASKED)
    assert (await store.budgets.rules("sim:acme"))[rule] == str(Usd.of(6).micros)
