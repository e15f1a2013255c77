"""Lambda's instance types as data (lambda.md, 3), hosts that offer them, and how they are written on the wire."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from adapters.simulators.machine import Fate, SimHost, Tariff
from adapters.simulators.world import World
from bot.domain.money import MICROS_PER_CENT, Usd
from bot.ports import Clock

LAMBDA_TARIFF = Tariff(
    gpu_from_running=True, gpu_while_stopped=True, ends_when_asked=True, step=timedelta(minutes=1)
)
"""By the minute, from active until the terminate call; a machine that is down and not terminated is billed on."""


@dataclass(frozen=True, slots=True)
class LambdaType:
    """One row. ``cents`` are for the whole machine; ``gpu`` is our name, ``said`` Lambda's."""

    said: str
    gpu: str
    count: int
    vram_gb: int
    vcpus: int
    ram_gib: int
    disk_gib: int
    cents: int


TYPES = {
    "gpu_1x_rtx6000": LambdaType("RTX 6000 (24 GB)", "Quadro RTX 6000", 1, 24, 14, 46, 512, 69),
    "gpu_1x_a10": LambdaType("A10 (24 GB PCIe)", "A10", 1, 24, 30, 200, 1400, 129),
    "gpu_1x_a6000": LambdaType("A6000 (48 GB)", "RTX A6000", 1, 48, 14, 100, 512, 109),
    "gpu_2x_a6000": LambdaType("A6000 (48 GB)", "RTX A6000", 2, 48, 28, 200, 1024, 218),
    "gpu_4x_a6000": LambdaType("A6000 (48 GB)", "RTX A6000", 4, 48, 56, 400, 1024, 436),
    "gpu_1x_a100": LambdaType("A100 (40 GB PCIe)", "A100 PCIe 40GB", 1, 40, 30, 200, 512, 199),
    "gpu_1x_a100_sxm4": LambdaType("A100 (40 GB SXM4)", "A100 SXM 40GB", 1, 40, 30, 200, 512, 199),
    "gpu_8x_a100": LambdaType("A100 (40 GB SXM4)", "A100 SXM 40GB", 8, 40, 124, 1800, 5939, 1592),
    "gpu_8x_a100_80gb_sxm4": LambdaType("A100 (80 GB SXM4)", "A100 SXM 80GB", 8, 80, 240, 1800, 19968, 2232),
    "gpu_1x_gh200": LambdaType("GH200 (96 GB)", "GH200", 1, 96, 64, 432, 4096, 229),
    "gpu_1x_h100_pcie": LambdaType("H100 (80 GB PCIe)", "H100 PCIe", 1, 80, 26, 200, 1024, 329),
    "gpu_1x_h100_sxm5": LambdaType("H100 (80 GB SXM5)", "H100 SXM", 1, 80, 26, 225, 2816, 429),
    "gpu_2x_h100_sxm5": LambdaType("H100 (80 GB SXM5)", "H100 SXM", 2, 80, 52, 450, 5632, 838),
    "gpu_8x_h100_sxm5": LambdaType("H100 (80 GB SXM5)", "H100 SXM", 8, 80, 208, 1800, 22528, 3192),
    "gpu_1x_b200_sxm6": LambdaType("B200 (180 GB SXM6)", "B200", 1, 180, 26, 360, 2816, 699),
    "gpu_8x_b200_sxm6": LambdaType("B200 (180 GB SXM6)", "B200", 8, 180, 208, 2900, 22528, 5352),
    "gpu_8x_v100": LambdaType("Tesla V100 (16 GB)", "V100 16GB", 8, 16, 92, 448, 5939, 632),
    "cpu_4x_general": LambdaType("N/A", "CPU only", 0, 0, 4, 16, 512, 20),
}

REGIONS = {
    "us-east-1": "Virginia, USA",
    "us-east-2": "Washington DC, USA",
    "us-east-3": "Washington DC, USA",
    "us-west-1": "California, USA",
    "us-west-2": "Arizona, USA",
    "us-west-3": "Utah, USA",
    "us-south-1": "Texas, USA",
    "us-south-2": "North Texas, USA",
    "us-south-3": "Central Texas, USA",
    "us-midwest-1": "Illinois, USA",
    "us-midwest-2": "Illinois, USA",
    "europe-central-1": "Germany",
    "me-west-1": "Israel",
    "asia-south-1": "India",
    "asia-northeast-1": "Osaka, Japan",
    "asia-northeast-2": "Tokyo, Japan",
    "australia-east-1": "Australia",
}


def lambda_host(
    type_name: str = "gpu_1x_a10", region: str = "us-west-1", *, capacity: int = 1, cents: int | None = None
) -> SimHost:
    """A data centre's stock of one type."""
    kind = TYPES[type_name]
    return SimHost(
        fingerprint=f"lambda/{region}/{type_name}",
        gpu=kind.gpu,
        hourly=Usd((kind.cents if cents is None else cents) * MICROS_PER_CENT),
        count=max(1, kind.count),
        vram_gb=kind.vram_gb,
        capacity=capacity,
        ram_gb=kind.ram_gib,
        disk_gb=kind.disk_gib,
        cpu_only=kind.count == 0,
        where=region,
        places=(region,),
        extra={"type": type_name, "region": region},
    )


def lambda_world(clock: Clock, *hosts: SimHost, seed: int = 0) -> World:
    """An account that bills as Lambda does; machines boot in 4 minutes and are listed as ending for half a minute."""
    world = World(clock, seed, destroy_lag=timedelta(seconds=30), tariff=LAMBDA_TARIFF)
    world.usual = Fate(boot=timedelta(minutes=4))
    for host in hosts:
        world.add_host(host)
    return world


def type_name(host: SimHost) -> str:
    """What Lambda calls what this host is; made up for a host that no table has."""
    made_up = f"gpu_{host.count}x_{host.gpu.lower().replace(' ', '_')}"
    return str(host.extra.get("type", "cpu_4x_general" if host.cpu_only else made_up))


def region_name(host: SimHost) -> str:
    """Its region."""
    return str(host.extra.get("region", "us-west-1"))


def region_row(name: str) -> dict[str, Any]:
    """A region on the wire."""
    return {"name": name, "description": REGIONS.get(name, name)}


def type_row(host: SimHost) -> dict[str, Any]:
    """An ``instance_type`` on the wire. The price is whole cents, rounded up."""
    name = type_name(host)
    known = TYPES.get(name)
    gpus = 0 if host.cpu_only else host.count
    said = known.said if known else f"{host.gpu} ({host.vram_gb:g} GB)"
    return {
        "name": name,
        "description": f"{gpus}x {said}" if gpus else f"{known.vcpus if known else 4}x CPU General",
        "gpu_description": said if gpus else "N/A",
        "price_cents_per_hour": -(-host.hourly.micros // MICROS_PER_CENT),
        "specs": {
            "vcpus": known.vcpus if known else 30,
            "memory_gib": host.ram_gb,
            "storage_gib": host.disk_gb,
            "gpus": gpus,
        },
    }


def catalogue(hosts: Iterable[SimHost], free: Iterable[SimHost]) -> dict[str, dict[str, Any]]:
    """``GET /instance-types``: every type, and the regions that have one left; sold-out types stay."""
    rows: dict[str, dict[str, Any]] = {}
    for host in hosts:
        rows[type_name(host)] = {"instance_type": type_row(host), "regions_with_capacity_available": []}
    for host in free:
        regions = rows[type_name(host)]["regions_with_capacity_available"]
        if region_row(region_name(host)) not in regions:
            regions.append(region_row(region_name(host)))
    return rows
