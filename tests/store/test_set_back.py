"""Rows that were written before the clock was set back: what lies further ahead than it can is not waited for."""

from __future__ import annotations

from datetime import timedelta

from bot.store import Store
from bot.store.latest import Latest
from tests.store.tabs import HERE, HOUR, LEASE, MINUTE, SECOND, T0, claimed, opened, say

BACK = T0 - HOUR


async def test_rows_that_wait_for_a_later_time_are_woken(store: Store):
    """All open ones that wait, once; what is due stays as it was."""
    await opened(store)
    assert await store.claims.due(now=BACK, until=BACK + LEASE, token="mine", limit=1) == []
    assert await store.claims.wake_all(now=BACK) == 1
    assert await store.claims.wake_all(now=BACK) == 0
    assert await claimed(store, now=BACK)


async def test_a_claim_from_later_is_nobodys(store: Store):
    """One that may still be somebody's, whose clock differs a little, is left alone."""
    await opened(store)
    await claimed(store, token="dead")
    for now, free in ((T0 - MINUTE, False), (BACK, True)):
        await store.claims.wake_all(now=now)
        assert bool(await store.claims.due(now=now, until=now + LEASE, token="mine", limit=1)) is free


async def test_messages_from_later_are_said_now(store: Store):
    """What was due, what was put off and what was being said then; what is put off for minutes waits."""
    for key in ("due", "later", "held"):
        await store.outbox.put(say(key, channel=HERE), now=T0, rental="abc234")
    seqs = await store.outbox.waiting(now=T0, serves=lambda _: True, limit=9)
    first, later, _ = await store.outbox.claim(seqs, now=T0, until=T0 + 30 * SECOND, token="dead")
    await store.outbox.later(later, T0 + 5 * MINUTE)
    await store.outbox.said(first, "1")
    await store.outbox.put(say("fresh", channel=HERE), now=T0, rental="abc234")

    async def waiting(back: timedelta) -> int:
        return len(await store.outbox.waiting(now=T0 - back, serves=lambda _: True, limit=9))

    assert await waiting(HOUR) == 3
    assert await waiting(5 * MINUTE) == 0


async def test_a_lease_from_later_is_free(store: Store, other: Store):
    """And its holder is not taken for alive; one that ends a little later than ours would is still held."""
    await store.leases.take("engine:1", token="dead", now=T0, until=T0 + MINUTE)
    assert await store.leases.live("engine:", now=T0) and not await store.leases.live("engine:", now=BACK)
    near = T0 - MINUTE
    assert not await other.leases.take("engine:1", token="mine", now=near, until=near + MINUTE)
    assert await other.leases.take("engine:1", token="mine", now=BACK, until=BACK + MINUTE)


async def test_the_latest_moment_is_kept(store: Store, other: Store):
    """Whoever notes an earlier one is told the later; it goes back only by being set."""
    mine, theirs = Latest(store.engine), Latest(other.engine)
    assert await mine.known() is None
    assert await mine.note(T0) == T0
    assert await theirs.note(BACK) == T0
    assert await theirs.note(T0 + SECOND) == T0 + SECOND == await mine.known()
    await mine.set(BACK)
    assert await theirs.known() == BACK
