"""Machines: a row of the account as one of ours. Pure. Nothing in a row but its id is needed: what cannot be read makes
the machine *unknown*, and never makes it disappear."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from adapters.providers.vast.wire import GIB_MB, Redact, all_in, disk_hourly, number, text
from bot.domain.errors import VendorChanged
from bot.domain.gpus import normalise
from bot.domain.label import parse
from bot.domain.market import Access, Leftover, Machine, MachineState
from bot.domain.money import ZERO, Usd

_MOST_WORDS = 200
_COMING = {
    "": "it is being provisioned",
    "created": "its container is made",
    "loading": "its image is loaded",
    "scheduling": "it waits for its GPU",
    "rebooting": "it is rebooting",
}
_ENDED = {
    "exited": "its container has ended",
    "stopped": "it was stopped",
    "frozen": "it is frozen, and its GPU is billed",
    "error": "it failed",
}
_LOST = {"unknown": "its host has not been heard of lately", "offline": "its host is offline"}
_CONDA = "/opt/conda/bin"
"""Where the usual image has its Python; a session does not get the image's PATH (vast.md, 7.4)."""


def identity(row: Any) -> str:
    """The id of a row. Raises ``VendorChanged``: a machine without one could be lost from sight."""
    told = number(row, "id") if isinstance(row, dict) else None
    if told is None:
        raise VendorChanged("an instance without an id")
    return str(int(told))


def read(row: Mapping[str, Any], provider: str, redact: Redact) -> Machine:
    """A row as a machine."""
    state, why = _state(row)
    access = _access(row) if state is MachineState.RUNNING else None
    if state is MachineState.RUNNING and access is None:
        state, why = MachineState.STARTING, "it runs, and has no address yet"
    words = text(row, "status_msg")
    reason = f"{why}: {words}" if why and words else why or words
    return Machine(
        provider=provider,
        id=identity(row),
        label=_label(row),
        state=state,
        access=access,
        hourly=all_in(row, _disk_gb(row), number(row, "dph_base")),
        reason="" if state is MachineState.RUNNING else redact(reason)[:_MOST_WORDS],
        gpu=_gpu(row),
    )


def leftover(row: Mapping[str, Any], provider: str, redact: Redact) -> Leftover | None:
    """What a stopped instance is that nobody rented through a bot like this: its disk bills until it is deleted."""
    machine = read(row, provider, redact)
    if machine.state is not MachineState.STOPPED or parse(machine.label) is not None:
        return None
    storage = disk_hourly(row, _disk_gb(row))
    return Leftover(
        provider=provider,
        id=machine.id,
        what="stopped instance",
        name=machine.label or text(row, "image_uuid"),
        monthly=None if storage is None else Usd.of(storage * 720),
        where=text(row, "geolocation").strip(", "),
    )


def burn(row: Mapping[str, Any], provider: str, redact: Redact) -> Usd:
    """What it costs in an hour now: all of it, or its disk alone while its GPU is given back."""
    machine = read(row, provider, redact)
    if machine.state is MachineState.STOPPED and text(row, "actual_status") != "frozen":
        storage = disk_hourly(row, _disk_gb(row))
        return ZERO if storage is None else Usd.of(storage)
    return machine.hourly or ZERO


def _label(row: Mapping[str, Any]) -> str:
    told = row.get("label")
    return told if isinstance(told, str) else ""


def _gpu(row: Mapping[str, Any]) -> str:
    name, memory = text(row, "gpu_name"), number(row, "gpu_ram")
    return normalise(name, None if memory is None else float(memory) / GIB_MB) or name


def _disk_gb(row: Mapping[str, Any]) -> Decimal:
    return max(number(row, "disk_space") or Decimal(0), Decimal(0))


def _state(row: Mapping[str, Any]) -> tuple[MachineState, str]:
    """What the host says (``actual``) counts only as far as the contract does not say stop: a machine that lost its GPU
    looks as if it were loading (vast.md, 5.3)."""
    actual = row.get("actual_status")
    contract = {name: text(row, name) for name in ("cur_state", "intended_status", "next_state")}
    if contract["next_state"] == "unloaded":
        return MachineState.ENDING, "it is being deleted"
    if set(contract.values()) == {"stopped"}:
        return MachineState.STOPPED, _stopped_why(row)
    if actual is not None and not isinstance(actual, str):
        return MachineState.UNKNOWN, "its status cannot be read"
    word = (actual or "").strip().lower()
    if word == "running":
        return MachineState.RUNNING, ""
    if word in _ENDED:
        return MachineState.STOPPED, _ENDED[word]
    if word in _COMING and "actual_status" in row:
        return MachineState.STARTING, _COMING[word]
    return MachineState.UNKNOWN, _LOST.get(word, f"an unknown status ({word[:40]})" if word else "no status")


def _stopped_why(row: Mapping[str, Any]) -> str:
    if row.get("is_bid") is True:
        return "stopped by Vast.ai: outbid, or the credit has run out"
    return "stopped by somebody, or by Vast.ai: the credit has run out, or the start was given up"


def _access(row: Mapping[str, Any]) -> Access | None:
    """The direct port, or else the relay; never a half of each, which leads nowhere (vast.md, 7.2)."""
    address = _direct(row) or _relay(row)
    if address is None:
        return None
    label = _label(row)
    ours = parse(label)
    return Access(
        kind="ssh",
        workdir=f"~/lastcall/{label if ours else identity(row)}",
        host=address[0],
        port=address[1],
        user="root",
        key_ref=f"{ours.rental}-{ours.attempt}" if ours else "",
        path_prepend=(_CONDA,) if text(row, "image_uuid").startswith("pytorch/") else (),
    )


def _direct(row: Mapping[str, Any]) -> tuple[str, int] | None:
    """``public_ipaddr`` may end in a newline, ports are texts, and IPv6 may come first."""
    host, ports = text(row, "public_ipaddr"), row.get("ports")
    mapped = ports.get("22/tcp") if isinstance(ports, dict) else None
    if not host or not isinstance(mapped, list):
        return None
    entries = [one for one in mapped if isinstance(one, dict)]
    numbers = [_port(one, "HostPort") for one in sorted(entries, key=lambda one: ":" in text(one, "HostIp"))]
    port = next((one for one in numbers if one), None)
    return (host, port) if port else None


def _relay(row: Mapping[str, Any]) -> tuple[str, int] | None:
    host, port = text(row, "ssh_host"), _port(row, "ssh_port")
    return (host, port) if host and port else None


def _port(row: Mapping[str, Any], name: str) -> int | None:
    told = number(row, name)
    return int(told) if told is not None and 0 < told < 65536 else None
