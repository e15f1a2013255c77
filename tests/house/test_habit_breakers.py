"""Each habit breaker takes away what it says, and nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.simulators.faults import Fault, FaultKind
from bot.domain.errors import OutcomeUnknown
from bot.domain.market import Want
from bot.domain.money import Usd
from bot.domain.rental import Attempt, Goal, Rental
from bot.domain.talk import Actor, Channel
from bot.store.claims import Claims
from bot.store.rentals import Rentals
from bot.store.rows import Entry
from bot.store.session import migrate, open_database
from bot.store.store import NO_LIMITS
from tests.support.databases import database_url, postgres
from tests.support.habits import NoAdoption, NoLabel, NoProof, NoSettle, NoWrittenIntent, written_down
from tests.support.worlds import MINUTE, SECOND_LABEL, START, Street, order

__all__ = ["database_url", "postgres"]


@pytest.fixture
def street() -> Street:
    """Without any lag."""
    return Street()


async def test_no_label_gives_birth_to_a_nameless_machine(street: Street):
    """Without the label habit the listing has a machine that nobody can tell from a stranger's."""
    offers = await street.provider.offers(Want())
    await NoLabel(street.provider).launch(offers[0], order())
    assert [machine.label for machine in await street.provider.machines()] == [""]


async def test_no_adoption_sees_only_what_it_wrote_down(street: Street):
    """A machine whose launch answer was lost stays unseen; one that the store knows is seen."""
    offers = await street.provider.offers(Want())
    blind = NoAdoption(street.provider)
    mine = await blind.launch(offers[0], order())
    street.world.plan("launch", Fault(FaultKind.LOST_AFTER))
    with pytest.raises(OutcomeUnknown):
        await blind.launch(offers[0], order(SECOND_LABEL))
    assert [machine.id for machine in await blind.machines()] == [mine]
    blind.forget()
    assert await blind.machines() == []

    async def nothing(machine_id: str) -> bool:
        return False

    assert await NoAdoption(street.provider, nothing).machines() == []


async def test_no_proof_takes_asked_for_gone(street: Street):
    """The vendor shrugs, the machine bills on, and the breaker says that it is gone."""
    careless = NoProof(street.provider)
    machine = await street.launch()
    street.world.plan("destroy", Fault(FaultKind.SHRUG))
    await careless.destroy(machine)
    assert await careless.inspect(machine) is None
    assert await careless.machines() == []
    assert len(street.world.alive()) == 1


async def test_no_settle_shrinks_the_window_to_nothing(street: Street):
    """The window is zero for who asks the breaker, and as it was for others."""
    assert NoSettle(street.provider).capabilities.settle == timedelta(0)
    assert street.provider.capabilities.settle > timedelta(0)


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    """A migrated database with one rental that is due."""
    engine = open_database(database_url)
    await migrate(engine)
    await Rentals(engine, NO_LIMITS).open(tab(), key="open", entry=Entry("open", "a tab"))
    yield engine
    await engine.dispose()


def tab() -> Rental:
    """A rental without a machine."""
    return Rental(
        id="k7m2xq",
        namespace="dev",
        owner=Actor("sim", "team", "ann"),
        channel=Channel("sim", "general"),
        created_at=START,
        want=Want(),
        job=None,
        budget=Usd.of(1),
        lifetime=timedelta(hours=1),
        goal=Goal.READY,
    )


async def test_no_written_intent_saves_only_what_comes_after(street: Street, engine: AsyncEngine):
    """A new attempt is not in the database while the launch is under way, and all of it is after the next write;
    ``written_down`` knows the machine's id from then on."""
    true = Claims(engine, NO_LIMITS)
    claims = NoWrittenIntent(true)
    [claim] = await claims.due(now=START, until=START + MINUTE, token="t", limit=1)
    [offer] = await street.provider.offers(Want(gpu="RTX 4090"))
    intent = Attempt(number=1, label="lc-dev-k7m2xq-1-20260302T1200Z", offer=offer, tried_at=START)
    begun = replace(claim.rental, attempts=(intent,), began_at=START)
    claim = await claims.record(claim, begun, now=START, until=START + MINUTE)
    assert claim.rental == begun
    assert (await true.hold(claim, until=START + MINUTE)).attempts == ()

    launched = replace(begun, attempts=(replace(intent, machine_id="m1"),))
    assert not await written_down(engine)("m1")
    await claims.apply(claim, launched, now=START, wake_at=START)
    [claim] = await true.due(now=START, until=START + MINUTE, token="u", limit=1)
    assert (claim.rental.began_at, claim.rental.attempts) == (START, launched.attempts)
    assert await written_down(engine)("m1")
