"""RunPod's pods: create, list, read, end, act, logs."""

from __future__ import annotations

import json
import re
from typing import Any

from adapters.simulators.faces.face import BadCall, Call, Said
from adapters.simulators.faces.runpod_body import ACTION, PATCH, POD, checked, crossed
from adapters.simulators.faces.runpod_rows import centre, pod, status_of
from adapters.simulators.faces.runpod_shelf import Shelf
from adapters.simulators.faces.runpod_stage import NO_DISK, NO_ROOM, Invalid, Stage, problem
from adapters.simulators.machine import SimHost, SimMachine, Span
from bot.domain.market import LaunchOrder

_CURSOR = re.compile(r"rp1-(\d+)")


class Pods:
    """``/v2/pods``."""

    def __init__(self, stage: Stage, shelf: Shelf) -> None:
        self._stage, self._shelf = stage, shelf

    def create(self, call: Call) -> Said:
        """``POST``: one GPU type, no search, no limit of price, names need not be unique."""
        body = checked(call, POD)
        quirks = self._stage.quirks
        if quirks.refusals:
            return problem(*quirks.refusals.pop(0))
        crossed(body)
        self._references(body)
        host = self._host(body)
        agreed = self._shelf.listed(body) + quirks.surcharge
        before = len(self._stage.world.ever())
        try:
            machine = self._stage.world.launch(host.offer_id, _order(body, self._stage.keys))
        finally:  # also one whose answer is lost was ordered with this body
            for one in self._stage.world.ever()[before:]:
                self._stage.orders[one.id] = body
                self._stage.born(one)
                one.agreed = agreed
        row = pod(self._stage, machine)
        if quirks.nameless:
            quirks.nameless -= 1
            del row["id"]
        return Said(201, json=row)

    def list(self, call: Call) -> Said:
        """``GET``: newest first, without filters; members of clusters only when they are asked for."""
        stage, quirks = self._stage, self._stage.quirks
        order = {one.id: number for number, one in enumerate(stage.world.ever())}
        shown = [machine for machine, _ in stage.world.listing()]
        if call.query.get("includeClusterPods") != "true":
            shown = [one for one in shown if one.id not in quirks.clusters]
        shown.sort(key=lambda one: -order[one.id])
        below = _cursor(call.query.get("cursor"))
        if below is not None and not quirks.circular:
            shown = [one for one in shown if order[one.id] < below]
        size = min(_limit(call.query.get("limit")), quirks.page)
        page, more = shown[:size], len(shown) > size
        said: dict[str, Any] = {
            "pods": [pod(stage, one) for one in page] + ([] if more else quirks.strangers)
        }
        if quirks.pagination:
            cursor = f"rp1-{order[page[-1].id] + quirks.overlap}" if more else None
            said["pagination"] = {"nextCursor": cursor, "hasNextPage": more}
        return Said(200, json=said)

    def read(self, call: Call) -> Said:
        """``GET {id}``."""
        machine = self._stage.world.find(_id(call))
        if machine is None or self._stage.hidden(machine):
            raise BadCall(404, "resource not found")
        return Said(200, json=pod(self._stage, machine))

    def delete(self, call: Call) -> Said:
        """``DELETE {id}``: 204 without a body. One that is too young answers 404 and lives on."""
        self._end(_id(call))
        return Said(204)

    def change(self, call: Call) -> Said:
        """``PATCH {id}``."""
        machine, body = self._there(_id(call)), checked(call, PATCH)
        if machine.id in self._stage.quirks.clusters:
            raise BadCall(409, "pod belongs to a cluster")
        machine.label = body.get("name", machine.label)
        if "locked" in body:
            (self._stage.quirks.locked.add if body["locked"] else self._stage.quirks.locked.discard)(
                machine.id
            )
        kept = {name: value for name, value in body.items() if name not in ("name", "locked")}
        self._stage.orders[machine.id] = {**self._stage.orders.get(machine.id, {}), **kept}
        return Said(200, json=pod(self._stage, machine))

    def act(self, call: Call) -> Said:
        """``POST {id}/action``. Stopping lets the GPUs go; starting may find them taken."""
        action, machine = checked(call, ACTION)["action"], self._there(_id(call))
        if action == "terminate":
            self._end(machine.id)
            return Said(204)
        row = pod(self._stage, machine)
        if machine.id in self._stage.quirks.clusters or action not in row["actions"]:
            raise BadCall(409, f"action {action} is not valid for status {row['status']}")
        now = self._stage.world.clock.now()
        if action == "stop":
            self._stage.world.stop(machine.id, "stopped by its user")
        elif action == "start":
            machine.spans[-1].end = now
            if machine.host not in self._stage.world.free_hosts():
                machine.spans[-1].end = None
                raise BadCall(400, "There are not enough free GPUs on the host machine to start this pod.")
            boot = machine.fate.boot
            machine.spans.append(Span(now, running_at=None if boot is None else now + boot))
        return Said(200, json=pod(self._stage, machine))

    def logs(self, call: Call) -> Said:
        """``GET {id}/logs``: events, and a connection that stays open for ever."""
        machine = self._there(_id(call))
        tail = call.query.get("tail", "100")
        if not tail.isdigit() or int(tail) > 5000:
            raise Invalid([f"tail: {tail!r} is out of range"])
        said = [] if call.query.get("source") == "container" else _system_lines(self._stage, machine)
        now = f"{self._stage.world.clock.now():%Y-%m-%dT%H:%M:%SZ}"
        events = [
            f"id: {now}/{number:012d}\ndata: "
            + json.dumps({"ts": now, "source": "system", "line": line})
            + "\n\n"
            for number, line in enumerate(said[len(said) - min(len(said), int(tail)) :])
        ]
        return Said(200, text="".join(events), headers={"Content-Type": "text/event-stream"}, endless=True)

    def _there(self, pod_id: str) -> SimMachine:
        machine = self._stage.alive(pod_id)
        if machine is None or self._stage.hidden(machine):
            raise BadCall(404, "resource not found")
        return machine

    def _end(self, pod_id: str) -> None:
        if pod_id in self._stage.quirks.clusters:
            raise BadCall(409, "pod belongs to a cluster; delete the cluster")
        machine = self._stage.alive(pod_id)
        if machine is not None and self._stage.hidden(machine):
            raise BadCall(404, "resource not found")
        self._stage.world.destroy(pod_id)
        if machine is None:
            raise BadCall(404, "resource not found")

    def _host(self, body: dict[str, Any]) -> SimHost:
        """Where it lands; what comes of a planned fault is found out by the launch itself."""
        if "cpu" in body:
            raise BadCall(400, NO_ROOM)
        hosts = self._shelf.fitting(body)
        if not hosts:
            raise BadCall(400, NO_ROOM)
        large = [host for host in hosts if host.disk_gb >= body.get("disk", 0)]
        if not large:
            raise BadCall(400, NO_DISK)
        left = self._stage.left()
        if left is not None and left < large[0].hourly:
            raise BadCall(402, "insufficient balance")
        return large[0]

    def _references(self, body: dict[str, Any]) -> None:
        if "templateId" in body:
            raise BadCall(404, "template not found")
        registry = body.get("registry")
        if registry and registry not in self._stage.registries:
            raise BadCall(400, f"container registry auth {registry} not found")
        known = {one.id for one in self._stage.world.volumes}
        for mount in body.get("mounts", {}).get("network", []):
            if mount["volumeId"] not in known:
                raise BadCall(400, f"network volume {mount['volumeId']} not found")


