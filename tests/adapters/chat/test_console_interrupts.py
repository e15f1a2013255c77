"""Ctrl-C once ends in order, twice leaves at once and says what is left."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from adapters.chat.console import Interrupts, what_is_left
from tests.support.waiting import wait_until


class Ending:
    """What happened, in order; ``go`` lets the orderly end finish."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.go = asyncio.Event()

    async def first(self) -> None:
        self.said.append("tearing down")
        await self.go.wait()
        self.said.append("torn down")

    def second(self) -> None:
        self.said.append("what is left")

    def leave(self, code: int) -> None:
        self.said.append(f"exit {code}")

    @contextmanager
    def caught(self) -> Iterator[Interrupts]:
        with Interrupts(self.first, self.second, leave=self.leave) as interrupts:
            yield interrupts


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
async def test_the_second_signal_leaves_at_once(number: signal.Signals, code: int):
    """Real signals: the first begins the orderly end, the second prints and exits in the middle of it."""
    ending = Ending()
    with ending.caught() as interrupts:
        assert not interrupts.struck
        os.kill(os.getpid(), number)
        await wait_until(lambda: ending.said == ["tearing down"])
        assert interrupts.struck
        os.kill(os.getpid(), number)
        await wait_until(lambda: len(ending.said) == 3)
        assert ending.said == ["tearing down", "what is left", f"exit {code}"]
        ending.go.set()
        assert interrupts.task
        await interrupts.task


async def test_one_is_enough_when_nobody_is_in_a_hurry():
    """The orderly end runs to its end in its own task."""
    ending = Ending()
    with ending.caught() as interrupts:
        interrupts.strike()
        ending.go.set()
        assert interrupts.task
        await interrupts.task
    assert ending.said == ["tearing down", "torn down"]


async def test_signals_mean_what_they_meant_before_when_it_is_over():
    """Nothing of it stays behind."""
    before = signal.getsignal(signal.SIGINT)
    with Ending().caught():
        assert signal.getsignal(signal.SIGINT) != before
    assert signal.getsignal(signal.SIGINT) == before


async def test_a_fault_in_the_orderly_end_is_told():
    """It neither is lost nor stops the second from leaving."""
    faults: list[BaseException] = []

    async def fails() -> None:
        raise RuntimeError("no store")

    ending = Ending()
    with Interrupts(fails, ending.second, leave=ending.leave, on_fault=faults.append) as interrupts:
        interrupts.strike()
        assert interrupts.task
        await interrupts.task
        interrupts.strike()
    assert [str(fault) for fault in faults] == ["no store"]
    assert ending.said == ["what is left", "exit 130"]


async def test_it_leaves_even_if_saying_what_is_left_fails():
    """At once means at once."""
    ending = Ending()

    def fails() -> None:
        raise OSError

    with Interrupts(ending.first, fails, leave=ending.leave) as interrupts:
        interrupts.strike()
        with pytest.raises(OSError):
            interrupts.strike()
        interrupts.task.cancel() if interrupts.task else None
    assert ending.said == ["exit 130"]


def test_outside_the_main_thread_it_still_can_be_struck():
    """There are no signals there; a key press works."""
    said: list[str] = []

    async def run() -> None:
        ending = Ending()
        ending.go.set()
        with ending.caught() as interrupts:
            interrupts.strike()
            assert interrupts.task
            await interrupts.task
        said.extend(ending.said)

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    thread.join()
    assert said == ["tearing down", "torn down"]


def test_what_is_left_says_what_to_type():
    """Each rental by name, and the command that ends it."""
    assert what_is_left([]) == "Nothing of this session is rented any more."
    text = what_is_left(["k7m2qd", "p3x9aa"])
    assert text.startswith("2 rentals are not proven closed and may go on costing money: k7m2qd, p3x9aa\n")
    assert '  lastcall chat -c "down p3x9aa" --wait' in text
