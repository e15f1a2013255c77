"""The market: what is wanted, what is offered, what runs, and the way into it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.hardware import Hardware
from bot.domain.money import ZERO, Usd

ANY = "any"


@dataclass(frozen=True, slots=True)
class Want:
    """What a person asked for. ``None`` means "not said"; units are in the names."""

    provider: str = ANY
    """A provider's family (``vast``), a full name (``local/ws1``) or ``any``."""
    gpu: str | None = None
    """Canonical model name as ``bot.domain.gpus`` gives it (``RTX 3090``), or None for any."""
    count: int = 1
    vram_gb: int = 0
    """Least memory per GPU, GiB."""
    disk_gb: int = 20
    max_hourly: Usd | None = None
    spot: bool = False
    cpu_ok: bool = False
    """Whether an offer without a GPU will do (a recipe says so, or the person did)."""
    ram_gb: int = 0
    avoid: frozenset[str] = frozenset()
    """Host fingerprints that failed before."""


@dataclass(frozen=True, slots=True)
class Offer:
    """One thing that can be rented now. ``hourly`` is all-in: GPUs and the disk that was asked for."""

    provider: str
    id: str
    gpu: str
    """Canonical model name, or ``CPU only``."""
    count: int
    vram_gb: float
    hourly: Usd
    traffic_per_gb: Usd = ZERO
    disk_gb: int = 0
    where: str = ""
    host: str = ""
    """A fingerprint that stays the same when the same host is offered again."""
    spot: bool = False
    cpu_only: bool = False
    vendor: str = "nvidia"
    """Whose GPU software runs on it (``GpuKind``): what gate 3 can measure depends on it."""
    note: str = ""
    """One honest sentence that belongs on the quote (``Apple MPS: CUDA-only tools will not run``)."""


class MachineState(StrEnum):
    """What the vendor says, in our words. ``UNKNOWN`` is a state that we cannot read."""

    STARTING = "starting"
    RUNNING = "running"
    STOPPED = "stopped"
    ENDING = "ending"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Access:
    """The way into a machine. ``key_ref`` names a private key in the vault, never the key itself."""

    kind: str
    """``ssh`` or ``process``: which shell speaks it."""
    workdir: str
    """Absolute folder on the machine that is ours."""
    host: str = ""
    port: int = 22
    user: str = ""
    key_ref: str = ""
    host_keys: tuple[str, ...] = ()
    """Pinned public host keys (OpenSSH lines ``type base64``); empty until first contact."""
    python: str = "python3"
    """Interpreter on the far side that is there before anything is installed."""
    path_prepend: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    """Set for every command; how a Local machine's own processes are told from others."""


@dataclass(frozen=True, slots=True)
class Machine:
    """Something that the provider lists. ``label`` is empty for a machine that nobody named."""

    provider: str
    id: str
    label: str
    state: MachineState
    access: Access | None = None
    hourly: Usd | None = None
    reason: str = ""
    """The vendor's own words about the state."""


@dataclass(frozen=True, slots=True)
class LaunchOrder:
    """What ``launch`` needs beside the offer. ``public_key`` is an OpenSSH line."""

    label: str
    public_key: str
    disk_gb: int
    image: str = ""
    key_ref: str = ""
    """Which vault key belongs to ``public_key``; copied into the machine's ``Access``."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a provider can do, as a value, so that nobody asks for its name."""

    spot: bool = False
    self_destruct: bool = False
    """A key scoped to one machine exists, so that the machine can end itself."""
    settle: timedelta = timedelta(seconds=60)
    """How long after a launch was tried a machine may still appear in the listing."""
    launch_limit: timedelta = timedelta(seconds=30)
    """``launch`` answers or raises within this."""
    boot_limit: timedelta = timedelta(minutes=10)
    """A machine not running by then is stuck."""
    teardown_latency: timedelta = timedelta(minutes=5)
    """From asking to end until billing surely stopped; counted into the worst case."""


@dataclass(frozen=True, slots=True)
class Profile:
    """How a provider is compared with the others, whether configured or not."""

    family: str
    title: str
    best_for: str
    gpu_options: str
    price_range: str
    ease: str
    example_gpu: str
    example_hourly: Usd
    """The rate that estimates use where no rate and no live offer is known."""
    boot: timedelta
    """Usual time from launch to usable."""
    down_mbps: int = 500
    owned: bool = False
    """The team's own computers: free but for electricity."""
    available: bool = True
    """False: its adapter comes with a later release."""


class AccountNote(StrEnum):
    """Whether an account can be used."""

    READY = "ready"
    NOT_CONFIGURED = "not configured"
    NOT_YET = "not yet"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Account:
    """Balance and burn where the vendor tells them; ``note`` says in a sentence what is (not) there."""

    state: AccountNote
    note: str = ""
    balance: Usd | None = None
    burn_hourly: Usd | None = None
    as_of: datetime | None = None
    hardware: Hardware | None = None
    """What was found, where the provider is somebody's own computer."""
