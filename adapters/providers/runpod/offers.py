"""The catalogue's rows as offers: one for each GPU type, cloud and data centre that has it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from adapters.providers.runpod.profile import disk_hourly, disk_of
from bot.domain import gpus
from bot.domain.errors import VendorChanged
from bot.domain.market import Offer, Want, fits, version
from bot.domain.money import ZERO, Usd
from bot.domain.places import places

CLOUDS = ("SECURE", "COMMUNITY")
IMAGE = "runpod/pytorch:1.0.2-cu1281-torch280-ubuntu2404"
_IMAGE_CUDA = "12.8"
"""What the image needs of the driver. Without a floor a pod lands on an old driver, bills, and never starts
(runpod.md, a12)."""
_DRIFT = 5
_MIG = re.compile(r"\bMIG\b", re.IGNORECASE)
UNREADABLE = (KeyError, TypeError, ValueError, AttributeError, InvalidOperation)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the catalogue was asked; two wishes that ask the same share the answer."""

    cloud: str
    count: int
    cuda: str

    @property
    def params(self) -> dict[str, str | int]:
        """The query. Stock is told only when both ``include`` and ``product`` are there (runpod.md, 4)."""
        return {
            "include": "AVAILABILITY",
            "product": "POD",
            "count": self.count,
            "cloud": self.cloud,
            "minCudaVersion": self.cuda,
        }


def floor(wanted: str) -> str:
    """The least CUDA version that a pod's driver must run: what was asked for, and what our image needs."""
    most = max(wanted, _IMAGE_CUDA, key=version) if wanted else _IMAGE_CUDA
    return most if "." in most else f"{most}.0"


def rows_of(body: Any) -> list[Any]:
    """The catalogue's list. Raises ``VendorChanged`` where it is missing."""
    rows = body.get("gpus") if isinstance(body, dict) else None
    if not isinstance(rows, list):
        raise VendorChanged("RunPod's catalogue came without its gpus")
    return rows


def offers(provider: str, asked: Asked, rows: Sequence[Any], want: Want) -> Iterator[Offer]:
    """Those of a catalogue's rows that fit. A row that cannot be read hides no other one."""
    for row in rows:
        try:
            found = list(_offers(provider, asked, row, want))
        except UNREADABLE:
            continue
        yield from (one for one in found if fits(one, want))


def price(row: Mapping[str, Any], asked: Asked) -> Usd | None:
    """What all the GPUs cost per hour, or None where this cloud does not sell so many: prices are quoted also for a
    cloud in which the type is not sold."""
    cloud = asked.cloud.lower()
    if row[cloud] is not True or _most(row, cloud) < asked.count:
        return None
    each = Decimal(str(row["price"][cloud]))
    return Usd.of(each * asked.count) if each > 0 else None


def stock(row: Mapping[str, Any]) -> list[str]:
    """Data centres that have it; one without a name where none are listed; nothing where it is out."""
    if row.get("availability") == "NONE":
        return []
    listed = row.get("dataCenters")
    if listed:
        return list(
            dict.fromkeys(str(one["id"]) for one in listed if one["availability"] not in (None, "NONE"))
        )
    return [""] if row.get("availability") else []


def _offers(provider: str, asked: Asked, row: Mapping[str, Any], want: Want) -> Iterator[Offer]:
    model = _model(row)
    compute = price(row, asked)
    if model is None or compute is None or (want.gpu is not None and not gpus.covers(want.gpu, model)):
        return
    disk = disk_hourly(disk_of(want.disk_gb))
    for centre in stock(row):
        place = centre or "any"
        yield Offer(
            provider=provider,
            id=f"{asked.cloud}/{place}/{row['id']}/{asked.count}",
            gpu=model,
            count=asked.count,
            vram_gb=float(row["memory"]),
            hourly=compute + disk,
            disk_hourly=disk,
            stopped_hourly=ZERO,
            disk_gb=want.disk_gb,
            where=centre or f"{asked.cloud.lower()} cloud",
            host=f"runpod/{asked.cloud.lower()}/{place}/{row['id']}",
            drift=_DRIFT,
            pool=True,
            places=tags(centre),
            verified=asked.cloud == "SECURE",
            cuda=_cuda(row, asked.cuda),
            detail=_detail(asked, row["id"], centre, want),
        )


def _detail(asked: Asked, gpu: str, centre: str, want: Want) -> dict[str, str]:
    """What the launch needs again. The catalogue tells no memory, so that a wish for it becomes part of the order."""
    each = math.ceil(want.ram_gb / asked.count)
    return {"gpu": gpu, "cloud": asked.cloud, "dc": centre, "cuda": asked.cuda, "ram_each": str(each)}


def _model(row: Mapping[str, Any]) -> str | None:
    """The type's name in our words. A slice is not the card, and our image runs on CUDA."""
    if _MIG.search(row["id"]) or row.get("manufacturer") == "AMD":
        return None
    return gpus.normalise(row["id"], float(row["memory"]))


def _most(row: Mapping[str, Any], cloud: str) -> int:
    told = row.get("maxCount")
    return int(told[cloud]) if told and told.get(cloud) is not None else 1


def _cuda(row: Mapping[str, Any], least: str) -> str:
    """The highest version that is told; the floor is part of every order, so that it holds where none is told."""
    told = [str(one["version"]) for one in row.get("cudaVersions") or () if one["available"]]
    return max([*told, least], key=version)


def tags(centre: str) -> tuple[str, ...]:
    """``EU-RO-1`` is in Romania, ``US-KS-2`` in the US, ``EUR-IS-1`` in Iceland."""
    if not centre:
        return ()
    first, _, rest = centre.partition("-")
    country = first if first in ("US", "CA") else rest.partition("-")[0]
    return places(country if len(country) == 2 else "", centre)
