"""Where machines come from, and the way into one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from bot.domain.deadman import JOB_ONLY, Switch
from bot.domain.market import Access, Account, Bill, Finding, LaunchOrder, Leftover, Machine, Offer, Want
from bot.domain.vendor import Capabilities, Profile


class Provider(Protocol):
    """A place that rents machines. Every method returns at once or within the vendor's call limit; none waits
    for something to become true. All raise ``ProviderError`` kinds only."""

    name: str
    """``vast``, ``local``, ``local/ws1``: unique; what a rental remembers."""
    profile: Profile
    capabilities: Capabilities

    async def offers(self, want: Want) -> Sequence[Offer]:
        """What can be rented now and fits ``want``, cheapest first, ``hourly`` all-in. Empty when nothing fits."""

    async def launch(self, offer: Offer, order: LaunchOrder) -> str:
        """Rent it under ``order.label`` and return the machine's id. Called once per label, never repeated.

        Raises ``NoCapacity`` (and ``PriceChanged``, ``TryLater``, ``NeedsHuman``) only when it is certain that
        nothing was created, ``OutcomeUnknown`` when it is not."""

    async def inspect(self, machine_id: str) -> Machine | None:
        """The machine as it is now, or None when the vendor says it does not exist."""

    async def machines(self) -> Sequence[Machine]:
        """Everything on the account, complete and authenticated, or an error. Never a part."""

    async def destroy(self, machine_id: str) -> None:
        """Ask for the end. Already gone is success; returning means asked, not gone. May be repeated."""

    async def account(self) -> Account:
        """Whether it can be used, balance and burn where they are told."""

    async def enrol(self, machine_id: str, public_key: str) -> None:
        """Let the rental's key in, where that takes a call of its own. Asked once the machine runs; may be repeated."""

    async def words(self, machine_id: str) -> str:
        """The vendor's own last words about a machine that does not come up, or nothing."""

    def switch(self, machine_id: str) -> Switch:
        """What the dead-man's switch on this machine may do: a value, no call. Its key is the machine's own."""

    async def tidy(self, label: str) -> None:
        """Remove what a launch under this label left on the account beside its machine (a named key). Asked when
        the machine is proven gone; already gone is success."""

    async def leftovers(self) -> Sequence[Leftover]:
        """What bills on the account without a machine of its own."""

    async def bill(self, machine_id: str, label: str, since: datetime, until: datetime) -> Bill | None:
        """What the vendor's own books say about one machine that lived between these moments, all of its days
        together. None where they have nothing about it (yet), or the vendor keeps no books that can be asked."""

    async def check(self) -> Sequence[Finding]:
        """Key, scopes, clock: what works and what does not, by calls that only read. Raises nothing."""

    async def close(self) -> None:
        """Drop the connections to the vendor; asked once, at the end of the process."""


class NothingMore:
    """For a provider that has nothing of the kind: no key to let in, nothing left over, nothing to check."""

    async def enrol(self, machine_id: str, public_key: str) -> None:
        """The key came with the launch."""

    async def words(self, machine_id: str) -> str:  # noqa: ARG002 - the port's signature
        """Everything it says is in the machine's ``reason``."""
        return ""

    def switch(self, machine_id: str) -> Switch:  # noqa: ARG002 - the port's signature
        """A machine has no key of its own, so that its switch can stop the job only."""
        return JOB_ONLY

    async def tidy(self, label: str) -> None:
        """Nothing is left on the account."""

    async def leftovers(self) -> Sequence[Leftover]:
        """Nothing bills without a machine."""
        return ()

    async def bill(self, machine_id: str, label: str, since: datetime, until: datetime) -> Bill | None:  # noqa: ARG002
        """There are no books to ask: our own count stands alone."""
        return None

    async def check(self) -> Sequence[Finding]:
        """Nothing to look at."""
        return ()

    async def close(self) -> None:
        """No connection is kept."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command did. A program that is not there is exit 127, as in a shell."""

    exit_code: int
    stdout: bytes
    stderr: bytes


@dataclass(frozen=True, slots=True)
class UnitJob:
    """A detached unit: what runs on when every connection is gone.

    ``argv`` is run as it is (no shell) in ``cwd`` (relative to the workdir); ``secrets`` are environment
    variables that reach the unit from memory to memory: never in argv, never in a file."""

    argv: tuple[str, ...]
    cwd: str = "."
    env: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    limit: timedelta | None = None
    """The unit is stopped by its own supervisor after this long."""


class UnitState(StrEnum):
    """The truth table of a unit's files and its process."""

    ABSENT = "absent"
    RUNNING = "running"
    EXITED = "exited"
    KILLED = "killed"
    """No exit was written and the process is gone: killed with its supervisor, or the host was rebooted."""


@dataclass(frozen=True, slots=True)
class UnitLook:
    """One look at a unit. ``log``: the bytes from the asked offset (at most 256 KiB); ``offset``: where to go on."""

    state: UnitState
    exit_code: int | None = None
    log: bytes = b""
    offset: int = 0
    size: int = 0
    """Bytes in the whole log."""


@dataclass(frozen=True, slots=True)
class FileDigest:
    """A file by its name relative to a folder (POSIX separators), its size and SHA-256."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Parcel:
    """A file to send: where it is here and its name on the other side (relative, no ``..``)."""

    source: Path
    name: str


TransferProgress = Callable[[int, int], None]
"""Called with (bytes done, bytes total)."""


class Shell(Protocol):
    """The way into a machine. Raises ``ShellError`` kinds only. Names on the far side are relative to
    ``access.workdir``; what would leave it is refused. Nothing is interpreted by a shell; there is no PTY."""

    async def pin(self, access: Access) -> Access:
        """Connect, prove that the key is accepted, and return the access with the host's keys pinned and a workdir
        below ``~/`` made, its name now absolute. With keys already pinned, another key is ``HostKeyChanged``; a key
        that is not accepted is ``KeyRefused``."""

    async def run(self, access: Access, argv: Sequence[str], *, limit: timedelta, stdin: bytes = b"") -> Ran:
        """Run to the end. Login banners are not part of stdout. ``TooSlow`` after ``limit`` or past 1 MiB of output."""

    async def start(self, access: Access, unit: str, job: UnitJob) -> None:
        """Start a detached unit. One of that name that already runs or has ended is success: nothing starts twice."""

    async def look(self, access: Access, unit: str, *, offset: int = 0) -> UnitLook:
        """What the unit is doing; ``ABSENT`` when it was never started here."""

    async def stop(self, access: Access, unit: str, *, grace: timedelta) -> None:
        """TERM to the unit's whole group, KILL after ``grace`` (enforced on the far side; returns without waiting
        for it). Already ended is success."""

    async def send(
        self,
        access: Access,
        parcels: Sequence[Parcel],
        dest: str,
        *,
        progress: TransferProgress | None = None,
    ) -> tuple[FileDigest, ...]:
        """Bring files into folder ``dest``; what is already there with the right digest is skipped. Every digest
        is computed on both sides and compared; no half file ever has its final name."""

    async def fetch(
        self,
        access: Access,
        patterns: Sequence[str],
        source: str,
        dest: Path,
        *,
        progress: TransferProgress | None = None,
    ) -> tuple[FileDigest, ...]:
        """Bring what matches the glob ``patterns`` in folder ``source`` into local folder ``dest``; same promises."""
