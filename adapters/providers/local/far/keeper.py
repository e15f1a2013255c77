"""The commands, and one JSON answer to each: ``{"ok": …}``, or ``{"no": kind, "why": sentence}``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict

from adapters.providers.local.far import locks, machines, way_in, wipe

ANSWER = "lastcall-keeper:"
"""Begins the line with the answer."""

KINDS = {
    locks.Taken: "taken",
    machines.Full: "full",
    machines.Exists: "exists",
    machines.Busy: "busy",
    way_in.NoWayIn: "no_way_in",
    wipe.Stuck: "stuck",
}


def answer(request: Dict[str, Any]) -> Dict[str, Any]:
    """Do what is asked. Never raises: what went wrong is an answer too."""
    try:
        return {"ok": _do(request)}
    except Exception as error:  # noqa: BLE001 - whatever it is, the bot has to hear of it
        return {"no": KINDS.get(type(error), "fault"), "why": str(error) or type(error).__name__}


def main(request: Dict[str, Any]) -> None:
    """Answer on stdout."""
    print(ANSWER + json.dumps(answer(request)), flush=True)


def _do(request: Dict[str, Any]) -> Any:
    root = Path(request["root"]).expanduser()
    lock_folder = Path(request["locks"]).expanduser()
    command = request["command"]
    if command == "probe":
        from adapters.providers.local.far import facts  # noqa: PLC0415 - the other commands are asked far oftener

        return {"facts": facts.gather(root, request.get("tools")), "held": locks.held(lock_folder)}
    if command == "create":
        return machines.create(root, lock_folder, request["order"])
    if command == "list":
        return machines.everything(root)
    if command == "inspect":
        return machines.look(root, request["label"])
    if command == "destroy":
        return machines.destroy(root, lock_folder, request["label"])
    raise ValueError(f"no command {command!r}")
