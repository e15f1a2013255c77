"""Removing a machine's folder: secrets first, then everything, and nothing that is not ours.

A symlink is removed, its target never touched; a mount inside the folder belongs to somebody else and stops us.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
from pathlib import Path
from typing import Iterable, List

LARGEST_SECRET = 1 << 20


class Stuck(Exception):
    """Something cannot be removed; the text says what and why."""


def forget(secrets: Iterable[Path]) -> None:
    """Overwrite and remove files with secrets. A file with other names elsewhere is removed, not overwritten:
    its other name may not be ours."""
    for file in secrets:
        try:
            fd = os.open(file, os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except FileNotFoundError:
            continue
        except OSError:
            pass  # a symlink, or not writable: removing it is what we can do
        else:
            status = os.fstat(fd)
            if stat.S_ISREG(status.st_mode) and status.st_nlink == 1:
                os.write(fd, bytes(min(status.st_size, LARGEST_SECRET)))
                os.fsync(fd)
            os.close(fd)
        _quietly_unlink(file)


def remove(folder: Path, last: List[str]) -> None:
    """Remove ``folder``; what is named in ``last`` goes last and in that order, so that a half removed folder still
    tells what it is. Raises ``Stuck``."""
    _no_mounts(folder)
    order = {name: place for place, name in enumerate(last)}
    for child in sorted(folder.iterdir(), key=lambda child: order.get(child.name, -1)):
        _remove_tree(child)
    folder.rmdir()


def _remove_tree(path: Path) -> None:
    problems: List[str] = []
    for _ in range(2):
        del problems[:]
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, onerror=lambda _call, where, info: problems.append(f"{where}: {info[1]}"))
        else:
            try:
                path.unlink()
            except OSError as error:
                problems.append(str(error))
        if not os.path.lexists(path):
            return
        _open_up(path)
    raise Stuck(f"cannot remove {problems[0] if problems else path}")


def _open_up(path: Path) -> None:
    """Make every folder below readable and writable for us: some tools make their caches read-only."""
    closed = [] if path.is_symlink() or not path.is_dir() else [str(path)]
    while closed:
        folder = closed.pop()
        try:
            os.chmod(folder, stat.S_IRWXU)
            with os.scandir(folder) as entries:
                closed += [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
        except OSError:
            continue  # somebody else's: the next try to remove it tells


def _no_mounts(folder: Path) -> None:
    try:
        mounts = Path("/proc/self/mountinfo").read_text(errors="replace")
    except OSError:
        return  # no Linux: nothing but an administrator mounts things there
    below = os.path.realpath(folder).replace(" ", "\\040") + "/"
    inside = re.search(rf"^(?:\S+ ){{4}}({re.escape(below)}\S+)", mounts, re.MULTILINE)
    if inside:
        raise Stuck(f"{inside.group(1)} is a mount, and what is in it may not be ours; unmount it")


def _quietly_unlink(file: Path) -> None:
    try:
        file.unlink()
    except OSError:
        pass  # the removal of the whole folder comes to it again, and tells