def _order(body: dict[str, Any], account_keys: list[str]) -> LaunchOrder:
    """A key in the environment wins over the account's; with neither, nobody gets in."""
    env = body.get("env", {})
    usual = account_keys[0] if account_keys and body.get("startSsh") else ""
    return LaunchOrder(
        label=body["name"],
        public_key=env.get("PUBLIC_KEY") or env.get("SSH_PUBLIC_KEY") or usual,
        disk_gb=body["disk"],
        image=body["image"],
    )


def _system_lines(stage: Stage, machine: SimMachine) -> list[str]:
    now = stage.world.clock.now()
    span = machine.span(now) or machine.spans[0]
    lines = [
        f"create container {machine.image}",
        f"{machine.image} Pulling from {centre(machine.host) or 'hub'}",
    ]
    lines += machine.fate.words.splitlines()
    if span.running_at and span.running_at <= now and status_of(stage, machine, span, now) == "RUNNING":
        lines.append(f"start container for {machine.image}: begin")
    return lines


def _id(call: Call) -> str:
    return call.path.split("/")[3]


def _limit(text: str | None) -> int:
    if text is None:
        return 1000
    if not text.isdigit() or not 1 <= int(text) <= 1000:
        raise Invalid([f"limit: {text!r} is out of range"])
    return int(text)


def _cursor(text: str | None) -> int | None:
    if text is None:
        return None
    found = _CURSOR.fullmatch(text)
    if found is None:
        raise Invalid(["cursor: malformed or foreign"])
    return int(found[1])
