"""A ``Provider`` straight on the simulated world: no HTTP, no vendor's dialect."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

from adapters.simulators.faults import FaultKind, WorldFault
from adapters.simulators.machine import SimHost, SimMachine
from adapters.simulators.world import MACHINE_KEY, World
from bot.domain.deadman import Ask, Ends, Switch
from bot.domain.errors import (
    NeedsHuman,
    NoCapacity,
    OutcomeUnknown,
    PriceChanged,
    ProviderError,
    TryLater,
    VendorChanged,
)
from bot.domain.market import Access, Account, AccountNote, LaunchOrder, Machine, MachineState, Offer, Want
from bot.domain.money import Usd
from bot.domain.vendor import Capabilities, Profile
from bot.ports import NothingMore

WORKDIR = "/workspace/lastcall"

PROFILE = Profile(
    family="world",
    title="Simulated world",
    best_for="tests",
    gpu_options="whatever a test puts there",
    price_range="no real money",
    ease="nothing to set up",
    example_gpu="RTX 3090",
    example_hourly=Usd.of("0.20"),
    boot=timedelta(seconds=90),
)


class WorldProvider(NothingMore):
    """Rents machines of a ``World``. Keeps the promises of the port and turns planned faults into its errors."""

    def __init__(
        self,
        world: World,
        name: str = "world",
        capabilities: Capabilities | None = None,
        profile: Profile = PROFILE,
        drift: int = 0,
    ) -> None:
        self.world = world
        self.drift = drift
        self.name = name
        self.profile = profile
        self.capabilities = capabilities or Capabilities(spot=True, self_destruct=Ends.MACHINE)

    async def offers(self, want: Want) -> Sequence[Offer]:
        """Hosts with room that fit, cheapest first."""
        with _translated(read=True):
            fitting = [host for host in self.world.offers() if _fits(host, want)]
        return [self._offer(h, want) for h in sorted(fitting, key=lambda h: (h.hourly, h.fingerprint))]

    async def launch(self, offer: Offer, order: LaunchOrder) -> str:
        """Create a machine under the label, unless it became dearer than was agreed."""
        host = self.world.hosts.get(offer.id)
        if host is not None and order.most_hourly is not None and host.hourly > order.most_hourly:
            raise PriceChanged(f"now {host.hourly.rate()}, agreed were at most {order.most_hourly.rate()}")
        with _translated(read=False):
            return self.world.launch(offer.id, order).id

    async def inspect(self, machine_id: str) -> Machine | None:
        """The truth, without lag."""
        with _translated(read=True):
            machine = self.world.find(machine_id)
        if machine is None:
            return None
        return self._machine(machine, machine.state(self.world.clock.now()) or MachineState.UNKNOWN)

    async def machines(self) -> Sequence[Machine]:
        """The listing, with its lag."""
        with _translated(read=True):
            return [self._machine(machine, state) for machine, state in self.world.listing()]

    async def destroy(self, machine_id: str) -> None:
        """Ask for the end."""
        with _translated(read=False):
            self.world.destroy(machine_id)

    async def account(self) -> Account:
        """Balance and burn from the meter."""
        with _translated(read=True):
            balance, burn = self.world.account()
        now = self.world.clock.now()
        return Account(AccountNote.READY, "simulated", balance=balance, burn_hourly=burn, as_of=now)

    def switch(self, machine_id: str) -> Switch:
        """Machines can end themselves, without HTTP: ``adapters.simulators.deadmen`` acts for them."""
        return Switch(Ends.MACHINE, key=MACHINE_KEY, asks=(Ask("DELETE", f"sim:{machine_id}"),))

    def _offer(self, host: SimHost, want: Want) -> Offer:
        return Offer(
            provider=self.name,
            id=host.offer_id,
            gpu=host.gpu,
            count=host.count,
            vram_gb=host.vram_gb,
            hourly=host.hourly,
            traffic_per_gb=host.traffic_per_gb,
            disk_gb=want.disk_gb,
            where=host.where,
            host=host.fingerprint,
            spot=host.spot,
            cpu_only=host.cpu_only,
            drift=self.drift,
            places=host.places,
            reliability=host.reliability,
            verified=host.verified,
            cuda=host.cuda,
            down_mbps=host.down_mbps,
            lasts=host.lasts,
        )

    def _machine(self, machine: SimMachine, state: MachineState) -> Machine:
        span = machine.span(self.world.clock.now())
        running = state is MachineState.RUNNING
        return Machine(
            provider=self.name,
            id=machine.id,
            label=machine.label,
            state=state,
            access=access_to(machine) if running else None,
            hourly=machine.host.hourly,
            reason=span.reason if span and state is MachineState.STOPPED else "",
        )


def access_to(machine: SimMachine) -> Access:
    """The way into a simulated machine."""
    return Access(kind="ssh", workdir=WORKDIR, host=machine.address, user="root", key_ref=machine.key_ref)


def _fits(host: SimHost, want: Want) -> bool:
    if host.fingerprint in want.avoid or host.disk_gb < want.disk_gb or host.ram_gb < want.ram_gb:
        return False
    if want.max_hourly is not None and host.hourly > want.max_hourly:
        return False
    if host.spot != want.spot:
        return False
    if host.cpu_only:
        return want.cpu_ok and want.gpu is None
    if host.count < want.count or host.vram_gb < want.vram_gb:
        return False
    return want.gpu is None or want.gpu == host.gpu


_ERRORS: dict[FaultKind, type[ProviderError]] = {
    FaultKind.NO_CAPACITY: NoCapacity,
    FaultKind.TRY_LATER: TryLater,
    FaultKind.NEEDS_HUMAN: NeedsHuman,
    FaultKind.GARBLED: VendorChanged,
}


@contextmanager
def _translated(*, read: bool) -> Iterator[None]:
    """A lost answer to a read may be asked for again; to a write it leaves the outcome unknown."""
    try:
        yield
    except WorldFault as met:
        kind = _ERRORS.get(met.fault.kind, TryLater if read else OutcomeUnknown)
        raise kind(met.fault.reason) from None
