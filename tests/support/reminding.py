"""Reminders under every weather: seeded schedules of restarts, replicas, clock jumps, a chat that is away, people, and
credit that runs out and is added to."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from adapters.simulators.faults import Fault, FaultKind
from bot.domain.alert import SNOOZE, Alert
from bot.domain.money import Usd
from tests.support.small_town import HOUR, MINUTE, SmallTown

READY = "up world 3090 for 2h"


@dataclass
class Pager:
    """A second medium that remembers."""

    heard: list[str] = field(default_factory=list)

    async def shout(self, title: str, text: str) -> Sequence[str]:
        """Every address takes it."""
        self.heard.append(f"{title}\n{text}")
        return ()


async def ready(town: SmallTown, text: str = READY) -> str:
    """A machine that was handed over."""
    tab = await town.rent(text)
    await town.until(tab, lambda rental: rental.attempt is not None and rental.attempt.ready_at)
    return tab


async def remind(town: SmallTown, length: timedelta, step: timedelta = MINUTE) -> None:
    """Let time go by for those who remind and deliver; no pass over the rental itself."""
    for _ in range(length // step):
        town.clock.advance(step)
        await town.life.reminders.tick()
        await town.life.delivery.tick()


async def known(town: SmallTown, tab: str) -> list[Alert]:
    """All alerts of a rental as the store has them."""
    return (await town.life.store.alerts.of([tab])).get(tab, [])


class Schedule:
    """One rental of two hours and what befalls those who remind of it."""

    def __init__(self, town: SmallTown, seed: int) -> None:
        self.town = town
        self.chance = random.Random(seed)

    async def play(self, turns: int = 40) -> str:
        """Let it happen; the rental's id."""
        tab = await ready(self.town)
        for _ in range(turns):
            await self._turn(tab)
        self.town.chat.down_until = None
        self.town.chat.faults.clear()
        for _ in range(40):
            if not await self.town.life.delivery.tick() and not await self.town.life.store.outbox.unsaid():
                break
            self.town.clock.advance(6 * MINUTE)
        return tab

    async def _turn(self, tab: str) -> None:
        town, chance = self.town, self.chance
        town.clock.advance(timedelta(seconds=chance.randint(5, 400)))
        match chance.randrange(12):
            case 0:
                town.clock._now += chance.choice((-HOUR, HOUR, -10 * MINUTE))
            case 1:
                town.again()
            case 2:
                town.chat.down_until = town.clock.now() + chance.randint(1, 60) * MINUTE
            case 3:
                town.chat.plan(chance.choice(("post", "edit")), Fault(FaultKind.LOST_AFTER, times=2))
            case 4:
                await town.ask(f"snooze {tab} for {chance.choice((5, 30, 90))}m")
            case 5 if chance.random() < 0.3:
                await town.ask(f"extend {tab} {chance.choice(('10m', '1h'))}")
            case 6:
                town.world.balance = town.world.bill() + Usd.of(chance.choice(("0.10", "0.25", "50")))
            case _:
                pass
        one = town.life
        other = town.town.life_on(one.store)  # a replica: the same rows, nothing else
        await asyncio.gather(one.purse.tick(), other.purse.tick())
        await asyncio.gather(one.reminders.tick(), other.reminders.tick())
        await asyncio.gather(one.delivery.tick(), other.delivery.tick())

    async def faults(self, tab: str) -> list[str]:
        """What must not be, in sentences; empty: each rung and each level was said once, and none in a wrong order."""
        found = [
            f"{key} was said {n} times" for key, n in Counter(self.town.notices("alert:")).items() if n > 1
        ]
        alerts = [one for one in await known(self.town, tab) if one.rung != SNOOZE]
        for rev in {one.rev for one in alerts}:
            heard = [rung for rung, of in (one.split(":") for one in self.town.rungs(tab)) if int(of) == rev]
            percents = [int(rung[:-1]) for rung in heard if rung.endswith("%")]
            if percents != sorted(percents):
                found.append(f"rungs of rev {rev} came in a wrong order: {heard}")
        said = {key.rsplit(":", 2)[0] for key in self.town.notices(f"alert:{tab}:")}
        waiting = await self.town.life.store.outbox.unsaid()
        open_ones = [one for one in alerts if one.is_open and one.level < 4]
        silent = [one.rung for one in open_ones if f"alert:{tab}:{one.rung}" not in said]
        if silent:
            found.append(f"open and never said: {silent}")
        if (ladders := [one.rung for one in alerts if one.is_open and one.kind == "credit"])[1:]:
            found.append(f"two ladders for one account: {ladders}")
        return found + ([f"{waiting} messages are still unsaid"] if waiting else [])
