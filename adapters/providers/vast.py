"""Vast.ai, as far as it goes until its adapter comes: how it compares.

The figures are typical ones from the vendor's and third parties' pages as we found them, not live prices; boot is the
middle of the 1 to 10 minutes that booting and pulling an image take.
"""

from __future__ import annotations

from datetime import timedelta

from bot.domain.market import Profile
from bot.domain.money import Usd

PROFILE = Profile(
    family="vast",
    title="Vast.ai",
    best_for="the lowest price, where a machine may fail and the data is no secret (hosts are strangers)",
    gpu_options="the widest choice: RTX 3060 to 5090, A-series, A100, H100; one to eight per machine",
    price_range="from about $0.20/h for an RTX 3090; disk and traffic extra, set by each host",
    ease="API key and prepaid credit; every host differs, so each is checked before it is used",
    example_gpu="RTX 3090",
    example_hourly=Usd.of("0.20"),
    boot=timedelta(minutes=5),
    available=False,
)
