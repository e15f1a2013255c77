"""Who a process is, so that what a killed one held need not be waited for.

A mark is ``place/pid/start``. The place is a digest of the kernel's boot id and of the pid namespace: two containers
or cloned machines never share it, whatever their host names. Where that cannot be told (no ``/proc``), nothing is
ever judged dead, and leases and claims run out by themselves.
"""

from __future__ import annotations

import functools
import hashlib
import os
from pathlib import Path

_NOWHERE = "unknown"


@functools.cache
def _place() -> str:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        space = Path("/proc/self/ns/pid").readlink()
    except OSError:
        return _NOWHERE
    return hashlib.sha256(f"{boot} {space}".encode()).hexdigest()[:10]


def _started(pid: int) -> str | None:
    """Field 22 of ``/proc/PID/stat``: a pid that is used again has another one. None when there is no such process."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None
    except OSError:
        return ""
    fields = stat.rpartition(")")[2].split()
    # A zombie has nothing in its hands any more.
    return None if fields[0] == "Z" else fields[19]


def here() -> str:
    """This process."""
    return f"{_place()}/{os.getpid()}/{_started(os.getpid()) or 0}"


def is_dead(mark: str) -> bool:
    """Whether the process of this mark lived in this place and is gone. Of others nothing is known: False."""
    place, _, rest = mark.partition("/")
    pid, _, start = rest.partition("/")
    if place != _place() or place == _NOWHERE or not pid.isdecimal():
        return False
    now = _started(int(pid))
    return now is None or now not in ("", start)
