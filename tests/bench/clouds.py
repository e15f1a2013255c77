"""Many rentals in bad weather on each simulated cloud, and the calls that one and two hundred rentals make."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from adapters.simulators.machine import Fate
from tests.support.bad_weather import Tally, Weather, one_rental
from tests.support.cloud_town import MINUTE, SECOND, CloudTown, founded

A_TOWN = 50
"""Rentals on one account and one database, one after the other."""
_WINDOW = 15 * MINUTE
_BOOTING = 90 * MINUTE
"""Two hundred creates take their time where a vendor takes one in twelve seconds."""


async def storms(vendor: str, seeds: Iterable[int]) -> tuple[Tally, float]:
    """What became of these rentals, and the seconds that each took."""
    tally, began = Tally(), time.perf_counter()
    waiting = list(seeds)
    while waiting:
        now, waiting = waiting[:A_TOWN], waiting[A_TOWN:]
        with tempfile.TemporaryDirectory() as folder:
            # Every second account is with a vendor whose clock is an hour off.
            skew = timedelta(hours=1 if now[0] // A_TOWN % 2 else 0)
            async with founded(vendor, Path(folder), seed=now[0], skew=skew) as town:
                for seed in now:
                    await one_rental(town, Weather(seed), tally)
    return tally, (time.perf_counter() - began) / max(1, tally.rentals)


@dataclass(frozen=True, slots=True)
class Traffic:
    """The calls of an hour."""

    rentals: int
    an_hour: int
    by_kind: dict[str, int]
    refused: int
    """Calls that the vendor turned away as too many, since the first rental was asked for."""


async def traffic(vendor: str, rentals: int) -> Traffic:
    """Calls that this many rentals make in an hour of being ready, counted over a quarter of one."""
    with tempfile.TemporaryDirectory() as folder:
        async with founded(vendor, Path(folder)) as town:
            town.world.usual = Fate(boot=30 * SECOND)
            for _ in range(rentals):
                asked = await town.ask(f"up {vendor} {town.vendor.gpu} for 12h budget $100")
                assert asked.rental, (asked.title, asked.lines)
            assert await town.run_until(town.clock.now() + _BOOTING, stop=lambda: _all_ready(town, rentals))
            start, before = town.clock.now(), len(town.face.log)
            await town.run_until(start + _WINDOW)
            kinds = Counter(line.kind for line in town.face.log[before:])
            refused = sum(line.status == 429 for line in town.face.log)
    four = timedelta(hours=1) // _WINDOW
    return Traffic(
        rentals, four * sum(kinds.values()), {name: four * count for name, count in kinds.items()}, refused
    )


async def _all_ready(town: CloudTown, rentals: int) -> bool:
    found = await town.store.rentals.open_ones()
    ready = sum(one.attempt is not None and one.attempt.ready_at is not None for one in found)
    return ready == rentals


def main() -> int:
    """``python -m tests.bench.clouds VENDOR FIRST LAST``: a storm by hand. 1 when anything was left, doubled, repeated
    or touched, or the bill is more than 1 % apart."""
    import sys  # noqa: PLC0415 - by hand only

    tally, seconds = asyncio.run(storms(sys.argv[1], range(int(sys.argv[2]), int(sys.argv[3]))))
    sys.stdout.write(
        f"{sys.argv[1]}: {tally.rentals} rentals, {len(tally.left)} left billing, {len(tally.doubles)} doubles,"
        f" {len(tally.repeats)} repeated launches, {len(tally.touched)} foreign touched,"
        f" counted {tally.ratio:.4f} of the invoice, {seconds:.2f} s each\n"
    )
    for told in (*tally.left, *tally.doubles, *tally.repeats):
        sys.stdout.write(f"  {told}\n")
    for apart, told in sorted(tally.apart, reverse=True)[:5]:
        sys.stdout.write(f"  apart by ${apart.dollars}: {told}\n")
    sound = not (tally.left or tally.doubles or tally.repeats or tally.touched)
    return 0 if sound and abs(tally.ratio - 1) <= 0.01 else 1


if __name__ == "__main__":
    raise SystemExit(main())
