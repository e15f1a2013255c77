"""Each of the three killers alone ends a machine that nobody takes down; ``python -m tests.bench.killers`` runs 1,000.

Lambda lets no machine end itself: there the switch stops the job, and says so (``test_switch``).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.cloud_town import founded
from tests.support.killers import KILLERS, Tally, alone

SEEDS = 2


@pytest.mark.parametrize(
    ("vendor", "killer"),
    [
        (vendor, killer)
        for vendor in ("vast", "runpod", "lambda")
        for killer in KILLERS
        if (vendor, killer) != ("lambda", "switch")
    ],
)
async def test_one_killer_alone_is_enough(vendor: str, killer: str, tmp_path: Path):
    """The others are off; the simulated vendor's own meter says when billing ended."""
    tally = Tally()
    async with founded(vendor, tmp_path, seed=7) as town:
        for seed in range(SEEDS):
            await alone(town, KILLERS[killer], seed, tally)
    assert (tally.rentals, tally.alive, tally.over) == (SEEDS, [], [])
