"""Waiting for real processes and servers: the one place where tests may."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

import psutil

T = TypeVar("T")


async def wait_until(
    predicate: Callable[[], T | Awaitable[T]], within: timedelta = timedelta(seconds=10)
) -> T:
    """The first true answer of ``predicate`` (plain or async), which is asked again and again until then."""
    deadline, pause = time.monotonic() + within.total_seconds(), 0.005
    while True:
        answer = predicate()
        value: T = await answer if inspect.isawaitable(answer) else answer
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"still not so after {within.total_seconds():g} s: {predicate}")
        await asyncio.sleep(pause)
        pause = min(pause * 2, 0.1)


def is_alive(pid: int) -> bool:
    """Whether the process runs; one that is dead and unburied does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
