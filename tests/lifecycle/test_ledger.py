"""The ledger against the simulated vendors: our count, their own books, and the week's digest."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.domain import budget
from bot.domain.money import ZERO, Usd
from bot.domain.rental import Rental
from bot.domain.talk import Channel
from bot.lifecycle.digest import Digest
from bot.lifecycle.hands import Hands
from bot.lifecycle.settle import EVERY, Settle
from bot.store.ledger import Owed
from bot.store.rows import Entry
from tests.bench.ledger import distance
from tests.support.bad_weather import Tally, Weather, one_rental
from tests.support.cloud_town import HERE, MINUTE, SECOND, VENDORS, CloudTown, founded

HOUR = timedelta(hours=1)


def hands_of(town: CloudTown) -> Hands:
    """What the town's engine works with."""
    return town.purse._hands


async def closed(town: CloudTown) -> Rental:
    """A rental in good weather, held for ten minutes."""
    calm, tally = Weather(3), Tally()
    calm.strike = lambda _town: None  # type: ignore[method-assign]
    calm.hold = 600 * SECOND
    await one_rental(town, calm, tally)
    return (await town.store.rentals.closed_ones(limit=1))[0]


async def settled(town: CloudTown, settle: Settle, *, hours: int) -> int:
    """So many hours of ticks."""
    found = 0
    for _ in range(hours * (HOUR // EVERY)):
        town.clock.advance(EVERY)
        found += await settle.tick()
    return found


@pytest.mark.parametrize("vendor", VENDORS)
async def test_our_count_is_the_vendors_meter(vendor: str, tmp_path: Path):
    """In bad weather, too: never lower by more than a cent on a rental, and what is more is little. A sample;
    ``python -m tests.bench.ledger`` judges many by 1 %."""
    tally = Tally()
    async with founded(vendor, tmp_path, seed=1) as town:
        for seed in (1,):
            await one_rental(town, Weather(seed), tally)
    found = distance(tally)
    assert found.rentals == 1
    assert found.lowest <= Usd.of("0.01"), found.told
    assert found.percent < 5, tally.apart


@pytest.mark.parametrize("vendor", ["vast", "runpod"])
async def test_a_bill_is_settled_when_the_books_are_full_and_leaves_our_count_alone(
    vendor: str, tmp_path: Path
):
    """The vendor writes three hours late: nothing is believed before it was told twice, an hour apart."""
    async with founded(vendor, tmp_path) as town:
        town.face.quirks.late_books = 3 * HOUR  # type: ignore[attr-defined]
        rental = await closed(town)
        counted, settle = budget.spent(rental, town.clock.now()), Settle(hands_of(town))
        assert await settled(town, settle, hours=2) == 0
        assert await settled(town, settle, hours=6) == 1
        (attempt,) = (await town.rental(rental.id)).attempts
        assert attempt.billed is not None and attempt.settled_at is not None and attempt.billed_at is not None
        assert attempt.settled_at - attempt.billed_at >= HOUR
        assert attempt.billed == town.world.bill(rental.id) > ZERO
        assert budget.spent(await town.rental(rental.id), town.clock.now()) == counted
        told = [line for line in await town.store.journal.lines(rental=rental.id) if line.kind == "bill"]
        assert len(told) == 1 and "settled" in told[0].text and told[0].cost == attempt.billed
        assert await settled(town, Settle(hands_of(town)), hours=3) == 0


async def test_a_bill_that_is_not_our_count_is_in_the_journal(tmp_path: Path):
    """The vendor bills twice what was agreed."""
    async with founded("runpod", tmp_path) as town:
        rental = await closed(town)
        machine = town.world.machine(rental.attempts[0].machine_id or "")
        machine.agreed = machine.gpu_hourly * 2
        assert await settled(town, Settle(hands_of(town)), hours=4) == 1
        lines = await town.store.journal.lines(rental=rental.id)
        assert any(line.kind == "bill" and "is not our count" in line.text for line in lines)


async def test_two_processes_settle_a_bill_once(tmp_path: Path):
    """Who is slower writes nothing, neither into the row nor into the journal."""
    async with founded("runpod", tmp_path) as town:
        rental = await closed(town)
        owed, now, ledger = Owed(rental.id, rental.attempts[0]), town.clock.now(), town.store.ledger
        assert await ledger.told(owed, Usd(5), billed_at=now, settled_at=None)
        assert not await ledger.told(owed, Usd(7), billed_at=now, settled_at=now)
        assert (await town.rental(rental.id)).attempts[0].billed == Usd(5)


async def test_books_that_cannot_be_asked_settle_nothing(tmp_path: Path):
    """Lambda has none: nobody is asked, and our count stands alone."""
    async with founded("lambda", tmp_path) as town:
        rental = await closed(town)
        before = len(town.face.log)
        assert await settled(town, Settle(hands_of(town)), hours=3) == 0
        assert len(town.face.log) == before
        assert (await town.rental(rental.id)).attempts[0].billed is None


async def _digests(town: CloudTown) -> list[str]:
    due = await town.store.outbox.waiting(now=town.clock.now(), serves=lambda _: True, limit=500)
    claimed = await town.store.outbox.claim(
        due, now=town.clock.now(), until=town.clock.now() + MINUTE, token="t"
    )
    return [one.reply.title for one in claimed if one.key.startswith("digest:")]


async def test_the_weeks_digest_is_said_once_on_monday_at_nine(tmp_path: Path):
    """Not before; once over restarts and replicas; in the team's own channel only; not of a week without spend."""
    async with founded("vast", tmp_path) as town:
        rental = await closed(town)
        began = rental.began_at or town.clock.now()
        monday = (began + timedelta(days=7 - began.weekday())).replace(
            hour=0, minute=0, second=0, microsecond=0
        )
        homes = [HERE, Channel("another", "general")]
        town.clock.set(monday + 9 * HOUR - SECOND)
        assert await Digest(hands_of(town), lambda: homes).tick() == 0
        town.clock.set(monday + 9 * HOUR)
        for digest in (Digest(hands_of(town), lambda: homes), Digest(hands_of(town), lambda: homes)):
            await digest.tick()
            assert await digest.tick() == 0
        (said,) = await _digests(town)
        assert f"last week ({began:%G-W%V})" in said
        assert str(budget.spent(rental, town.clock.now())) in said
        town.clock.set(monday + timedelta(days=7) + 9 * HOUR)
        assert await Digest(hands_of(town), lambda: homes).tick() == 0


async def test_a_channel_of_two_teams_hears_of_nobody(tmp_path: Path):
    """Who rents from the same channel in two teams does not read the other's spend there."""
    async with founded("vast", tmp_path) as town:
        rental = await closed(town)
        other = replace(rental, id="zzzzzz", owner=replace(rental.owner, team="other"), attempts=())
        await town.store.rentals.open(other, key="by-hand", entry=Entry("asked", "by hand"))
        now: datetime = town.clock.now()
        town.clock.set(now + timedelta(days=7))
        assert await Digest(hands_of(town), lambda: [HERE]).tick() == 0
