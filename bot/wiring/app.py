"""A running bot: everything of one process, started, driven by the ticker and stopped."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy.engine import make_url

from adapters import process_mark
from adapters.chat.outpost import AddressChat
from adapters.clock import RandomIds, SteadyClock, SystemClock
from adapters.notify import AppriseAddresses
from adapters.process_mark import here
from adapters.shell import Shells
from adapters.ticker import Ticker
from bot import recipes
from bot.commands.completion import Completion, complete
from bot.commands.desk import Desk
from bot.commands.house import House
from bot.delivery import Delivery
from bot.domain.outlet import secret_of
from bot.domain.talk import Channel
from bot.lifecycle.echoes import Echoes
from bot.lifecycle.engine import Engine
from bot.lifecycle.sweep import EVERY, Sweep
from bot.ports import Chat, Clock, Ids, Provider
from bot.settings import Settings
from bot.store import Store
from bot.store.held import let_go
from bot.store.vault import deployment_key
from bot.wiring.parts import (
    World,
    hands_of,
    house_of,
    kept_namespace,
    prove_writable,
    providers_of,
    second_medium,
)
from bot.wiring.upkeep import BOOKS, REMINDERS, Upkeep

log = logging.getLogger("lastcall")

_BUSY = timedelta(milliseconds=200)
_SOON = timedelta(milliseconds=50)
_CALM = timedelta(seconds=1)
_IDLE = timedelta(seconds=2)
"""With nothing open: how long a command of another process may wait for this one's engine."""
_ALIVE = timedelta(seconds=30)
_LATE = timedelta(minutes=15)
"""After the last rental was closed, so long its machines are still looked for every minute."""
_QUIET = 5
"""So much rarer is the look for machines that should not be, when nothing was open for long."""


@dataclass(frozen=True, slots=True)
class EngineSeen:
    """An engine that has not said goodbye."""

    name: str
    seen_at: datetime
    """Its last beat."""
    lives: bool
    """Not known to be dead, and not silent for longer than a lease."""


