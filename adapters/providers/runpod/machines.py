"""A pod as it is listed, as a machine. What cannot be read makes the row vaguer, never absent."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from adapters.providers.runpod.profile import disk_hourly, stopped_disk_hourly
from bot.domain import gpus
from bot.domain import label as labels
from bot.domain.market import Access, Machine, MachineState
from bot.domain.money import ZERO, Usd

STAMP = "LASTCALL_GPU_HOURLY"
"""Environment variable with the price of the GPUs that was agreed: what tells whether ``cost`` holds the disk."""

_STATES = {
    "PROVISIONING": (MachineState.STARTING, "being placed on a host"),
    "STARTING": (MachineState.STARTING, "its image is being pulled or its container starts"),
    "RUNNING": (MachineState.RUNNING, ""),
    "EXITED": (MachineState.STOPPED, "EXITED: it was stopped"),
    "ERROR": (MachineState.STOPPED, "ERROR: its container cannot be started"),
    "TERMINATED": (MachineState.ENDING, "TERMINATED"),
}
_NO_DOOR = "running, and no public address for SSH yet"


def machine(provider: str, row: Mapping[str, Any]) -> Machine:
    """One pod. ``row["id"]`` has been looked at."""
    label = _text(row.get("name"))
    status = row.get("status")
    state, reason = _STATES.get(_text(status), (MachineState.UNKNOWN, f"RunPod says {status!r:.60}"))
    access = None
    if state is MachineState.RUNNING:
        access = _access(row, label)
        if access is None:
            state, reason = MachineState.STARTING, _NO_DOOR
    return Machine(
        provider=provider,
        id=row["id"],
        label=label,
        state=state,
        access=access,
        hourly=hourly(row),
        reason=reason,
        gpu=_gpu(row.get("gpu")),
    )


def hourly(row: Mapping[str, Any]) -> Usd | None:
    """All-in, or None where it is not told. ``cost`` is 0 for a pod that was stopped although its disk bills; and it
    was seen both without and with the container's disk, so that a little more than the agreed price of the GPUs is
    taken for the latter and everything else for the former: never too little."""
    status, kept = _text(row.get("status")), persistent_gb(row)
    if status == "TERMINATED":
        return ZERO
    if status == "EXITED":
        return stopped_disk_hourly(kept)
    cost = _amount(row.get("cost"))
    if cost is None or cost <= ZERO:
        return stopped_disk_hourly(kept) if status == "ERROR" else None
    disk = disk_hourly(_whole(row.get("disk"))) + disk_hourly(kept)
    agreed = _amount(_part(row, "env").get(STAMP))
    if agreed is not None and agreed < cost <= agreed + disk:
        return agreed + disk
    return cost + disk


def persistent_gb(row: Mapping[str, Any]) -> int:
    """The disk that a stopped pod keeps, GB; 0 for none."""
    return _whole(_part(_part(row, "mounts"), "persistent").get("size"))


def _access(row: Mapping[str, Any], label: str) -> Access | None:
    """Direct SSH only: the proxy takes no command, no file and no key of ours (runpod.md, 9)."""
    direct = _part(_part(row, "ssh"), "direct")
    host, port = _text(direct.get("host")), _whole(direct.get("port"))
    if not host or not 0 < port < 65536:
        return None
    ours = labels.parse(label)
    return Access(
        kind="ssh",
        workdir=f"~/lastcall/{label if ours else row['id']}",
        host=host,
        port=port,
        user=_text(direct.get("username")) or "root",
        key_ref=f"{ours.rental}-{ours.attempt}" if ours else "",
    )


def _gpu(told: Any) -> str:
    name = _text(told.get("id")) if isinstance(told, dict) else ""
    return gpus.normalise(name) or name[:60]


def _part(row: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = row.get(name)
    return found if isinstance(found, dict) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _whole(value: Any) -> int:
    return int(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) and value > 0 else 0


def _amount(value: Any) -> Usd | None:
    """Dollars, as a number or a text."""
    if not isinstance(value, int | Decimal | str) or isinstance(value, bool):
        return None
    try:
        return Usd.of(value)
    except (ValueError, InvalidOperation):
        return None
