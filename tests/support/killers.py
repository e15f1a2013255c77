"""Killers switched off two at a time: a rental that is up, and one of the three alone to end it."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from adapters.simulators.deadmen import let_act
from adapters.simulators.faces.face import Wire
from adapters.simulators.machine import SimMachine
from bot.domain import label as labels
from bot.domain.money import Usd
from bot.lifecycle.reap import Reaper
from tests.support.cloud_town import MINUTE, NAMESPACE, SECOND, CloudTown

_TROUBLES = (
    Wire.TIMEOUT_BEFORE, Wire.TIMEOUT_AFTER, Wire.RESET_AFTER, Wire.ERROR_BEFORE, Wire.ERROR_AFTER,
    Wire.THROTTLED, Wire.HTML, Wire.TRUNCATED,
)  # fmt: skip
TIMER = 10 * MINUTE
"""How often the reaper's timer comes round in the files that we ship."""
OVERSHOOT = 90 * SECOND
"""So much more than was confirmed may be billed, at the machine's rate."""
DEADMAN_LATE = 5 * MINUTE
"""After its deadline: two minutes of grace for the job are in it."""


@dataclass
class Tally:
    """What the killer that was left did."""

    rentals: int = 0
    alive: list[str] = field(default_factory=list)
    """Rentals whose machine was still billed when it had to be gone."""
    over: list[str] = field(default_factory=list)
    """Rentals whose invoice was above what was confirmed by more than the overshoot."""
    latest: timedelta = timedelta(0)
    """The longest that a machine outlived its killer's moment."""


Killer = Callable[[CloudTown, str, SimMachine, random.Random], Awaitable[tuple[datetime, timedelta]]]
"""Lets time pass with nothing but this killer; its moment, and how late it may be."""


async def alone(town: CloudTown, killer: Killer, seed: int, tally: Tally) -> None:
    """One rental that nobody takes down."""
    chance = random.Random(seed)
    length = chance.choice((35, 47, 60, 90, 150))
    asked = await town.ask(f"up {town.vendor.name} {town.vendor.gpu} for {length}m budget $50")
    assert asked.rental, (asked.title, asked.lines)
    tab = asked.rental
    await town.run_until(town.clock.now() + 20 * MINUTE, stop=lambda: _ready(town, tab))
    attempt = (await town.rental(tab)).attempt
    assert attempt is not None and attempt.machine_id is not None and attempt.ready_at is not None, seed
    machine = next(one for one in town.world.ever() if one.label == attempt.label)
    moment, late = await killer(town, tab, machine, chance)
    tally.rentals += 1
    ended = next(one.end for one in town.world.intervals(tab) if one.machine_id == machine.id)
    if ended is None or ended > moment + late:
        tally.alive.append(f"seed {seed}: due {moment}, ended {ended}")
    else:
        tally.latest = max(tally.latest, ended - moment)
    await _after(town, tab, seed, killer, tally)


async def by_the_bot(
    town: CloudTown, tab: str, _machine: SimMachine, chance: random.Random
) -> tuple[datetime, timedelta]:
    """No reaper, no switch; the line to the vendor is bad for a while."""
    for call in ("destroy", "machines", "inspect"):
        town.face.plan(call, chance.choice(_TROUBLES), chance.randint(1, 3))
    end = (await town.rental(tab)).hard_end
    assert end is not None
    await town.closes(tab, end - town.clock.now() + timedelta(hours=1))
    return end, OVERSHOOT


async def by_the_reaper(
    town: CloudTown, _tab: str, machine: SimMachine, chance: random.Random
) -> tuple[datetime, timedelta]:
    """Bot and database are gone; a timer starts the reaper, which knows the account and the labels."""
    label = labels.parse(machine.label)
    assert label is not None
    town.clock.advance(label.until - town.clock.now() - chance.randint(1, 1800) * SECOND)
    for call in ("destroy", "machines"):
        town.face.plan(call, chance.choice(_TROUBLES), chance.randint(1, 3))
    while machine in town.world.alive() and town.clock.now() < label.until + 4 * TIMER:
        await Reaper(town.clock, town.pause, NAMESPACE).reap([town.provider])
        town.clock.advance(TIMER)
    return label.until, 2 * TIMER


async def by_the_switch(
    town: CloudTown, tab: str, machine: SimMachine, chance: random.Random
) -> tuple[datetime, timedelta]:
    """Bot and database are gone at some moment; only what is on the machine is left."""
    rental = await town.rental(tab)
    assert rental.hard_end is not None
    last = rental.hard_end - town.clock.now()
    await town.run_until(town.clock.now() + last * chance.random() * 0.9)
    attempt = (await town.rental(tab)).attempt
    assert attempt is not None
    heard = attempt.beat_at or attempt.switch_at
    assert heard is not None
    moment = min(rental.hard_end + 5 * MINUTE, heard + 60 * MINUTE)
    while machine in town.world.alive() and town.clock.now() < moment + 30 * MINUTE:
        town.clock.advance(30 * SECOND)
        let_act(town.world)
    return moment, DEADMAN_LATE


async def _ready(town: CloudTown, tab: str) -> bool:
    attempt = (await town.rental(tab)).attempt
    return attempt is not None and attempt.ready_at is not None


async def _after(town: CloudTown, tab: str, seed: int, killer: Killer, tally: Tally) -> None:
    """The bot comes back and finds out; the invoice is held against what was confirmed."""
    town.face.clear()
    await town.ask(f"down {tab}")
    assert await town.closes(tab, timedelta(hours=6)), f"seed {seed}"
    rental = await town.rental(tab)
    if killer is not by_the_bot or rental.worst_case is None or rental.offer is None:
        return  # the reaper's and the switch's moments are later than the budget's, and say so
    allowed = rental.worst_case + rental.offer.ceiling.over(OVERSHOOT)
    invoice: Usd = town.world.bill(tab)
    if invoice > allowed:
        tally.over.append(f"seed {seed}: {invoice.dollars} where {allowed.dollars} is the most")


KILLERS: dict[str, Killer] = {"bot": by_the_bot, "reaper": by_the_reaper, "switch": by_the_switch}

__all__ = ["KILLERS", "Tally", "alone"]
