"""Chats that listen: each by itself, and where only one process may, the one that holds the lease."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from adapters.simulators.chat import WorldChat
from bot.domain.talk import ChatCapabilities
from bot.ports import Desk
from bot.store.leases import Leases
from bot.wiring.chats import FrontEnds
from tests.support.small_town import SmallTown
from tests.support.towns import empty_database, found, town
from tests.support.waiting import wait_until

__all__ = ["empty_database", "found", "town"]

SOON = timedelta(milliseconds=5)


class Listener(WorldChat):
    """Tells how many listen in it now, over all processes."""

    def __init__(self, now: list[str], process: str, *, alone: bool = True) -> None:
        super().__init__("chatty", capabilities=ChatCapabilities(alone=alone))
        self._now, self._process = now, process

    async def listen(self, desk: Desk) -> None:
        self._now.append(self._process)
        try:
            await super().listen(desk)
        finally:
            self._now.remove(self._process)


class Counted:
    """Leases that count how often each process asked."""

    def __init__(self, leases: Leases) -> None:
        self._leases = leases
        self.asked: Counter[str] = Counter()

    async def take(self, name: str, *, token: str, now: datetime, until: datetime) -> bool:
        """As the leases do."""
        self.asked[token] += 1
        return await self._leases.take(name, token=token, now=now, until=until)

    async def release(self, name: str, *, token: str) -> None:
        """As the leases do."""
        await self._leases.release(name, token=token)


def process(
    town: SmallTown, now: list[str], name: str, *, alone: bool = True, elect: Counted | None = None
) -> FrontEnds:
    """One of several on the same rows."""
    chat, life = Listener(now, name, alone=alone), town.life
    return FrontEnds([chat], life.desk, town.clock, elect or Counted(life.store.leases), name, look=SOON)


async def until(now: list[str], wanted: list[str]) -> None:
    """Wait in real time."""
    await wait_until(lambda: now == wanted)


async def test_one_process_listens_and_the_next_takes_over(town: SmallTown):
    """At once when the first one stops and gives its lease back."""
    now: list[str] = []
    elect = Counted(town.life.store.leases)
    first, second = process(town, now, "first", elect=elect), process(town, now, "second", elect=elect)
    first.start()
    await until(now, ["first"])
    second.start()
    await wait_until(lambda: elect.asked["second"] > 3)
    assert now == ["first"]
    await first.stop()
    await until(now, ["second"])
    await second.stop()
    assert not now


async def test_a_process_that_died_is_followed_within_half_a_minute(town: SmallTown):
    """It gives nothing back; its lease runs out."""
    now: list[str] = []
    await town.life.store.leases.take(
        "chat:chatty", token="dead", now=town.clock.now(), until=town.clock.now() + timedelta(seconds=20)
    )
    elect = Counted(town.life.store.leases)
    second = process(town, now, "second", elect=elect)
    second.start()
    await wait_until(lambda: elect.asked["second"] > 3)
    assert not now
    town.clock.advance(timedelta(seconds=25))
    await until(now, ["second"])
    await second.stop()


async def test_a_process_that_lost_its_lease_stops_listening(town: SmallTown):
    """It slept too long, and another one has it now."""
    now: list[str] = []
    first = process(town, now, "first")
    first.start()
    await until(now, ["first"])
    town.clock.advance(timedelta(seconds=21))
    start = town.clock.now()
    taken = await town.life.store.leases.take(
        "chat:chatty", token="other", now=start, until=start + timedelta(seconds=20)
    )
    if taken:  # it may have been quicker to keep it
        await until(now, [])
    await first.stop()
    assert not now


async def test_a_chat_that_takes_many_listens_in_every_process(town: SmallTown):
    """Each envelope of Slack goes to one of its sockets: a second one is a spare."""
    now: list[str] = []
    both = [process(town, now, name, alone=False) for name in ("first", "second")]
    for one in both:
        one.start()
    await until(now, ["first", "second"])
    for one in both:
        await one.stop()
    assert not now
