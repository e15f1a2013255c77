"""Ctrl-C twice: the first ends things in order, the second leaves at once and says what is left."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from types import FrameType, TracebackType
from typing import Any, Self

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupts:
    """While it is entered, SIGINT and SIGTERM strike here; so may a key press (``strike``).

    ``on_first`` is awaited in a task of its own and should tear down and return; what it raises is given to
    ``on_fault``. ``on_second`` is quick and prints. ``leave`` ends the process with the code given (130)."""

    def __init__(
        self,
        on_first: Callable[[], Awaitable[None]],
        on_second: Callable[[], None],
        *,
        leave: Callable[[int], None] | None = None,
        on_fault: Callable[[BaseException], None] | None = None,
    ) -> None:
        self._on_first = on_first
        self._on_second = on_second
        self._on_fault = on_fault
        self._terminal = _Terminal()
        self._leave = leave or _leave_at_once
        self._loop: asyncio.AbstractEventLoop | None = None
        self._by_loop: list[signal.Signals] = []
        self._before: dict[signal.Signals, Any] = {}
        self.task: asyncio.Task[None] | None = None
        """What the first strike began; None before it."""

    @property
    def struck(self) -> bool:
        """Whether the end was asked for."""
        return self.task is not None

    def __enter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            self._catch(number, self._loop)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._loop is not None
        for number in self._by_loop:
            with contextlib.suppress(ValueError, RuntimeError):
                self._loop.remove_signal_handler(number)
        for number, handler in self._before.items():
            with contextlib.suppress(ValueError, TypeError):
                signal.signal(number, handler)
        self._by_loop.clear()
        self._before.clear()

    def strike(self, number: int = signal.SIGINT) -> None:
        """One interrupt, from wherever it came. Call it in the loop's thread."""
        if self.task is None:
            self.task = asyncio.ensure_future(self._first())
            return
        self._terminal.restore()
        try:
            self._on_second()
        finally:
            self._leave(128 + number)

    async def _first(self) -> None:
        try:
            await self._on_first()
        except Exception as fault:
            if self._on_fault is None:
                raise
            self._on_fault(fault)

    def _catch(self, number: signal.Signals, loop: asyncio.AbstractEventLoop) -> None:
        """By the loop; where it cannot (Windows), by the interpreter; outside the main thread, not at all."""
        with contextlib.suppress(ValueError):
            self._before[number] = signal.getsignal(number)
        try:
            loop.add_signal_handler(number, self.strike, number)
            self._by_loop.append(number)
        except (NotImplementedError, RuntimeError, ValueError):

            def handler(_: int, __: FrameType | None) -> None:
                loop.call_soon_threadsafe(self.strike, number)

            with contextlib.suppress(ValueError):
                signal.signal(number, handler)


def what_is_left(rentals: Sequence[str], before: str = "") -> str:
    """The sentences for the second Ctrl-C: which machines may go on costing money, and what to type. ``before`` stands
    before each command (``LASTCALL_DATA_DIR=… ``)."""
    if not rentals:
        return "Nothing of this session is rented any more."
    names = ", ".join(rentals)
    count = "1 rental is" if len(rentals) == 1 else f"{len(rentals)} rentals are"
    down = "\n".join(f'  {before}lastcall chat -c "down {rental}" --wait' for rental in rentals)
    return f"{count} not proven closed and may go on costing money: {names}\nTo end what is left:\n{down}"


class _Terminal:
    """The terminal's settings as they were found, so that a sudden end does not leave it without echo."""

    def __init__(self) -> None:
        self._found: list[Any] | None = None
        with contextlib.suppress(Exception):
            import termios  # noqa: PLC0415 - there is none on Windows

            self._found = termios.tcgetattr(sys.__stdin__.fileno()) if sys.__stdin__ else None

    def restore(self) -> None:
        """Echo and line editing back, cursor shown, no bracketed paste, on a line of its own."""
        with contextlib.suppress(Exception):
            import termios  # noqa: PLC0415 - there is none on Windows

            assert self._found is not None
            termios.tcsetattr(sys.__stdin__.fileno(), termios.TCSANOW, self._found)  # type: ignore[union-attr]
        with contextlib.suppress(Exception):
            if sys.stdout.isatty():
                sys.stdout.write("\x1b[?2004l\x1b[?25h\x1b[0m\r\n")
                sys.stdout.flush()


def _leave_at_once(code: int) -> None:
    """Without waiting for tasks, threads or exit handlers."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
    os._exit(code)
