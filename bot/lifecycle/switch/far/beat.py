"""A heartbeat, as it arrives: write down what was told, and say who is there to read it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from bot.lifecycle.switch.far import notes


def main(folder: Path, left: float) -> None:
    """Prints a line of JSON: ``ends``, ``why``, and ``state``: ``watching``, ``ending``, or ``gone`` when no switch
    lives."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    notes.tell(folder, left)
    lock = notes.claim(folder)
    said = notes.read(folder / "state")
    if lock is not None:
        lock.close()
        said["state"] = "gone"
    sys.stdout.write(json.dumps(said) + "\n")
