"""Lambda, as far as it goes until its adapter comes: how it compares.

The figures are typical ones from the vendor's and third parties' pages as we found them, not live prices, and they
have moved a lot: published rates for one A100 were $1.29 to $1.99/h, above the rate that our examples use. Boot is
the 3 to 5 minutes that the vendor tells for one GPU.
"""

from __future__ import annotations

from datetime import timedelta

from bot.domain.market import Profile
from bot.domain.money import Usd

PROFILE = Profile(
    family="lambda",
    title="Lambda",
    best_for="big cards in whole virtual machines with root; long or multi-GPU runs",
    gpu_options="A10, A6000, A100, GH200, H100, B200; one to eight per machine, often sold out",
    price_range="$0.50 (RTX 6000) to $6.99/h (B200) per GPU, billed by the minute; traffic is free",
    ease="API key and a payment card; driver and PyTorch are on the image; no spot machines",
    example_gpu="A100 40GB",
    example_hourly=Usd.of("0.80"),
    boot=timedelta(minutes=4),
    available=False,
)
