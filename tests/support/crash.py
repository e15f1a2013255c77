"""Crashes at every point where a process can die between two effects.

A *point* is a moment just before or just after an effect that outlives the process: a call of a port, a COMMIT.
``CrashPlan((3, 7))`` dies at the third and at the seventh point that are passed, counted over all lives. A dead
process does nothing more: until ``revive`` every further point raises again before its effect, so that ``finally``
and ``except`` blocks on the way out cannot tidy up what a killed process would have left.
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Collection
from typing import Any, TypeVar, cast

from sqlalchemy import Engine, event
from sqlalchemy.engine import ExceptionContext

T = TypeVar("T")


class Crash(BaseException):
    """The process died here. No ``except Exception`` stops it."""


class CrashPlan:
    """Counts points from 1 and dies at those that are planned. Without any it only counts and names them."""

    def __init__(self, points: tuple[int, ...] = ()) -> None:
        self.points = frozenset(points)
        self.passed: list[str] = []
        """Names of the points in the order in which they were reached."""
        self.dead = False

    @property
    def count(self) -> int:
        """How many points were reached so far."""
        return len(self.passed)

    def point(self, name: str) -> None:
        """A point is reached."""
        if self.dead:
            raise Crash(f"already dead at {name}")
        self.passed.append(name)
        if self.count in self.points:
            self.dead = True
            raise Crash(f"point {self.count}: {name}")

    def revive(self) -> None:
        """A new process begins; the count goes on."""
        self.dead = False


async def live_through(plan: CrashPlan, life: Callable[[], Awaitable[T]], *, lives: int = 100) -> T:
    """Run ``life`` until one ends by itself; after each crash a new one begins."""
    for _ in range(lives):
        try:
            return await life()
        except Crash:
            plan.revive()
    raise AssertionError(f"{lives} lives were not enough")


class Forwarding:
    """Everything that a subclass does not define is the inner object's."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def crashing(obj: T, plan: CrashPlan, names: Collection[str]) -> T:
    """``obj`` with a crash point before and after each of its async methods ``names``."""
    wrapper = Forwarding(obj)
    for name in names:
        setattr(wrapper, name, _with_points(getattr(obj, name), plan, f"{type(obj).__name__}.{name}"))
    return cast("T", wrapper)


def _with_points(
    method: Callable[..., Awaitable[Any]], plan: CrashPlan, name: str
) -> Callable[..., Awaitable[Any]]:
    """An error answer is an answer too: the point after it is reached all the same."""

    @functools.wraps(method)
    async def call(*args: Any, **kwargs: Any) -> Any:
        plan.point(f"before {name}")
        try:
            answer = await method(*args, **kwargs)
        except Exception:
            plan.point(f"after {name}")
            raise
        plan.point(f"after {name}")
        return answer

    return call


def install_commit_points(engine: Engine, plan: CrashPlan) -> Callable[[], None]:
    """Crash points around every COMMIT of an engine (``async_engine.sync_engine``); returns what takes them out.

    Before: it is rolled back, as a database does for a client that died (an ORM session would hand the open
    transaction back to the pool). After: it is committed and the caller never hears of it. The dialect is the one
    place that all commits pass (``begin`` blocks, ``commit()``, sessions) on every database. SQLAlchemy would drop
    the connection of a ``BaseException``; it is sound, so it is kept, and an in-memory database with it.
    """
    dialect = engine.dialect
    commit = dialect.do_commit

    def do_commit(connection: Any) -> None:
        try:
            plan.point("before COMMIT")
        except Crash:
            dialect.do_rollback(connection)
            raise
        commit(connection)
        plan.point("after COMMIT")

    def keep_connection(context: ExceptionContext) -> None:
        if isinstance(context.original_exception, Crash):
            context.is_disconnect = False

    def uninstall() -> None:
        vars(dialect).pop("do_commit")
        event.remove(engine, "handle_error", keep_connection)

    vars(dialect)["do_commit"] = do_commit
    event.listen(engine, "handle_error", keep_connection)
    return uninstall
