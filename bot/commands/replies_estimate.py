"""The answer to ``estimate``: two tables of prices, why they differ, and what to doubt about them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from bot.domain.advice import enough, usual_vram
from bot.domain.clocktime import short
from bot.domain.estimate import Bill, Job, Rate, Row, Source, around, rate_for, row, training_only
from bot.domain.market import Offer
from bot.domain.money import Usd
from bot.domain.recipe import PRESETS, Recipe
from bot.domain.talk import Kind, Reply, Table, Tone
from bot.domain.vendor import Profile

_WORDS = {
    "boot": "starting the machine (boot)",
    "install": "installing the training tool",
    "model": "downloading the base model",
    "images": "sending your images",
    "caching": "preparing the images (caching)",
    "training": "training",
    "pull and teardown": "bringing the results home and closing down",
}
_RATE_WORDS = {
    Source.LIVE: "offered now",
    Source.SET: "as set by your team",
    Source.TYPICAL: "typical",
}


def estimate_reply(
    profiles: Sequence[Profile],
    rates_by_family: Mapping[str, Usd],
    recipe: Recipe | None,
    gpu: str | None,
    rate: Usd | None,
    live: Mapping[str, Offer] | None,
    *,
    missing: str = "",
) -> Reply:
    """``rates_by_family``: what the team set (electricity of its own computers). ``live``: the cheapest offer
    by family; None when nobody looked. ``missing``: who is not configured, in a sentence. A said ``rate`` is about
    renting: the first table is then one row, for it buys the same training time anywhere."""
    job = Job.of(recipe)
    rows = [
        row(one, job, rate_for(one, gpu=gpu, given=rate, known=rates_by_family.get(one.family), offer=offer))
        for one, offer in ((one, (live or {}).get(one.family)) for one in profiles)
        if rate is None or not one.owned
    ]
    warnings = tuple(_too_small(rows, recipe, gpu))
    own = _own(rows, recipe, gpu, looked=live is not None)
    return Reply(
        kind=Kind.ANSWER,
        title=f"What training costs: {job.title}" if recipe else "What training a LoRA costs",
        lines=(*warnings, *_doubts(rows, gpu), *own, *_later(missing, recipe)),
        tables=tuple(one for one in (_training(rows, job, rate), _whole(rows, job)) if one.rows),
        tone=Tone.WARN if warnings else Tone.CALM,
        data=_data(rows, job, recipe, gpu, rate, warnings),
    )


def _training(rows: Sequence[Row], job: Job, rate: Usd | None) -> Table:
    if rate is not None:
        costs = (training_only(rate, job.minutes[name]) for name in PRESETS)
        body: tuple[tuple[str, ...], ...] = (("Any provider", rate.rate(), *map(str, costs)),)
    else:
        body = tuple(
            (one.profile.title, _rate(one), *(_cost(one, str(one.training[name])) for name in PRESETS))
            for one in rows
        )
    note = "Rate times training time, rounded up to the cent. A faster card gets more done in the same time."
    return Table(("Training only", "Price per hour", *_heads(job)), body, note)


def _whole(rows: Sequence[Row], job: Job) -> Table:
    body = tuple(
        (one.profile.title, *(_cost(one, _between(one.bills[name])) for name in PRESETS)) for one in rows
    )
    rented = [one for one in rows if not one.profile.owned]
    return Table(("The whole bill", *_heads(job)), body, _why(rented, job) if rented else "")


def _why(rented: Sequence[Row], job: Job) -> str:
    """What else the clock runs for, and what that makes of a quick run."""
    quick = PRESETS[0]
    speeds = sorted({one.profile.down_mbps for one in rented})
    size = _span(*job.model_gb, "GB") + f" at {_span(speeds[0], speeds[-1], 'Mbit/s')} or half that speed"
    parts = [
        f"{_WORDS[part.name]} {_span(part.low, part.high, 'min')}"
        + (f" ({size})" if part.name == "model" else "")
        for part in around(rented, quick)
    ]
    bills = [one.bills[quick] for one in rented]
    paid = _span(min(one.minutes_low for one in bills), max(one.minutes_high for one in bills), "min")
    traffic = any(bill.traffic_high.micros for bill in bills)
    return (
        "Why it is more than training only: a rented machine is paid from its start to its end. "
        f"A {quick} run trains for {job.minutes[quick]:g} min and is paid for {paid}. "
        "Besides training it pays for: "
        + ", ".join(parts)
        + (". What the vendor charges for traffic is included." if traffic else ".")
    )


def _too_small(rows: Sequence[Row], recipe: Recipe | None, gpu: str | None) -> Iterator[str]:
    """One line a card that this recipe will not fit on."""
    if recipe is None or not recipe.requirements.gpu:
        return
    need = f"{recipe.title} needs {recipe.requirements.vram_gb:g} GB of GPU memory or more"
    cards: dict[str, float | None] = {gpu: usual_vram(gpu)} if gpu else {}
    for one in rows:
        offer, card = one.rate.offer, one.rate.gpu
        if offer is not None and offer.cpu_only:
            yield f"{one.profile.title} has no GPU, and {need}."
        elif offer is not None:
            cards[card] = offer.vram_gb
        elif card and gpu is None:
            cards[card] = usual_vram(card)
    for card, vram in cards.items():
        if vram is not None and not enough(vram, recipe.requirements.vram_gb):
            yield f"{card} is too small: it has {vram:.0f} GB, and {need}."


def _doubts(rows: Sequence[Row], gpu: str | None) -> Iterator[str]:
    """Says which rates are no prices of today, or not of the card that was asked for."""
    typical = [one for one in rows if one.rate.source is Source.TYPICAL and not one.profile.owned]
    others = [one for one in typical if gpu and one.rate.gpu != gpu]
    if others:
        where = ", ".join(f"{one.profile.title} ({one.rate.gpu})" for one in others)
        known = f"No live price of {gpu} is known for {where}"
        yield f"{known}: the rate shown is typical for the card in brackets, not for {gpu}."
    elif typical:
        yield "A rate marked typical is the usual one; the price you confirm is that of a live offer."


def _own(rows: Sequence[Row], recipe: Recipe | None, gpu: str | None, *, looked: bool) -> Iterator[str]:
    """About the team's own computers: that they are free, and whether they have what is asked for."""
    for one in (one for one in rows if one.profile.owned):
        if _free(one):
            yield f"{one.profile.title} is your own computer: free, because electricity is not counted."
        picky = gpu or (recipe.title if recipe and recipe.requirements.gpu else "")
        if looked and picky and one.rate.offer is None:
            wish = gpu or f"card for {picky}"
            yield f"{one.profile.title} has no {wish} to be had now; its row shows what its own time costs."


