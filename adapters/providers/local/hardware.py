"""A computer as a value, and the sentence that tells it honestly."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from adapters.providers.local.gpus import GIB, Card, Found, find
from bot.domain.hardware import Gpu, GpuKind, Hardware

APPLE_NOTE = "Apple MPS: CUDA-only tools will not run"
AMD_NOTE = "AMD ROCm: CUDA-only tools will not run, all others need their ROCm build"
CPU_NOTE = "CPU-only recipes can run"


@dataclass(frozen=True, slots=True)
class Look:
    """One look at a computer: what it has, and who holds what."""

    hardware: Hardware
    host: str
    """A word that stays with this computer."""
    cards: tuple[Card, ...]
    held: Mapping[str, str]
    """Lock to the label of the machine that holds it."""


def read(probe: Mapping[str, Any], title: str) -> Look:
    """From the keeper's answer to ``probe``. ``title`` begins the sentence: ``this computer``."""
    facts = probe["facts"]
    found = find(facts)
    ram = min((value for value in (facts.get("ram"), facts.get("ram_limit")) if value), default=0)
    hardware = Hardware(
        kind=found.kind,
        gpus=tuple(card.gpu for card in found.cards),
        os=str(facts.get("system") or ""),
        cpus=int(facts.get("cpus") or 0),
        ram_gb=round(ram / GIB, 1),
        disk_free_gb=round((facts.get("disk_free") or 0) / GIB, 1),
    )
    sentence = f"{title}: {_parts(hardware)}; {_what_runs(found)}"
    return Look(
        replace(hardware, sentence=sentence), str(facts.get("host")), found.cards, dict(probe["held"])
    )


def name_of(gpu: Gpu) -> str:
    """Canonical where the model is known, else the driver's own words."""
    return gpu.model or gpu.name


def _parts(hardware: Hardware) -> str:
    cores = f"{hardware.cpus} core{'' if hardware.cpus == 1 else 's'}"
    return f"{_gpus(hardware.gpus)}, {cores}, {hardware.ram_gb:.0f} GB RAM"


def _gpus(gpus: Sequence[Gpu]) -> str:
    if not gpus:
        return "no GPU"
    counted = Counter((name_of(gpu), gpu.vram_gb) for gpu in gpus)
    return ", ".join(
        f"{f'{n} × ' if n > 1 else ''}{name} ({vram:g} GB)" for (name, vram), n in counted.items()
    )


def _what_runs(found: Found) -> str:
    notes = {
        GpuKind.NVIDIA: "CUDA tools can run",
        GpuKind.APPLE: APPLE_NOTE,
        GpuKind.AMD: AMD_NOTE,
        GpuKind.NONE: CPU_NOTE,
    }
    return "; ".join((*found.faults, notes[found.kind]))
