"""The faults of the issue's list one by one, on every cloud, through the real adapter: rent, hold, take down, prove."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from adapters.simulators.faces.face import Wire
from adapters.simulators.faults import Fault, FaultKind
from adapters.simulators.machine import Fate
from bot.domain.rental import Ending, Rental
from tests.support.bad_weather import HOLD, Fixed, Strike, Tally, calm, one_rental
from tests.support.cloud_town import MINUTE, SECOND, VENDORS, CloudTown, founded

BOOT = 90 * SECOND
LONG = 13 * MINUTE
"""A machine that is unwell gets ten minutes to recover."""


def fate(**what: object) -> Strike:
    """The next machine's lot."""
    return lambda town: town.world.fates.append(Fate(**{"boot": BOOT, **what}))  # type: ignore[arg-type]


def vendor(call: str, kind: FaultKind, times: int = 1, late: timedelta = timedelta(0)) -> Strike:
    """The vendor's next answer to a call."""
    return lambda town: town.world.plan(call, Fault(kind, times=times, late=late))


def wire(call: str, what: Wire, times: int = 2) -> Strike:
    """The line breaks at a call."""
    return lambda town: town.face.plan(call, what, times)


REPLACED = {
    "never boots": fate(boot=None),
    "boots without SSH": fate(ssh=None),
    "does not take the key": fate(key=False),
    "is another GPU": fate(real_gpu="RTX 3060"),
    "has less VRAM": fate(real_vram_gb=8),
    "has less disk": fate(real_disk_gb=1),
    "is stopped while it boots": fate(stops_after=BOOT / 2),
    "dies mid-run": fate(stops_after=BOOT + MINUTE),
    "is deleted in the console": fate(vanishes_after=BOOT + MINUTE),
}
"""The first machine is of no use: it is given back, and another one does the work."""

ENDURED = {
    "no capacity": vendor("launch", FaultKind.NO_CAPACITY),
    "launch done, answer lost": vendor("launch", FaultKind.LOST_AFTER),
    "launch done late": vendor("launch", FaultKind.LATE, late=20 * SECOND),
    "destroy says yes and does nothing": vendor("destroy", FaultKind.SHRUG, times=3),
    "machine comes back after its destroy": vendor("destroy", FaultKind.RETURNS, late=30 * SECOND),
    "destroy done, answer lost": vendor("destroy", FaultKind.LOST_AFTER),
    "launch 500 after creating": wire("launch", Wire.ERROR_AFTER, 1),
    "launch reset before": wire("launch", Wire.RESET_BEFORE, 1),
    "listing truncated": wire("machines", Wire.TRUNCATED),
    "listing html": wire("machines", Wire.HTML),
    "listing without its list": wire("machines", Wire.MISSING_KEYS),
    "more keys everywhere": wire("any", Wire.EXTRA_KEYS, 40),
    "key revoked for a while": wire("machines", Wire.WRONG_KEY, 3),
    "key read-only for a while": wire("destroy", Wire.READ_ONLY, 3),
    "throttled": wire("machines", Wire.THROTTLED_WITH_TIME, 3),
}
"""Nobody should notice but the journal."""


UNPAID = {"vast": "lacks credit", "runpod": "insufficient balance", "lambda": "a valid payment method"}
"""How each vendor says that it wants money first."""


async def weathered(
    vendor_name: str, strike: Strike, folder: Path, hold: timedelta = HOLD
) -> tuple[Tally, Rental, CloudTown]:
    """One rental, judged by the vendor's own books."""
    tally = Tally()
    async with founded(vendor_name, folder) as town:
        await one_rental(town, Fixed(strike, hold), tally)
        rentals = await town.store.rentals.closed_ones(limit=1)
    assert (tally.left, tally.doubles, tally.repeats, tally.touched) == ([], [], [], [])
    return tally, rentals[0], town


@pytest.mark.parametrize("vendor_name", VENDORS)
@pytest.mark.parametrize("fault", REPLACED)
async def test_a_machine_of_no_use_is_given_back_and_replaced(vendor_name: str, fault: str, tmp_path: Path):
    """A second machine became ready under the next label; the first is gone, by the vendor's own books."""
    hold = LONG if fault == "dies mid-run" else HOLD
    _, rental, _ = await weathered(vendor_name, REPLACED[fault], tmp_path, hold)
    assert rental.attempts[0].condemned
    assert rental.attempts[-1].number > 1
    assert rental.attempts[-1].ready_at is not None


@pytest.mark.parametrize("vendor_name", VENDORS)
@pytest.mark.parametrize("fault", ENDURED)
async def test_a_bad_answer_costs_nobody_a_machine(vendor_name: str, fault: str, tmp_path: Path):
    """Some machine became ready, was used and is gone; nothing was launched twice under one label."""
    _, rental, _ = await weathered(vendor_name, ENDURED[fault], tmp_path)
    assert any(one.ready_at is not None for one in rental.attempts)


@pytest.mark.parametrize("vendor_name", VENDORS)
async def test_a_vendor_whose_clock_is_an_hour_off_changes_nothing(vendor_name: str, tmp_path: Path):
    """Everything is reckoned by our own clock."""
    tally = Tally()
    async with founded(vendor_name, tmp_path, skew=timedelta(hours=1)) as town:
        await one_rental(town, Fixed(calm), tally)
    assert (tally.left, tally.doubles) == ([], [])
    assert 0.9 <= tally.ratio <= 1.1


@pytest.mark.parametrize("vendor_name", VENDORS)
async def test_without_credit_the_vendor_s_sentence_is_told_and_nothing_is_tried_again(
    vendor_name: str, tmp_path: Path
):
    """Only a person can mend it: one launch, one attempt, and the rental ends with what the vendor said of money."""
    async with founded(vendor_name, tmp_path) as town:
        town.world.plan("launch", Fault(FaultKind.NEEDS_HUMAN, times=-1, reason="your account lacks credit"))
        asked = await town.ask(f"up {vendor_name} {town.vendor.gpu} for 3h")
        assert await town.closes(asked.rental, timedelta(hours=1))
        rental = await town.rental(asked.rental)
        assert (town.world.calls["launch"], town.world.ever()) == (1, [])
    [attempt] = rental.attempts
    assert (attempt.machine_id, attempt.refused, attempt.barred) == (None, True, True)
    assert rental.ending is Ending.FAILED
    assert UNPAID[vendor_name] in rental.ending_note
