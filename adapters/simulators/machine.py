"""A host, a machine on it, and the spans of time in which it was billed."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from adapters.simulators.switch import SimSwitch
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
    disk_month: Usd = ZERO
    """Per GB and month of the disk that is rented, beside ``hourly``."""
    places: tuple[str, ...] = ("SE", "EU")
    reliability: float = 0.99
    verified: bool = True
    cuda: str = "13.0"
    down_mbps: int = 800
    lasts: timedelta = timedelta(days=30)
    """How long its owner keeps it on offer."""
    extra: dict[str, Any] = field(default_factory=dict)
    """What only one vendor's dialect tells."""

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
    real_vram_gb: float | None = None
    real_disk_gb: int | None = None
    ssh: timedelta | None = timedelta(0)
    """From running to an sshd that answers; None: never."""
    key: bool = True
    """Whether the key that was given is let in."""
    words: str = ""
    """What the vendor says about it while it boots."""


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
class SimVolume:
    """Storage that outlives machines and bills until somebody deletes it."""

    id: str
    name: str
    gb: int
    where: str


@dataclass(frozen=True, slots=True)
class Tariff:
    """How a vendor bills. The usual one of tests: everything, from the creation to the real end."""

    gpu_from_running: bool = False
    gpu_while_stopped: bool = True
    disk_while_stopped: bool = True
    ends_when_asked: bool = False
    step: timedelta = timedelta(0)
    """Billed time is rounded up to this."""
    month: timedelta = timedelta(hours=720)
    """What a price of a GB and month is divided by."""


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
    fate: Fate = field(default_factory=Fate)
    keys: list[str] = field(default_factory=list)
    """OpenSSH lines that were let in later; ``public_key`` came with the launch."""
    port: int = 22
    agreed: Usd | None = None
    """What its GPUs cost per hour by its contract; None: whatever the host asks for."""
    traffic: int = 0
    """Bytes in and out."""
    key_turn: int = 0
    """Raised when somebody else answers at its address."""
    files: dict[str, bytes] = field(default_factory=dict)
    """Name relative to the workdir → bytes."""
    folders: set[str] = field(default_factory=set)
    """Folders that are there although nothing is in them."""
    units: dict[str, SimUnit] = field(default_factory=dict)
    env: dict[str, str] = field(default_factory=dict)
    """What the vendor puts into its environment: its own id, and the key that is good for it alone."""
    switch: SimSwitch | None = None
    """The dead-man's switch, where one was armed."""

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

    @property
    def vram_gb(self) -> float:
        """What is really there."""
        return self.fate.real_vram_gb or self.host.vram_gb

    @property
    def free_disk_gb(self) -> int:
        """What is really there."""
        return self.fate.real_disk_gb or self.disk_gb

    def admits(self, key_ref: str) -> bool:
        """Whether the key of that name opens it: by its name, or by the comment of a line that was given."""
        if not self.fate.key:
            return False
        return bool(key_ref) and (
            key_ref == self.key_ref
            or any(line.split()[-1:] == [key_ref] for line in (self.public_key, *self.keys))
        )

    @property
    def gpu_hourly(self) -> Usd:
        """What its GPUs cost per hour."""
        return self.host.hourly if self.agreed is None else self.agreed

    def disk_hourly(self, tariff: Tariff) -> Usd:
        """What its disk costs in an hour, rounded up to the micro-dollar."""
        return disk_hourly(self.host.disk_month, self.disk_gb, tariff.month)

    def cost(self, tariff: Tariff, now: datetime) -> Usd:
        """What the vendor's meter shows at ``now``."""
        total = Usd(-(-self.host.traffic_per_gb.micros * self.traffic // 10**9))
        for span in self.spans:
            total += _billed(self, span, tariff, now)
        return total

    def intervals(self) -> list[Interval]:
        """One line for each span."""
        return [Interval(self.id, self.label, self.gpu_hourly, s.born, s.end) for s in self.spans]


def disk_hourly(per_month: Usd, gb: int, month: timedelta) -> Usd:
    """The hourly price of a disk whose price is told per GB and month."""
    return Usd(-(-per_month.micros * gb * 3600 // int(month.total_seconds())))


def _billed(machine: SimMachine, span: Span, tariff: Tariff, now: datetime) -> Usd:
    """One span: the GPUs while the tariff says so, the disk from the creation to the end."""
    ends = [one for one in (span.end, span.asked_at if tariff.ends_when_asked else None, now) if one]
    end = min(ends)
    stopped = end if span.stopped_at is None else min(end, span.stopped_at)
    disk = machine.disk_hourly(tariff).over((end if tariff.disk_while_stopped else stopped) - span.born)
    start = span.running_at if tariff.gpu_from_running else span.born
    if start is None or start >= end:
        return disk
    if tariff.gpu_from_running and span.stopped_at is not None and span.stopped_at <= start:
        return disk  # it never ran
    if span.stopped_at is not None and not tariff.gpu_while_stopped:
        end = min(end, span.stopped_at)
    length = max(end - start, timedelta(0))
    if tariff.step:
        length = -(-length // tariff.step) * tariff.step
    return disk + machine.gpu_hourly.over(length)
