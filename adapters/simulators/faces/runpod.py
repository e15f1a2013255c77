"""RunPod's face over a world: REST v2 under ``/v2``, GraphQL at ``/graphql``, and the retired v1.

The stage's ``quirks`` are the vendor's habits as switches. Nothing happens in the background: what becomes of an
account that runs dry is found when it is next asked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from adapters.simulators.faces.face import BadCall, Call, Dropped, Face, Handler, Said, Wire
from adapters.simulators.faces.runpod_account import Account
from adapters.simulators.faces.runpod_books import Books
from adapters.simulators.faces.runpod_graph import Graph
from adapters.simulators.faces.runpod_pods import Pods
from adapters.simulators.faces.runpod_shelf import Shelf
from adapters.simulators.faces.runpod_stage import (
    CONTAINER_DISK_MONTH,
    NO_ROOM,
    OBJECT_MOUNTS,
    RUNPOD_TARIFF,
    Invalid,
    Quirks,
    Stage,
    problem,
)
from adapters.simulators.faults import FaultKind, WorldFault
from adapters.simulators.world import World
from bot.domain.money import ZERO

__all__ = ["CONTAINER_DISK_MONTH", "NO_ROOM", "OBJECT_MOUNTS", "RUNPOD_TARIFF", "Quirks", "RunpodFace"]

_WINDOWS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}
_EDGE = Said(403, text="error code: 1010", headers={"Content-Type": "text/plain"})
_RETIRED = "REST API v1 has been retired. Migrate to https://api.runpod.io/v2"


class RunpodFace(Face):
    """One account. ``quirks`` changes its habits; faults of the wire are planned as on every face."""

    def __init__(self, world: World, *, key: str = "rpa_SIMULATED", skew: timedelta = timedelta(0)) -> None:
        super().__init__(world, key=key, skew=skew)
        self.quirks = Quirks()
        self.stage = Stage(world, self.quirks)
        shelf, account = Shelf(self.stage), Account(self.stage)
        pods = Pods(self.stage, shelf)
        self._graph = Graph(self.stage, shelf, pods)
        self._used: dict[str, tuple[datetime, int]] = {}
        self._requests = 0
        self._routes: Mapping[str, Mapping[str, tuple[str, Handler]]] = {
            r"/v2/pods": {"GET": ("machines", pods.list), "POST": ("launch", pods.create)},
            r"/v2/pods/[^/]+": {
                "GET": ("inspect", pods.read),
                "DELETE": ("destroy", pods.delete),
                "PATCH": ("other", pods.change),
            },
            r"/v2/pods/[^/]+/action": {"POST": ("other", pods.act)},
            r"/v2/pods/[^/]+/logs": {"GET": ("other", pods.logs)},
            r"/v2/catalog/gpus": {"GET": ("offers", shelf.gpus)},
            r"/v2/catalog/gpus/[^/]+": {"GET": ("offers", shelf.gpu)},
            r"/v2/billing/pods": {"GET": ("bill", Books(self.stage).pods)},
            r"/v2/account/ssh-keys": {"GET": ("keys", account.keys), "PUT": ("keys", account.set_keys)},
            r"/v2/network-volumes": {
                "GET": ("other", account.volumes),
                "POST": ("other", account.add_volume),
            },
            r"/v2/network-volumes/[^/]+": {
                "GET": ("other", account.volume),
                "DELETE": ("other", account.drop_volume),
            },
            r"/v2/registries": {
                "GET": ("other", account.registries),
                "POST": ("other", account.add_registry),
            },
            r"/v2/registries/[^/]+": {"DELETE": ("other", account.drop_registry)},
            r"/v2/templates": {"GET": ("other", account.templates)},
            r"/graphql": {"POST": ("account", self._graph.handle)},
        }

    def handle(self, call: Call) -> Said:
        said = super().handle(call)
        self._requests += 1
        return replace(said, headers={"x-request-id": f"sim-{self._requests}", **said.headers})

    def route(self, call: Call) -> tuple[str, Handler]:
        for pattern, methods in self._routes.items():
            if re.fullmatch(pattern, call.path):
                if call.method not in methods:
                    raise BadCall(405, f"method not allowed; Allow: {', '.join(methods)}")
                return methods[call.method]
        return "other", _nowhere

    def authorised(self, call: Call) -> bool:
        if call.path == "/graphql" and (call.query.get("api_key") == self.key or self._graph.is_public(call)):
            return True
        return super().authorised(call) or self._is_own(call)

    def _is_own(self, call: Call) -> bool:
        """A pod's own key, used for what it may do with that pod."""
        pod = self.stage.pod_keys.get(call.headers.get("authorization", "").removeprefix("Bearer "))
        wants = {
            ("GET", f"/v2/pods/{pod}"): "read",
            ("DELETE", f"/v2/pods/{pod}"): "delete",
            ("POST", f"/v2/pods/{pod}/action"): "stop" if call.json == {"action": "stop"} else "",
        }
        return pod is not None and wants.get((call.method, call.path)) in self.quirks.pod_key

    def throttled(self, seconds: int | None) -> Said:
        wait = {} if seconds is None else {"Retry-After": str(seconds)}
        return problem(429, "rate limit exceeded for the minute window", headers=wait)

    def unauthorised(self, call: Call) -> Said:
        if call.headers.get("authorization", "").removeprefix("Bearer ") in self.stage.pod_keys:
            return problem(403, "access denied")
        return problem(401, "unauthorized" if call.headers.get("authorization") else "missing bearer token")

    def forbidden(self, call: Call) -> Said:
        return problem(403, "access denied")

    def bad(self, problem_: BadCall) -> Said:
        errors = problem_.errors if isinstance(problem_, Invalid) else None
        _, _, allowed = problem_.sentence.partition("Allow: ")
        return problem(problem_.status, problem_.sentence, errors, {"Allow": allowed} if allowed else None)

    def failed(self) -> Said:
        return problem(500, "internal server error")

    def shrug(self, kind: str, call: Call) -> Said:
        if kind == "destroy":
            return Said(204)
        return Said(201, json={"id": "nosuchpod00000", "name": "", "status": "PROVISIONING", "cost": 0.0})

    # --- a call --------------------------------------------------------------------------------

    def _meet(self, kind: str, handler: Handler, call: Call) -> Said:
        if self.quirks.edge or _is_blocked(call.headers.get("user-agent", "")):
            return _EDGE
        if call.path.startswith("/v1/") or (self.quirks.rest_retired and call.path.startswith("/v2/")):
            return problem(410, _RETIRED)
        self._sweep()
        try:
            return self._counted(kind, super()._meet(kind, handler, call))
        except BadCall as problem_:
            return self._counted(kind, self.bad(problem_))
        except WorldFault as met:
            return self._in_dialect(met)

    def _before(self, wire: Wire | None, call: Call) -> Said | None:
        if wire is Wire.READ_ONLY and call.path == "/graphql":
            return None  # a question, although it is a POST
        return super()._before(wire, call)

    def _in_dialect(self, met: WorldFault) -> Said:
        match met.fault.kind:
            case FaultKind.NO_CAPACITY:
                return problem(400, NO_ROOM)
            case FaultKind.TRY_LATER:
                return self.throttled(5)
            case FaultKind.NEEDS_HUMAN:
                return problem(402, "insufficient balance")
            case FaultKind.GARBLED:
                return Said(200, text="<html>maintenance</html>", headers={"Content-Type": "text/html"})
            case _:
                raise Dropped("timeout")

    def _sweep(self) -> None:
        """At zero, pods with a network volume are stopped; those without are ended, and their data is lost."""
        left = self.stage.left()
        if left is None or left > ZERO:
            return
        for machine in self.world.alive():
            if self.stage.orders.get(machine.id, {}).get("mounts", {}).get("network"):
                self.world.stop(machine.id, "balance is zero")
            else:
                self.world.vanish(machine.id)

    def _too_soon(self, kind: str) -> Said | None:
        """Three windows for all of REST; GraphQL counts by itself and tells nobody."""
        if not self.strict_limits or kind == "account":
            return None
        now = self.world.clock.now()
        waits = []
        for name, length in _WINDOWS.items():
            start, used = self._used.get(name, (now, 0))
            start, used = (now, 0) if now - start >= length else (start, used)
            self._used[name] = (start, used + 1)
            if used >= self.quirks.quota[name]:
                waits.append(start + length - now)
        return self.throttled(int(max(waits).total_seconds()) + 1) if waits else None

    def _counted(self, kind: str, said: Said) -> Said:
        """What is left, on every answer to a key."""
        if kind == "account" or not self._used or not self.strict_limits:
            return said
        now = self.world.clock.now()
        told = []
        for name, (start, used) in self._used.items():
            left = max(0, self.quirks.quota[name] - used)
            told.append(f'"{name}";r={left};t={int((start + _WINDOWS[name] - now).total_seconds()) + 1}')
        policy = ", ".join(
            f'"{name}";q={self.quirks.quota[name]};w={int(length.total_seconds())}'
            for name, length in _WINDOWS.items()
        )
        budget = {"RateLimit": ", ".join(told), "RateLimit-Policy": policy}
        return replace(said, headers={**said.headers, **budget})


def _is_blocked(agent: str) -> bool:
    return not agent or agent.lower().startswith("python-urllib/")


def _nowhere(_call: Call) -> Said:
    raise BadCall(404, "resource not found")
