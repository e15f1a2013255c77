"""What a computer really has, as found by looking, told honestly."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class GpuKind(StrEnum):
    """Which family of GPU software can run."""

    NVIDIA = "nvidia"
    APPLE = "apple"
    AMD = "amd"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU. ``None`` is "could not be told", never zero."""

    name: str
    """As the driver names it."""
    model: str | None
    """Canonical name as in ``bot.domain.gpus``; None when not in the catalogue."""
    vram_gb: float
    uuid: str = ""
    driver: str = ""
    free_gb: float | None = None
    watts: float | None = None
    """Enforced power limit."""


@dataclass(frozen=True, slots=True)
class Hardware:
    """A computer. ``sentence`` is what a person is told about it."""

    kind: GpuKind
    gpus: tuple[Gpu, ...] = ()
    os: str = ""
    cpus: int = 0
    ram_gb: float = 0
    disk_free_gb: float = 0
    sentence: str = ""
