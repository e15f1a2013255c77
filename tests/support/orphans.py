"""Machines that nobody knows, in a town that has a place to tell of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from adapters.simulators.machine import SimMachine
from bot.domain.errors import TryLater
from bot.domain.market import LaunchOrder, Leftover
from bot.domain.orphan import Orphan
from bot.domain.talk import Channel, Reply
from tests.support.crash import Forwarding
from tests.support.small_town import MINUTE, SmallTown

HOME = Channel("sim", "admins")
OURS = "lc-test-zzzzzz-1-20260303T0900Z"
"""Our namespace, a rental that this database never had, and a day left to live."""


class Account(Forwarding):
    """A provider whose account has leftovers; it tells which labels were tidied, and refuses so often to."""

    def __init__(self, inner: Any) -> None:
        super().__init__(inner)
        self.tidied: list[str] = []
        self.refusals = 0
        self.left: Sequence[Leftover] = ()
        self.deaf = False

    async def tidy(self, label: str) -> None:
        if self.refusals:
            self.refusals -= 1
            raise TryLater("the key is in use")
        self.tidied.append(label)

    async def leftovers(self) -> Sequence[Leftover]:
        if self.deaf:
            raise TryLater("too many requests")
        return self.left


def put(town: SmallTown, name: str = OURS) -> SimMachine:
    """A machine that this database never rented."""
    return town.world.put(town.town.hosts[0], LaunchOrder(name, "ssh-ed25519 AAAA", 20))


async def sweep(town: SmallTown, times: int = 1) -> list[str]:
    """That many minutes, with what is to be said said; the ids that were asked to end in the last."""
    ended: list[str] = []
    for _ in range(times):
        town.clock.advance(MINUTE)
        ended = await town.life.sweep.tick()
    await town.say_all()
    return ended


def shown(town: SmallTown) -> list[Reply]:
    """The cards that stand in the home, as they read now."""
    said = [one for one in town.chat.said() if one.key.startswith("orphan:") and one.channel == HOME]
    return [one.reply for one in said]


async def row(town: SmallTown, machine: SimMachine) -> Orphan:
    """The orphan as the store has it."""
    [orphan] = await town.life.store.orphans.named(f"world/{machine.id}")
    return orphan


def world_account(town: SmallTown) -> Account:
    """The account of the town, wrapped as ``wrap=Wrappers(provider=Account)`` has it."""
    found = town.life.engine.hands.providers["world"]
    assert isinstance(found, Account)
    return found
