"""A ``Shell`` into the simulated world's machines: in-memory files, units that run by the clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from adapters.simulators.faults import Fault, FaultKind, FaultPlan
from adapters.simulators.files import Gate, fetch_files, send_files
from adapters.simulators.machine import SimMachine
from adapters.simulators.probe import probe_text
from adapters.simulators.switch import SimSwitch
from adapters.simulators.training import default_script
from adapters.simulators.units import Play, SimUnit, UnitScript
from adapters.simulators.world import World
from bot.domain import deadman
from bot.domain.errors import FarSideFailed, HostKeyChanged, KeyRefused, TooSlow, Unreachable
from bot.domain.market import Access, MachineState
from bot.ports import FileDigest, Parcel, Ran, TransferProgress, UnitJob, UnitLook, UnitState

LOG_LIMIT = 256 * 1024
OUTPUT_LIMIT = 1024 * 1024

Answer = Ran | Callable[[SimMachine, Sequence[str], bytes], Ran]
"""A canned answer, or what computes one from (machine, argv, stdin)."""


class WorldShell:
    """Files and units live on the machines, so that a new ``WorldShell`` (a bot that started again) finds them.

    Faults are planned per call: ``pin``, ``run``, ``start``, ``look``, ``stop``, ``send``, ``fetch``.
    ``ran`` remembers every (machine id, argv); ``calls`` counts.
    """

    def __init__(
        self,
        world: World,
        *,
        ssh_lag: timedelta = timedelta(0),
        script: UnitScript = default_script,
        probe: Callable[[SimMachine], str] = probe_text,
    ) -> None:
        """A machine is reachable ``ssh_lag`` after it began to run."""
        self.world = world
        self.ssh_lag = ssh_lag
        self.script = script
        self.probe = probe
        self.use = ""
        """What the idle probe tells; empty: that nobody is there and nothing works."""
        self.faults = FaultPlan()
        self.calls: dict[str, int] = {}
        self.ran: list[tuple[str, tuple[str, ...]]] = []
        self._answers: list[tuple[tuple[str, ...], Answer]] = []

    # --- stage directions ----------------------------------------------------------------------

    def plan(self, call: str, *faults: Fault) -> None:
        """Faults for the next calls of that name."""
        self.faults.plan(call, *faults)

    def answer(self, argv: Sequence[str], answer: Answer) -> None:
        """What ``run`` gives for every argv that begins so; the last one told wins. Otherwise: exit 0, silence."""
        self._answers.insert(0, (tuple(argv), answer))

    def reboot(self, machine: SimMachine) -> None:
        """Everything that runs on it is gone, and nobody wrote an exit."""
        for unit in machine.units.values():
            unit.end(self.world.clock.now(), None)

    # --- the port ------------------------------------------------------------------------------

    async def pin(self, access: Access) -> Access:
        """Prove that the key is accepted, and pin."""
        with self._reached("pin", access) as machine:
            return replace(access, host_keys=(machine.host_key,))

    async def run(self, access: Access, argv: Sequence[str], *, limit: timedelta, stdin: bytes = b"") -> Ran:
        """The probe, a canned answer, or success without a word."""
        with self._reached("run", access) as machine:
            self.ran.append((machine.id, tuple(argv)))
            ran = self._answer(machine, tuple(argv), stdin)
            if len(ran.stdout) + len(ran.stderr) > OUTPUT_LIMIT:
                raise TooSlow("more than 1 MiB of output")
            return ran

    async def start(self, access: Access, unit: str, job: UnitJob) -> None:
        """Start it unless it was started before."""
        with self._reached("start", access) as machine:
            if unit not in machine.units:
                arms = deadman.PROGRAM in job.env
                if arms:
                    machine.switch = SimSwitch.armed(unit, job, self.world.clock.now())
                play = Play(lasts=None) if arms else self.script(unit, job, machine.files)
                started = machine.units[unit] = SimUnit.start(unit, job, play, self.world.clock.now())
                machine.folders.update(started.place(folder) for folder in play.folders)

    async def look(self, access: Access, unit: str, *, offset: int = 0) -> UnitLook:
        """State and the next piece of the log."""
        with self._reached("look", access) as machine:
            found, now = machine.units.get(unit), self.world.clock.now()
            if found is None:
                return UnitLook(UnitState.ABSENT)
            state, log = found.state(now), found.log(now)
            piece = bytes(log[offset : offset + LOG_LIMIT])
            code = found.exit_code if state is UnitState.EXITED else None
            return UnitLook(state, code, piece, min(offset, len(log)) + len(piece), len(log))

    async def stop(self, access: Access, unit: str, *, grace: timedelta) -> None:
        """TERM, and KILL after ``grace``."""
        with self._reached("stop", access) as machine:
            found, now = machine.units.get(unit), self.world.clock.now()
            if found is not None and found.state(now) is UnitState.RUNNING:
                found.stop(now, grace)

    async def send(
        self,
        access: Access,
        parcels: Sequence[Parcel],
        dest: str,
        *,
        progress: TransferProgress | None = None,
    ) -> tuple[FileDigest, ...]:
        """Local files to the machine."""
        with self._transfer("send", access) as (machine, gate):
            sent = send_files(machine.files, parcels, dest, gate, progress)
            machine.traffic += sum(one.bytes for one in sent)
            return sent

    async def fetch(
        self,
        access: Access,
        patterns: Sequence[str],
        source: str,
        dest: Path,
        *,
        progress: TransferProgress | None = None,
    ) -> tuple[FileDigest, ...]:
        """The machine's files to a local folder."""
        with self._transfer("fetch", access) as (machine, gate):
            if not machine.has_folder(source):
                raise FarSideFailed(f"there is no folder {source}", kind="missing")
            fetched = fetch_files(machine.files, patterns, source, dest, gate, progress)
            machine.traffic += sum(one.bytes for one in fetched)
            return fetched

    # --- inside --------------------------------------------------------------------------------

    @contextmanager
    def _reached(self, call: str, access: Access) -> Iterator[SimMachine]:
        """The machine behind an access. A cut line is noticed after the effect, any other fault before it."""
        fault = self._meet(call)
        if fault is not None and fault.kind is not FaultKind.CUT:
            raise _error(fault)
        yield self._machine(access)
        if fault is not None:
            raise _error(fault)

    @contextmanager
    def _transfer(self, call: str, access: Access) -> Iterator[tuple[SimMachine, Gate]]:
        """The machine, and the gate that breaks the transfer after as many files as its fault says."""
        fault = self._meet(call)
        if fault is not None and fault.kind not in _IN_THE_MIDDLE:
            raise _error(fault)

        def gate(arrived: int) -> None:
            if fault is not None and arrived >= fault.parts:
                raise _error(fault)

        yield self._machine(access), gate

    def _meet(self, call: str) -> Fault | None:
        self.calls[call] = self.calls.get(call, 0) + 1
        return self.faults.take(call)

    def _machine(self, access: Access) -> SimMachine:
        """Whoever answers there, if network and keys allow it; its units are played up to now."""
        machine, now = self.world.at(access.host), self.world.clock.now()
        if machine is None or machine.state(now) is not MachineState.RUNNING:
            raise Unreachable(f"{access.host}: no route to host")
        span = machine.span(now)
        late = machine.fate.ssh
        if span is None or span.running_at is None or late is None:
            raise Unreachable(f"{access.host}: connection refused")
        if now < span.running_at + self.ssh_lag + late:
            raise Unreachable(f"{access.host}: connection refused")
        if access.host_keys and machine.host_key not in access.host_keys:
            raise HostKeyChanged(f"{access.host}: another host key than the pinned one")
        if not machine.admits(access.key_ref):
            raise KeyRefused(f"{access.host}: permission denied (publickey)")
        for unit in machine.units.values():
            unit.settle(now, machine.files)
        return machine

    def _answer(self, machine: SimMachine, argv: tuple[str, ...], stdin: bytes) -> Ran:
        for start, answer in self._answers:
            if argv[: len(start)] == start:
                return answer if isinstance(answer, Ran) else answer(machine, argv, stdin)
        if machine.switch is not None and stdin.startswith(deadman.TOLD.encode()):
            now = self.world.clock.now()
            alive = machine.units[machine.switch.unit].state(now) is UnitState.RUNNING
            return Ran(0, machine.switch.heard(stdin, machine.env, now, alive=alive), b"")
        script = b"".join(part.encode() for part in argv[2:]) if argv[:2] == ("sh", "-c") else stdin
        if argv[:1] == ("sh",) and b"kv idle 1" in script:
            return Ran(0, (self.use or f"{_NOBODY}kv bytes {machine.traffic}\n").encode(), b"")
        asked = argv[:1] == ("sh",) and b"kv probe 1" in script
        return Ran(0, self.probe(machine).encode() if asked else b"", b"")


_NOBODY = "kv idle 1\nkv gpu 0\nkv who 0\nkv terminals 0\nkv others 0\n"
_IN_THE_MIDDLE = (FaultKind.CUT, FaultKind.DISK_FULL, FaultKind.CORRUPT)


def _error(fault: Fault) -> Exception:
    match fault.kind:
        case FaultKind.DISK_FULL:
            return FarSideFailed("no space left on device", kind="disk_full")
        case FaultKind.CORRUPT:
            return FarSideFailed("a file changed on the way", kind="corrupt")
        case FaultKind.TOO_SLOW:
            return TooSlow(fault.reason)
        case _:
            return Unreachable(f"{fault.kind}: {fault.reason}")
