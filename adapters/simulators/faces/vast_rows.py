"""Vast.ai's rows: a host as an offer, a machine as an instance, with every field that the vendor's own have
(vast.md, 2.4, 4.4 and 12)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from adapters.simulators.machine import SimHost, SimMachine, Tariff, disk_hourly
from bot.domain.market import MachineState
from bot.domain.money import Usd

Row = dict[str, Any]

SPELLINGS = {
    "A100 SXM 40GB": "A100 SXM4", "A100 SXM 80GB": "A100 SXM4", "A100 PCIe 40GB": "A100 PCIE",
    "A100 PCIe 80GB": "A100 PCIE", "H100 PCIe": "H100 PCIE", "RTX 6000 Ada": "RTX 6000Ada",
    "RTX 4090 D": "RTX 4090D", "RTX 4080 SUPER": "RTX 4080S", "V100 16GB": "Tesla V100", "V100 32GB": "Tesla V100",
    "T4": "Tesla T4", "RTX PRO 6000 Server": "RTX PRO 6000 S", "Quadro RTX 8000": "Q RTX 8000",
}  # fmt: skip
"""Cards that the vendor writes otherwise than the world does."""
PULLING = "7c457f213c76: Downloading"
PROVISIONING = timedelta(seconds=5)
"""So long a new row has no status at all."""
DRIVER = "580.82.07"


@dataclass(slots=True)
class Made:
    """What a create said, as far as the row echoes it. A machine that nobody created by the API has the defaults."""

    image: str = "pytorch/pytorch:2.4.0-cuda12.4-cudnn9-runtime"
    runtype: str = "ssh_direc ssh_proxy"
    onstart: str | None = None
    env: dict[str, str] = field(default_factory=dict)
    is_bid: bool = False
    contract_stopped: bool = False
    """The contract itself says stop (outbid, no credit, never started); else only its container ended."""
    look: Row = field(default_factory=dict)
    """What a test wants to be seen instead."""


def on_demand(host: SimHost) -> Usd:
    """The price without a bid. A host that is there for bids costs twice as much for who forgets to bid."""
    return host.hourly * 2 if host.spot else host.hourly


def min_bid(host: SimHost) -> Usd:
    """The least that its owner takes."""
    return host.hourly if host.spot else Usd(host.hourly.micros // 2)


def offer_row(host: SimHost, number: int, ask: int, disk_gb: float, now: datetime, tariff: Tariff) -> Row:
    """One offer; ``number`` tells the machine, ``ask`` the offer."""
    storage = _storage(host, disk_gb, tariff)
    base = float(host.hourly.dollars)
    return {
        **_hardware(host, number),
        "id": ask,
        "ask_contract_id": ask,
        "bundle_id": 900 + number,
        "bundled_results": 1,
        "disk_space": float(host.disk_gb),
        "dph_base": base,
        "dph_total": round(base + storage, 6),
        "min_bid": float(min_bid(host).dollars),
        "storage_cost": float(host.disk_month.dollars),
        "storage_total_cost": storage,
        "rentable": True,
        "rented": False,
        "is_bid": host.spot,
        "start_date": now.timestamp() - 86_400,
        "end_date": (now + host.lasts).timestamp(),
        "duration": host.lasts.total_seconds(),
        "search": _parts(base, storage),
        **host.extra,
    }


def instance_row(
    machine: SimMachine, state: MachineState, number: int, made: Made, now: datetime, tariff: Tariff
) -> Row:
    """One instance as it stands now."""
    host = machine.host
    storage = _storage(host, machine.disk_gb, tariff)
    base = float(machine.gpu_hourly.dollars)
    born = machine.spans[-1].born
    row = {
        **_hardware(host, number), "id": int(machine.id.removeprefix("m")), "label": machine.label or None,
        "image_uuid": made.image, "image_args": [], "image_runtype": made.runtype,
        "extra_env": [[name, value] for name, value in made.env.items()], "onstart": made.onstart,
        "jupyter_token": "", "local_ipaddrs": None, "ssh_host": machine.address, "ssh_idx": "4",
        "ssh_port": machine.port, "machine_dir_ssh_port": 20_100, "start_date": born.timestamp(),
        "end_date": (born + host.lasts).timestamp(), "duration": (born + host.lasts - now).total_seconds(),
        "gpu_totalram": int(host.vram_gb * 1023.5) * host.count, "mem_usage": None, "mem_limit": None,
        "cpu_util": 0.0, "disk_space": float(machine.disk_gb), "disk_util": -1.0, "disk_usage": -1.0,
        "dph_base": base, "dph_total": round(base + storage, 6), "min_bid": float(min_bid(host).dollars),
        "is_bid": made.is_bid, "storage_cost": float(host.disk_month.dollars), "storage_total_cost": storage,
        "instance": _parts(base, storage), "search": _parts(base, storage), "credit_balance": None,
        "template_id": None, "template_hash_id": None, "template_name": None, "time_remaining": "",
        "client_run_time": 0, "host_run_time": 0,
    }  # fmt: skip
    return {**row, **_status(machine, state, made, now)}


def _status(machine: SimMachine, state: MachineState, made: Made, now: datetime) -> Row:
    """What changes with the state. Ports and address are there only while it runs."""
    span = machine.span(now)
    words = span.reason if span else ""
    match state:
        case MachineState.RUNNING:
            return _running(machine, made)
        case MachineState.STARTING:
            age = now - (span.born if span else now)
            seen = None if age < PROVISIONING else ("created" if machine.fate.boot is None else "loading")
            words = machine.fate.words or PULLING
            return _down(seen, words if seen else None)
        case MachineState.STOPPED if made.contract_stopped or made.is_bid:
            return _down("exited", words, contract="stopped")
        case MachineState.STOPPED:
            return _down("exited", words)
        case _:
            return _down("running", None, following="unloaded")


def _down(actual: str | None, words: str | None, contract: str = "running", following: str = "") -> Row:
    return {
        "actual_status": actual,
        "intended_status": contract,
        "cur_state": contract,
        "next_state": following or contract,
        "status_msg": words,
        "public_ipaddr": None,
        "direct_port_start": -1,
        "direct_port_end": -1,
        "ports": {} if actual == "exited" else None,
        "uptime_mins": None,
        "gpu_util": None,
        "gpu_temp": None,
    }


def _running(machine: SimMachine, made: Made) -> Row:
    """The address ends in a newline and the port is a text, twice: as the vendor writes them."""
    port = str(machine.port)
    mapped = [{"HostIp": "::", "HostPort": port}, {"HostIp": "0.0.0.0", "HostPort": port}]  # noqa: S104 - as it writes
    direct = "ssh_direc" in made.runtype and machine.host.extra.get("direct_port_count", 249) > 0
    return {
        **_down("running", f"success, running {made.image}/ssh"),
        "public_ipaddr": f"{machine.address}\n",
        "local_ipaddrs": "10.0.0.5 172.17.0.2 \n",
        "direct_port_start": machine.port if direct else -1,
        "direct_port_end": machine.port if direct else -1,
        "ports": {"22/tcp": mapped} if direct else {},
        "uptime_mins": 1.2,
        "gpu_util": 0.0,
        "gpu_temp": 38.0,
    }


def _hardware(host: SimHost, number: int) -> Row:
    """What offers and instances tell alike."""
    memory, cuda = int(host.vram_gb * 1023.5), float(host.cuda)
    country = host.places[0] if host.places else None
    city = "" if host.where == country else host.where
    row = {
        "machine_id": 44_100 + number, "host_id": 120_000 + number, "hosting_type": 0, "external": False,
        "num_gpus": host.count, "gpu_name": SPELLINGS.get(host.gpu, host.gpu), "gpu_ram": memory,
        "gpu_total_ram": memory * host.count, "gpu_frac": 1.0, "gpu_arch": "nvidia", "compute_cap": 890,
        "cuda_max_good": cuda, "driver_version": DRIVER, "driver_vers": 580_082_007, "gpu_mem_bw": 850.2,
        "pcie_bw": 24.1, "pci_gen": 4.0, "gpu_lanes": 16, "cpu_name": "AMD EPYC 7543", "cpu_cores": 16,
        "cpu_cores_effective": 16.0, "cpu_ram": host.ram_gb * 1024, "cpu_ghz": 2.8, "cpu_arch": "amd64",
        "has_avx": 1, "disk_bw": 3100.0, "disk_name": "SAMSUNG MZ", "inet_up": 780.4,
        "inet_down": float(host.down_mbps), "inet_up_cost": float(host.traffic_per_gb.dollars),
        "inet_down_cost": float(host.traffic_per_gb.dollars), "direct_port_count": 249, "static_ip": True,
        "public_ipaddr": "203.0.113.17", "dlperf": 92.1, "dlperf_per_dphtotal": 255.7, "total_flops": 81.4,
        "flops_per_dphtotal": 226.0, "score": 311.2, "reliability2": host.reliability,
        "verification": "verified" if host.verified else "unverified",
        "geolocation": None if country is None else f"{city}, {country}", "geolocode": 1_234_567,
    }  # fmt: skip
    return {**row, **{name: value for name, value in host.extra.items() if name in row}}


def _storage(host: SimHost, disk_gb: float, tariff: Tariff) -> float:
    return float(disk_hourly(host.disk_month, round(disk_gb), tariff.month).dollars)


def _parts(base: float, storage: float) -> Row:
    total = round(base + storage, 6)
    return {
        "gpuCostPerHour": base,
        "diskHour": storage,
        "totalHour": total,
        "discountTotalHour": 0,
        "discountedTotalPerHour": total,
    }
