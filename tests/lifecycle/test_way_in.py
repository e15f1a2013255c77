"""From running to usable: each stage has its own deadline, and who is stuck in one is replaced."""

from __future__ import annotations

from datetime import timedelta

import pytest

from adapters.simulators.faults import FaultKind
from adapters.simulators.machine import Fate
from bot.domain.rental import Ending, Rental
from tests.support.small_town import MINUTE, SECOND, TRAIN, SmallTown

BOOT = 2 * SECOND


def _given_up(rental: Rental) -> tuple[str, timedelta]:
    """Why the first machine was given up, and how long it ran until then."""
    first = rental.attempts[0]
    assert first.condemned is not None
    assert first.running_at is not None
    assert first.destroy_asked_at is not None
    return first.condemned, first.destroy_asked_at - first.running_at


@pytest.mark.parametrize(
    ("fate", "stage", "minutes"),
    [
        (Fate(boot=BOOT, ssh=None), "no open port within 4 min", 4),
        (Fate(boot=BOOT, key=False), "no accepted key within 5 min", 5),
    ],
)
async def test_a_machine_that_is_stuck_before_its_shell_is_replaced(
    town: SmallTown, fate: Fate, stage: str, minutes: int
):
    """Its stage is named, its deadline is kept within a quarter of a minute, and the next machine does the work."""
    town.world.fates.append(fate)
    rental = await town.until_closed(await town.rent(TRAIN))
    why, waited = _given_up(rental)
    assert stage in why
    assert minutes * MINUTE <= waited <= minutes * MINUTE + 20 * SECOND
    assert rental.ending is Ending.DONE
    assert len(rental.attempts) == 2


async def test_a_machine_that_lets_us_in_and_runs_nothing_is_replaced(town: SmallTown):
    """The last stage: a command that runs."""
    tab = await town.rent(TRAIN)
    await town.until(tab, lambda rental: rental.attempt and rental.attempt.running_at)
    town.broken("run", FaultKind.UNREACHABLE, times=-1)
    await town.until(tab, lambda rental: rental.attempts[0].condemned)
    town.mend()
    why, waited = _given_up(await town.until_closed(tab))
    assert "no command that runs within 6 min" in why
    assert waited <= 6 * MINUTE + 20 * SECOND


async def test_a_machine_that_never_boots_is_given_up_at_its_offer_s_own_limit(town: SmallTown):
    """Eight GPUs may take half an hour; one may not."""
    town.world.fates.append(Fate(boot=None))
    rental = await town.until_closed(await town.rent(TRAIN))
    first = rental.attempts[0]
    assert first.condemned is not None
    assert first.condemned.startswith("the machine did not boot within 10 min")
    assert first.destroy_asked_at is not None
    assert first.destroy_asked_at - first.tried_at <= 10 * MINUTE + 20 * SECOND
    assert rental.ending is Ending.DONE
