"""What a machine on a host is: a folder ``machines/<label>``, what we started in it, and the GPUs it holds.

    machine.json    written last, by rename: the machine is made
    ending          its end was asked for; holds what stands in the way, if anything
    work/           the workdir that rentals see
    ssh/            its own sshd, where it has one

A folder without ``machine.json`` is a making that was cut off: it is listed, and can be destroyed.
Whoever makes or ends a machine holds a ``flock`` on its folder, so that no two do it at once.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional

from adapters.providers.local.far import locks, processes, way_in, wipe

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
GRACE = 2.0
BUSY_LIMIT = 6.0
PID_FILES = "work/units/*/pid"
SECRET_FILES = ("work/units/*/secrets*", "work/units/*/env*", "work/.env*")


class Exists(Exception):
    """A machine of this label is there already."""


class Full(Exception):
    """Not enough room on the disk."""


class Busy(Exception):
    """Another process makes or ends this machine at this moment."""


def create(root: Path, lock_folder: Path, order: Dict[str, Any]) -> Dict[str, Any]:
    """Make a machine, or leave nothing behind and raise."""
    label = str(order["label"])
    if not NAME.fullmatch(label):
        raise ValueError(f"{label!r} is no machine name")
    folder = root / label
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    _room(root, int(order["disk_gb"]))
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        raise Exists(f"{label} is there already") from None
    with _alone(folder):
        if not folder.exists():
            raise Busy(f"{label} was ended while it was being made")
        try:
            locks.take(lock_folder, list(order["locks"]), label, folder)
            _furnish(folder, order)
        except BaseException:
            _end(folder, lock_folder)
            raise
    return look(root, label) or {}


def look(root: Path, label: str) -> Optional[Dict[str, Any]]:
    """One machine as it is now; None when there is none."""
    folder = root / label
    if not NAME.fullmatch(label) or folder.is_symlink() or not folder.is_dir():
        return None
    seen: Dict[str, Any] = {"label": label, "folder": str(folder), "reason": "", "made": None}
    try:
        seen["made"] = json.loads((folder / "machine.json").read_text())
    except FileNotFoundError:
        pass
    except ValueError:
        return {**seen, "state": "unknown", "reason": "its machine.json cannot be read"}
    ending = folder / "ending"
    if ending.exists():
        return {**seen, "state": "ending", "reason": ending.read_text().strip()}
    if not folder.exists():
        return None
    if seen["made"] is None:
        if _is_held(folder):
            return {**seen, "state": "starting", "reason": "it is being made"}
        return {**seen, "state": "stopped", "reason": "its making was cut off"}
    reason = _why_stopped(folder, seen["made"])
    return {**seen, "state": "stopped" if reason else "running", "reason": reason}


def everything(root: Path) -> List[Dict[str, Any]]:
    """All machines of this root. A root that cannot be read raises; one that was never used is made."""
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    folders = [entry.name for entry in os.scandir(root) if entry.is_dir(follow_symlinks=False)]
    looks = [look(root, name) for name in sorted(folders)]
    return [machine for machine in looks if machine is not None]


def destroy(root: Path, lock_folder: Path, label: str) -> None:
    """End it. May be asked again after any interruption. Raises ``Stuck`` when something of it cannot be ended
    or removed; it then stays listed."""
    if NAME.fullmatch(label) and (root / label).is_dir() and not (root / label).is_symlink():
        with _alone(root / label):
            if (root / label).exists():  # it may have been waited for because another was ending it
                _end(root / label, lock_folder)
    locks.release(lock_folder, label)


def boot_id() -> str:
    """Another word after every start of this computer."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        asked = subprocess.run(
            ["sysctl", "-n", "kern.bootsessionuuid"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        return asked.stdout.decode(errors="replace").strip()


def _furnish(folder: Path, order: Dict[str, Any]) -> None:
    (folder / "work").mkdir(mode=0o700)
    env = {str(name): str(value) for name, value in order["env"].items()}
    sshd: Optional[Dict[str, Any]] = None
    why_not = "as asked" if order["shell"] == "process" else ""
    if order["shell"] != "process":
        try:
            sshd = way_in.start(folder, str(order["public_key"]), env)
        except way_in.NoWayIn as error:
            if order["shell"] == "ssh":
                raise
            why_not = str(error)
            _end_processes(folder)
            if (folder / "ssh").exists():
                wipe.remove(folder / "ssh", [])
    made = {
        "label": order["label"],
        "created": int(time.time()),
        "boot": boot_id(),
        "locks": order["locks"],
        "env": env,
        "keep": order["keep"],
        "sshd": sshd,
        "no_sshd_because": why_not,
        "python": sys.version.split()[0],
    }
    fresh = folder / "machine.json.fresh"
    fresh.write_text(json.dumps(made, indent=1))
    os.replace(fresh, folder / "machine.json")


def _why_stopped(folder: Path, made: Dict[str, Any]) -> str:
    if made.get("boot") != boot_id():
        return "this computer was started again since, and what ran there is gone"
    if made.get("sshd") and not way_in.sshd_of(folder, made["sshd"]):
        return "its sshd does not run any more (ended by hand, or this computer was started again)"
    return ""


def _end(folder: Path, lock_folder: Path) -> None:
    ending = folder / "ending"
    ending.touch()
    try:
        left = _end_processes(folder)
        secrets = way_in.secrets(folder)
        for pattern in SECRET_FILES:
            secrets += [file for file in _inside(folder, pattern) if not file.is_dir()]
        wipe.forget(secrets)
        if left:
            raise wipe.Stuck(f"process {min(left)} does not end (the kernel holds it)")
        wipe.remove(folder, ["machine.json", "ending"])
    except (wipe.Stuck, OSError) as error:
        ending.write_text(f"{error}\n")
        raise wipe.Stuck(str(error)) from error
    locks.release(lock_folder, folder.name)


def _end_processes(folder: Path) -> processes.Found:
    known = _known_sshd(folder)
    # The listener first: whoever is let in after the others are gone would start new ones.
    sshd = way_in.sshd_of(folder, known)
    sessions = processes.with_children(sshd) if sshd else {}
    units = _units(folder)

    def ours() -> processes.Found:
        roots = {**sshd, **sessions, **units, **processes.marked(folder.name)}
        return processes.with_children(roots) if roots else {}

    return processes.end_all(ours, GRACE)


def _known_sshd(folder: Path) -> Optional[Dict[str, Any]]:
    try:
        sshd = json.loads((folder / "machine.json").read_text())["sshd"]
    except (OSError, ValueError, KeyError):
        return None
    return sshd if isinstance(sshd, dict) else None


def _units(folder: Path) -> processes.Found:
    """Leaders of detached units by their pid files, as the shell writes them."""
    found = {}
    for file in _inside(folder, PID_FILES):
        try:
            leader = json.loads(file.read_text(errors="replace"))
            pid, began = int(leader["pid"]), str(leader["started"]).strip()
        except (OSError, ValueError, KeyError, TypeError):
            continue  # half of a start: its process carries our mark
        if began and processes.started(pid) == began:
            found[pid] = began
    return found


def _inside(folder: Path, pattern: str) -> List[Path]:
    """Files of this folder, and none that a symlink on the way leads to."""
    real = os.path.realpath(folder) + os.sep
    return [
        file for file in folder.glob(pattern) if (os.path.realpath(file.parent) + os.sep).startswith(real)
    ]


def _room(root: Path, disk_gb: int) -> None:
    status = os.statvfs(root)
    free = status.f_bavail * status.f_frsize
    if free < disk_gb << 30:
        raise Full(f"{disk_gb} GB wanted, {free / (1 << 30):.1f} GB free")


def _is_held(folder: Path) -> bool:
    """Whether somebody makes or ends it at this moment."""
    try:
        fd = os.open(folder, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(fd)
    return False


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the folder. Raises ``Busy`` when another does for long; its removal meanwhile is no error."""
    try:
        fd = os.open(folder, os.O_RDONLY)
    except FileNotFoundError:
        fd = -1
    until = time.monotonic() + BUSY_LIMIT
    try:
        while fd >= 0:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > until:
                    raise Busy(f"{folder.name} is being made or ended by another process") from None
                time.sleep(0.02)
        yield
    finally:
        if fd >= 0:
            os.close(fd)
