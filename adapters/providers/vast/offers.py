"""Offers: a wish as a search, and rows as offers. Pure. The vendor's filters were seen not to be applied to all rows,
so that each one is looked at again here (vast.md, 2.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from functools import lru_cache
from itertools import product
from string import ascii_uppercase
from typing import Any

from adapters.providers.vast.wire import GIB_MB, all_in, disk_hourly, number, text
from bot.domain.gpus import NVIDIA, covers, lookup, model, normalise
from bot.domain.market import Offer, Want, fits, version
from bot.domain.money import ZERO, Usd
from bot.domain.places import places

IMAGES = {
    "12.8": "pytorch/pytorch:2.8.0-cuda12.8-cudnn9-runtime",
    "12.4": "pytorch/pytorch:2.6.0-cuda12.4-cudnn9-runtime",
    "12.1": "pytorch/pytorch:2.5.1-cuda12.1-cudnn9-runtime",
    "11.8": "pytorch/pytorch:2.6.0-cuda11.8-cudnn9-runtime",
}
"""By the CUDA version that a host's driver must run, newest first."""
LEAST_CUDA = min(IMAGES, key=version)
IMAGE_GB = 4
LEAST_DISK_GB = 8
PAGE = 40
"""Rows of one search: they are counted against a quota of 20 000 a day, and never more than 64 come (vast.md, 2.5)."""
_RELIABLE = Decimal("0.9")
_OLDEST_CARD = 600
"""Pascal, 6.0 as the vendor writes it; asked for because without it ``cuda_max_good`` hides cards (vast.md, 2.2)."""
_SHY = Decimal("0.9")
"""Reported memory is below what is advertised, so a little less is asked for and looked at again."""
_MARGIN = Decimal("1.05")
_FINEST_BID = Decimal("0.0001")
_RELAYED = "It has no port of its own: SSH goes through Vast.ai's relay."

SPELLINGS = (
    "A10", "A40", "A100 PCIE", "A100 SXM", "A100 SXM4", "A100X", "A800 PCIE", "A2", "A16", "A30", "B200", "B300",
    "B300 PC", "GH200 SXM", "H100 PCIE", "H100 SXM", "H100 NVL", "H200", "H200 NVL", "L4", "L40", "L40S", "Tesla V100",
    "Tesla T4", "Tesla P100", "Tesla P40", "Tesla P4", "RTX 4070S", "RTX 4070S Ti", "RTX 4080S", "RTX 4090D",
    "RTX 2060S", "RTX 2070S", "RTX 2080S", "GTX 1660 S", "RTX 4000Ada", "RTX 4500Ada", "RTX 5000Ada", "RTX 5880Ada",
    "RTX 6000Ada", "RTX PRO 6000 S", "RTX PRO 6000 WS", "RTX PRO 6000 Max-Q", "Q RTX 4000", "Q RTX 6000", "Q RTX 8000",
    "Titan RTX", "Titan V", "Titan Xp",
)  # fmt: skip
"""How the vendor writes cards that it writes otherwise than we do (vast.md, 2.4); the rest is alike."""


@lru_cache(maxsize=256)
def spellings(gpu: str) -> tuple[str, ...]:
    """All names under which the vendor may offer what a canonical name stands for."""
    known = model(gpu)
    ours = (gpu, *(known.covers if known else ()))
    theirs = [name for name in SPELLINGS if any(covers(gpu, each.name) for each in lookup(name))]
    return tuple(dict.fromkeys((*ours, *theirs)))


@lru_cache(maxsize=64)
def countries(region: str) -> tuple[str, ...]:
    """The codes of the countries that a wish for a region allows; a country is its own."""
    asked = region.strip().upper()
    codes = ("".join(pair) for pair in product(ascii_uppercase, repeat=2))
    return tuple(code for code in codes if asked in places(code))


def disk_of(want_gb: int) -> int:
    """What is really rented: there is no smaller disk."""
    return max(LEAST_DISK_GB, want_gb)


