"""One rental on a simulated vendor, lived through as many processes as it takes. What crash tests tell."""

from __future__ import annotations

import asyncio
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from PIL import Image
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.simulators.clock import SimIds
from adapters.simulators.faults import Fault, FaultKind
from adapters.simulators.machine import Fate
from adapters.simulators.training import Training
from bot.store import Store
from bot.store.session import migrate, open_database
from tests.support.crash import Crash, CrashPlan, install_commit_points
from tests.support.postgres import Postgres
from tests.support.quick_sqlite import quicken
from tests.support.town import KEY, Life, Town, Wrappers, closed

LINE = 'train tiny-lora quick data "{folder}" steps=8'
MOST_LIVES = 12
AFTER_DEATH = timedelta(seconds=61)
"""The claim of a dead process has run out by then."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What the vendor does to this rental."""

    name: str
    launch: tuple[Fault, ...] = ()
    destroy: tuple[Fault, ...] = ()
    wrong_gpu_first: bool = False
    list_lag: timedelta = timedelta(0)


LATE = Fault(FaultKind.LATE, late=timedelta(seconds=50))
SCENES = (
    Scene("all is well"),
    Scene("the answer to the launch is lost", launch=(Fault(FaultKind.LOST_AFTER),)),
    Scene("the launch takes effect late", launch=(LATE,)),
    Scene("the first offer is gone", launch=(Fault(FaultKind.NO_CAPACITY),)),
    Scene("the first machine is another GPU than promised", wrong_gpu_first=True),
    Scene("destroy says yes and does nothing", destroy=(Fault(FaultKind.SHRUG, times=5),)),
    Scene("listings lag behind", list_lag=timedelta(seconds=15)),
)


class Databases:
    """New databases with the schema, fast: a copied file, a copied template."""

    def __init__(self, folder: Path, postgres: Postgres | None) -> None:
        self.kind = "postgresql" if postgres else "sqlite"
        self._folder = folder
        self._postgres = postgres
        self._template = ""
        self._made = 0
        self._shared: AsyncEngine | None = None

    async def prepare(self) -> None:
        """Make the template once."""
        if self._postgres is None:
            self._template = str(self._folder / "template.db")
            url = f"sqlite+aiosqlite:///{self._template}"
        else:
            self._template = await asyncio.to_thread(self._postgres.create)
            url = self._postgres.url(self._template)
        engine = open_database(url)
        await migrate(engine)
        await engine.dispose()
        if self._postgres is not None:
            # A template that somebody is connected to cannot be copied: the stories in a row get a copy.
            url = self._postgres.url(await asyncio.to_thread(self._postgres.create, self._template))
        else:
            url = f"sqlite+aiosqlite:///{shutil.copyfile(self._template, self._folder / 'shared.db')}"
        self._shared = quicken(open_database(url))

    def shared(self) -> AsyncEngine:
        """An engine on one database, for many stories in a row."""
        assert self._shared is not None, "prepare first"
        return self._shared

    def next_number(self) -> int:
        """Tells the stories of one database apart."""
        self._made += 1
        return self._made

    async def close(self) -> None:
        """Let the shared engine go."""
        if self._shared is not None:
            await self._shared.dispose()

    @asynccontextmanager
    async def fresh(self) -> AsyncIterator[AsyncEngine]:
        """An engine on a new one, removed afterwards."""
        self._made += 1
        if self._postgres is None:
            path = self._folder / f"{self._made}.db"
            shutil.copyfile(self._template, path)
            engine = quicken(open_database(f"sqlite+aiosqlite:///{path}"))
            yield engine
            await engine.dispose()
            path.unlink()
            return
        name = await asyncio.to_thread(self._postgres.create, self._template)
        engine = open_database(self._postgres.url(name))
        yield engine
        await engine.dispose()
        await asyncio.to_thread(self._postgres.drop, name)


