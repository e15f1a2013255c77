"""Many launches at once: they stand in line before the vendor, and the vendor never has to turn one away."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.simulators.machine import Fate
from bot.lifecycle.line import LaunchLine
from tests.support.cloud_town import MINUTE, SECOND, VENDORS, CloudTown, founded
from tests.support.worlds import START

AT_ONCE = 12


@pytest.mark.parametrize("vendor", VENDORS)
async def test_a_dozen_asked_for_at_once_take_one_launch_each(vendor: str, tmp_path: Path):
    """Nobody is refused, nobody's attempts are used up by waiting, and no call is turned away as one too many."""
    async with founded(vendor, tmp_path) as town:
        town.world.usual = Fate(boot=30 * SECOND)
        for _ in range(AT_ONCE):
            assert (await town.ask(f"up {vendor} {town.vendor.gpu} for 2h budget $50")).rental
        assert await town.run_until(town.clock.now() + 30 * MINUTE, stop=lambda: _ready(town))
        found = await town.store.rentals.open_ones()
        assert [len(one.attempts) for one in found] == [1] * AT_ONCE
        assert not [line for line in town.face.log if line.status == 429]


async def test_who_waits_in_line_pays_nothing_and_is_told_when_it_is_his_turn(tmp_path: Path):
    """The clock of a budget begins with the launch, not with the waiting."""
    async with founded("lambda", tmp_path) as town:
        for _ in range(3):
            await town.ask("up lambda a10 for 2h budget $50")
        await town.run_until(town.clock.now() + 5 * SECOND)
        waiting = [one for one in await town.store.rentals.open_ones() if not one.attempts]
        assert waiting
        assert all(one.began_at is None for one in waiting)
        assert any("its turn comes at 12:00 UTC" in one.note for one in waiting), [
            one.note for one in waiting
        ]


async def test_a_clock_that_was_set_back_keeps_nobody_waiting_for_the_old_future(tmp_path: Path):
    """The places were given on the old clock; they are given anew."""
    async with founded("lambda", tmp_path) as town:
        line = LaunchLine({"lambda": town.provider})
        every = town.provider.capabilities.launch_every
        assert line.turn_of("r1", "lambda", START) == START
        assert line.turn_of("r2", "lambda", START) == START + every
        assert line.turn_of("r3", "lambda", START) == START + 2 * every
        back = START - 60 * MINUTE
        assert line.turn_of("r3", "lambda", back) == back


async def test_a_place_that_nobody_takes_holds_nobody_up(tmp_path: Path):
    """A rental that was cancelled in the line does not come; those behind it keep their own moments."""
    async with founded("lambda", tmp_path) as town:
        line = LaunchLine({"lambda": town.provider})
        every = town.provider.capabilities.launch_every
        for name in ("r1", "cancelled", "r3"):
            line.turn_of(name, "lambda", START)
        third = START + 2 * every
        assert line.turn_of("r3", "lambda", third) == third
        assert line.turn_of("cancelled", "lambda", third + 10 * MINUTE) == third + 10 * MINUTE


async def _ready(town: CloudTown) -> bool:
    found = await town.store.rentals.open_ones()
    return all(one.attempt is not None and one.attempt.ready_at is not None for one in found)
