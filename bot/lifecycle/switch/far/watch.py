"""The switch itself: wait for silence or the end, stop the job, end the machine.

It is on its own: no connection holds it, and nothing but its own rule lets it fire.
"""

from __future__ import annotations

import sys
from pathlib import Path
from select import select
from typing import Any

from bot.domain.deadman_rule import Told, fires_in, why
from bot.lifecycle.switch.far import ending, job, notes

LOOK_S = 1.0
"""How often it looks whether the bot said something."""
UNWELCOME = (401, 403, 404)


def say(text: str) -> None:
    """A line for the unit's log. No time is written: the machine's calendar may be wrong by a day."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main(order: dict[str, Any], workdir: Path) -> None:
    """Watch until it fires. A second one passes on what it was told and leaves."""
    folder = workdir / order["folder"]
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    told = notes.tell(folder, order["left"])
    lock = notes.claim(folder)
    if lock is None:
        say("another switch is armed here")
        return
    ends, reason = _able(order)
    state = {"state": "watching", "ends": ends, "why": reason}
    notes.write(folder / "state", state)
    say(f"armed: {ends}{f' ({reason})' if reason else ''}")
    fired = _until_fired(folder, told)
    say(f"fires: {fired}")
    notes.write(folder / "state", {**state, "state": "ending", "why": fired})
    say(f"the job is stopped: {job.stop(workdir, order['grace'])} units")
    if order["asks"]:
        ending.end(order, say)
    lock.close()


def _until_fired(folder: Path, told: Told) -> str:
    while True:
        told = notes.last_told(folder, told)
        since_boot, awake = notes.clocks()
        left = fires_in(told, since_boot, awake)
        if left <= 0:
            return why(told, since_boot, awake)
        select([], [], [], min(LOOK_S, left))


def _able(order: dict[str, Any]) -> tuple[str, str]:
    """What it can bring about, as far as that shows before it is done; and why not more."""
    if not order["asks"]:
        return order["ends"], ""
    key = ending.find_key(order["key"], order["found_in"])
    if not key:
        return order["at_least"], f"the machine was given no {order['key']}"
    status, words = ending.ask(order["probe"], key, order["agent"]) if order["probe"] else (200, "")
    if status in UNWELCOME:
        return order["at_least"], f"its {order['key']} is refused: {status} {words}"
    return order["ends"], ""
