"""The truth about the machines of one vendor account, as a function of a passed clock.

Nothing happens in the background: every question is answered from the moments that are known, so time may jump.
Calls in the first half meet planned faults; what follows are stage directions and the truth after the fact.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import datetime, timedelta

from adapters.simulators.faults import Fault, FaultKind, FaultPlan, WorldFault
from adapters.simulators.machine import Fate, Interval, SimHost, SimMachine, SimVolume, Span, Tariff
from bot.domain.market import LaunchOrder, MachineState
from bot.domain.money import ZERO, Usd
from bot.ports import Clock

NOTHING = timedelta(0)
MACHINE_KEY = "SIM_MACHINE_KEY"
"""Where a machine finds the key that is good for it alone, unless a vendor's face says it in its own words."""


class World:
    """One account. ``calls`` counts what was asked, per call name."""

    def __init__(
        self,
        clock: Clock,
        seed: int = 0,
        *,
        list_lag: timedelta = NOTHING,
        unlist_lag: timedelta = NOTHING,
        destroy_lag: timedelta = NOTHING,
        balance: Usd | None = None,
        tariff: Tariff = Tariff(),  # noqa: B008 - a frozen value
    ) -> None:
        """A machine is listed ``list_lag`` after its creation, ends ``destroy_lag`` after it was asked to, and is
        still listed (as ending) for ``unlist_lag`` after that. To be fair to a settle window, the ``late`` of a
        birth and ``list_lag`` together stay within it."""
        self.clock = clock
        self.list_lag, self.unlist_lag, self.destroy_lag = list_lag, unlist_lag, destroy_lag
        self.balance = balance
        self.tariff = tariff
        self.volumes: list[SimVolume] = []
        self.faults = FaultPlan()
        self.hosts: dict[str, SimHost] = {}
        self.fates: list[Fate] = []
        """What becomes of the next machines, first one first; then ``usual``."""
        self.usual = Fate()
        self.calls: dict[str, int] = {}
        self._first = 1000 + random.Random(seed).randrange(9000)
        self._machines: dict[str, SimMachine] = {}

    # --- what can be asked of the vendor -------------------------------------------------------

    def offers(self) -> list[SimHost]:
        """Hosts that can be rented now."""
        self._meet("offers")
        return self.free_hosts()

    def launch(self, offer_id: str, order: LaunchOrder) -> SimMachine:
        """Create a machine; it is billed from this moment, or from its late birth."""
        fault = self._meet("launch", FaultKind.LOST_AFTER, FaultKind.LATE)
        host = self.hosts.get(offer_id)
        if host is None or not self._has_room(host):
            raise WorldFault(Fault(FaultKind.NO_CAPACITY, reason=f"{offer_id} is no longer available"))
        late = fault is not None and fault.kind is FaultKind.LATE
        born = self._create(host, order, self.clock.now() + (fault.late if fault and late else NOTHING))
        if fault is not None:
            raise WorldFault(fault)
        return born

    def find(self, machine_id: str) -> SimMachine | None:
        """One machine by its id; None when it is not there. Never lags."""
        self._meet("inspect")
        machine = self._machines.get(machine_id)
        return machine if machine is not None and machine.state(self.clock.now()) is not None else None

    def listing(self) -> list[tuple[SimMachine, MachineState]]:
        """All machines as the vendor's list shows them: with its lag at both ends."""
        self._meet("machines")
        now = self.clock.now()
        seen = ((machine, self._listed(machine, now)) for machine in self._machines.values())
        return [(machine, state) for machine, state in seen if state is not None]

    def destroy(self, machine_id: str) -> None:
        """Ask for the end of a machine; one that is not there is no error."""
        fault = self._meet("destroy", *_DESTROYS_ANYWAY)
        kind = fault.kind if fault else FaultKind.NONE
        machine, now = self._machines.get(machine_id), self.clock.now()
        if machine is not None and machine.state(now) is not None and kind is not FaultKind.SHRUG:
            span = machine.span(now)
            late = fault.late if fault is not None else NOTHING
            if span is not None and span.asked_at is None:
                span.asked_at = now + (late if kind is FaultKind.LATE else NOTHING)
                span.end = _earlier(span.end, span.asked_at + self.destroy_lag)
                if kind is FaultKind.RETURNS:
                    back = span.end + late
                    machine.spans.append(Span(back, running_at=back))
        if fault is not None and kind in (FaultKind.LOST_AFTER, FaultKind.LATE):
            raise WorldFault(fault)

    def account(self) -> tuple[Usd | None, Usd]:
        """Balance (None: not told) and burn per hour."""
        self._meet("account")
        burn = sum((self.hourly(machine).micros for machine in self.alive()), 0)
        return (None if self.balance is None else self.balance - self.bill()), Usd(burn)

    # --- stage directions ----------------------------------------------------------------------

    def add_host(self, host: SimHost) -> SimHost:
        """Let somebody offer a host."""
        self.hosts[host.offer_id] = host
        return host

    def plan(self, call: str, *faults: Fault) -> None:
        """Faults for ``offers``, ``launch``, ``inspect``, ``machines``, ``destroy``, ``account``."""
        self.faults.plan(call, *faults)

    def stop(self, machine_id: str, reason: str = "preempted") -> None:
        """It dies or is preempted now: listed as stopped, billed until it is destroyed."""
        span = self._machines[machine_id].spans[-1]
        span.stopped_at, span.reason = self.clock.now(), reason

    def vanish(self, machine_id: str) -> None:
        """The vendor takes it now: gone, and billed no more."""
        span = self._machines[machine_id].spans[-1]
        span.end = _earlier(span.end, self.clock.now())

    def put(self, host: SimHost, order: LaunchOrder) -> SimMachine:
        """A machine that is there without anybody's call: made by hand, or by another deployment."""
        return self._create(host, order, self.clock.now())

    # --- the truth -----------------------------------------------------------------------------

    def free_hosts(self) -> list[SimHost]:
        """Hosts with room."""
        return [host for host in self.hosts.values() if self._has_room(host)]

    def machine(self, machine_id: str) -> SimMachine:
        """One machine, whatever its state; no fault is met."""
        return self._machines[machine_id]

    def at(self, address: str) -> SimMachine | None:
        """Who lives at an address."""
        return self._machines.get(address.partition(".")[0])

    def ever(self) -> list[SimMachine]:
        """All that was ever born or will be, in order of their creation."""
        return list(self._machines.values())

    def alive(self) -> list[SimMachine]:
        """All that is billed at this moment."""
        now = self.clock.now()
        return [machine for machine in self._machines.values() if machine.state(now) is not None]

    def unborn(self) -> list[SimMachine]:
        """Late births (and returns) that are still to come."""
        now = self.clock.now()
        return [machine for machine in self._machines.values() if machine.spans[-1].born > now]

    def intervals(self, rental_id: str | None = None) -> list[Interval]:
        """Lines of the bill that began by now: of one rental, or all."""
        now = self.clock.now()
        lines = (line for machine in self._machines.values() for line in machine.intervals())
        return [line for line in lines if line.born <= now and rental_id in (None, rental_of(line.label))]

    def bill(self, rental_id: str | None = None) -> Usd:
        """What has been used up to now."""
        now, total = self.clock.now(), ZERO
        for machine in self._machines.values():
            if rental_id in (None, rental_of(machine.label)):
                total += machine.cost(self.tariff, now)
        return total

    def hourly(self, machine: SimMachine) -> Usd:
        """All-in, as the vendor tells it."""
        return machine.gpu_hourly + machine.disk_hourly(self.tariff)

    def most_at_once(self, rental_id: str | None = None) -> int:
        """The greatest number of machines billed at the same time: for one rental, or for all."""
        return most_at_once(self.intervals(rental_id))

    # --- inside --------------------------------------------------------------------------------

    def _meet(self, call: str, *handled: FaultKind) -> Fault | None:
        """Count the call and raise its planned fault, unless the caller handles that kind itself."""
        self.calls[call] = self.calls.get(call, 0) + 1
        fault = self.faults.take(call)
        if fault is None or fault.kind in handled:
            return fault
        raise WorldFault(fault)

    def _has_room(self, host: SimHost) -> bool:
        if host.withdrawn:
            return False
        now = self.clock.now()
        used = sum(1 for m in self._machines.values() if m.host is host and m.state(now) is not None)
        return used < host.capacity

    def _create(self, host: SimHost, order: LaunchOrder, born: datetime) -> SimMachine:
        fate = self.fates.pop(0) if self.fates else self.usual
        span = Span(
            born,
            running_at=None if fate.boot is None else born + fate.boot,
            stopped_at=None if fate.stops_after is None else born + fate.stops_after,
            end=None if fate.vanishes_after is None else born + fate.vanishes_after,
            reason=fate.reason,
        )
        name = f"m{self._first}{len(self._machines):04d}"
        machine = SimMachine(
            id=name,
            label=order.label,
            host=host,
            public_key=order.public_key,
            key_ref=order.key_ref,
            image=order.image,
            disk_gb=order.disk_gb,
            address=f"{name}.sim.invalid",
            spans=[span],
            env={MACHINE_KEY: f"key-of-{name}"},
            gpu=fate.real_gpu or host.real_gpu or host.gpu,
            fate=fate,
        )
        self._machines[name] = machine
        return machine

    def _listed(self, machine: SimMachine, now: datetime) -> MachineState | None:
        span = machine.span(now)
        if span is None:
            return None
        state = span.state(now)
        if state is not None:
            return state if now >= span.born + self.list_lag else None
        return MachineState.ENDING if span.end and now < span.end + self.unlist_lag else None


_DESTROYS_ANYWAY = (FaultKind.LOST_AFTER, FaultKind.LATE, FaultKind.SHRUG, FaultKind.RETURNS)


def rental_of(label: str) -> str | None:
    """The rental in ``lc-<namespace>-<rental>-<attempt>-<time>``; None for a label that is not ours."""
    parts = label.rsplit("-", 3)
    return parts[1] if len(parts) == 4 and label.startswith("lc-") else None


def most_at_once(lines: Iterable[Interval]) -> int:
    """The greatest number of intervals that cover one moment; an end and a birth at the same moment do not meet."""
    edges: list[tuple[datetime, int]] = []
    for line in lines:
        if line.end is None or line.end > line.born:
            edges.append((line.born, 1))
            edges += [(line.end, -1)] if line.end else []
    most = now = 0
    for _, step in sorted(edges):
        now += step
        most = max(most, now)
    return most


def _earlier(first: datetime | None, second: datetime) -> datetime:
    return second if first is None or second < first else first
