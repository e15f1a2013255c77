"""The process that stays with a unit: starts it, waits for it, ends it at its limit, and writes how it ended."""

from __future__ import annotations

import json
import os
import resource
import signal
import time
from typing import Dict, List, NamedTuple, NoReturn, Optional

from adapters.shell.far.processes import (
    boot_id,
    end_all,
    exit_code_of,
    has_ended,
    identity,
    members,
    signal_all,
)
from adapters.shell.far.words import Trouble, write_whole

LIMIT_GRACE_S = 30.0
"""Between TERM and KILL when the unit's own time is over."""
LEFTOVER_GRACE_S = 5.0
"""Between TERM and KILL for what outlives the unit's first process unasked."""
LIMIT_CODE = 124
"""The exit code of a unit that was ended by its limit, whatever it said itself (as ``timeout`` has it)."""


class Work(NamedTuple):
    """What a supervisor needs to know about its unit."""

    folder: str
    cwd: str
    argv: List[str]
    env: Dict[str, str]
    mark: str
    limit: Optional[float]


def detach() -> bool:
    """Fork a process of its own session that nobody waits for. True in it; False in the caller, at once."""
    pid = os.fork()
    if pid:
        os.waitpid(pid, 0)
        return False
    os.setsid()
    if os.fork():
        os._exit(0)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for handle in (0, 1, 2):
        os.dup2(nowhere, handle)
    return True


def launch(work: Work, lock: int) -> None:
    """Start unit and supervisor; return when the unit's process is written down. ``lock`` is the supervisor's then."""
    report, told = os.pipe()
    if detach():
        try:
            _supervise(work, told)
        except BaseException as error:  # noqa: BLE001 - whatever it is, it must be told, and this copy must end here
            os.write(told, str(error).encode("utf-8", "replace")[:1000])
        os._exit(1)
    os.close(told)
    os.close(lock)
    with os.fdopen(report, "rb") as answer:
        said = answer.read()
    if said != b"up":
        raise Trouble("the unit could not be started: %s" % (said.decode("utf-8", "replace") or "no answer"))


def _supervise(work: Work, told: int) -> NoReturn:
    log = os.open(
        os.path.join(work.folder, "log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600
    )
    for number in (signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    ready, is_ready = os.pipe()
    go, may_go = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(may_go)
        _become(work, log, is_ready, go)
    for handle in (log, is_ready, go):
        os.close(handle)
    os.read(ready, 1)
    # Passed on, so that whoever ends all that is ours in one sweep still gets an exit file.
    signal.signal(signal.SIGTERM, lambda *_: signal_all(members(work.mark, pid), signal.SIGTERM))
    found = identity(pid)
    who = {"pid": pid, "started": found.started if found else "", "boot": boot_id(), "mark": work.mark}
    write_whole(os.path.join(work.folder, "exit.next"), "%8d\n" % -1)
    write_whole(os.path.join(work.folder, "pid"), json.dumps({**who, "supervisor": os.getpid()}))
    os.write(may_go, b"g")
    os.write(told, b"up")
    os.close(told)
    _write_exit(work.folder, _watch(work, pid))
    os._exit(0)


def _write_exit(folder: str, code: int) -> None:
    """Its bytes were put on the disk at the start: a full disk, which ends many a training, must not hide the end."""
    half = os.path.join(folder, "exit.next")
    handle = os.open(half, os.O_WRONLY)
    os.write(handle, b"%8d\n" % code)
    os.fsync(handle)
    os.close(handle)
    os.replace(half, os.path.join(folder, "exit"))


def _become(work: Work, log: int, is_ready: int, go: int) -> NoReturn:
    """In the unit's process: wait until it is written down, then become the job. Without a word it must not run."""
    try:
        os.setsid()
        os.dup2(log, 1)
        os.dup2(log, 2)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
        os.write(is_ready, b"r")
        if os.read(go, 1) == b"g":
            os.chdir(work.cwd)
            os.execvpe(work.argv[0], work.argv, work.env)  # noqa: S606 - no shell is what is wanted
    except OSError as error:
        os.write(2, ("%s: %s\n" % (work.argv[0], error.strerror)).encode("utf-8", "replace"))
        os._exit(127 if isinstance(error, FileNotFoundError) else 126)
    finally:
        os._exit(127)


def _watch(work: Work, pid: int) -> int:
    """Wait for the first process, then for what it leaves behind; its exit code."""
    deadline = time.monotonic() + work.limit if work.limit is not None else None
    pause, over = 0.02, False
    while not has_ended(pid):
        if deadline is not None and time.monotonic() >= deadline:
            signal_all(members(work.mark, pid), signal.SIGKILL if over else signal.SIGTERM)
            deadline, over = time.monotonic() + LIMIT_GRACE_S, True
        time.sleep(pause)
        pause = min(pause * 1.5, 0.25)
    end_all(work.mark, pid, _leftover_grace(work.folder, work.mark, pid))
    _, status = os.waitpid(pid, 0)
    return LIMIT_CODE if over else exit_code_of(status)


def _leftover_grace(folder: str, mark: str, pid: int) -> float:
    """A stop that was asked for has already said TERM and has its own grace; else TERM is said here."""
    try:
        with open(os.path.join(folder, "stop"), encoding="utf-8") as file:
            return float(json.load(file)["grace"])
    except (OSError, ValueError, KeyError):
        signal_all(members(mark, pid), signal.SIGTERM)
        return LEFTOVER_GRACE_S
