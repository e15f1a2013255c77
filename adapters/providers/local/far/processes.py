"""Which processes are ours, and their end.

Ours is what carries our mark in its environment (``LASTCALL_MACHINE=<label>``, which children inherit through
every fork and setsid), what a unit's pid file names, and the children of both. A pid alone proves nothing,
because pids are used again: every pid goes with its start time, and a pid whose start time differs is a stranger.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Callable, Dict, Iterable, List, Optional, Set, Tuple

MARK = "LASTCALL_MACHINE"
PROC = Path("/proc")

Found = Dict[int, str]
"""pid to start time."""


def started(pid: int) -> Optional[str]:
    """When this process began, in words that only this process has; None when it is gone (or a zombie)."""
    if sys.platform.startswith("linux"):
        fields = _stat(pid)
        return fields[19] if fields and fields[0] not in "ZX" else None
    stat, _, began = _ps("-o", "stat=,lstart=", "-p", str(pid)).strip().partition(" ")
    return None if not began or stat.startswith("Z") else began.strip()


def command_line(pid: int) -> str:
    """What the process was started as (or calls itself); empty when it cannot be told."""
    if sys.platform.startswith("linux"):
        try:
            return (PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            return ""
    return _ps("-o", "command=", "-p", str(pid))


def marked(label: str) -> Found:
    """Processes whose environment carries the mark of ``label``."""
    if sys.platform.startswith("linux"):
        mark = f"{MARK}={label}".encode()
        pids = [int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit()]
        return _alive(pid for pid in pids if mark in _environment(pid))
    line = re.compile(rf"\s*(\d+)\s(?:.*\s)?{MARK}={re.escape(label)}(?:\s|$)")
    hits = [line.match(text) for text in _ps("axeww", "-o", "pid=,command=").splitlines()]
    return _alive(int(hit.group(1)) for hit in hits if hit)


def with_children(found: Found) -> Found:
    """``found``, everything that descends from it, and the process groups that it leads."""
    family: Set[int] = set(found)
    grown = True
    while grown:
        young = {pid for pid, parent, group in _table() if parent in family or group in family} - family
        family |= young
        grown = bool(young)
    return {**_alive(family - set(found)), **found}


def end_all(find: Callable[[], Found], grace: float) -> Found:
    """TERM to all that ``find`` finds (again and again, they may have children), KILL after ``grace`` seconds.

    Returns who is still there: nobody, unless the kernel holds them."""
    spared = _ancestors()
    seen: Found = {}
    begun = time.monotonic()
    while True:
        for pid, start in find().items():
            if seen.get(pid) != start and pid not in spared:
                seen[pid] = start
                _send(pid, start, signal.SIGTERM)
        left = {pid: start for pid, start in seen.items() if started(pid) == start}
        waited = time.monotonic() - begun
        if not left or waited > grace + 2:
            return left
        if waited > grace:
            for pid, start in left.items():
                _send(pid, start, signal.SIGKILL)
        time.sleep(0.02)


def _send(pid: int, start: str, what: signal.Signals) -> None:
    if started(pid) == start:
        try:
            os.kill(pid, what)
        except (ProcessLookupError, PermissionError):
            pass  # gone meanwhile, or not ours to end: the caller looks again and tells


def _environment(pid: int) -> Set[bytes]:
    try:
        return set((PROC / str(pid) / "environ").read_bytes().split(b"\0"))
    except OSError:
        return set()


def _alive(pids: Iterable[int]) -> Found:
    starts = {pid: started(pid) for pid in pids}
    return {pid: start for pid, start in starts.items() if start is not None}


def _table() -> List[Tuple[int, int, int]]:
    """pid, parent and process group of every process."""
    if not sys.platform.startswith("linux"):
        rows = [text.split() for text in _ps("-A", "-o", "pid=,ppid=,pgid=").splitlines()]
        return [(int(row[0]), int(row[1]), int(row[2])) for row in rows if len(row) == 3]
    found = []
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            fields = _stat(int(entry.name))
            if fields:
                found.append((int(entry.name), int(fields[1]), int(fields[2])))
    return found


def _stat(pid: int) -> List[str]:
    """The fields of ``/proc/<pid>/stat`` from the third on; empty when the process is gone."""
    try:
        text = (PROC / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return []
    return text.rpartition(")")[2].split()  # the name in field 2 may hold spaces and brackets


def _ancestors() -> Set[int]:
    """This process and all above it: ending them would end the teardown itself."""
    parents = {pid: parent for pid, parent, _ in _table()}
    chain, pid = {os.getpid()}, os.getppid()
    while pid > 0 and pid not in chain:
        chain.add(pid)
        pid = parents.get(pid, 0)
    return chain


def _ps(*arguments: str) -> str:
    done = subprocess.run(
        ["ps", *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    return done.stdout.decode(errors="replace")