@dataclass(slots=True)
class App:
    """Everything of one process. ``start`` and ``stop`` it; in between the ticker drives it."""

    settings: Settings
    clock: Clock
    ids: Ids
    store: Store
    shells: Shells
    providers: dict[str, Provider]
    engine: Engine
    sweep: Sweep
    upkeep: Upkeep
    echoes: Echoes
    house: House
    desk: Desk
    ticker: Ticker
    token: str
    aside: bool = False
    """True: leave the rentals to other engines while there are any (a terminal beside ``serve``)."""
    speed: int = 1
    """How much faster its clock runs than the ticker's."""
    homes: list[Channel] = field(default_factory=list)
    """Where to tell of what belongs to nobody; filled when the chats begin."""
    working: bool = True
    delivery: Delivery | None = None
    wake: datetime | None = None
    """When the next open rental wants to be looked at, as last seen."""
    open_at: datetime | None = None
    """When a rental was last seen open."""

    @classmethod
    async def build(
        cls, settings: Settings, *, aside: bool = False, clock: Clock | None = None, speed: int = 1
    ) -> App:
        """Open the database and wire the rest. ``clock`` runs ``speed`` times as fast as the world's (the demo's does).

        Raises ``ValueError`` and ``BrokenRecipe`` with a sentence."""
        prove_writable(settings.data)
        known = recipes.load(recipes.SHIPPED, settings.recipes)
        steady = SteadyClock(SystemClock()) if clock is None else None
        clock, ids = clock or steady or SystemClock(), RandomIds()
        key = deployment_key(settings.secret_key, settings.data)
        store = await Store.open(settings.database, key, settings.data / "keys", settings.limits)
        shells = Shells(store.vault)
        namespace = settings.namespace or await kept_namespace(store, settings.data)
        providers = {one.name: one for one in providers_of(settings, shells, namespace, clock, speed)}
        ticker = Ticker(SystemClock())

        homes: list[Channel] = []
        nudge, asked = _nudges(ticker)
        world = World(settings, clock, store, shells, providers, known, namespace)
        hands, house = hands_of(world), house_of(world, ids, asked, lambda: ticker.nudge("sweep"))
        return cls(
            settings=settings,
            clock=clock,
            ids=ids,
            store=store,
            shells=shells,
            providers=providers,
            engine=Engine(hands, after_pass=nudge, steady=steady),
            sweep=Sweep(hands, namespace, homes=lambda: homes),
            upkeep=Upkeep.of(settings, hands, lambda: homes),
            echoes=Echoes(store, clock),
            house=house,
            desk=Desk(house),
            ticker=ticker,
            token=ids.token(),
            aside=aside,
            speed=speed,
            homes=homes,
        )

    async def start(self, chats: Sequence[Chat] = (), *, homes: Sequence[Channel] = ()) -> None:
        """Say that an engine is alive, take over from processes that were killed, and let the beats begin."""
        self.homes.extend(homes)
        chats = (*chats, AddressChat(AppriseAddresses(), self._address)) if chats else ()
        self.delivery = Delivery(
            self.store,
            chats,
            self.clock,
            RandomIds(f":{here()}"),
            homes=lambda: self.homes,
            notifier=second_medium(self.settings),
        )
        await self._alive()
        await let_go(self.store.engine, is_dead)
        self.ticker.every("alive", lambda: _ALIVE / 3, self._alive)
        self.ticker.every("engine", self._engine_pace, self._engine_beat)
        if chats:
            self.ticker.every("delivery", self._delivery_pace, self.delivery.tick)
        self.ticker.every("echoes", self._delivery_pace, self._echo_beat)
        self.ticker.every("sweep", self._sweep_pace, self._sweep_beat)
        self.ticker.every("books", lambda: BOOKS / self.speed, self._books_beat)
        self.ticker.every("reminders", lambda: REMINDERS / self.speed, self._reminders_beat)
        self.ticker.start()

    @property
    def lease(self) -> str:
        """By which others know that this engine is alive."""
        return f"engine:{here()}:{self.token[:8]}"

    @property
    def where(self) -> str:
        """The database, without its password."""
        return make_url(self.settings.database).render_as_string(hide_password=True)

    def complete(self, line: str, rentals: Sequence[str]) -> list[Completion]:
        """What may be typed next."""
        return complete(line, self.house.vocabulary, rentals)

    async def _address(self, channel: str) -> str:
        return await self.store.vault.secret(secret_of(channel))

    async def _echo_beat(self) -> None:
        """Only rentals are told of there: with none open for long there is nothing to look for."""
        if self.working and (self.wake is not None or self._lately()):
            await self.echoes.tick()

    async def _alive(self) -> None:
        await self.engine.time.keep()
        now = self.clock.now()
        if self.aside:
            live = await self.store.leases.live("engine:", now=now)
            idle, self.working = not self.working, not self._others(live)
            if idle and self.working:
                await let_go(self.store.engine, is_dead)
            if not self.working:
                await self.store.leases.release(self.lease, token=self.token)
                return
        await self.store.leases.take(self.lease, token=self.token, now=now, until=now + _ALIVE * self.speed)

    def _others(self, live: frozenset[str]) -> list[str]:
        return [one for one in live if one != self.lease and not is_dead(one)]

    async def engines(self) -> list[EngineSeen]:
        """Every engine that was not ended in order, the one that was seen last first."""
        now, lease = self.clock.now(), _ALIVE * self.speed
        found = [
            EngineSeen(name, until - lease, until > now and not is_dead(name))
            for name, until in (await self.store.leases.all("engine:")).items()
        ]
        return sorted(found, key=lambda one: one.seen_at, reverse=True)

    async def _engine_beat(self) -> None:
        """A cheap look first: claiming takes the write lock, and most of the time there is nothing to claim."""
        if not self.working:
            await self.engine.keep()
            return
        self.wake = await self.store.claims.next_wake()
        if self.wake is not None:
            self.open_at = self.clock.now()
        due = self.wake is not None and self.wake <= self.clock.now()
        if due or self.engine.busy:
            await self.engine.tick()

    async def _sweep_beat(self) -> None:
        if self.working:
            await self.sweep.tick()
            await self.upkeep.purse.tick()

    async def _reminders_beat(self) -> None:
        if self.working:
            await self.upkeep.remind(anything_open=self.wake is not None)

    async def _books_beat(self) -> None:
        if self.working:
            await self.upkeep.keep_books()

    def _engine_pace(self) -> timedelta:
        if self.engine.busy:
            return _BUSY
        if not self.working or self.wake is None:
            return _IDLE
        return min(_CALM, max(_SOON, (self.wake - self.clock.now()) / self.speed))

    def _sweep_pace(self) -> timedelta:
        """On an account machines may turn up at any time; on own computers soon after their rental, or never."""
        account = any(not one.profile.owned for one in self.providers.values())
        return (EVERY if account or self._lately() else _QUIET * EVERY) / self.speed

    def _lately(self) -> bool:
        return self.open_at is not None and self.clock.now() - self.open_at < _LATE

    def _delivery_pace(self) -> timedelta:
        return _CALM if self.engine.busy or self.aside else _IDLE

    async def stop(self) -> None:
        """Begin nothing more, let the rows and leases go, close what is open."""
        await self.ticker.stop()
        await self.engine.stop()
        try:
            await self.sweep.stop()
            await self.upkeep.stop()
            await self.store.leases.release(self.lease, token=self.token)
        except Exception:
            log.exception("the lease could not be given back; it runs out by itself")
        await self.shells.close()
        for provider in self.providers.values():
            await provider.close()
        await self.store.close()


def _nudges(ticker: Ticker) -> tuple[Callable[[], None], Callable[[], None]]:
    """After a pass its next step may be due; after a command an alert may be answered, too."""

    def nudge() -> None:
        ticker.nudge("engine")
        ticker.nudge("echoes")
        ticker.nudge("delivery")

    def asked() -> None:
        nudge()
        ticker.nudge("reminders")

    return nudge, asked


def is_dead(held: str) -> bool:
    """Whether a lease or a claim (``…:mark`` or ``…:mark:…``) is held by a process that is known to be gone."""
    return process_mark.is_dead([*held.split(":"), ""][1])
