"""A host, a machine on it, and the spans of time in which it was billed."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from adapters.simulators.units import SimUnit
from bot.domain.market import MachineState
from bot.domain.money import ZERO, Usd


@dataclass(slots=True)
class SimHost:
    """A host that somebody offers. ``real_gpu`` is what is in it when that is not what was promised."""

    fingerprint: str
    gpu: str
    hourly: Usd
    count: int = 1
    vram_gb: float = 24
    capacity: int = 1
    ram_gb: int = 64
    disk_gb: int = 500
    spot: bool = False
    cpu_only: bool = False
    where: str = "SE"
    traffic_per_gb: Usd = ZERO
    real_gpu: str | None = None
    withdrawn: bool = False

    @property
    def offer_id(self) -> str:
        """What the vendor calls the offer."""
        return f"offer-{self.fingerprint}"


@dataclass(frozen=True, slots=True)
class Fate:
    """What will become of a machine, counted from its birth. ``boot`` None: it never comes up."""

    boot: timedelta | None = timedelta(seconds=90)
    stops_after: timedelta | None = None
    """Dies or is preempted: listed as stopped, and billed until it is destroyed."""
    vanishes_after: timedelta | None = None
    """The vendor takes it: gone, and billed no more."""
    reason: str = "host went down"
    real_gpu: str | None = None


@dataclass(slots=True)
class Span:
    """From a creation to its real end: what the meter bills."""

    born: datetime
    running_at: datetime | None
    stopped_at: datetime | None = None
    reason: str = ""
    asked_at: datetime | None = None
    end: datetime | None = None

    def state(self, now: datetime) -> MachineState | None:
        """The truth at ``now``; None before and after."""
        if now < self.born or (self.end is not None and now >= self.end):
            return None
        if self.asked_at is not None and now >= self.asked_at:
            return MachineState.ENDING
        if self.stopped_at is not None and now >= self.stopped_at:
            return MachineState.STOPPED
        if self.running_at is not None and now >= self.running_at:
            return MachineState.RUNNING
        return MachineState.STARTING


@dataclass(frozen=True, slots=True)
class Interval:
    """A finished or open line on the bill."""

    machine_id: str
    label: str
    hourly: Usd
    born: datetime
    end: datetime | None


@dataclass(slots=True)
class SimMachine:
    """One machine, with its disk and what runs on it. More than one span only if it came back."""

    id: str
    label: str
    host: SimHost
    public_key: str
    key_ref: str
    image: str
    disk_gb: int
    address: str
    spans: list[Span]
    gpu: str
    """What is really in it."""
    key_turn: int = 0
    """Raised when somebody else answers at its address."""
    files: dict[str, bytes] = field(default_factory=dict)
    """Name relative to the workdir → bytes."""
    folders: set[str] = field(default_factory=set)
    """Folders that are there although nothing is in them."""
    units: dict[str, SimUnit] = field(default_factory=dict)

    def span(self, now: datetime) -> Span | None:
        """The last span that began by ``now``."""
        for span in reversed(self.spans):
            if span.born <= now:
                return span
        return None

    def state(self, now: datetime) -> MachineState | None:
        """The truth at ``now``; None when it is not there (yet, or any more)."""
        span = self.span(now)
        return span.state(now) if span else None

    def has_folder(self, folder: str) -> bool:
        """Whether there is such a folder below the workdir."""
        inside = f"{folder}/"
        return folder in ("", ".", *self.folders) or any(name.startswith(inside) for name in self.files)

    @property
    def host_key(self) -> str:
        """Its public host key as an OpenSSH line."""
        digest = hashlib.sha256(f"{self.address}/{self.key_turn}".encode()).digest()
        blob = b"\x00\x00\x00\x0bssh-ed25519\x00\x00\x00\x20" + digest
        return f"ssh-ed25519 {b64encode(blob).decode()}"

    def intervals(self) -> list[Interval]:
        """One line for each span."""
        return [Interval(self.id, self.label, self.host.hourly, s.born, s.end) for s in self.spans]
