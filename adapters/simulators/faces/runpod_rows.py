"""The world's hosts and machines in RunPod's words: ids, data centres, the pod object."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from adapters.simulators.faces.runpod_stage import Stage
from adapters.simulators.machine import SimHost, SimMachine, Span
from bot.domain.gpus import normalise
from bot.domain.market import MachineState

GPU_IDS = {
    "NVIDIA GeForce RTX 3070": 8,
    "NVIDIA GeForce RTX 3080": 10,
    "NVIDIA GeForce RTX 3090": 24,
    "NVIDIA GeForce RTX 3090 Ti": 24,
    "NVIDIA GeForce RTX 4070 Ti": 12,
    "NVIDIA GeForce RTX 4080": 16,
    "NVIDIA GeForce RTX 4090": 24,
    "NVIDIA GeForce RTX 5080": 16,
    "NVIDIA GeForce RTX 5090": 32,
    "NVIDIA RTX A2000": 6,
    "NVIDIA RTX A4000": 16,
    "NVIDIA RTX A4500": 20,
    "NVIDIA RTX A5000": 24,
    "NVIDIA RTX A6000": 48,
    "NVIDIA RTX 4000 Ada Generation": 20,
    "NVIDIA RTX 6000 Ada Generation": 48,
    "NVIDIA RTX PRO 6000 Blackwell Server Edition": 96,
    "NVIDIA A30": 24,
    "NVIDIA A40": 48,
    "NVIDIA L4": 24,
    "NVIDIA L40": 48,
    "NVIDIA L40S": 48,
    "NVIDIA A100 80GB PCIe": 80,
    "NVIDIA A100-SXM4-80GB": 80,
    "NVIDIA A100-SXM4-40GB": 40,
    "NVIDIA H100 PCIe": 80,
    "NVIDIA H100 80GB HBM3": 80,
    "NVIDIA H100 NVL": 94,
    "NVIDIA H200": 141,
    "NVIDIA B200": 180,
    "Tesla V100-SXM2-32GB": 32,
    "AMD Instinct MI300X OAM": 192,
}
"""Exact type ids and their memory (runpod.md, 14)."""
_BY_MODEL = {normalise(name, gb): name for name, gb in GPU_IDS.items()}
_CENTRES = {
    "US": "US-KS-2",
    "CA": "CA-MTL-1",
    "SE": "EU-SE-1",
    "RO": "EU-RO-1",
    "CZ": "EU-CZ-1",
    "NL": "EU-NL-1",
    "FR": "EU-FR-1",
    "IS": "EUR-IS-1",
    "NO": "EUR-NO-1",
    "JP": "AP-JP-1",
    "IN": "AP-IN-1",
    "SG": "SEA-SG-1",
    "AU": "OC-AU-1",
}
_ACTIONS = {
    "PROVISIONING": ["stop", "terminate"],
    "STARTING": ["stop", "terminate"],
    "RUNNING": ["stop", "restart", "terminate"],
    "EXITED": ["start", "terminate"],
    "ERROR": ["start", "terminate"],
}


def gpu_id(host: SimHost) -> str:
    """RunPod's name for what is promised; ``extra["gpu_id"]`` says another."""
    return str(host.extra.get("gpu_id") or _BY_MODEL.get(host.gpu) or f"NVIDIA {host.gpu}")


def cloud(host: SimHost) -> str:
    """Whose house it is in."""
    return str(host.extra.get("cloud") or ("SECURE" if host.verified else "COMMUNITY"))


def centre(host: SimHost) -> str | None:
    """Its data centre. Those of the community are in none."""
    if cloud(host) == "COMMUNITY":
        return None
    return str(host.extra.get("dc") or _CENTRES.get(host.places[0] if host.places else "", "US-TX-3"))


