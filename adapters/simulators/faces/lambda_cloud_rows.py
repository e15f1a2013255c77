"""Instances as Lambda writes them (lambda.md, 2.3). What is optional is missing, or null in older documents."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from adapters.simulators.faces.lambda_cloud_types import region_name, region_row, type_row
from adapters.simulators.machine import SimMachine
from bot.domain.market import MachineState

_ACTIONS = ("migrate", "rebuild", "restart", "cold_reboot")
_OPTIONAL = ("name", "ip", "private_ip", "hostname", "jupyter_token", "jupyter_url")


@dataclass(slots=True)
class Made:
    """What a launch said beside type and region, and what was changed since."""

    name: str = ""
    key: str = ""
    hostname: str = ""
    tags: list[dict[str, str]] = field(default_factory=list)
    file_systems: list[str] = field(default_factory=list)
    mounts: list[dict[str, str]] = field(default_factory=list)
    rulesets: list[dict[str, str]] = field(default_factory=list)


@dataclass(slots=True)
class Habits:
    """How this vendor writes its rows; the defaults are what is documented now."""

    keeps_name: bool = True
    keeps_tags: bool = True
    private_ip: bool = True
    """Was missing on active machines of one region."""
    nulls: bool = False
    """The older document: null for what is not there, and ``is_reserved``."""


def digest(text: str) -> str:
    """32 lower hex, as Lambda's ids look."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def status_of(machine: SimMachine, now: datetime) -> str:
    """The status for what is true. A machine that went down is ``unhealthy``, and the meter runs."""
    span = machine.span(now)
    match span.state(now) if span else None:
        case MachineState.STARTING:
            return "booting"
        case MachineState.RUNNING:
            return "active"
        case MachineState.STOPPED:
            return "preempted" if span and "preempt" in span.reason else "unhealthy"
        case MachineState.ENDING:
            return "terminating"
        case _:
            return "terminated"


def instance_row(
    vendor_id: str, machine: SimMachine, made: Made, status: str, habits: Habits
) -> dict[str, Any]:
    """One row."""
    row: dict[str, Any] = {
        "id": vendor_id,
        "status": status,
        "ssh_key_names": [made.key],
        "file_system_names": made.file_systems,
        "region": region_row(region_name(machine.host)),
        "instance_type": type_row(machine.host),
        "actions": _actions(status),
    }
    if made.name and habits.keeps_name:
        row["name"] = made.name
    if made.tags and habits.keeps_tags:
        row["tags"] = made.tags
    if made.mounts:
        row["file_system_mounts"] = made.mounts
    if made.rulesets:
        row["firewall_rulesets"] = made.rulesets
    if status in ("active", "unhealthy", "terminating", "preempted"):
        row |= _network(vendor_id, machine, made, habits)
    if habits.nulls:
        row = {**dict.fromkeys(_OPTIONAL), "is_reserved": False, **row}
    return row


def _network(vendor_id: str, machine: SimMachine, made: Made, habits: Habits) -> dict[str, Any]:
    """What is there once it has an address: also live credentials for its notebook."""
    token = digest(f"jupyter {vendor_id}")
    private = {"private_ip": "10.19.51.71"} if habits.private_ip else {}
    return {
        "ip": machine.address,
        **private,
        "hostname": made.hostname or f"{vendor_id[:12]}.cloud.lambda.ai",
        "jupyter_token": token,
        "jupyter_url": f"https://jupyter-{vendor_id}.lambdaspaces.com/?token={token}",
    }


def _actions(status: str) -> dict[str, Any]:
    blocked = {
        "booting": ("vm-has-not-launched", "Still launching."),
        "terminating": ("vm-is-terminating", "Already terminating."),
        "terminated": ("vm-is-terminating", "Already terminated."),
        "unhealthy": ("vm-is-unhealthy", "Health check failed."),
    }.get(status)
    no = {"available": False, "reason_code": blocked[0], "reason_description": blocked[1]} if blocked else {}
    rows: dict[str, Any] = {name: no or {"available": True} for name in _ACTIONS}
    ending = status in ("terminating", "terminated")
    return {**rows, "terminate": no if ending else {"available": True}}
