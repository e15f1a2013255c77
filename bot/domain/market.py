"""The market: what is wanted, what is offered, what runs, and the way into it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.hardware import Hardware
from bot.domain.money import ZERO, Usd

ANY = "any"
REMEMBERED = timedelta(days=7)
"""So long a host that failed gate 3 or never came up is avoided by everybody."""


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
    region: str = ""
    """A country (``SE``), a part of the world (``EU``) or a vendor's own region (``us-west-1``)."""
    reliability: float = 0
    """Least share of time that the host was up, 0 to 1."""
    verified: bool = False
    """Only hosts that the vendor has checked, or its own."""
    cuda: str = ""
    """Least CUDA version that the driver must run (``12.4``)."""
    down_mbps: int = 0
    """Least download speed, Mbit/s."""
    lifetime: timedelta | None = None
    """How long the host must be there."""
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
    disk_hourly: Usd = ZERO
    """The part of ``hourly`` that is the disk: billed from the creation on, whether the machine runs or not."""
    gpu_from_running: bool = False
    """Whether the rest of ``hourly`` is billed from the moment it runs; else from the creation."""
    billing_step: timedelta = timedelta(0)
    """The vendor rounds the billed time up to a multiple of this."""
    stopped_hourly: Usd | None = None
    """What an hour costs while it is stopped and not deleted (a disk that is kept); None: as much as if it ran."""
    drift: int = 0
    """Percent by which the price may have risen at the launch without anybody being asked again."""
    boot_limit: timedelta | None = None
    """A machine of this offer that does not run by then is stuck; None: as the provider's ``Capabilities`` say."""
    ram_gb: int = 0
    places: tuple[str, ...] = ()
    """Where it is, from the country to the vendor's own region: ``("SE", "EU")``, ``("US", "us-west-1")``."""
    reliability: float | None = None
    verified: bool | None = None
    cuda: str = ""
    """Highest CUDA version its driver runs, where that is told."""
    down_mbps: int | None = None
    lasts: timedelta | None = None
    """How long the host stays on offer, where that is told."""
    pool: bool = False
    """``host`` names a place with many hosts: the next machine there is probably another one."""
    detail: Mapping[str, str] = field(default_factory=dict)
    """What the provider itself needs again at the launch."""
    note: str = ""
    """One honest sentence that belongs on the quote (``Apple MPS: CUDA-only tools will not run``)."""

    @property
    def ceiling(self) -> Usd:
        """The most an hour can have come to at the launch without anybody being asked again."""
        return Usd(-(-self.hourly.micros * (100 + self.drift) // 100))


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
    """Absolute folder on the machine that is ours; below ``~/`` until first contact has shown where that is."""
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
    gpu: str = ""
    """What the vendor says is in it, in our name where it is known."""


@dataclass(frozen=True, slots=True)
class LaunchOrder:
    """What ``launch`` needs beside the offer. ``public_key`` is an OpenSSH line."""

    label: str
    public_key: str
    disk_gb: int
    image: str = ""
    key_ref: str = ""
    """Which vault key belongs to ``public_key``; copied into the machine's ``Access``."""
    most_hourly: Usd | None = None
    """Nothing dearer is created: the live price is looked at once more, and ``PriceChanged`` raised above this."""


@dataclass(frozen=True, slots=True)
class Bill:
    """What a vendor's own books say about one machine so far. They fill late, so it may still grow."""

    amount: Usd


class AccountNote(StrEnum):
    """Whether an account can be used."""

    READY = "ready"
    NOT_CONFIGURED = "not configured"
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


@dataclass(frozen=True, slots=True)
class Leftover:
    """Something on the account that bills without a machine: a network volume, a file system."""

    provider: str
    id: str
    what: str
    """``network volume``, ``file system``, ``stopped pod``."""
    name: str
    monthly: Usd | None
    """Per 30 days; None where the vendor does not tell."""
    where: str = ""


class Mark(StrEnum):
    """How one line of ``lastcall check`` ended."""

    GOOD = "ok"
    WARN = "warn"
    BAD = "fail"
    OFF = "off"
    """Not configured, which is no fault."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of ``lastcall check``: what was looked at, how it is, and what to do where it is not well."""

    part: str
    mark: Mark
    sentence: str
    fix: str = ""


def fits(offer: Offer, want: Want) -> bool:
    """Whether an offer is what was asked for. Every provider's answer is checked again with this, whatever its
    vendor was asked to filter; a thing that is asked for and not told is not there. GPU names are the provider's
    business (``gpus.covers``)."""
    if offer.host and offer.host in want.avoid:
        return False
    if want.max_hourly is not None and offer.hourly > want.max_hourly:
        return False
    if offer.spot != want.spot or offer.disk_gb < want.disk_gb:
        return False
    if offer.cpu_only:
        return want.cpu_ok and want.gpu is None and _place(offer, want)
    if offer.count != want.count or round(offer.vram_gb * 1.07) < want.vram_gb:
        return False
    return _place(offer, want) and _quality(offer, want)


def _place(offer: Offer, want: Want) -> bool:
    asked = want.region.lower()
    tags = [tag.lower() for tag in offer.places]
    return not asked or any(tag == asked or tag.startswith(f"{asked}-") for tag in tags)


def _quality(offer: Offer, want: Want) -> bool:
    if want.ram_gb and offer.ram_gb and offer.ram_gb < want.ram_gb:
        return False
    if want.verified and not offer.verified:
        return False
    if want.reliability and (offer.reliability is None or offer.reliability < want.reliability):
        return False
    if want.cuda and (not offer.cuda or version(offer.cuda) < version(want.cuda)):
        return False
    if want.down_mbps and (offer.down_mbps is None or offer.down_mbps < want.down_mbps):
        return False
    return want.lifetime is None or offer.lasts is None or offer.lasts >= want.lifetime


def version(text: str) -> tuple[int, ...]:
    """``12.11`` as (12, 11), which is more than 12.2; what is no number counts as 0."""
    return tuple(int(part) if part.isdigit() else 0 for part in text.split("."))
