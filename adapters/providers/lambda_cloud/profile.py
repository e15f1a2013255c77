"""How Lambda compares, and what it can and cannot do.

The figures are typical ones from the vendor's and third parties' pages as we found them, not live prices, and they
have moved a lot: published rates for one A100 were $1.29 to $1.99/h, above the rate that our examples use. Boot is
the 3 to 5 minutes that the vendor tells for one GPU.
"""

from __future__ import annotations

from datetime import timedelta

from bot.domain.deadman import Ends
from bot.domain.money import Usd
from bot.domain.vendor import Capabilities, Profile

NAME = "lambda"

PROFILE = Profile(
    family=NAME,
    title="Lambda",
    best_for="big cards in whole virtual machines with root; long or multi-GPU runs",
    gpu_options="A10, A6000, A100, GH200, H100, B200; one to eight per machine, often sold out",
    price_range="$0.69 (RTX 6000) to $6.99/h (B200) per GPU, billed by the minute; traffic is free",
    ease="API key and a payment card; driver and PyTorch are on the image; no spot machines",
    example_gpu="A100 40GB",
    example_hourly=Usd.of("0.80"),
    boot=timedelta(minutes=4),
    setting="LAMBDA_API_KEY",
)

PREPARE = timedelta(seconds=20)
"""For the price and the key before a launch; what takes longer is put off."""
CREATE = timedelta(seconds=30)
"""For the launch itself, waiting for its turn included; what takes longer is unknown."""

CAPABILITIES = Capabilities(
    untold=frozenset({"reliability", "cuda", "down_mbps"}),
    no_spot="Lambda rents on demand only",
    # Keys are all-powerful over the account, so that none may go to a machine (lambda.md, 4.1).
    self_destruct=Ends.JOB,
    # Nobody documents how soon a new id is listed (lambda.md, 5.3).
    settle=timedelta(minutes=5),
    launch_limit=PREPARE + CREATE,
    # The API takes one launch in twelve seconds and one call of any kind in a second (lambda.md, 1.2).
    launch_every=timedelta(seconds=12),
    listing_shared=timedelta(seconds=4),
    boot_limit=timedelta(minutes=30),
    teardown_latency=timedelta(minutes=5),
)
