"""Many rentals in bad weather, and how far our count of each is from the simulated vendor's own meter."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass

from bot.domain.money import ZERO, Usd
from tests.bench.clouds import storms
from tests.support.bad_weather import Tally

CENT = Usd.of("0.01")


@dataclass(frozen=True, slots=True)
class Distance:
    """How our counts lie to the invoices: below zero is too little."""

    rentals: int
    percent: float
    """All of ours against all of theirs."""
    lowest: Usd
    """The most that a rental's count was below its invoice; zero when none was."""
    told: str

    @property
    def is_kept(self) -> bool:
        """Within 1 % together, and no rental lower by more than a cent."""
        return abs(self.percent) <= 1 and self.lowest <= CENT


def distance(tally: Tally) -> Distance:
    """Of what was tallied."""
    lowest, told = max(tally.short, default=(ZERO, ""))
    percent = (tally.ratio - 1) * 100
    return Distance(tally.rentals, percent, max(lowest, ZERO), told)


def main() -> int:
    """``python -m tests.bench.ledger VENDOR FIRST LAST``: 1 when the ledger is not kept."""
    tally, seconds = asyncio.run(storms(sys.argv[1], range(int(sys.argv[2]), int(sys.argv[3]))))
    found = distance(tally)
    sys.stdout.write(
        f"{sys.argv[1]}: {found.rentals} rentals, counted {found.percent:+.3f} % of the invoices, at most"
        f" ${found.lowest.dollars:f} too little on one ({found.told}), {seconds:.2f} s each\n"
    )
    for apart, told in sorted(tally.apart, reverse=True)[:5]:
        sys.stdout.write(f"  apart by ${apart.dollars}: {told}\n")
    return 0 if found.is_kept else 1


if __name__ == "__main__":
    raise SystemExit(main())
