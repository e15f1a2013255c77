"""One rental per GPU: an exclusive file per GPU that names who holds it.

A lock whose machine folder is gone is stale, so that no crash can keep a GPU for ever. All changes happen
under one ``flock``: two that find the same stale lock must not both take it.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
from contextlib import contextmanager
from pathlib import Path
from typing import Dict, Iterator, List


class Taken(Exception):
    """Another rental holds it; the text says which."""


@contextmanager
def _guard(locks: Path) -> Iterator[None]:
    locks.mkdir(mode=0o700, parents=True, exist_ok=True)
    with open(locks / ".guard", "a") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        yield


def _file(locks: Path, name: str) -> Path:
    return locks / (re.sub(r"[^A-Za-z0-9._-]", "_", name) + ".json")


def _read(file: Path) -> Dict[str, str]:
    """Who holds this lock, or nothing when it is stale or no lock at all."""
    try:
        held = json.loads(file.read_text())
        name, label, folder = str(held["name"]), str(held["label"]), str(held["folder"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return {}
    return {"name": name, "label": label} if os.path.lexists(folder) else {}


def held(locks: Path) -> Dict[str, str]:
    """Every lock that is held now: what is locked, and by which label."""
    found = [_read(file) for file in sorted(locks.glob("*.json"))]
    return {lock["name"]: lock["label"] for lock in found if lock}


def take(locks: Path, names: List[str], label: str, folder: Path) -> None:
    """Take all of ``names`` for ``label`` or none of them. Raises ``Taken``. ``folder`` must exist already."""
    with _guard(locks):
        for name in names:
            holder = _read(_file(locks, name)).get("label", label)
            if holder != label:
                raise Taken(f"{name} is in use by {holder}")
        for name in names:
            fresh = locks / ".fresh"
            fresh.write_text(json.dumps({"name": name, "label": label, "folder": str(folder)}))
            os.replace(fresh, _file(locks, name))


def release(locks: Path, label: str) -> None:
    """Give back what ``label`` holds, and sweep up what is stale."""
    if not locks.is_dir():
        return
    with _guard(locks):
        for file in locks.glob("*.json"):
            if _read(file).get("label", label) == label:
                file.unlink()