@dataclass
class Story:
    """A rental under a crash plan. ``tell`` lives it through; ``broken`` says what does not hold."""

    folder: Path
    engine: AsyncEngine
    scene: Scene = SCENES[0]
    points: tuple[int, ...] = ()
    wrap: Wrappers = field(default_factory=Wrappers)
    number: int = 0
    down_at_beat: int = 0
    """Somebody asks for the end at this beat, counted over all lives; 0: nobody does."""

    def __post_init__(self) -> None:
        self.plan = CrashPlan(self.points)
        self.town = Town(
            "", self.folder, wrap=self.wrap, plan=self.plan, world_options={"list_lag": self.scene.list_lag}
        )
        self.town.script = Training(lasts=timedelta(seconds=4), lines=2)
        self.town.shell.script = self.town.script
        self.town.world.usual = Fate(boot=timedelta(seconds=3))
        self.town.world.plan("launch", *self.scene.launch)
        self.town.world.plan("destroy", *self.scene.destroy)
        if self.scene.wrong_gpu_first:
            first = self.town.hosts[0]
            self.town.world.add_host(type(first)("aaa", "RTX 3090", first.hourly, real_gpu="RTX 3060"))
        self.town.ids = SimIds(1000 + self.number)
        self.lives = 0
        self.beats = 0
        self.rental = ""

    async def tell(self) -> None:
        """Live until the rental is closed and everything was said, or nobody can be expected to go on."""
        uninstall = install_commit_points(self.engine.sync_engine, self.plan)
        try:
            while self.lives < MOST_LIVES:
                self.lives += 1
                try:
                    await self._life()
                except Crash:
                    self.plan.revive()
                    self.town.clock.advance(AFTER_DEATH)
                else:
                    return
        finally:
            uninstall()

    async def _life(self) -> None:
        store = Store(self.engine, lambda: KEY, self.folder / "keys")
        life = self.town.life_on(store)
        # The person who got no answer says it again: the same utterance, the same key.
        reply = await self.town.ask(
            life, LINE.format(folder=self.folder / "images"), key=f"the one request of story {self.number}"
        )
        if not reply.rental:
            raise AssertionError(f"refused: {reply.title} {reply.lines}")
        self.rental = reply.rental
        if self.down_at_beat:
            await life.until(self._asked_down(life), within=timedelta(hours=3))
        await life.until(lambda: closed(life, self.rental), within=timedelta(hours=3), at_rest=True)

    def _asked_down(self, life: Life) -> Callable[[], Awaitable[bool]]:
        async def asked() -> bool:
            self.beats += 1
            if self.beats < self.down_at_beat:
                return await closed(life, self.rental)
            await self.town.ask(life, f"down {self.rental}", key=f"the end of story {self.number}")
            return True

        return asked

    def settle(self) -> None:
        """Let the world go on alone for a while: what was to be born late is born."""
        self.town.clock.advance(timedelta(minutes=10))

    def broken(self) -> list[str]:
        """Every promise that does not hold; empty is good."""
        self.settle()
        world, faults = self.town.world, []
        if self.lives >= MOST_LIVES:
            faults.append("it never closed")
        if alive := [machine.label for machine in world.alive()]:
            faults.append(f"left billing: {alive}")
        if world.most_at_once() > 1:
            faults.append(f"{world.most_at_once()} machines at once")
        twice = [
            key for key, count in Counter(said.key for said in self.town.chat.said()).items() if count > 1
        ]
        if twice:
            faults.append(f"said twice: {twice}")
        if len(self.town.chat.said(f"closed:{self.rental}")) != 1:
            faults.append("the end was not said once")
        return faults


def two_images(folder: Path) -> Path:
    """The smallest data set that the recipe takes."""
    images = folder / "images"
    images.mkdir(parents=True, exist_ok=True)
    for number in range(2):
        Image.new("RGB", (32, 32), (number * 90, 40, 90)).save(images / f"{number}.png")
        (images / f"{number}.txt").write_text(f"ohwx cat {number}", encoding="utf-8")
    return images
