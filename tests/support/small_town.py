"""A small town: a rental of seconds, a data set of two images, and short words for what tests ask."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from adapters.simulators.faults import ALWAYS, Fault, FaultKind
from adapters.simulators.machine import Fate
from adapters.simulators.training import Training
from adapters.simulators.units import Beat, Play
from bot.domain.allowance import Defaults
from bot.domain.rental import Goal, Rental, Step
from bot.domain.talk import Actor, Reply
from bot.ports import UnitJob
from bot.store import Store
from bot.store.journal import Line
from bot.store.session import open_database
from bot.store.store import NO_LIMITS
from tests.support.quick_sqlite import quicken
from tests.support.story import two_images
from tests.support.town import ANN, KEY, Life, Town

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
TRAIN = "train tiny-lora quick on world data ./images steps=8"
SHORT = Training(lasts=2 * SECOND, lines=2)
FOR_EVER = ALWAYS


@dataclass(frozen=True)
class Trainer:
    """A training that says and leaves what a test wants: ``says`` are (seconds, bytes), ``final`` is the LoRA."""

    says: tuple[tuple[float, bytes], ...] = ()
    lasts: timedelta | None = 2 * SECOND
    exit_code: int = 0
    final: bytes | None = None
    stubborn: bool = False

    def __call__(self, unit: str, job: UnitJob, files: Mapping[str, bytes]) -> Play:
        """Every unit of it is the same."""
        name = json.loads(files["config.json"])["output_name"]
        beats = [Beat(at * SECOND, log) for at, log in self.says]
        if self.final is not None:
            beats.append(Beat(self.lasts or 2 * SECOND, b"", {f"out/{name}.safetensors": self.final}))
        return Play(
            beats, lasts=self.lasts, exit_code=self.exit_code, stubborn=self.stubborn, folders=("out",)
        )


def bar(step: int, total: int = 8, loss: str = "0.1", left: str = "00:01") -> bytes:
    """One redraw of the training bar."""
    done = 100 * step // total
    return f"\rsteps: {done:3d}%|#    | {step}/{total} [00:01<{left},  1.00it/s, avr_loss={loss}]\r".encode()


class SmallTown:
    """A town with one living process; ``again`` begins another one on the same rows."""

    def __init__(self, database: str, folder: Path, *, threads: bool = False, **town: Any) -> None:
        """``threads``: with the database's own threads, for what happens at the same time."""
        town.setdefault("script", SHORT)
        town.setdefault("keeps_time", True)
        self.defaults: Defaults = town.pop("defaults", NO_LIMITS)
        self.town = Town(database, folder, **town)
        self.town.world.usual = Fate(boot=2 * SECOND)
        cheap, dear = self.town.hosts
        dear.hourly = cheap.hourly  # a second machine costs no more than was confirmed
        self.world, self.shell, self.chat, self.clock = (
            self.town.world,
            self.town.shell,
            self.town.chat,
            self.town.clock,
        )
        self.images = two_images(folder)
        self._engine = open_database(database) if threads else quicken(open_database(database))
        self.life: Life = self.again()

    def again(self) -> Life:
        """A new process: nothing is remembered but what is in the database."""
        self.life = self.town.life_on(
            Store(self._engine, lambda: KEY, self.town.folder / "keys", self.defaults)
        )
        return self.life

    async def close(self) -> None:
        """Let the database go."""
        await self.life.store.close()

    # --- what people do ------------------------------------------------------------------------

    async def ask(self, text: str, *, actor: Actor = ANN, key: str = "") -> Reply:
        """Type a line."""
        return await self.town.ask(self.life, text, actor=actor, key=key)

    async def rent(self, text: str = TRAIN, *, actor: Actor = ANN) -> str:
        """Ask for a rental that is not refused; its id."""
        reply = await self.ask(text, actor=actor)
        assert reply.rental, (reply.title, reply.lines)
        return reply.rental

    # --- what happens --------------------------------------------------------------------------

    async def rental(self, id: str) -> Rental:
        """As the store has it."""
        found = await self.life.store.rentals.get(id)
        assert found is not None
        return found

    async def until(
        self, id: str, true: Callable[[Rental], Any], *, within: timedelta = timedelta(days=2)
    ) -> Rental:
        """Let the engine work until ``true(rental)``; what is to be said waits in the outbox meanwhile."""
        end = self.clock.now() + within
        while not true(rental := await self.rental(id)):
            assert rental.closed_at is None, f"it was closed before: {rental}"
            if not await self.life.engine.run_due():
                await self._wait_for_work()
            assert self.clock.now() < end, f"it did not come true within {within}: {rental}"
        return rental

    async def _wait_for_work(self) -> None:
        wake, now = await self.life.store.claims.next_wake(), self.clock.now()
        step = min(wake - now, MINUTE) if wake and wake > now else MINUTE
        self.clock.advance(max(step, timedelta(milliseconds=1)))
        await self.life.reminders.tick()

    async def until_step(self, id: str, step: Step) -> Rental:
        """Work until this step is the one that comes next."""
        return await self.until(id, lambda rental: _next(rental) is step)

    async def until_closed(self, id: str, *, within: timedelta = timedelta(days=2)) -> Rental:
        """Work until it is closed, and say everything; nothing is left in the world then."""
        rental = await self.until(id, lambda rental: rental.closed_at, within=within)
        await self.say_all()
        self.town.proven_closed()
        return rental

    async def say_all(self) -> None:
        """Let the chat catch up."""
        for _ in range(100):
            if not await self.life.store.outbox.unsaid():
                return
            if not await self.life.delivery.tick():
                self.clock.advance(30 * SECOND)
        raise AssertionError("there is always something left to say")

    async def pass_time(self, length: timedelta) -> None:
        """Let that much time go by, with everything that falls due in it."""
        end = self.clock.now() + length
        while (now := self.clock.now()) < end:
            if not await self.life.beat():
                wake = await self.life.store.claims.next_wake()
                moment = min(end, now + MINUTE, wake if wake and wake > now else end)
                self.clock.advance(moment - now)
                await self.life.reminders.tick()
        await self.life.beat()

    def broken(self, call: str, kind: FaultKind, *, times: int = 1, **fault: Any) -> None:
        """Break the next calls into machines."""
        self.shell.plan(call, Fault(kind, times=times, **fault))

    def vendor(self, call: str, kind: FaultKind, *, times: int = 1, **fault: Any) -> None:
        """Break the next calls to the vendor."""
        self.world.plan(call, Fault(kind, times=times, **fault))

    def mend(self) -> None:
        """All lines are good again."""
        self.shell.faults.clear()
        self.world.faults.clear()
        self.chat.faults.clear()

    # --- what is seen --------------------------------------------------------------------------

    async def journal(self, id: str) -> list[Line]:
        """What was written down about it."""
        return await self.life.store.journal.lines(rental=id)

    async def told(self, id: str, kind: str) -> list[str]:
        """Journal texts of one kind."""
        return [line.text for line in await self.journal(id) if line.kind == kind]

    def notices(self, prefix: str) -> list[str]:
        """Keys of what was said, in order."""
        return [said.key for said in self.chat.said() if said.key.startswith(prefix)]

    def rungs(self, id: str) -> list[str]:
        """What was reminded of, in order: each rung and the ``rev`` of its rental, at the level at which it began."""
        found = [key.split(":") for key in self.notices(f"alert:{id}:")]
        return list(dict.fromkeys(f"{parts[2]}:{parts[4]}" for parts in found))

    def card(self, id: str) -> str:
        """The words of the live card."""
        return self.chat.said_once(f"card:{id}").text

    def results(self, id: str) -> set[str]:
        """Names of the files at home."""
        folder = self.town.folder / "results" / id
        return {path.name for path in folder.rglob("*") if path.is_file()} if folder.is_dir() else set()


def _next(rental: Rental) -> Step | None:
    """The lowest rung whose fact is missing."""
    attempt = rental.attempt
    if rental.goal is Goal.GONE:
        return Step.TEAR_DOWN
    if rental.offer is None:
        return Step.CHOOSE
    if attempt is None or attempt.running_at is None:
        return Step.SPIN_UP
    rungs = (
        (attempt.ready_at, Step.VALIDATE),
        (attempt.tools, Step.DEPLOY_TOOLS),
        (attempt.dataset_at, Step.TRANSFER_DATASET),
        (rental.trained_at, Step.TRAIN),
        (rental.pulled_at, Step.PULL_RESULTS),
    )
    return next((step for fact, step in rungs if fact is None), None)
