"""The one file that names adapters: settings in, a running bot out."""

from __future__ import annotations

import logging
import secrets
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy.engine import make_url

from adapters import process_mark, registry
from adapters.chat.console import ConsoleChat, Interrupts, Seat, Told, open_console, run_once, what_is_left
from adapters.clock import RandomIds, SystemClock
from adapters.process_mark import here
from adapters.shell import Shells
from adapters.ticker import Ticker
from bot import recipes
from bot.commands.completion import Completion, complete
from bot.commands.desk import Desk
from bot.commands.house import House, Terms
from bot.delivery import Delivery
from bot.lifecycle.engine import Engine
from bot.lifecycle.hands import Hands, Limits
from bot.lifecycle.sweep import EVERY, Sweep
from bot.lifecycle.watch import Watch
from bot.ports import Chat, Clock, Ids, Provider
from bot.settings import Settings
from bot.store import Store
from bot.store.orphans import let_go
from bot.store.vault import deployment_key

__all__ = [
    "App",
    "ConsoleChat",
    "Interrupts",
    "Seat",
    "Told",
    "here",
    "open_console",
    "run_once",
    "what_is_left",
]
"""The terminal's parts are handed on to ``bot.entry``, which names no adapter itself."""

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
_NAMESPACE_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


@dataclass(frozen=True, slots=True)
class _World:
    """What engine and desk both stand on."""

    settings: Settings
    clock: Clock
    store: Store
    shells: Shells
    providers: dict[str, Provider]
    recipes: recipes.Recipes
    namespace: str


def _providers(settings: Settings, shells: Shells, namespace: str) -> Sequence[Provider]:
    return registry.providers(
        shells,
        data_dir=settings.data,
        namespace=namespace,
        local_hosts=settings.local_hosts,
        local_shell=settings.local_shell,
        kwh_usd=settings.kwh_usd,
        shared=bool(settings.database_url),
    )


def _hands(world: _World) -> Hands:
    settings = world.settings
    return Hands(
        clock=world.clock,
        ids=RandomIds(f":{here()}"),
        store=world.store,
        providers=world.providers,
        shell=world.shells,
        watch=Watch(world.providers, world.clock),
        recipes=world.recipes,
        results=settings.data / "results",
        limits=Limits(max_lifetime=settings.max_lifetime, auto_confirm=settings.auto_confirm),
    )


def _house(world: _World, ids: Ids, nudge: Callable[[], None]) -> House:
    settings = world.settings
    longest = settings.max_lifetime
    return House(
        store=world.store,
        clock=world.clock,
        ids=ids,
        providers=world.providers,
        profiles=registry.PROFILES,
        recipes=world.recipes,
        shell=world.shells,
        namespace=world.namespace,
        data=settings.data,
        nudge=nudge,
        terms=Terms(settings.default_budget, min(settings.default_hours, longest), longest),
    )


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
    house: House
    desk: Desk
    ticker: Ticker
    token: str
    aside: bool = False
    """True: leave the rentals to other engines while there are any (a terminal beside ``serve``)."""
    working: bool = True
    delivery: Delivery | None = None
    wake: datetime | None = None
    """When the next open rental wants to be looked at, as last seen."""
    open_at: datetime | None = None
    """When a rental was last seen open."""

    @classmethod
    async def build(cls, settings: Settings, *, aside: bool = False) -> App:
        """Open the database and wire the rest. Raises ``ValueError`` and ``BrokenRecipe`` with a sentence."""
        _prove_writable(settings.data)
        known = recipes.load(recipes.SHIPPED, settings.recipes)
        clock, ids = SystemClock(), RandomIds()
        key = deployment_key(settings.secret_key, settings.data)
        store = await Store.open(settings.database, key, settings.data / "keys")
        shells = Shells(store.vault)
        namespace = settings.namespace or await store.mark("namespace", _fresh_namespace())
        providers = {one.name: one for one in _providers(settings, shells, namespace)}
        ticker = Ticker(clock)

        def nudge() -> None:
            ticker.nudge("engine")
            ticker.nudge("delivery")

        world = _World(settings, clock, store, shells, providers, known, namespace)
        hands, house = _hands(world), _house(world, ids, nudge)
        return cls(
            settings=settings,
            clock=clock,
            ids=ids,
            store=store,
            shells=shells,
            providers=providers,
            engine=Engine(hands, after_pass=nudge),
            sweep=Sweep(hands, namespace),
            house=house,
            desk=Desk(house),
            ticker=ticker,
            token=ids.token(),
            aside=aside,
        )

    async def start(self, chats: Sequence[Chat] = ()) -> None:
        """Say that an engine is alive, take over from processes that were killed, and let the beats begin."""
        self.delivery = Delivery(self.store, chats, self.clock, RandomIds(f":{here()}"))
        await self._alive()
        await let_go(self.store.engine, is_dead)
        self.ticker.every("alive", lambda: _ALIVE / 3, self._alive)
        self.ticker.every("engine", self._engine_pace, self._engine_beat)
        if chats:
            self.ticker.every("delivery", self._delivery_pace, self.delivery.tick)
        self.ticker.every("sweep", self._sweep_pace, self._sweep_beat)
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

    async def _alive(self) -> None:
        now = self.clock.now()
        if self.aside:
            live = await self.store.leases.live("engine:", now=now)
            idle, self.working = not self.working, not self._others(live)
            if idle and self.working:
                await let_go(self.store.engine, is_dead)
            if not self.working:
                await self.store.leases.release(self.lease, token=self.token)
                return
        await self.store.leases.take(self.lease, token=self.token, now=now, until=now + _ALIVE)

    def _others(self, live: frozenset[str]) -> list[str]:
        return [one for one in live if one != self.lease and not is_dead(one)]

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

    def _engine_pace(self) -> timedelta:
        if self.engine.busy:
            return _BUSY
        if not self.working or self.wake is None:
            return _IDLE
        return min(_CALM, max(_SOON, self.wake - self.clock.now()))

    def _sweep_pace(self) -> timedelta:
        """Machines come late soon after their rental, or never."""
        late = self.open_at is not None and self.clock.now() - self.open_at < _LATE
        return EVERY if late else _QUIET * EVERY

    def _delivery_pace(self) -> timedelta:
        return _CALM if self.engine.busy or self.aside else _IDLE

    async def stop(self) -> None:
        """Begin nothing more, let the rows and leases go, close what is open."""
        await self.ticker.stop()
        await self.engine.stop()
        try:
            await self.store.leases.release(self.lease, token=self.token)
        except Exception:
            log.exception("the lease could not be given back; it runs out by itself")
        await self.shells.close()
        await self.store.close()


def is_dead(held: str) -> bool:
    """Whether a lease or a claim (``…:mark`` or ``…:mark:…``) is held by a process that is known to be gone."""
    return process_mark.is_dead([*held.split(":"), ""][1])


def _prove_writable(folder: Path) -> None:
    """Raises ``ValueError``. SQLite would say less, and later."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        what = "it is no folder" if folder.exists() and not folder.is_dir() else error.strerror
        raise ValueError(
            f"The data folder {folder} cannot be written to: {what}. Set LASTCALL_DATA_DIR to another one."
        ) from error


def _fresh_namespace() -> str:
    return "".join(secrets.choice(_NAMESPACE_LETTERS) for _ in range(6))
