"""What a provider is: what it can do, and how it compares with the others. Values, so that nobody asks for a name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from bot.domain.deadman import Ends
from bot.domain.money import Usd


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a provider can do, as a value, so that nobody asks for its name."""

    spot: bool = False
    no_spot: str = ""
    """Why there is none, as half a sentence: ``RunPod ended its spot machines in 2026``."""
    untold: frozenset[str] = frozenset()
    """Fields of ``Want`` that its offers never tell (``reliability``): who asks for one is told that none is here."""
    self_destruct: Ends = Ends.JOB
    """What a machine can do about itself when nobody watches it: whether a key scoped to it alone exists."""
    settle: timedelta = timedelta(seconds=60)
    """How long after a launch was tried a machine may still appear in the listing."""
    launch_limit: timedelta = timedelta(seconds=30)
    """``launch`` answers or raises within this."""
    launch_every: timedelta = timedelta(0)
    """Launches are at least so far apart, so that the vendor's published limit holds whatever is asked for at once."""
    listing_shared: timedelta = timedelta(seconds=1)
    """A listing that is not older serves everybody who waits for a boot."""
    boot_limit: timedelta = timedelta(minutes=10)
    """A machine not running by then is stuck."""
    books: bool = False
    """Whether ``bill`` has anything to tell: some vendors have no way to ask what was billed."""
    teardown_latency: timedelta = timedelta(minutes=5)
    """From asking to end until billing surely stopped; counted into the worst case."""


@dataclass(frozen=True, slots=True)
class Profile:
    """How a provider is compared with the others, whether configured or not."""

    family: str
    title: str
    best_for: str
    gpu_options: str
    price_range: str
    ease: str
    example_gpu: str
    example_hourly: Usd
    """The rate that estimates use where no rate and no live offer is known."""
    boot: timedelta
    """Usual time from launch to usable."""
    down_mbps: int = 500
    owned: bool = False
    """The team's own computers: free but for electricity."""
    setting: str = ""
    """What has to be set before it can be used: ``RUNPOD_API_KEY``."""
