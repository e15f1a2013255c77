"""A rental in bad weather: by its seed, some of everything that a vendor, a wire and a machine can do to it."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from adapters.simulators.faces.face import Wire
from adapters.simulators.faults import Fault, FaultKind
from adapters.simulators.machine import Fate
from bot.domain import budget
from bot.domain.market import LaunchOrder
from bot.domain.money import ZERO, Usd
from tests.support.cloud_town import CloudTown
from tests.support.worlds import MINUTE, SECOND

_WIRES = (
    Wire.TIMEOUT_BEFORE, Wire.TIMEOUT_AFTER, Wire.RESET_BEFORE, Wire.RESET_AFTER, Wire.ERROR_BEFORE,
    Wire.ERROR_AFTER, Wire.GATEWAY, Wire.THROTTLED, Wire.THROTTLED_WITH_TIME, Wire.HTML, Wire.TRUNCATED,
    Wire.MISSING_KEYS, Wire.EXTRA_KEYS, Wire.WRONG_KEY, Wire.READ_ONLY,
)  # fmt: skip
_CALLS = ("offers", "launch", "inspect", "machines", "destroy", "keys")
_HOLD = (300, 1500)
"""Seconds for which a machine that came up is used."""

HOLD = 150 * SECOND
"""Long enough to notice what is wrong."""

Strike = Callable[[CloudTown], None]


@dataclass
class Weather:
    """What happens to one rental, as a function of the seed."""

    seed: int
    told: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self.hold = self._random.randint(*_HOLD) * SECOND

    def strike(self, town: CloudTown) -> None:
        """Plan one to three bad things."""
        for _ in range(self._random.randint(1, 3)):
            what = self._random.choice(
                (self._wire, self._wire, self._wire, self._machine, self._vendor, self._price)
            )
            what(town)

    def _wire(self, town: CloudTown) -> None:
        wire, call = self._random.choice(_WIRES), self._random.choice(_CALLS)
        times = self._random.randint(1, 3)
        self.told.append(f"{wire.value} at {call} x{times}")
        town.face.plan(call, wire, times)

    def _machine(self, town: CloudTown) -> None:
        minutes = self._random.randint(2, 20) * MINUTE
        boot = 90 * SECOND
        fates = {
            "never boots": Fate(boot=None),
            "boots without SSH": Fate(boot=boot, ssh=None),
            "does not take the key": Fate(boot=boot, key=False),
            "is another GPU": Fate(boot=boot, real_gpu="RTX 3060"),
            "has less VRAM": Fate(boot=boot, real_vram_gb=8),
            "dies mid-run": Fate(boot=boot, stops_after=boot + minutes),
            "is deleted in the console": Fate(boot=boot, vanishes_after=boot + minutes),
            "is stopped while it boots": Fate(boot=boot, stops_after=boot / 2),
        }
        name = self._random.choice(sorted(fates))
        self.told.append(f"machine {name}")
        town.world.fates.append(fates[name])

    def _vendor(self, town: CloudTown) -> None:
        late = timedelta(seconds=self._random.randint(1, 40))
        faults = {
            "no capacity": ("launch", Fault(FaultKind.NO_CAPACITY)),
            "quota": ("launch", Fault(FaultKind.NEEDS_HUMAN, reason="quota exceeded")),
            "launch that is done and lost": ("launch", Fault(FaultKind.LOST_AFTER)),
            "launch that is done late": ("launch", Fault(FaultKind.LATE, late=late)),
            "destroy that does nothing": (
                "destroy",
                Fault(FaultKind.SHRUG, times=self._random.randint(1, 3)),
            ),
            "machine that comes back": ("destroy", Fault(FaultKind.RETURNS, late=late)),
            "destroy that is done and lost": ("destroy", Fault(FaultKind.LOST_AFTER)),
        }
        name = self._random.choice(sorted(faults))
        self.told.append(name)
        call, fault = faults[name]
        town.world.plan(call, fault)

    def _price(self, town: CloudTown) -> None:
        host = self._random.choice(list(town.world.hosts.values()))
        percent = self._random.choice((97, 103, 104, 120))
        self.told.append(f"{host.fingerprint} at {percent} %")
        host.hourly = Usd(host.hourly.micros * percent // 100)


class Fixed(Weather):
    """What is given, and nothing by chance."""

    def __init__(self, strike: Strike, hold: timedelta = HOLD) -> None:
        super().__init__(seed=1)
        self._strike = strike
        self.hold = hold

    def strike(self, town: CloudTown) -> None:
        self._strike(town)


def calm(_town: CloudTown) -> None:
    """Nothing bad happens."""


@dataclass
class Tally:
    """What became of many rentals."""

    rentals: int = 0
    left: list[str] = field(default_factory=list)
    """Rentals that left something billing, with their weather."""
    doubles: list[str] = field(default_factory=list)
    """Rentals with two machines at once for longer than a sweep."""
    repeats: list[str] = field(default_factory=list)
    """Launches that were sent twice under one label."""
    touched: list[str] = field(default_factory=list)
    """Foreign machines that are gone."""
    counted: Usd = ZERO
    invoiced: Usd = ZERO
    apart: list[tuple[Usd, str]] = field(default_factory=list)
    short: list[tuple[Usd, str]] = field(default_factory=list)
    """How much less was counted than invoiced, by rental; below zero where it was more."""

    @property
    def ratio(self) -> float:
        """What was counted over what was invoiced."""
        return self.counted.micros / self.invoiced.micros if self.invoiced.micros else 1.0


async def one_rental(town: CloudTown, weather: Weather, tally: Tally) -> None:
    """Rent, hold, take down, close; then two sweeps for what comes late."""
    order = LaunchOrder("lc-other-abcdef-1-20990101T0000Z", "", 20)
    foreign = town.world.put(next(iter(town.world.hosts.values())), order)
    asked = await town.ask(f"up {town.vendor.name} {town.vendor.gpu} for 3h")
    assert asked.rental, (asked.title, asked.lines)
    tab = asked.rental
    weather.strike(town)
    await _held(town, tab, weather.hold)
    await town.ask(f"down {tab}")
    closed = await town.closes(tab, timedelta(hours=6))
    town.face.clear()
    await town.run_until(town.clock.now() + 4 * MINUTE)
    _judge(town, tab, weather, tally, closed=closed)
    tally.touched += [foreign.id] if foreign.id not in {one.id for one in town.world.alive()} else []
    town.world.vanish(foreign.id)
    await _bill(town, tab, weather, tally)
    town.world.faults.clear()
    town.world.fates.clear()


async def _held(town: CloudTown, tab: str, hold: timedelta) -> None:
    """Until it has been ready for as long as it is used, or is over."""
    ready: list[datetime] = []

    async def used() -> bool:
        rental = await town.rental(tab)
        if rental.closed_at is not None:
            return True
        attempt = rental.attempt
        if attempt is None or attempt.ready_at is None:
            return False
        ready.append(attempt.ready_at)
        return town.clock.now() >= attempt.ready_at + hold

    await town.run_until(town.clock.now() + timedelta(hours=4), stop=used)


def _judge(town: CloudTown, tab: str, weather: Weather, tally: Tally, *, closed: bool) -> None:
    tally.rentals += 1
    told = f"seed {weather.seed}: {'; '.join(weather.told)}"
    if not closed or town.ours():
        tally.left.append(f"{told} (closed {closed}, {town.ours()})")
    labels = [one.label for one in town.world.ever() if f"-{tab}-" in one.label]
    if len(labels) != len(set(labels)):
        tally.repeats.append(told)
    if _longest_double(town, tab) > 2 * MINUTE:
        tally.doubles.append(told)


def _longest_double(town: CloudTown, tab: str) -> timedelta:
    """The longest time for which two machines of one rental were billed at once."""
    now = town.clock.now()
    lines = sorted(town.world.intervals(tab), key=lambda line: line.born)
    longest = timedelta(0)
    for first, second in itertools.pairwise(lines):
        longest = max(longest, min(first.end or now, second.end or now) - second.born)
    return longest


async def _bill(town: CloudTown, tab: str, weather: Weather, tally: Tally) -> None:
    rental = await town.rental(tab)
    counted, invoiced = budget.spent(rental, rental.closed_at or town.clock.now()), town.world.bill(tab)
    tally.counted += counted
    tally.invoiced += invoiced
    told = f"{counted.dollars} for {invoiced.dollars}, {weather.told}"
    tally.apart.append((Usd(abs((counted - invoiced).micros)), told))
    tally.short.append((invoiced - counted, f"seed {weather.seed}: {told}"))
