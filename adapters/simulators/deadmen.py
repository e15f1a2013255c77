"""Letting the switches of simulated machines do what they would have done by now: a stage direction."""

from __future__ import annotations

from datetime import timedelta

from adapters.simulators.machine import SimMachine
from adapters.simulators.switch import SimSwitch
from adapters.simulators.world import World
from bot.domain.deadman_rule import fires_in
from bot.domain.market import MachineState
from bot.ports import UnitState


def let_act(world: World) -> None:
    """All machines that run, as often as a test likes. When a switch fires is the rule's; what is late is only the
    looking."""
    for machine in world.alive():
        if machine.switch is not None and machine.state(world.clock.now()) is MachineState.RUNNING:
            _act(machine.switch, machine, world)


def _act(switch: SimSwitch, machine: SimMachine, world: World) -> None:
    now = world.clock.now()
    if machine.units[switch.unit].state(now) is not UnitState.RUNNING:
        return
    others = [one for one in machine.units.values() if one.name != switch.unit]
    grace = timedelta(seconds=switch.order["grace"])
    if switch.fired_at is None and fires_in(switch.told, now.timestamp(), now.timestamp()) <= 0:
        switch.fired_at = now
        for unit in others:
            if unit.state(now) is UnitState.RUNNING:
                unit.stop(now, grace)
    if switch.fired_at is None or not switch.order["asks"] or switch.order["key"] not in machine.env:
        return
    busy = any(unit.state(now) is UnitState.RUNNING for unit in others)
    if not busy or now >= switch.fired_at + grace:
        world.destroy(machine.id)
