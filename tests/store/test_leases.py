"""Leases: one process at a time, and who is alive."""

from __future__ import annotations

import asyncio

from bot.store import Store
from tests.store.tabs import MINUTE, SECOND, T0

END = T0 + MINUTE


async def test_a_lease_is_one_holders_until_it_ends(store: Store, other: Store):
    """Whoever holds it may keep it; others wait until the end, and then the first of them has it."""
    assert await store.leases.take("sweep", token="mine", now=T0, until=END)
    assert not await other.leases.take("sweep", token="theirs", now=END - SECOND, until=END + MINUTE)
    assert await store.leases.take("sweep", token="mine", now=END - SECOND, until=END + MINUTE)
    assert not await other.leases.take("sweep", token="theirs", now=END, until=END + MINUTE)
    assert await other.leases.take("sweep", token="theirs", now=END + MINUTE, until=END + 2 * MINUTE)
    assert not await store.leases.take("sweep", token="mine", now=END + MINUTE, until=END + 2 * MINUTE)
    assert await store.leases.take("gateway", token="mine", now=T0, until=END)


async def test_a_lease_that_was_given_back_is_free(store: Store, other: Store):
    """Only its holder gives it back."""
    await store.leases.take("sweep", token="mine", now=T0, until=END)
    await other.leases.release("sweep", token="theirs")
    assert not await other.leases.take("sweep", token="theirs", now=T0, until=END)
    await store.leases.release("sweep", token="mine")
    assert await other.leases.take("sweep", token="theirs", now=T0, until=END)
    await store.leases.release("nothing", token="mine")


async def test_many_ask_at_once_and_one_gets_it(store: Store, other: Store):
    """A new lease and one that has just ended go to exactly one of ten who ask in the same moment."""
    for now in (T0, END):
        got = await asyncio.gather(
            *(
                bot.leases.take("sweep", token=f"{now}-{number}", now=now, until=now + MINUTE)
                for number, bot in enumerate((store, other) * 5)
            )
        )
        assert sum(got) == 1


async def test_who_is_alive_is_who_has_a_lease(store: Store, other: Store):
    """Names under a prefix that have not ended; a prefix is meant literally."""
    await store.leases.take("engine:a", token="a", now=T0, until=END)
    await other.leases.take("engine:b", token="b", now=T0, until=END + MINUTE)
    await other.leases.take("console:c", token="c", now=T0, until=END + MINUTE)
    assert await store.leases.live("engine:", now=T0) == {"engine:a", "engine:b"}
    assert await store.leases.live("engine:", now=END) == {"engine:b"}
    assert await store.leases.live("engin%", now=T0) == frozenset()


async def test_the_first_to_ask_decides_a_mark(store: Store, other: Store):
    """Two bots that start at once agree on the namespace that one of them made up."""
    said = await asyncio.gather(store.mark("namespace", "one"), other.mark("namespace", "two"))
    assert said[0] == said[1] == await other.mark("namespace", "three")
