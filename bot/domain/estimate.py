"""What a training costs before anything is rented: rate times time, and the whole bill.

An estimate is the usual case, told as a range. The *worst* case, which is shown before anyone confirms, is
``bot.domain.budget``'s business.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from bot.domain import gpus
from bot.domain.market import Offer
from bot.domain.money import ZERO, Usd
from bot.domain.recipe import PRESET_MINUTES, PRESETS, Recipe
from bot.domain.recipe import Bill as RecipeBill
from bot.domain.vendor import Profile

Range = tuple[float, float]
"""Low and high."""

DATASET_MB = 200.0
"""Images of a usual data set: a hundred of 2 MB."""
UNNAMED_MODEL_GB: Range = (6.9, 34.2)
"""Base models that LoRAs are trained on, where no recipe says which."""
SLOWER = 2.0
"""How much longer than usual a boot or a download may well take; a boot may also take as much less."""
UPLINK_MBPS: Range = (20, 100)
"""From the bot to the machine: slow and fast."""
FINISH_MINUTES: Range = (1, 2)
"""Last samples, pull and teardown."""


@dataclass(frozen=True, slots=True)
class Job:
    """What a training needs besides a machine: times in minutes, sizes in GB and MB."""

    title: str
    minutes: Mapping[str, float]
    """Pure training by preset."""
    install: Range
    model_gb: Range
    caching: Range
    dataset_mb: float = DATASET_MB

    @classmethod
    def of(cls, recipe: Recipe | None, dataset_mb: float = DATASET_MB) -> Job:
        """From a recipe; without one, what a LoRA usually needs."""
        bill = recipe.bill if recipe else RecipeBill()
        return cls(
            title=recipe.title if recipe else "",
            minutes={
                name: recipe.preset(name).minutes if recipe else PRESET_MINUTES[name] for name in PRESETS
            },
            install=bill.install_minutes,
            model_gb=(recipe.model_gb, recipe.model_gb) if recipe else UNNAMED_MODEL_GB,
            caching=bill.cache_minutes,
            dataset_mb=dataset_mb,
        )


class Part(NamedTuple):
    """One stretch of time that is paid for, in minutes."""

    name: str
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Bill:
    """The whole bill, each end rounded up to the cent. ``traffic_*`` is already inside ``low`` and ``high``."""

    low: Usd
    high: Usd
    minutes_low: float
    minutes_high: float
    parts: tuple[Part, ...]
    traffic_low: Usd = ZERO
    traffic_high: Usd = ZERO


def training_only(hourly: Usd, minutes: float) -> Usd:
    """Rate times time, rounded up to the cent."""
    return hourly.over(timedelta(minutes=minutes)).up_to_cent()


def whole_bill(
    profile: Profile, job: Job, minutes: float, hourly: Usd, *, traffic_per_gb: Usd = ZERO
) -> Bill:
    """From launch to the end of billing, for ``minutes`` of pure training."""
    parts = _parts(profile, job, minutes)
    low, high = sum(part.low for part in parts), sum(part.high for part in parts)
    moved = [gb + job.dataset_mb / 1000 for gb in job.model_gb]
    traffic = [ZERO if profile.owned else _times(traffic_per_gb, gb) for gb in moved]
    return Bill(
        low=(hourly.over(timedelta(minutes=low)) + traffic[0]).up_to_cent(),
        high=(hourly.over(timedelta(minutes=high)) + traffic[1]).up_to_cent(),
        minutes_low=low,
        minutes_high=high,
        parts=parts,
        traffic_low=traffic[0],
        traffic_high=traffic[1],
    )


def _parts(profile: Profile, job: Job, minutes: float) -> tuple[Part, ...]:
    """The team's own computer is up already, and the model is taken to be on its disk."""
    training = Part("training", minutes, minutes)
    if profile.owned:
        own = (Part("install", 0, job.install[1]), Part("caching", *job.caching), training)
        return tuple(part for part in own if part.high > 0)
    boot, speed = profile.boot.total_seconds() / 60, max(1, profile.down_mbps)
    model = [gb * 8000 / speed / 60 for gb in job.model_gb]
    images = [job.dataset_mb * 8 / mbps / 60 for mbps in UPLINK_MBPS]
    parts = (
        Part("boot", boot / SLOWER, boot * SLOWER),
        Part("install", *job.install),
        Part("model", model[0], model[1] * SLOWER),
        Part("images", images[1], images[0]),
        Part("caching", *job.caching),
        training,
        Part("pull and teardown", *FINISH_MINUTES),
    )
    return tuple(part for part in parts if part.high > 0)


def _times(price: Usd, amount: float) -> Usd:
    return Usd.of(price.dollars * Decimal(str(round(amount, 6))))


class Source(StrEnum):
    """Where a rate comes from."""

    GIVEN = "given"
    """The person said it."""
    LIVE = "live"
    """The cheapest offer of right now."""
    SET = "set"
    """The team's settings (electricity)."""
    TYPICAL = "typical"
    """The provider's example, of its example card."""


@dataclass(frozen=True, slots=True)
class Rate:
    """An hourly rate and what it buys. ``gpu`` is empty where the rate is not about a card."""

    hourly: Usd
    source: Source
    gpu: str = ""
    offer: Offer | None = None


def rate_for(
    profile: Profile, *, gpu: str | None, given: Usd | None, known: Usd | None, offer: Offer | None
) -> Rate:
    """The best rate there is: said, then live, then set by the team, then typical; what the team says about
    its own computers comes before what they offer. None is ever made up: an offer of another card than the
    ``gpu`` asked for does not count."""
    if given is not None:
        return Rate(given, Source.GIVEN, gpu or "")
    if offer is not None and (gpu is None or gpus.covers(gpu, offer.gpu)):
        if profile.owned and known is not None:
            return Rate(known, Source.SET, offer.gpu, offer)
        return Rate(offer.hourly, Source.LIVE, offer.gpu, offer)
    if known is not None:
        return Rate(known, Source.SET)
    return Rate(profile.example_hourly, Source.TYPICAL, profile.example_gpu)


@dataclass(frozen=True, slots=True)
class Row:
    """One provider: training only and the whole bill, by preset."""

    profile: Profile
    rate: Rate
    training: Mapping[str, Usd]
    bills: Mapping[str, Bill]


def row(profile: Profile, job: Job, rate: Rate) -> Row:
    """The numbers of one provider."""
    traffic = rate.offer.traffic_per_gb if rate.offer else ZERO
    return Row(
        profile=profile,
        rate=rate,
        training={name: training_only(rate.hourly, minutes) for name, minutes in job.minutes.items()},
        bills={
            name: whole_bill(profile, job, minutes, rate.hourly, traffic_per_gb=traffic)
            for name, minutes in job.minutes.items()
        },
    )


def around(rows: Sequence[Row], preset: str) -> tuple[Part, ...]:
    """The parts over all rented ``rows``: lowest low and highest high, in order, without training."""
    merged: dict[str, Part] = {}
    for part in (part for one in rows if not one.profile.owned for part in one.bills[preset].parts):
        seen = merged.get(part.name, part)
        merged[part.name] = Part(part.name, min(seen.low, part.low), max(seen.high, part.high))
    merged.pop("training", None)
    return tuple(merged.values())
