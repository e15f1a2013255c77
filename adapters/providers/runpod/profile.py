"""How RunPod compares, what it can do, and what its storage costs.

The figures of the profile are typical ones from the vendor's and third parties' pages as we found them, not live
prices; boot is the middle of the 1 to 10 minutes that pulling an image takes.
"""

from __future__ import annotations

from datetime import timedelta

from bot.domain.deadman import Ends
from bot.domain.money import Usd
from bot.domain.vendor import Capabilities, Profile

URL = "https://api.runpod.io/v2"
GRAPHQL_URL = "https://api.runpod.io/graphql"

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
    setting="RUNPOD_API_KEY",
)

CAPABILITIES = Capabilities(
    self_destruct=Ends.TRIES,
    untold=frozenset({"reliability", "down_mbps"}),
    no_spot="RunPod ended its spot machines in 2026",
    settle=timedelta(seconds=90),
    launch_limit=timedelta(seconds=40),
    # A launch is two calls, and 60 calls a minute were seen to be all there are (runpod.md, 3).
    launch_every=timedelta(seconds=8),
    listing_shared=timedelta(seconds=5),
    boot_limit=timedelta(minutes=8),
    teardown_latency=timedelta(minutes=5),
    books=True,
)
"""Settle: a listing may lag by a minute (runpod.md, 13). Boot: the usual image is there in seconds where it is cached
and in 1 to 10 minutes where not; a host that needs longer is worse than another one. No key that is scoped to one
machine surely ends it (runpod.md, 10)."""

_HOURS_A_MONTH = 730
_RUNNING, _STOPPED = 100_000, 200_000
"""Micro-dollars per GB and month: container and pod disk while it runs, pod disk of a stopped pod (runpod.md, 11)."""
_VOLUME, _VOLUME_ABOVE, _STEP_GB = 70_000, 50_000, 1000


IMAGE_GB = 25
"""What our image takes of a pod's disk once it is unpacked (23.6 GB were seen, runpod.md (a) 5); a disk below that
leaves a pod that never starts and bills."""


def disk_of(wanted_gb: int) -> int:
    """The disk to order so that what was asked for is left beside the image, GB."""
    return wanted_gb + IMAGE_GB


def disk_hourly(gb: int) -> Usd:
    """The disk of a pod that runs, per hour."""
    return Usd(-(-_RUNNING * gb // _HOURS_A_MONTH))


def stopped_disk_hourly(gb: int) -> Usd:
    """The persistent disk of a pod that was stopped, per hour: twice as dear as while it ran."""
    return Usd(-(-_STOPPED * gb // _HOURS_A_MONTH))


def stopped_disk_monthly(gb: int) -> Usd:
    """The same per 30 days."""
    return _thirty_days(_STOPPED * gb)


def volume_monthly(gb: int) -> Usd:
    """A network volume per 30 days, attached or not; what is above a terabyte is cheaper."""
    return _thirty_days(_VOLUME * min(gb, _STEP_GB) + _VOLUME_ABOVE * max(0, gb - _STEP_GB))


def _thirty_days(micros_a_month: int) -> Usd:
    return Usd(-(-micros_a_month * 720 // _HOURS_A_MONTH))
