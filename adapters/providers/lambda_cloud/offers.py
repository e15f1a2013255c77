"""What Lambda offers: types of whole machines, and the regions that have one left. Pure: an answer in, offers out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from adapters.providers.lambda_cloud.profile import NAME
from adapters.providers.lambda_cloud.wire import Row, data_of, part, price_of, text, whole
from bot.domain.errors import VendorChanged
from bot.domain.gpus import covers, normalise
from bot.domain.market import Offer, Want, fits
from bot.domain.money import Usd
from bot.domain.places import places

CPU_ONLY = "CPU only"
ARM = ("GH200", "GB200")
"""Their processor is Nvidia's Grace."""
ARM_NOTE = "The processor is arm64: x86 tools will not run"

_VRAM = re.compile(r"\(\s*(\d{1,4})\s*GB\b")
_COUNT = re.compile(r"^(?:gpu_)?(\d{1,2})x[ _]")
_MINUTE = timedelta(minutes=1)
_COUNTRIES = {
    "us-": "US",
    "me-west-": "IL",
    "asia-south-": "IN",
    "asia-northeast-": "JP",
    "australia-": "AU",
}
_PARTS = {"europe-": "EU", "asia-": "AS"}
"""Where the region's name tells no country."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One instance type as Lambda lists it. ``hourly`` is for the whole machine, its disk included, in every region
    the same; ``gpu`` is our name, ``regions`` those that have one left."""

    name: str
    gpu: str
    count: int
    vram_gb: int
    hourly: Usd
    disk_gb: int
    ram_gb: int
    regions: tuple[str, ...]


def kinds(body: Any) -> dict[str, Kind]:
    """All types that can be read and named for sure, by name. The data are a map or a list (lambda.md, 2.1).

    Raises ``VendorChanged`` when there is no such thing, or when there are types and not one has a name and a price."""
    data = data_of(body, "instance types")
    entries = list(data.values()) if isinstance(data, dict) else data
    if not isinstance(entries, list):
        raise VendorChanged("Lambda's list of instance types cannot be read")
    rows = [one for one in entries if isinstance(one, dict) and _is_readable(part(one, "instance_type"))]
    if entries and not rows:
        raise VendorChanged("not one of Lambda's instance types can be read")
    found = (_kind(part(one, "instance_type"), one) for one in rows)
    return {kind.name: kind for kind in found if kind is not None}


def offers(body: Any, want: Want) -> list[Offer]:
    """What fits, cheapest first: one offer for each type and region."""
    made = (_offer(kind, region) for kind in kinds(body).values() for region in kind.regions)
    fitting = [offer for offer in made if fits(offer, want) and _right_gpu(offer, want)]
    return sorted(fitting, key=lambda offer: (offer.hourly, offer.id))


def region_places(region: str) -> tuple[str, ...]:
    """The tags of a region, from its country, where its name tells one."""
    country = next((code for start, code in _COUNTRIES.items() if region.startswith(start)), "")
    if country:
        return places(country, region)
    return places("", *(tag for start, tag in _PARTS.items() if region.startswith(start)), region)


def gpu_of(instance_type: Row) -> tuple[str | None, int]:
    """Our name of its GPU where that is sure, and the GPU's memory (0: not told). The type's own name tells neither:
    ``gpu_1x_a100`` is a PCIe card and ``gpu_8x_a100`` are SXM ones (lambda.md, 3)."""
    said = text(instance_type, "gpu_description") or _COUNT.sub("", text(instance_type, "description"))
    memory = _VRAM.search(said)
    vram = int(memory[1]) if memory else 0
    return (normalise(said, vram) if vram else None), vram


def _is_readable(instance_type: Row) -> bool:
    return bool(text(instance_type, "name")) and price_of(instance_type) is not None


def _kind(instance_type: Row, entry: Row) -> Kind | None:
    """None for what cannot be named, counted, or is of unknown size."""
    specs, name, hourly = part(instance_type, "specs"), text(instance_type, "name"), price_of(instance_type)
    count, disk = _count(instance_type), whole(specs.get("storage_gib"))
    gpu, vram = (CPU_ONLY, 0) if count == 0 else gpu_of(instance_type)
    if count is None or gpu is None or hourly is None or not disk:
        return None
    return Kind(
        name=name,
        gpu=gpu,
        count=count,
        vram_gb=vram,
        hourly=hourly,
        disk_gb=disk,
        ram_gb=whole(specs.get("memory_gib")) or 0,
        regions=tuple(_regions(entry.get("regions_with_capacity_available"))),
    )


def _count(instance_type: Row) -> int | None:
    """How many GPUs: 0 for a type without, None where nobody says, or where two places say different things."""
    name = text(instance_type, "name")
    told = whole(part(instance_type, "specs").get("gpus"))
    named = _COUNT.match(name) or _COUNT.match(text(instance_type, "description"))
    if name.startswith("cpu_") or told == 0:
        return 0 if name.startswith("cpu_") and not told else None
    if named is None or told is None:
        return told if named is None else int(named[1])
    return told if told == int(named[1]) else None


def _regions(listed: Any) -> Iterator[str]:
    for one in listed if isinstance(listed, list) else []:
        name = text(one, "name") if isinstance(one, dict) else ""
        if name:
            yield name


def _offer(kind: Kind, region: str) -> Offer:
    return Offer(
        provider=NAME,
        id=f"{kind.name}@{region}",
        gpu=kind.gpu,
        count=max(1, kind.count),
        vram_gb=kind.vram_gb,
        hourly=kind.hourly,
        disk_gb=kind.disk_gb,
        where=region,
        host=f"{NAME}/{region}/{kind.name}",
        pool=True,
        cpu_only=kind.count == 0,
        gpu_from_running=True,
        billing_step=_MINUTE,
        drift=5,
        boot_limit=_boot_limit(kind.count),
        ram_gb=kind.ram_gb,
        places=region_places(region),
        verified=True,
        detail={"type": kind.name, "region": region},
        note=ARM_NOTE if kind.gpu in ARM else "",
    )


def _boot_limit(count: int) -> timedelta:
    """Usual are 3 to 5 minutes for one GPU and 10 to 15 for several; 25 were seen for eight (lambda.md, 4)."""
    if count <= 1:
        return 10 * _MINUTE
    return 30 * _MINUTE if count >= 8 else 20 * _MINUTE


def _right_gpu(offer: Offer, want: Want) -> bool:
    if offer.cpu_only:
        return want.count <= 1 and not want.vram_gb
    return want.gpu is None or covers(want.gpu, offer.gpu)
