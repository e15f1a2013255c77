"""Rentals on each cloud in bad weather: the real adapter, the vendor's dialect, everything that can go wrong at once.

A sample; ``make faults`` runs a thousand on each.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.bad_weather import Fixed, Tally, Weather, calm, one_rental
from tests.support.cloud_town import SECOND, VENDORS, founded

SEEDS = 5


@pytest.mark.parametrize("vendor", VENDORS)
async def test_nothing_is_left_doubled_or_miscounted_in_bad_weather(vendor: str, tmp_path: Path):
    """No machine is left billing, none twice for longer than a sweep, no launch repeated, no foreign machine touched;
    the bill is the vendor's, to within what looking every few seconds can miss."""
    tally = Tally()
    async with founded(vendor, tmp_path, seed=1) as town:
        for seed in range(SEEDS):
            await one_rental(town, Weather(seed), tally)
    assert (tally.left, tally.doubles, tally.repeats, tally.touched) == ([], [], [], [])
    assert tally.rentals == SEEDS
    assert 0.95 <= tally.ratio <= 1.05, tally.apart


@pytest.mark.parametrize("vendor", VENDORS)
async def test_a_rental_in_good_weather_is_billed_as_the_vendor_bills_it(vendor: str, tmp_path: Path):
    """Half an hour and some seconds: within 1 % of the invoice, or one billed minute."""
    tally = Tally()
    async with founded(vendor, tmp_path) as town:
        await one_rental(town, Fixed(calm, hold=1830 * SECOND), tally)
        minute = next(iter(town.world.hosts.values())).hourly.over(town.world.tariff.step)
    assert abs(tally.counted.micros - tally.invoiced.micros) <= max(
        tally.invoiced.micros // 100, minute.micros
    )
