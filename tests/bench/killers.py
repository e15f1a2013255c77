"""``python -m tests.bench.killers VENDOR KILLER FIRST LAST``: seeded rentals with two of the three killers off.

Exit code 1 when one machine was still billed when it had to be gone, or cost more than it may.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from tests.support.cloud_town import founded
from tests.support.killers import KILLERS, Tally, alone

A_TOWN = 50


async def run(vendor: str, killer: str, first: int, last: int) -> Tally:
    """Many rentals, fifty on an account."""
    tally = Tally()
    for begin in range(first, last, A_TOWN):
        with tempfile.TemporaryDirectory() as folder:
            async with founded(vendor, Path(folder), seed=begin) as town:
                for seed in range(begin, min(last, begin + A_TOWN)):
                    await alone(town, KILLERS[killer], seed, tally)
    return tally


def main() -> int:
    """By hand."""
    vendor, killer, first, last = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    tally = asyncio.run(run(vendor, killer, first, last))
    sys.stdout.write(
        f"{vendor}, {killer} alone: {tally.rentals} rentals, {len(tally.alive)} not ended in time,"
        f" {len(tally.over)} over, the latest {tally.latest} after its moment\n"
    )
    for told in (*tally.alive, *tally.over):
        sys.stdout.write(f"  {told}\n")
    return 1 if tally.alive or tally.over else 0


if __name__ == "__main__":
    raise SystemExit(main())
