"""The answer to ``offers``: a table that a chat can show, and everything that was told for programs.

The price is all-in but for traffic, which stands beside it. What is known of a host (much of it only some vendors
tell) stands in one cell at the end, which breaks its lines where the screen is narrow: the table stays a table.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from bot.commands.reach import set_up
from bot.commands.replies_estimate import decimal
from bot.domain.market import Offer
from bot.domain.talk import Kind, Reply, Table, Tone
from bot.domain.vendor import Profile

MOST_OFFERS = 15
"""Rows that a chat shows well; programs get them all."""


def offers_reply(
    offers: Sequence[Offer],
    problems: Mapping[str, str],
    notes: Sequence[str] = (),
    missing: Sequence[Profile] = (),
) -> Reply:
    """What can be rented now, in the order given (cheapest first). ``problems``: by provider, why its offers are
    missing here; ``notes``: why others were left out; ``missing``: providers that are not configured."""
    shown = offers[:MOST_OFFERS]
    hidden = len(offers) - len(shown)
    silent = (f"{name} could not be asked: {reason}" for name, reason in problems.items())
    dearer = f"{hidden} more are dearer; name a GPU or a highest price to see fewer." if hidden else ""
    table = _table(shown, dearer)
    return Reply(
        kind=Kind.ANSWER,
        title=_headline(offers, incomplete=bool(problems)),
        lines=(*silent, *notes, *_footnotes(shown), *filter(None, [set_up(missing)])),
        tables=(table,) if shown else (),
        tone=Tone.WARN if problems else Tone.CALM,
        data={
            "offers": [_data(one) for one in offers],
            "problems": dict(problems),
            "left_out": list(notes),
            "not_configured": [one.family for one in missing],
        },
    )


def _headline(offers: Sequence[Offer], *, incomplete: bool) -> str:
    """Never says "nothing" where somebody could not be asked."""
    if not offers:
        return (
            "No offers found, but not everybody could be asked" if incomplete else "No such offer right now"
        )
    count = "1 offer" if len(offers) == 1 else f"{len(offers)} offers"
    cheapest = offers[0].hourly
    return f"{count}, from {cheapest.rate()}" if cheapest.micros else f"{count}, the cheapest free"


def _price(one: Offer) -> str:
    return (one.hourly.rate() if one.hourly.micros else "free") + (" spot" if one.spot else "")


def _traffic(one: Offer) -> str:
    return f"${decimal(one.traffic_per_gb)}/GB" if one.traffic_per_gb.micros else ""


def _host(one: Offer) -> str:
    """``Stockholm, SE, 99.3% up, verified, CUDA 12.8, 910 Mbit/s``: as much of it as is told."""
    told = [
        one.where or "".join(one.places[:1]),
        "" if one.reliability is None else f"{_percent(one.reliability)} up",
        {None: "", True: "verified", False: "unverified"}[one.verified],
        f"CUDA {one.cuda}" if one.cuda else "",
        "" if one.down_mbps is None else _speed(one.down_mbps),
    ]
    return ", ".join(part for part in told if part)


def _percent(share: float) -> str:
    """Rounded down: 99.96 % of the time is not all of it."""
    return f"{int(share * 1000 + 1e-6) / 10:g}%"


def _speed(mbps: int) -> str:
    return f"{mbps} Mbit/s" if mbps < 10_000 else f"{mbps / 1000:.0f} Gbit/s"


_COLUMNS: tuple[tuple[str, Callable[[Offer], str]], ...] = (
    ("Provider", lambda one: one.provider),
    ("GPU", lambda one: f"{one.count}x {one.gpu}" if one.count > 1 else one.gpu),
    ("Memory", lambda one: f"{one.vram_gb:.0f} GB" if one.vram_gb else ""),
    ("Price", _price),
    ("Traffic", _traffic),
    ("Host", _host),
)
"""Header and cell. A column where no offer tells anything is not shown."""


def _table(shown: Sequence[Offer], note: str) -> Table:
    told = [(header, [cell(one) for one in shown]) for header, cell in _COLUMNS]
    columns = [(header, cells) for header, cells in told if any(cells)]
    rows = zip(*([cell or "-" for cell in cells] for _, cells in columns), strict=True)
    return Table(tuple(header for header, _ in columns), tuple(rows), note)


def _footnotes(shown: Sequence[Offer]) -> Iterator[str]:
    """What the prices are about; each honest sentence once, with whom it is about; what spot means."""
    paid = [one for one in shown if one.hourly.micros]
    if paid:
        disks = sorted({one.disk_gb for one in paid})
        size = f"{disks[0]}" if len(disks) == 1 else f"{disks[0]} to {disks[-1]}"
        traffic = "; traffic comes on top where it has a price" if any(map(_traffic, paid)) else ""
        yield f"Prices are all-in: GPU and {size} GB of disk{traffic}."
    about: dict[str, list[str]] = defaultdict(list)
    for one in shown:
        if one.note and one.provider not in about[one.note]:
            about[one.note].append(one.provider)
    yield from (f"{', '.join(names)}: {note}" for note, names in about.items() if names)
    if any(one.spot for one in shown):
        yield "Spot is cheaper, and the vendor may take the machine away at any moment."


def _data(one: Offer) -> dict[str, Any]:
    """Everything but what only the provider itself needs. Times in seconds."""
    return {
        "provider": one.provider,
        "id": one.id,
        "gpu": one.gpu,
        "count": one.count,
        "vram_gb": one.vram_gb,
        "vendor": one.vendor,
        "hourly": decimal(one.hourly),
        "disk_hourly": decimal(one.disk_hourly),
        "traffic_per_gb": decimal(one.traffic_per_gb),
        "ceiling_hourly": decimal(one.ceiling),
        "gpu_from_running": one.gpu_from_running,
        "billing_step": int(one.billing_step.total_seconds()),
        "disk_gb": one.disk_gb,
        "ram_gb": one.ram_gb or None,
        "where": one.where,
        "places": list(one.places),
        "host": one.host,
        "pool": one.pool,
        "reliability": one.reliability,
        "verified": one.verified,
        "cuda": one.cuda or None,
        "down_mbps": one.down_mbps,
        "lasts": int(one.lasts.total_seconds()) if one.lasts is not None else None,
        "spot": one.spot,
        "cpu_only": one.cpu_only,
        "note": one.note,
    }
