"""RunPod, as far as it goes until its adapter comes: how it compares.

The figures are typical ones from the vendor's and third parties' pages as we found them, not live prices; boot is the
middle of the 1 to 10 minutes that booting and pulling an image take.
"""

from __future__ import annotations

from datetime import timedelta

from bot.domain.market import Profile
from bot.domain.money import Usd

PROFILE = Profile(
    family="runpod",
    title="RunPod",
    best_for="everyday training: steady machines at a fair price, community or secure cloud",
    gpu_options="RTX 3090 to 5090, A-series, L4 to L40S, A100, H100, H200; one to eight per machine",
    price_range="$0.16 (A5000) to $0.74/h (RTX 4090 secure), up to $4.39/h (H200); traffic is free",
    ease="API key and credit for an hour ahead; one GPU type per order, ready images",
    example_gpu="RTX 4090",
    example_hourly=Usd.of("0.30"),
    boot=timedelta(minutes=5),
    available=False,
)