def query(want: Want, least: Decimal | None = None) -> dict[str, Any]:
    """The body of a search: cheapest first, all-in. ``least``: go on from this price."""
    cuda = max(want.cuda, LEAST_CUDA, key=version)
    asked: dict[str, Any] = {
        "rentable": {"eq": True},
        "external": {"eq": False},
        "gpu_arch": {"eq": "nvidia"},
        "compute_cap": {"gte": _OLDEST_CARD},
        "cuda_max_good": {"gte": float(cuda)},
        "num_gpus": {"eq": want.count},
        "disk_space": {"gte": disk_of(want.disk_gb)},
        "reliability": {"gte": float(max(_RELIABLE, Decimal(str(want.reliability))))},
        "order": [["dph_total", "asc"]],
        "type": "bid" if want.spot else "on-demand",
        "limit": PAGE,
        "allocated_storage": float(disk_of(want.disk_gb)),
    }
    if want.verified:
        asked["verified"] = {"eq": True}
    if want.gpu:
        asked["gpu_name"] = {"in": list(spellings(want.gpu))}
    if want.vram_gb:
        asked["gpu_ram"] = {"gte": float(want.vram_gb * GIB_MB * _SHY)}
    if want.region:
        asked["geolocation"] = {"in": list(countries(want.region))}
    if want.down_mbps:
        asked["inet_down"] = {"gte": want.down_mbps}
    if want.lifetime:
        # In whole hours, so that wishes that differ by minutes are one question to the vendor.
        asked["duration"] = {"gte": float(-(-want.lifetime // timedelta(hours=1)) * 3600)}
    price = {"lte": float(want.max_hourly.dollars)} if want.max_hourly is not None else {}
    price |= {"gte": float(least)} if least is not None else {}
    return {**asked, "dph_total": price} if price else asked


def query_one(offer: Offer, disk_gb: int) -> dict[str, Any]:
    """The body that asks for one offer; ``id`` would match nothing (vast.md, 2.2)."""
    return {
        "ask_contract_id": {"eq": int(offer.id) if offer.id.isdigit() else offer.id},
        "type": "bid" if offer.spot else "on-demand",
        "limit": PAGE,
        "allocated_storage": float(disk_gb),
    }


def number_of(row: Mapping[str, Any]) -> str:
    """The offer's own number, under either of its names; empty where there is none."""
    told = number(row, "ask_contract_id")
    told = number(row, "id") if told is None else told
    return "" if told is None else str(int(told))


def bid_for(row: Mapping[str, Any]) -> Decimal | None:
    """What we would bid: a little above the least that the host takes, which only the best bidder gets."""
    least = number(row, "min_bid")
    return None if least is None else (least * _MARGIN).quantize(_FINEST_BID)


def price_of(row: Mapping[str, Any], disk_gb: int, bid: Decimal | None) -> Usd | None:
    """All-in: at our bid where we bid, else at the host's price. None where it is not told."""
    gpu = bid if bid is not None else number(row, "dph_base")
    if gpu is None or disk_hourly(row, Decimal(disk_gb)) is None:
        return None
    return all_in(row, Decimal(disk_gb), gpu)


def read_all(rows: Sequence[Any], want: Want, provider: str) -> list[Offer]:
    """What fits; of the same price, a host with a direct port first. A row that cannot be read is left out."""
    read = [offer for row in rows if isinstance(row, dict) and (offer := read_one(row, want, provider))]
    mine = [one for one in read if fits(one, want) and (want.gpu is None or covers(want.gpu, one.gpu))]
    unique = {one.id: one for one in mine}
    return sorted(unique.values(), key=lambda one: (one.hourly, _RELAYED in one.note, one.id))


def read_one(row: Mapping[str, Any], want: Want, provider: str) -> Offer | None:
    """A row as an offer; None for what cannot be read, named or used by us."""
    ask, machine, count = number_of(row), number(row, "machine_id"), number(row, "num_gpus")
    memory, room, reliability = number(row, "gpu_ram"), number(row, "disk_space"), _reliability(row)
    disk = disk_of(want.disk_gb)
    bid = bid_for(row) if want.spot else None
    hourly, storage = price_of(row, disk, bid), disk_hourly(row, Decimal(disk))
    if not ask or machine is None or not count or not memory or room is None or room < disk:
        return None
    gpu = normalise(text(row, "gpu_name"), float(memory) / GIB_MB)
    if gpu is None or hourly is None or storage is None or (want.spot and bid is None) or not _usable(row):
        return None
    return Offer(
        provider=provider,
        id=ask,
        gpu=gpu,
        count=int(count),
        vram_gb=round(float(memory) / GIB_MB, 1),
        hourly=hourly,
        traffic_per_gb=_traffic(row),
        disk_gb=disk,
        where=text(row, "geolocation").strip(", "),
        host=f"vast/{int(machine)}",
        spot=want.spot,
        disk_hourly=Usd.of(storage),
        gpu_from_running=True,
        stopped_hourly=Usd.of(storage * 2),
        drift=5,
        boot_limit=_boot_limit(row),
        ram_gb=_memory(row),
        places=places(_country(row)),
        reliability=None if reliability is None else float(reliability),
        verified=text(row, "verification") == "verified",
        cuda=_cuda(row),
        down_mbps=int(number(row, "inet_down") or 0) or None,
        lasts=_lasts(row),
        detail={} if bid is None else {"bid": str(bid)},
        note=_note(row, want),
    )


def _usable(row: Mapping[str, Any]) -> bool:
    """What we asked the vendor for whatever the wish, looked at again."""
    if row.get("rentable") is False or row.get("external") is True:
        return False
    if text(row, "gpu_arch") not in ("", "nvidia") or text(row, "cpu_arch") not in ("", "amd64"):
        return False
    reliability = _reliability(row)
    if text(row, "verification") == "deverified" or (reliability is not None and reliability < _RELIABLE):
        return False
    return not _cuda(row) or version(_cuda(row)) >= version(LEAST_CUDA)


def image_for(cuda: str) -> str:
    """The newest image that a driver runs; the oldest where it is not told what it runs."""
    return next(
        (image for least, image in IMAGES.items() if version(cuda) >= version(least)), IMAGES[LEAST_CUDA]
    )


def sold(want: Want) -> bool:
    """Whether there can be such a thing here at all: the image is for NVIDIA's cards."""
    known = model(want.gpu) if want.gpu else None
    return known is None or known.vendor == NVIDIA


def _reliability(row: Mapping[str, Any]) -> Decimal | None:
    told = number(row, "reliability2")
    return number(row, "reliability") if told is None else told


def _cuda(row: Mapping[str, Any]) -> str:
    told = number(row, "cuda_max_good")
    return "" if told is None else f"{told:.1f}"


def _country(row: Mapping[str, Any]) -> str:
    """The last two letters of ``Stockholm, SE``."""
    code = text(row, "geolocation").rpartition(",")[2].strip()
    return code if len(code) == 2 and code.isalpha() else ""


def _traffic(row: Mapping[str, Any]) -> Usd:
    """The dearer of both ways: hosts bill each, outside of every price that the vendor calls total."""
    told = [number(row, name) or Decimal(0) for name in ("inet_down_cost", "inet_up_cost")]
    return max(Usd.of(max(told)), ZERO)


def _memory(row: Mapping[str, Any]) -> int:
    """Our part of the host's memory, GiB; ``cpu_cores`` may be null (vast.md, 2.4)."""
    whole, cores, ours = (number(row, name) for name in ("cpu_ram", "cpu_cores", "cpu_cores_effective"))
    share = ours / cores if ours and cores else number(row, "gpu_frac")
    return int((whole or 0) * min(share or 1, Decimal(1)) / GIB_MB)


def _lasts(row: Mapping[str, Any]) -> timedelta | None:
    told = number(row, "duration")
    return None if told is None else timedelta(seconds=max(0, min(int(told), 10**9)))


def _boot_limit(row: Mapping[str, Any]) -> timedelta:
    """Five minutes, and twice the time that the image takes to arrive; at most a quarter of an hour."""
    mbps = max(number(row, "inet_down") or Decimal(0), Decimal(1))
    pull = timedelta(seconds=int(IMAGE_GB * 8000 / mbps))
    return min(timedelta(minutes=5) + 2 * pull, timedelta(minutes=15))


def _note(row: Mapping[str, Any], want: Want) -> str:
    said = []
    if want.spot:
        said.append("Whoever bids more takes it away, without a warning.")
    if text(row, "verification") != "verified":
        said.append("Vast.ai has not verified this host.")
    if not number(row, "direct_port_count"):
        said.append(_RELAYED)
    return " ".join(said)