def _later(missing: str, recipe: Recipe | None) -> Iterator[str]:
    if missing:
        yield missing
    if recipe and recipe.run is None:
        yield f"{recipe.title} can be estimated, and not trained: its recipe says no training command."


def _heads(job: Job) -> tuple[str, ...]:
    return tuple(f"{name} ({short(timedelta(minutes=job.minutes[name]))})" for name in PRESETS)


def _free(one: Row) -> bool:
    return one.profile.owned and one.rate.hourly.micros == 0


def _cost(one: Row, text: str) -> str:
    return "free" if _free(one) else text


def _rate(one: Row) -> str:
    rate: Rate = one.rate
    if rate.source is Source.GIVEN:
        return rate.hourly.rate()
    if _free(one):
        return "free"
    count = f"{rate.offer.count}x " if rate.offer and rate.offer.count > 1 else ""
    card = f", {count}{rate.gpu}" if rate.gpu and rate.source is not Source.SET else ""
    return f"{rate.hourly.rate()} ({_RATE_WORDS[rate.source]}{card})"


def _between(bill: Bill) -> str:
    return str(bill.low) if bill.low == bill.high else f"{bill.low} to {bill.high}"


def _span(low: float, high: float, unit: str) -> str:
    """``1.9 to 3.7 min``; whole numbers from ten on."""
    ends = [f"{value:.0f}" if value >= 10 else f"{round(value, 1):g}" for value in (low, high)]
    return f"{ends[0]} {unit}" if ends[0] == ends[1] else f"{ends[0]} to {ends[1]} {unit}"


def decimal(amount: Usd) -> str:
    """For programs: ``0.10``, or with the digits it needs: ``0.0352``."""
    whole, _, part = f"{amount.dollars:f}".partition(".")
    return f"{whole}.{part.rstrip('0').ljust(2, '0')}"


def _data(
    rows: Sequence[Row],
    job: Job,
    recipe: Recipe | None,
    gpu: str | None,
    rate: Usd | None,
    warnings: Sequence[str],
) -> dict[str, Any]:
    return {
        "currency": "USD",
        "recipe": recipe.name if recipe else None,
        "gpu": gpu,
        "rate": decimal(rate) if rate is not None else None,
        "presets": {name: job.minutes[name] for name in PRESETS},
        "training_only": (
            {name: decimal(training_only(rate, job.minutes[name])) for name in PRESETS}
            if rate is not None
            else None
        ),
        "providers": [_row_data(one) for one in rows],
        "warnings": list(warnings),
    }


def _row_data(one: Row) -> dict[str, Any]:
    return {
        "provider": one.profile.family,
        "title": one.profile.title,
        "hourly": decimal(one.rate.hourly),
        "source": one.rate.source.value,
        "gpu": one.rate.gpu or None,
        "offer": one.rate.offer.id if one.rate.offer else None,
        "training_only": {name: decimal(cost) for name, cost in one.training.items()},
        "whole_bill": {name: _bill_data(bill) for name, bill in one.bills.items()},
    }


def _bill_data(bill: Bill) -> dict[str, Any]:
    return {
        "low": decimal(bill.low),
        "high": decimal(bill.high),
        "minutes_low": round(bill.minutes_low, 1),
        "minutes_high": round(bill.minutes_high, 1),
        "traffic_low": decimal(bill.traffic_low),
        "traffic_high": decimal(bill.traffic_high),
        "parts": [
            {"name": part.name, "low": round(part.low, 2), "high": round(part.high, 2)} for part in bill.parts
        ],
    }
