"""Which process is which: identity that survives a reused pid, and everybody who belongs to a unit."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from typing import Dict, List, NamedTuple, Optional

PROC = os.path.exists("/proc/self/stat")
DEAD = ("Z", "X")
MARK = "LASTCALL_UNIT"
"""Environment variable that a unit's processes carry, so that one that left the group is found as well."""


class Identity(NamedTuple):
    """A process as the kernel knows it. ``started`` differs when the pid was given to another."""

    pid: int
    group: int
    session: int
    state: str
    started: str


def identity(pid: int) -> Optional[Identity]:
    """The process that has this pid now, dead but unburied ones included; None when there is none."""
    if not PROC:
        return _listed(["-p", str(pid)]).get(pid)
    try:
        with open("/proc/%d/stat" % pid, "rb") as file:
            # The name in brackets may hold spaces and brackets; what follows the last one is plain.
            field = file.read().rpartition(b")")[2].decode("ascii").split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return Identity(pid, int(field[2]), int(field[3]), field[0][:1], field[19])


def _listed(select: List[str]) -> Dict[int, Identity]:
    """The same from ``ps``, where there is no /proc (macOS: a session's number is not told, the group's stands in)."""
    made = subprocess.run(
        ["ps", *select, "-o", "pid=,pgid=,stat=,lstart="],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False,
    )  # fmt: skip
    rows = (line.split(None, 3) for line in made.stdout.decode("utf-8", "replace").splitlines())
    return {int(r[0]): Identity(int(r[0]), int(r[1]), int(r[1]), r[2][:1], r[3]) for r in rows if len(r) == 4}


def boot_id() -> str:
    """Differs after a reboot; empty where it cannot be told."""
    try:
        with open("/proc/sys/kernel/random/boot_id") as file:
            return file.read().strip()
    except OSError:
        pass
    try:
        made = subprocess.run(
            ["sysctl", "-n", "kern.boottime"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
    except OSError:
        return ""
    return made.stdout.decode("ascii", "replace").partition("}")[0]


def members(mark: str, session: Optional[int]) -> List[int]:
    """Living processes of a unit: that carry its mark, or are of its ``session`` where that is surely its own."""
    if not PROC:
        everybody = _listed(["-A"]).values()
        return [one.pid for one in everybody if one.group == session and one.state not in DEAD]
    wanted = ("%s=%s" % (MARK, mark)).encode("ascii")
    found = []
    for entry in os.listdir("/proc"):
        one = identity(int(entry)) if entry.isdigit() else None
        if one and one.state not in DEAD and (one.session == session or wanted in _environment(one.pid)):
            found.append(one.pid)
    return found


def _environment(pid: int) -> List[bytes]:
    try:
        with open("/proc/%d/environ" % pid, "rb") as file:
            return file.read().split(b"\0")
    except OSError:
        return []  # Another user's, or gone: not ours.


def signal_all(pids: List[int], number: int) -> None:
    """Signal each; one that is gone meanwhile is what we wanted."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except (ProcessLookupError, PermissionError):
            pass


def end_all(mark: str, session: Optional[int], grace: float) -> None:
    """Wait until a unit has no process left; KILL what is there after ``grace``, and what that still bears."""
    deadline, pause = time.monotonic() + grace, 0.02
    while time.monotonic() < deadline:
        if not members(mark, session):
            return
        time.sleep(pause)
        pause = min(pause * 1.5, 0.25)
    for _ in range(20):
        left = members(mark, session)
        if not left:
            return
        signal_all(left, signal.SIGKILL)
        time.sleep(0.05)


def wait_unreaped(pid: int, pause: float = 0.25) -> None:
    """Wait for a child's end but leave it unburied: as long as it is, its pid and its group are nobody else's."""
    if hasattr(os, "waitid"):
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        return
    while not has_ended(pid):
        time.sleep(pause)


def has_ended(pid: int) -> bool:
    """Whether our child has ended; it is not buried by asking."""
    if hasattr(os, "waitid"):
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None
    one = identity(pid)
    return one is None or one.state in DEAD


def exit_code_of(status: int) -> int:
    """A wait status as a shell tells it: 128 and the signal's number for a death by signal."""
    return 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
