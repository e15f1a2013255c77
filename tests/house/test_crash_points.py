"""The crash machinery itself: a crash test is worth what its crashes are worth."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.pool import StaticPool

from bot.store.session import open_database
from tests.support.crash import Crash, CrashPlan, crashing, install_commit_points, live_through
from tests.support.databases import database_url, postgres

__all__ = ["database_url", "postgres"]

INSERT = text("INSERT INTO tab (beers) VALUES (1)")


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    """An engine on a database with one empty table."""
    engine = open_database(database_url)
    async with engine.begin() as connection:
        await connection.execute(text("CREATE TABLE tab (beers integer)"))
    yield engine
    await engine.dispose()


async def beers(engine: AsyncEngine) -> int:
    """How many rows are committed."""
    async with engine.connect() as connection:
        return int((await connection.execute(text("SELECT count(*) FROM tab"))).scalar_one())


async def order(engine: AsyncEngine) -> None:
    """One row, one transaction."""
    async with engine.begin() as connection:
        await connection.execute(INSERT)


async def order_by_session(engine: AsyncEngine) -> None:
    """The same through the ORM."""
    async with AsyncSession(engine) as session:
        await session.execute(INSERT)
        await session.commit()


async def test_a_crash_before_commit_leaves_nothing(engine: AsyncEngine):
    """The first point is before the COMMIT: the row is rolled back, and the next transaction works."""
    plan = CrashPlan((1,))
    install_commit_points(engine.sync_engine, plan)
    with pytest.raises(Crash, match="before COMMIT"):
        await order(engine)
    plan.revive()
    assert await beers(engine) == 0
    await order(engine)
    assert await beers(engine) == 1


async def test_a_crash_after_commit_leaves_the_row(engine: AsyncEngine):
    """The second point is after the COMMIT: the caller never hears of a row that is there."""
    plan = CrashPlan((2,))
    install_commit_points(engine.sync_engine, plan)
    with pytest.raises(Crash, match="after COMMIT"):
        await order(engine)
    plan.revive()
    assert await beers(engine) == 1
    await order(engine)
    assert await beers(engine) == 2


@pytest.mark.parametrize(("at", "kept"), [(1, 0), (2, 1)])
async def test_sessions_pass_the_same_points(engine: AsyncEngine, at: int, kept: int):
    """An ORM session's commit is a commit like any other."""
    plan = CrashPlan((at,))
    install_commit_points(engine.sync_engine, plan)
    with pytest.raises(Crash):
        await order_by_session(engine)
    plan.revive()
    assert await beers(engine) == kept


async def test_the_dead_do_not_tidy_up(engine: AsyncEngine):
    """After a crash no ``finally`` on the way out gets a transaction through, or a call of a port."""
    plan = CrashPlan((2,))
    install_commit_points(engine.sync_engine, plan)
    bar = crashing(Bar(), plan, ["pour"])

    async def tidy() -> None:
        try:
            await order(engine)
        finally:
            try:
                await order(engine)
            finally:
                await bar.pour()

    with pytest.raises(Crash, match="already dead"):
        await tidy()
    plan.revive()
    assert await beers(engine) == 1
    assert bar.poured == 0


async def test_every_point_of_a_small_life_can_be_survived(engine: AsyncEngine):
    """Dying once at each point in turn and beginning again ends with one row, when the life looks before it writes."""
    plan = CrashPlan()
    uninstall = install_commit_points(engine.sync_engine, plan)

    async def life() -> None:
        if await beers(engine) == 0:
            await order(engine)

    await live_through(plan, life)
    uninstall()
    assert plan.passed == ["before COMMIT", "after COMMIT"]
    for at in range(1, plan.count + 1):
        async with engine.begin() as connection:
            await connection.execute(text("DELETE FROM tab"))
        again = CrashPlan((at,))
        uninstall = install_commit_points(engine.sync_engine, again)
        await live_through(again, life)
        uninstall()
        assert await beers(engine) == 1, f"died at {at}: {again.passed}"


async def test_points_can_be_taken_out(engine: AsyncEngine):
    """After ``uninstall`` commits count for nothing."""
    plan = CrashPlan((1,))
    install_commit_points(engine.sync_engine, plan)()
    await order(engine)
    assert plan.count == 0
    assert await beers(engine) == 1


async def test_a_database_in_memory_outlives_a_crash():
    """The connection is kept, so that an in-memory SQLite is not lost with the process that died."""
    engine = create_async_engine("sqlite+aiosqlite://", poolclass=StaticPool)
    async with engine.begin() as connection:
        await connection.execute(text("CREATE TABLE tab (beers integer)"))
    plan = CrashPlan((1, 4))
    install_commit_points(engine.sync_engine, plan)

    async def life() -> None:
        await order(engine)

    await live_through(plan, life)
    with pytest.raises(Crash):
        await order(engine)
    plan.revive()
    assert await beers(engine) == 1
    await engine.dispose()


class Bar:
    def __init__(self) -> None:
        self.poured = 0
        self.name = "bar"

    async def pour(self, beers: int = 1) -> int:
        self.poured += beers
        if beers > 5:
            raise ValueError("too many")
        return beers


@pytest.mark.parametrize(("at", "poured"), [(1, 0), (2, 1)])
async def test_a_call_has_a_point_on_either_side(at: int, poured: int):
    """Before: nothing happened. After: it happened and the answer is lost. Other attributes pass through."""
    bar = crashing(Bar(), CrashPlan((at,)), ["pour"])
    with pytest.raises(Crash):
        await bar.pour()
    assert bar.poured == poured
    assert bar.name == "bar"


async def test_an_error_is_an_answer_that_can_be_lost():
    """The point after a call is reached when the call raises, too; without a plan the error comes through."""
    with pytest.raises(ValueError, match="too many"):
        await crashing(Bar(), CrashPlan(), ["pour"]).pour(6)
    with pytest.raises(Crash):
        await crashing(Bar(), CrashPlan((2,)), ["pour"]).pour(6)


async def test_a_life_that_never_ends_is_told():
    """``live_through`` gives up with an error rather than looping for ever."""
    plan = CrashPlan(tuple(range(1, 100)))
    bar = crashing(Bar(), plan, ["pour"])
    with pytest.raises(AssertionError, match="3 lives"):
        await live_through(plan, bar.pour, lives=3)
