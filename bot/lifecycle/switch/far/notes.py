"""The switch's files: what the bot told last, what the switch says of itself, and who it is."""

from __future__ import annotations

import fcntl
import json
import math
import os
import time
from pathlib import Path
from typing import IO, Any

from bot.domain.deadman_rule import Told


def clocks() -> tuple[float, float]:
    """The machine's two running clocks: with and without the time it slept. Neither can be set by anybody."""
    awake = time.monotonic()
    if not hasattr(time, "CLOCK_BOOTTIME"):
        return awake, awake
    return time.clock_gettime(time.CLOCK_BOOTTIME), awake


def write(path: Path, value: dict[str, Any]) -> None:
    """All of it or nothing; only its owner may read it."""
    half = path.with_name(f"{path.name}.{os.getpid()}")
    half.touch(mode=0o600)
    half.write_text(json.dumps(value), encoding="utf-8")
    half.replace(path)


def read(path: Path) -> dict[str, Any]:
    """What is there; nothing where that cannot be read."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def tell(folder: Path, left: float) -> Told:
    """Write down how many seconds are left, and on which moment of this machine's clocks."""
    since_boot, awake = clocks()
    told = Told(left, since_boot, awake)
    write(folder / "told", dict(told._asdict()))
    return told


def last_told(folder: Path, before: Told) -> Told:
    """What was told last. A note that cannot be read, or that is older than what is known, changes nothing."""
    note = read(folder / "told")
    try:
        told = Told(*(float(note[name]) for name in Told._fields))
    except (KeyError, TypeError, ValueError):
        return before
    sound = all(math.isfinite(number) for number in told)
    return told if sound and told.since_boot >= before.since_boot else before


def claim(folder: Path) -> IO[str] | None:
    """The lock that a living switch holds; None while another one does."""
    handle = (folder / "lock").open("a", encoding="utf-8")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        handle.close()
        return None
    return handle
