"""Several processes on one database, and one of them is killed."""

from __future__ import annotations

import asyncio
from collections import Counter

from bot.store import Store
from bot.store.rows import JOURNAL, OUTBOX, RENTALS, Entry, rental_values
from tests.store.tabs import LEASE, SECOND, T0, count, say, tab
from tests.support.waiting import wait_until
from tests.support.worker import Worker

ROWS = 200
TAKEN, WORKED = 10, 3


async def fill(store: Store) -> list[str]:
    """Tabs that are due, all written at once."""
    tabs = [tab(f"row{number:03d}") for number in range(ROWS)]
    async with store.engine.begin() as connection:
        await connection.execute(RENTALS.insert(), [rental_values(one) | {"wake_at": T0} for one in tabs])
    return [one.id for one in tabs]


async def workers_of(store: Store) -> dict[str, str]:
    """Which process worked each row, by the journal; a row that was worked twice is an error."""
    lines = await store.journal.lines(limit=10 * ROWS)
    assert max(Counter(line.rental for line in lines).values()) == 1
    return {line.rental: line.text for line in lines}


async def test_every_row_is_worked_once_when_a_process_is_killed(store: Store, url: str):
    """Four processes take 200 rows; one is killed with ten claims, three of them worked. The others work all the
    rest, leave the dead one's seven alone up to the end of its claim, and take them over in the second after it."""
    ids = await fill(store)
    workers = {name: Worker() for name in ("ann", "ben", "cat", "dead")}
    await asyncio.gather(*(worker.ask("open", url, name) for name, worker in workers.items()))
    dead = workers.pop("dead")
    held = await dead.ask("claim", T0, TAKEN)
    for worker in workers.values():
        worker.tell("run", T0)
    done = await dead.ask("work", T0, WORKED)
    assert done == held[:WORKED]
    dead.kill()
    shares = [await worker.answer() for worker in workers.values()]
    assert sorted(one for share in (*shares, held) for one in share) == ids

    last = T0 + LEASE
    assert [await worker.ask("run", last) for worker in workers.values()] == [[], [], []]
    after = last + SECOND
    for worker in workers.values():
        worker.tell("run", after)
    taken_over = [one for worker in workers.values() for one in await worker.answer()]
    assert sorted(taken_over) == sorted(held[WORKED:])

    by = await workers_of(store)
    assert sorted(by) == ids
    assert {one for one, name in by.items() if name == "dead"} == set(done)
    assert await count(store.engine, OUTBOX) == ROWS
    assert await store.claims.due(now=after, until=after + LEASE, token="x", limit=ROWS) == []
    for worker in workers.values():
        worker.end()


async def test_a_process_killed_in_the_middle_of_writing_leaves_the_database_whole(store: Store, url: str):
    """Killed at some moment of its work, perhaps within a transaction: nothing is half written, the next write works
    at once, and every row is worked once in the end."""
    ids = await fill(store)
    dead = Worker()
    await dead.ask("open", url, "dead")
    dead.tell("run", T0)

    async def in_the_middle() -> bool:
        return await count(store.engine, JOURNAL) >= 20

    await wait_until(in_the_middle)
    dead.kill()
    await store.outbox.put(say("after"), now=T0)
    late = T0 + LEASE + SECOND
    while claims := await store.claims.due(now=late, until=late + LEASE, token="late", limit=50):
        for claim in claims:
            assert claim.rental.note == ""
            after = [Entry("worked", "late")]
            await store.claims.apply(claim, claim.rental, now=late, wake_at=late + 10 * LEASE, entries=after)
            ids.remove(claim.rental.id)
    by = await workers_of(store)
    assert len(by) == ROWS
    assert {one for one, name in by.items() if name == "dead"} == set(ids)
