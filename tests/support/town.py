"""A whole bot on a simulated world and a passed clock: what crash tests and lifecycle tests stand on."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from adapters.clock import SteadyClock
from adapters.simulators.chat import WorldChat
from adapters.simulators.clock import SimClock, SimIds
from adapters.simulators.machine import SimHost
from adapters.simulators.provider import WorldProvider
from adapters.simulators.shell import WorldShell
from adapters.simulators.training import Training
from adapters.simulators.units import UnitScript
from adapters.simulators.world import World
from bot import recipes
from bot.commands.desk import Desk
from bot.commands.house import House, Terms
from bot.delivery import Delivery
from bot.domain.money import Usd
from bot.domain.rental import Rental
from bot.domain.talk import Actor, Channel, Reply, Request
from bot.lifecycle.engine import Engine
from bot.lifecycle.hands import Hands, Limits
from bot.lifecycle.heartbeat import Heart
from bot.lifecycle.idle import IdleWatch
from bot.lifecycle.line import LaunchLine
from bot.lifecycle.purse import Purse
from bot.lifecycle.reminders import Reminders
from bot.lifecycle.sweep import Sweep
from bot.lifecycle.watch import Watch
from bot.ports import Chat, Notifier, Provider, Shell
from bot.store import Store
from bot.store.claims import Claims
from tests.support.crash import Crash, CrashPlan, crashing, install_commit_points

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ANN = Actor("sim", "acme", "ann", "ann")
BEN = Actor("sim", "acme", "ben", "ben")
EVE = Actor("sim", "other", "eve", "eve")
HERE = Channel("sim", "general")
KEY = b"3J0mLk1wTzqgKc0gqv9o3mWn0m3z5n8wG7bq0m1c2eA="
PROVIDER_CALLS = ("launch", "inspect", "machines", "destroy", "offers")
SHELL_CALLS = ("pin", "run", "start", "look", "stop", "send", "fetch")
CHAT_CALLS = ("post", "edit")
Around = Callable[[Any], Any]


def same(thing: Any) -> Any:
    """No wrapper."""
    return thing


@functools.cache
def shipped() -> recipes.Recipes:
    """Read once: thousands of towns are built."""
    return recipes.load(recipes.SHIPPED)


@dataclass(slots=True)
class Wrappers:
    """What stands around the ports of every life: habit breakers, crash points."""

    provider: Around = same
    claims: Around = same


@dataclass
class Life:
    """One process, from its start to its death."""

    store: Store
    engine: Engine
    delivery: Delivery
    sweep: Sweep
    desk: Desk
    clock: SimClock
    reminders: Reminders
    purse: Purse
    idle: IdleWatch

    async def beat(self) -> int:
        """One turn of everything; how much there was to do."""
        done = await self.engine.run_due()
        return done + await self.delivery.tick()

    async def until(
        self,
        true: Callable[[], Awaitable[bool]],
        *,
        within: timedelta = timedelta(days=2),
        at_rest: bool = False,
    ) -> None:
        """Beat, and let the clock run to the next moment at which a row wakes, until it is so. ``at_rest`` asks only
        when there is nothing to do, which is cheaper."""
        end = self.clock.now() + within
        while True:
            if not at_rest and await true():
                return
            if await self.beat():
                continue
            if at_rest and await true():
                return
            wake = await self.store.claims.next_wake()
            now = self.clock.now()
            step = min(wake - now, timedelta(minutes=1)) if wake and wake > now else timedelta(seconds=1)
            self.clock.advance(max(step, timedelta(milliseconds=1)))
            if self.clock.now() > end:
                raise AssertionError(f"it did not come true within {within}")


@dataclass
class Town:
    """The world outside, which survives every life; ``life`` begins a process on it."""

    url: str
    folder: Path
    clock: SimClock = field(default_factory=lambda: SimClock(START))
    wrap: Wrappers = field(default_factory=Wrappers)
    plan: CrashPlan | None = None
    recipes: Mapping[str, recipes.RecipeFile] = field(default_factory=shipped)
    secrets: Mapping[str, str] = field(default_factory=dict)
    """What was set for recipes to pass on."""
    auto_confirm: Usd = field(default_factory=lambda: Usd.of(100))
    script: UnitScript = field(default_factory=lambda: Training(lasts=timedelta(minutes=2), lines=6))
    world_options: dict[str, Any] = field(default_factory=dict)
    homes: tuple[Channel, ...] = ()
    """Where the sweep tells of what belongs to nobody."""
    notifier: Notifier | None = None
    idle_limit: timedelta | None = None
    keeps_time: bool = False
    """Whether its processes run on a clock that never goes back, as ``serve`` does; ``clock`` is the computer's."""

    def __post_init__(self) -> None:
        self.world = World(self.clock.true, seed=1, **self.world_options)
        self.hosts = [
            self.world.add_host(SimHost("cheap", "RTX 3090", Usd.of("0.20"), capacity=9)),
            self.world.add_host(SimHost("dear", "RTX 3090", Usd.of("0.205"), capacity=9)),
        ]
        self.provider: Provider = WorldProvider(self.world)
        self.shell = WorldShell(self.world, script=self.script)
        self.chat = WorldChat(clock=self.clock.true)
        self.ids = SimIds(7)
        self.asked = 0

    async def life(self) -> Life:
        """A new process on the same database and the same world."""
        store = await Store.open(self.url, lambda: KEY, self.folder / "keys")
        if self.plan is not None:
            install_commit_points(store.engine.sync_engine, self.plan)
        return self.life_on(store)

    def life_on(self, store: Store) -> Life:
        """A new process on a database that is open already: nothing is remembered but what is in it."""
        claims: Claims = self.wrap.claims(store.claims)
        store.claims = claims
        provider: Provider = self.wrap.provider(self.provider)
        shell: Shell = self.shell
        chat: Chat = self.chat
        if self.plan is not None:
            provider = crashing(provider, self.plan, PROVIDER_CALLS)
            shell = crashing(shell, self.plan, SHELL_CALLS)
            chat = crashing(chat, self.plan, CHAT_CALLS)
        providers = {provider.name: provider}
        steady = SteadyClock(self.clock, self.clock.running) if self.keeps_time else None
        clock = steady or self.clock
        hands = Hands(
            clock=clock,
            ids=self.ids,
            store=store,
            providers=providers,
            shell=shell,
            watch=Watch(providers, clock),
            line=LaunchLine(providers),
            recipes=self.recipes,
            results=self.folder / "results",
            limits=Limits(max_lifetime=timedelta(hours=24), auto_confirm=self.auto_confirm),
            heart=Heart(),
            secrets=self.secrets,
        )
        house = House(
            store=store,
            secrets=self.secrets,
            clock=clock,
            ids=self.ids,
            providers=providers,
            profiles=[provider.profile],
            recipes=self.recipes,
            shell=shell,
            namespace="test",
            data=self.folder,
            terms=Terms(Usd.of(5), timedelta(hours=4), timedelta(hours=24)),
        )
        return Life(
            store=store,
            engine=Engine(hands, steady=steady),
            delivery=Delivery(store, [chat], clock, self.ids),
            sweep=Sweep(hands, "test", homes=lambda: self.homes),
            desk=Desk(house),
            clock=self.clock,
            reminders=Reminders(hands, notifier=self.notifier),
            purse=Purse(hands),
            idle=IdleWatch(hands, limit=self.idle_limit),
        )

    def request(self, text: str, *, actor: Actor = ANN, key: str = "") -> Request:
        """A line that somebody types here; the same ``key`` is the same utterance delivered again."""
        self.asked += 1
        return Request(
            actor, HERE, text, key or f"request-{self.asked}", self.clock.now(), folder=str(self.folder)
        )

    async def ask(self, life: Life, text: str, *, actor: Actor = ANN, key: str = "") -> Reply:
        """Type it and return the answer."""
        return await life.desk.handle(self.request(text, actor=actor, key=key))

    def proven_closed(self) -> None:
        """What must hold whatever happened: nothing left alive or to be born, never two machines at once."""
        alive = [machine.label for machine in self.world.alive()]
        assert not alive, f"left billing: {alive}"
        assert not self.world.unborn(), "a machine is still to be born"
        assert self.world.most_at_once() <= 1, "two machines at once"


async def closed(life: Life, rental: str) -> bool:
    """Whether the rental is closed and everything about it was said."""
    found: Rental | None = await life.store.rentals.get(rental)
    return found is not None and found.closed_at is not None and not await life.store.outbox.unsaid()


__all__ = ["ANN", "BEN", "EVE", "HERE", "START", "Crash", "Life", "Town", "Wrappers", "closed"]
