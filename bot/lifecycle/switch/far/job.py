"""Ending the job: every unit of the machine's folder but the switch itself, politely first.

A unit has a folder ``units/<name>`` with a file ``pid`` (leader, start time, mark); its processes carry the mark in
their environment, or are of the leader's session.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path
from select import select
from typing import Any

from bot.lifecycle.switch.far.notes import read, write

MARK = "LASTCALL_UNIT"
PROC = Path("/proc")
DEAD = (b"Z", b"X")


def stop(workdir: Path, grace: float) -> int:
    """TERM to all, KILL after ``grace`` seconds to what is left; how many units there were."""
    own, units = os.environ.get(MARK, ""), []
    for place in sorted((workdir / "units").glob("*/pid")):
        leader = read(place)
        if leader.get("mark") and leader["mark"] != own and not place.with_name("exit").exists():
            # The unit's supervisor gives what outlives the leader as long as we do.
            write(place.with_name("stop"), {"grace": grace})
            units.append(leader)
    _signal(units, signal.SIGTERM)
    end = time.monotonic() + grace
    while members(units) and time.monotonic() < end:
        select([], [], [], 0.2)
    for _ in range(20):  # what it bears while it is killed is killed with it
        _signal(units, signal.SIGKILL)
        if not members(units):
            break
        select([], [], [], 0.05)
    return len(units)


def members(units: list[dict[str, Any]]) -> set[int]:
    """Living processes of these units."""
    if not PROC.joinpath("self/stat").exists():
        return {int(one["pid"]) for one in units if _answers(int(one["pid"]))}
    marks = {f"{MARK}={one['mark']}".encode() for one in units}
    found = set()
    sessions = {(str(one["pid"]).encode()) for one in units if _is_leader(one)}
    for place in PROC.glob("[0-9]*"):
        fields = _stat(place)
        if fields and fields[0] not in DEAD and (fields[3] in sessions or marks & _environment(place)):
            found.add(int(place.name))
    return found - {os.getpid()}


def _signal(units: list[dict[str, Any]], number: int) -> None:
    for pid in members(units):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def _stat(place: Path) -> list[bytes]:
    """State, parent, group, session … of a process; empty when it is gone. Its name may hold spaces and brackets."""
    try:
        return place.joinpath("stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return []


def _is_leader(unit: dict[str, Any]) -> bool:
    """Whether the pid is still the one that was written down; a start time that differs is another process's."""
    fields = _stat(PROC / str(unit["pid"]))
    return not fields or fields[19] == str(unit.get("started", "")).encode()


def _environment(place: Path) -> set[bytes]:
    try:
        return set(place.joinpath("environ").read_bytes().split(b"\0"))
    except OSError:
        return set()  # another user's, or gone


def _answers(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True
