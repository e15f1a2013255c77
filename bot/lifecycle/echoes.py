"""Notification channels: what their teams want to be told there, and what could not be told anywhere else.

One look at the outbox in each pass. A copy has a key of its own (``…@2``), so that it is said once, edited as its
original is, and settled with it. What nobody could say for half a minute is given to the next channel, and from there
to the one after it: no message waits for a medium that is down while another one is up.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from bot.domain.alert import Alert, Loudness
from bot.domain.outlet import Outlet, Topic, copied, copy_key, next_outlet, topic_of
from bot.domain.rental import Rental
from bot.domain.talk import Reply
from bot.ports import Clock
from bot.store import Store
from bot.store.alerts import key_of
from bot.store.outlets import Echo
from bot.store.rows import Say

PATIENCE = timedelta(seconds=30)
"""With the pace of the pass and of delivery the next channel is told within a minute."""


class Echoes:
    """Any process may pass at any time: keys say everything once."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def tick(self) -> int:
        """Copy and relay; returns how many messages were looked at."""
        now, outlets = self._clock.now(), self._store.outlets
        known: dict[str, list[Outlet]] = {}
        fresh = await outlets.to_echo()
        for one in fresh:
            says = await self._copies(one, await self._of(one, known))
            await outlets.echoed(one, says, now=now)
        late = await outlets.unsaid(before=now - PATIENCE)
        for one in late:
            await outlets.relayed(one, await self._elsewhere(one, await self._of(one, known)), now=now)
        return len(fresh) + len(late)

    async def _of(self, one: Echo, known: dict[str, list[Outlet]]) -> list[Outlet]:
        if one.team_key not in known:
            known[one.team_key] = await self._store.outlets.of(one.team_key)
        return known[one.team_key]

    async def _copies(self, one: Echo, outlets: Sequence[Outlet]) -> list[Say]:
        found = topic_of(one.key)
        if found is None:
            return []
        wanting = [each for each in outlets if each.wants(*found) and not _is_there(one, each, found[1])]
        if found[0] is Topic.CARDS:
            wanting = [each for each in wanting if not each.is_address]
        return [_copy(one, each, found[1]) for each in wanting]

    async def _elsewhere(self, one: Echo, outlets: Sequence[Outlet]) -> list[Say]:
        found = topic_of(one.key.partition("@")[0])
        if found is None or found[1] is None or found[1] < Loudness.OWNER:
            return []
        asked, heard = await self._store.outlets.asked(one)
        there = [each for each in outlets if not _is_there(one, each, found[1])]
        other = None if heard else next_outlet(there, asked, one.channel.chat)
        return [] if other is None else [_copy(one, other, found[1])]


def paging(rental: Rental, alert: Alert, reply: Reply, outlets: Sequence[Outlet]) -> list[Say]:
    """The last level: every channel of the team that wants to hear of such a thing at all."""
    key = key_of(alert, Loudness.PAGER)
    found = topic_of(key)
    wanting = [each for each in outlets if found is not None and each.wants(*found)]
    said = [(each, copied(reply, each, rental.owner, Loudness.PAGER)) for each in wanting]
    return [Say(copy_key(key, each.id), each.channel, one, once=True) for each, one in said]


def _copy(one: Echo, outlet: Outlet, level: Loudness | None) -> Say:
    once = not (one.key.startswith("card:") or one.reply.rewrites)
    return Say(
        copy_key(one.key, outlet.id), outlet.channel, copied(one.reply, outlet, one.owner, level), once=once
    )


def _is_there(one: Echo, outlet: Outlet, level: Loudness | None) -> bool:
    """Whether the people of this channel read the original. In a thread of it they may not."""
    same = (one.channel.chat, one.channel.id) == (outlet.channel.chat, outlet.channel.id)
    return same and (level is None or level < Loudness.DIRECT)
