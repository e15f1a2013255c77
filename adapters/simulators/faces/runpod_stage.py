"""What RunPod's faces share: the world, what was ordered, and every habit of the vendor as a switch."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from adapters.simulators.faces.face import BadCall, Said
from adapters.simulators.machine import SimMachine, Tariff
from adapters.simulators.world import World
from bot.domain.money import ZERO, Usd

RUNPOD_TARIFF = Tariff(gpu_while_stopped=False, disk_while_stopped=False, month=timedelta(hours=730))
"""Per second from the creation. The container's disk bills while the pod runs and not while it is stopped."""
CONTAINER_DISK_MONTH = Usd.of("0.10")
"""What a host of RunPod's has as ``SimHost.disk_month``."""

NO_ROOM = "There are no longer any instances available with the requested specifications. Please refresh and try again."
NO_DISK = "There are no longer any instances available with enough disk space."
OBJECT_MOUNTS = 'Field "objectMounts" is not defined by type "PodFindAndDeployOnDemandInput"'
TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    402: "Payment Required",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
    410: "Gone",
    413: "Payload Too Large",
    422: "Unprocessable Entity",
    429: "Too Many Requests",
    500: "Internal Server Error",
}


@dataclass(slots=True)
class Quirks:
    """Habits; the defaults are what is usual. Sets and dictionaries are by pod id."""

    late_books: timedelta = timedelta(0)
    """So long after it was used up, something is on the bill."""
    page: int = 1000
    """The most that a page of pods holds, whatever was asked for."""
    pagination: bool = True
    """Whether lists say that there is no more; they did not until autumn 2026."""
    overlap: int = 0
    """So many pods of a page come again on the next: the listing changed in between."""
    circular: bool = False
    """Every page names the same next one."""
    unseen: timedelta = timedelta(0)
    """So long after the create GET and DELETE answer 404 about a pod that lives."""
    placing: timedelta = timedelta(seconds=10)
    """PROVISIONING, before STARTING."""
    runtime_lag: timedelta = timedelta(seconds=5)
    """RUNNING with ``runtime`` null, before it tells the ports."""
    running_early: bool = False
    """RUNNING from the create on, as v1 told it: one that never boots is RUNNING for ever with ``runtime`` null."""
    empty_runtime: bool = False
    """``{}`` where it would be null."""
    folded_disk: bool = False
    """``cost`` holds the container's disk."""
    no_direct: set[str] = field(default_factory=set)
    """Pods that never get a public port."""
    statuses: dict[str, str] = field(default_factory=dict)
    """What a pod's status is said to be: ``ERROR``, or something that nobody has heard of."""
    clusters: set[str] = field(default_factory=set)
    """Members of a cluster: hidden unless asked for, and not to be deleted."""
    locked: set[str] = field(default_factory=set)
    strangers: list[Any] = field(default_factory=list)
    """Rows of the listing that nobody here has written, at the end of its last page."""
    refusals: list[tuple[int, str]] = field(default_factory=list)
    """Status and sentence of the next creates; nothing is created."""
    surcharge: Usd = ZERO
    """Per hour: what a pod is billed above the catalogue's price, which its ``cost`` shows."""
    nameless: int = 0
    """So many creates answer 201 without an id."""
    edge: bool = False
    """Cloudflare turns everything away, with a text and before any key is read."""
    rest_retired: bool = False
    graphql_retired: bool = False
    pod_key: frozenset[str] = frozenset(("read", "delete", "stop"))
    """What a pod's own key may do with its pod; whether that holds deleting is not settled (runpod.md, 10)."""
    quota: dict[str, int] = field(default_factory=lambda: {"minute": 60, "hour": 3000, "day": 50_000})


class Invalid(BadCall):
    """A 422 with its list of errors."""

    def __init__(self, errors: list[str]) -> None:
        super().__init__(422, "Request validation failed.")
        self.errors = errors


@dataclass(slots=True)
class Stage:
    """One account: the world's machines and what else the vendor keeps about them."""

    world: World
    quirks: Quirks = field(default_factory=Quirks)
    orders: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    """The body that a pod was created with; one that was put there by hand has none."""
    keys: list[str] = field(default_factory=list)
    """The account's own SSH keys."""
    registries: dict[str, str] = field(default_factory=dict)
    pod_keys: dict[str, str] = field(default_factory=dict)
    """Keys that pods were given, and whose each is."""

    def born(self, machine: SimMachine) -> None:
        """A pod finds its id and a key of its own in its environment."""
        key = f"rpa_POD{hashlib.sha256(machine.id.encode()).hexdigest()[:24].upper()}"
        self.pod_keys[key] = machine.id
        machine.env = {"RUNPOD_POD_ID": machine.id, "RUNPOD_API_KEY": key}

    def alive(self, pod_id: str) -> SimMachine | None:
        """A pod that is there, whatever its state; no fault is met."""
        return next((one for one in self.world.alive() if one.id == pod_id), None)

    def hidden(self, machine: SimMachine) -> bool:
        """Whether it is too young for GET and DELETE."""
        return self.world.clock.now() < machine.spans[0].born + self.quirks.unseen

    def left(self) -> Usd | None:
        """The balance; None where the account never runs dry."""
        return None if self.world.balance is None else self.world.balance - self.world.bill()


def problem(
    status: int, detail: str, errors: list[str] | None = None, headers: Mapping[str, str] | None = None
) -> Said:
    """An error as RFC 9457 has it. There is no code beyond the status."""
    body: dict[str, Any] = {"title": TITLES.get(status, "Error"), "status": status, "detail": detail}
    if errors:
        body["errors"] = errors
    return Said(status, json=body, headers={"Content-Type": "application/problem+json", **(headers or {})})
