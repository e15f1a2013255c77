"""Processes that try to outlive a machine, and a way to die in the middle of the work on one."""

from __future__ import annotations

import os
import subprocess
import sys
import traceback
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from types import FrameType
from typing import Any
from uuid import uuid4

from bot.domain.market import Access
from bot.ports import Shell

STRAY = """
import os, signal, sys
if os.fork():
    os._exit(0)
os.setsid()
if os.fork():
    os._exit(0)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
nothing = os.open(os.devnull, os.O_RDWR)
for stream in (0, 1, 2):
    os.dup2(nothing, stream)
with open("stray.half", "w") as file:
    file.write(str(os.getpid()))
os.rename("stray.half", sys.argv[1])
while True:
    signal.pause()
"""
"""Forks twice, leaves its session, ignores TERM, and tells its pid in a file."""


def fresh_label(attempt: int = 1) -> str:
    """A label that no other test has: marks in environments are seen by all tests of a computer."""
    return f"lc-tests-{uuid4().hex[:6]}-{attempt}-20990101T0000Z"


WAITING = "import signal; signal.pause()"


async def run_stray(shell: Shell, access: Access, folder: Path) -> Callable[[], int]:
    """Start one on a machine; the answer asks for its pid, 0 while it is not told."""
    await shell.run(access, [access.python, "-c", STRAY, "stray.pid"], limit=timedelta(seconds=20))
    told = folder / "stray.pid"
    return lambda: int(told.read_text()) if told.exists() else 0


def bystander(env: Mapping[str, str], cwd: Path) -> subprocess.Popen[bytes]:
    """A process that waits, in ``cwd``, with ``env`` beside the usual one. The caller kills it."""
    return subprocess.Popen([sys.executable, "-I", "-S", "-c", WAITING], env={**os.environ, **env}, cwd=cwd)


def dies_at(point: int, work: Callable[[], object], where: str, *, once: bool = False) -> bool:
    """Do ``work`` in a child that is killed, as by KILL, before its ``point``-th call out of the files below ``where``.
    False when the work was done before that. ``once``: a line counts the first time only, so that a loop that waits
    for another process does not have more points on a slower computer."""
    child = os.fork()
    if child == 0:
        _live_until(point, work, where, once=once)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def _live_until(point: int, work: Callable[[], object], where: str, *, once: bool) -> None:
    passed: set[object] = set()

    def count(frame: FrameType, event: str, _: Any) -> None:
        if event in ("call", "c_call") and where in frame.f_code.co_filename:
            passed.add((frame.f_code, frame.f_lineno, event) if once else len(passed))
            if len(passed) == point:
                os.kill(os.getpid(), 9)

    code = 1
    try:
        sys.setprofile(count)
        work()
        code = 0
    finally:
        os._exit(code)


def as_nobody(work: Callable[[], object]) -> None:
    """Do ``work`` in a child that has no more rights than others: root may do what ordinary users may not."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            if os.geteuid() == 0:
                os.setgid(65534)
                os.setuid(65534)
            work()
            code = 0
        except BaseException:  # noqa: BLE001 - told, and this copy of the test must end here
            traceback.print_exc()
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0


def pin_down(file: Path) -> bool:
    """Make a file that not even root can remove; False where that cannot be done."""
    return _does("chattr", "+i", str(file))


def let_go(file: Path) -> None:
    """Undo ``pin_down``."""
    assert _does("chattr", "-i", str(file))


def mount(source: Path, point: Path) -> bool:
    """Show ``source`` at ``point``; False where that cannot be done."""
    return _does("mount", "--bind", str(source), str(point))


def unmount(point: Path) -> None:
    """Undo ``mount``."""
    assert _does("umount", str(point))


def _does(*command: str) -> bool:
    try:
        return not subprocess.run(command, capture_output=True, check=False).returncode
    except FileNotFoundError:
        return False
