"""The engine: passes side by side, claims that are kept, and long passes that are overtaken."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from bot.domain.rental import Ending, Step
from tests.support.crash import Forwarding
from tests.support.small_town import HOUR, MINUTE, SECOND, TRAIN, SmallTown


class Endless(Forwarding):
    """A shell whose transfers never come back, until ``free`` is set."""

    def __init__(self, inner: Any) -> None:
        super().__init__(inner)
        self.free = asyncio.Event()
        self.entered = 0
        self.left = 0

    async def _held(self, call: str, *args: Any, **named: Any) -> Any:
        self.entered += 1
        try:
            await self.free.wait()
        finally:
            self.left += 1
        return await getattr(self._inner, call)(*args, **named)

    async def send(self, *args: Any, **named: Any) -> Any:
        return await self._held("send", *args, **named)

    async def fetch(self, *args: Any, **named: Any) -> Any:
        return await self._held("fetch", *args, **named)


async def _turns() -> None:
    """Let every task go as far as it can; database threads need a few turns more."""
    for _ in range(2000):
        await asyncio.sleep(0)


async def _held_in(town: SmallTown, step: Step, text: str = TRAIN) -> tuple[str, Endless]:
    """A rental whose pass hangs in this step."""
    tab = await town.rent(text)
    await town.until_step(tab, step)
    shell = town.town.shell = Endless(town.shell)  # type: ignore[assignment]
    town.again()
    while not shell.entered:
        await town.life.engine.tick()
        await _turns()
    return tab, shell


@pytest.fixture(autouse=True)
async def stopped(town: SmallTown):
    """No pass outlives its test."""
    yield
    await town.life.engine.stop()


async def test_a_long_pass_keeps_its_claim_and_nobody_else_takes_the_row(town: SmallTown):
    """Ten minutes of transfer under a claim of one."""
    tab, shell = await _held_in(town, Step.TRANSFER_DATASET)
    first = town.life
    for _ in range(20):
        town.clock.advance(30 * SECOND)
        assert await first.engine.tick() == 0
        assert not await first.store.claims.due(
            now=town.clock.now(), until=town.clock.now() + MINUTE, token="thief", limit=9
        )
    assert shell.entered == 1 and first.engine.busy == 1
    shell.free.set()
    rental = await town.until_closed(tab)
    assert rental.ending is Ending.DONE


async def _overtaken(town: SmallTown, shell: Endless) -> None:
    for _ in range(50):
        await town.life.engine.tick()
        await _turns()
        if shell.left:
            return
    raise AssertionError("the pass goes on")


async def test_down_overtakes_a_pass_that_hangs(town: SmallTown):
    """The person does not wait for a transfer that nobody needs any more."""
    tab, shell = await _held_in(town, Step.TRANSFER_DATASET)
    await town.ask(f"down {tab}")
    await _overtaken(town, shell)
    assert (await town.until_closed(tab)).ending is Ending.DOWN


@pytest.mark.parametrize("step", [Step.DEPLOY_TOOLS, Step.PULL_RESULTS])
async def test_the_hard_end_overtakes_a_pass_that_hangs(town: SmallTown, step: Step):
    """Also one that pulls results: the time that was paid for is over."""
    tab, shell = await _held_in(town, step, f"{TRAIN} for 10m")
    town.clock.advance(11 * MINUTE)
    await _overtaken(town, shell)
    assert (await town.until_closed(tab)).ending is Ending.HARD_END


async def test_the_hard_end_overtakes_a_salvage_that_hangs(town: SmallTown):
    """On the way down too."""
    tab = await town.rent(f"{TRAIN} for 10m")
    await town.until_step(tab, Step.PULL_RESULTS)
    await town.ask(f"down {tab}")
    shell = town.town.shell = Endless(town.shell)  # type: ignore[assignment]
    town.again()
    while not shell.entered:
        await town.life.engine.tick()
        await _turns()
    town.clock.advance(11 * MINUTE)
    await _overtaken(town, shell)
    assert (await town.until_closed(tab)).ending is Ending.DOWN


async def test_an_extension_in_the_middle_disturbs_no_pass(town: SmallTown):
    """The old end passes, and the transfer goes on."""
    tab, shell = await _held_in(town, Step.TRANSFER_DATASET, f"{TRAIN} for 10m")
    await town.ask(f"extend {tab} 1h")
    for _ in range(15):
        town.clock.advance(MINUTE)
        await town.life.engine.tick()
        await _turns()
    assert shell.left == 0
    shell.free.set()
    assert (await town.until_closed(tab)).ending is Ending.DONE


async def test_a_pass_whose_row_went_to_another_process_stops(town: SmallTown):
    """This process slept; somebody else goes on: two must never work on one machine."""
    tab, shell = await _held_in(town, Step.TRANSFER_DATASET)
    town.clock.advance(HOUR / 2)
    taken = await town.life.store.claims.due(
        now=town.clock.now(), until=town.clock.now() + MINUTE, token="other", limit=9
    )
    assert [claim.rental.id for claim in taken] == [tab]
    await _overtaken(town, shell)
    assert town.life.engine.busy == 0
    town.clock.advance(timedelta(minutes=2))
    shell.free.set()
    assert (await town.until_closed(tab)).ending is Ending.DONE


async def test_one_rental_that_hangs_holds_up_no_other(town: SmallTown):
    """Passes run side by side."""
    _, shell = await _held_in(town, Step.TRANSFER_DATASET)
    other = await town.rent("up world 3090 for 1h")
    for _ in range(40):
        await town.life.engine.tick()
        await _turns()
        town.clock.advance(SECOND)
    rental = await town.rental(other)
    assert rental.attempt is not None and rental.attempt.ready_at is not None
    assert shell.left == 0


class FullDisk(Forwarding):
    """Claims on a disk without room: nothing can be written."""

    async def due(self, **_: Any) -> Any:
        raise OperationalError("UPDATE rentals", None, Exception("database or disk is full"))


async def test_with_a_full_disk_a_machine_is_ended_at_its_hard_end_all_the_same(town: SmallTown):
    """Nothing can be written, so nothing can be claimed; what should not run any more is ended without it, and the
    proof is written when there is room again."""
    tab = await town.rent("up any 3090 for 1h")
    await town.until(tab, lambda rental: rental.attempt is not None and rental.attempt.ready_at)
    claims = town.life.store.claims
    town.life.store.claims = FullDisk(claims)  # type: ignore[assignment]
    with pytest.raises(OperationalError):
        await town.life.engine.tick()
    assert len(town.world.alive()) == 1
    town.clock.advance(HOUR)
    with pytest.raises(OperationalError):
        await town.life.engine.tick()
    assert town.world.alive() == []
    town.life.store.claims = claims
    rental = await town.until_closed(tab)
    assert rental.ending is Ending.HARD_END