def pod(stage: Stage, machine: SimMachine) -> dict[str, Any]:
    """The whole object, as every read and the 201 have it."""
    now = stage.world.clock.now()
    span = machine.span(now) or machine.spans[0]
    status = status_of(stage, machine, span, now)
    order, host = stage.orders.get(machine.id, {}), machine.host
    runtime = _runtime(stage, machine, span, status, now)
    full = {"vcpuCount": 8, "memory": host.ram_gb} if runtime else {}
    row = {
        "id": machine.id,
        "name": machine.label,
        "status": status,
        "actions": _ACTIONS.get(status, []),
        "image": machine.image or "runpod/pytorch:latest",
        "args": order.get("args", ""),
        "entrypoint": order.get("entrypoint", []),
        "cmd": order.get("cmd", []),
        "disk": machine.disk_gb,
        "mounts": order.get("mounts", {}),
        "ports": order.get("ports", ["22/tcp"]),
        "env": order.get("env", {"PUBLIC_KEY": machine.public_key}),
        "registry": order.get("registry"),
        "cloud": cloud(host),
        "gpu": {"id": gpu_id(host), "count": host.count, **full},
        "dataCenterId": centre(host),
        "cudaVersion": host.cuda,
        "ssh": _ssh(stage, machine, status, runtime),
        "template": None,
        "cost": _cost(stage, machine, status),
        "locked": machine.id in stage.quirks.locked,
        "globalNetworking": {"enabled": False},
        "runtime": runtime,
        "createdAt": _iso(machine.spans[0].born),
        "startedAt": _iso(span.running_at) if span.running_at and span.running_at <= now else None,
    }
    cluster = {"cluster": {"id": "cl-1", "rank": 0}} if machine.id in stage.quirks.clusters else {}
    return row | cluster


def status_of(stage: Stage, machine: SimMachine, span: Span, now: datetime) -> str:
    """What v2 says: what is, not what was asked for. It has no word for a pod that is ending."""
    told = stage.quirks.statuses.get(machine.id)
    if told:
        return told
    match span.state(now):
        case MachineState.STARTING if stage.quirks.running_early:
            return "RUNNING"
        case MachineState.STARTING:
            return "PROVISIONING" if now < span.born + stage.quirks.placing else "STARTING"
        case MachineState.STOPPED:
            return "EXITED"
        case None:
            return "TERMINATED"
        case _:
            return "RUNNING"


def _runtime(
    stage: Stage, machine: SimMachine, span: Span, status: str, now: datetime
) -> dict[str, Any] | None:
    up_at = span.running_at
    if status != "RUNNING" or up_at is None or now < up_at + stage.quirks.runtime_lag:
        return {} if stage.quirks.empty_runtime and status == "RUNNING" else None
    ports = []
    if _has_door(stage, machine):
        ports = [{"private": 22, "public": machine.port, "type": "tcp", "ip": machine.address}]
    return {
        "uptime": int((now - up_at).total_seconds()),
        "gpus": [{"util": 0, "memoryUtil": 0} for _ in range(machine.host.count)],
        "cpu": {"util": 3},
        "memory": {"util": 5},
        "ports": ports,
    }


def _ssh(stage: Stage, machine: SimMachine, status: str, runtime: Mapping[str, Any] | None) -> dict[str, Any]:
    user = f"{machine.id}-64411eb2"
    proxy = direct = None
    if status != "PROVISIONING":
        proxy = _way("ssh.runpod.io", 22, user)
    if runtime and _has_door(stage, machine):
        direct = _way(machine.address, machine.port, "root")
    return {"proxy": proxy, "direct": direct}


def _has_door(stage: Stage, machine: SimMachine) -> bool:
    asked = stage.orders.get(machine.id, {}).get("ports", ["22/tcp"])
    return "22/tcp" in asked and machine.id not in stage.quirks.no_direct


def _way(host: str, port: int, user: str) -> dict[str, Any]:
    return {"host": host, "port": port, "username": user, "command": f"ssh {user}@{host} -p {port}"}


def _cost(stage: Stage, machine: SimMachine, status: str) -> float:
    """Zero for one that was stopped, although a persistent disk bills on."""
    if status in ("EXITED", "TERMINATED"):
        return 0.0
    hourly = stage.world.hourly(machine) if stage.quirks.folded_disk else machine.gpu_hourly
    return float(hourly.dollars)


def _iso(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
