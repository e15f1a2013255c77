"""Lambda's API v1 over a simulated world: the calls, and the quirks of instances (lambda.md, 2)."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

from adapters.simulators.faces.face import Call, Said
from adapters.simulators.faces.lambda_cloud_dialect import ROOT, LambdaDialect, Told, no_capacity
from adapters.simulators.faces.lambda_cloud_rows import Habits, Made, digest, instance_row, status_of
from adapters.simulators.faces.lambda_cloud_shelf import Shelf
from adapters.simulators.faces.lambda_cloud_strict import (
    INSTANCES,
    LAUNCH_MAY,
    LAUNCH_NEEDS,
    NAME,
    Coded,
    body_of,
    invalid,
    missing,
)
from adapters.simulators.faces.lambda_cloud_types import (
    LAMBDA_TARIFF,
    REGIONS,
    catalogue,
    lambda_host,
    lambda_world,
    region_name,
    type_name,
)
from adapters.simulators.machine import SimHost, SimMachine
from adapters.simulators.world import World
from bot.domain.market import LaunchOrder

__all__ = ["LAMBDA_TARIFF", "LambdaFace", "lambda_host", "lambda_world"]


class LambdaFace(LambdaDialect):
    """One account. Ids on the wire are 32 hex; ``machine`` finds the world's machine again."""

    def __init__(self, world: World, *, key: str = "sim-key", skew: timedelta = timedelta(0)) -> None:
        super().__init__(world, key=key, skew=skew)
        self.habits = Habits()
        self.shelf = Shelf(world, self._uses)
        self.types_as_list = False
        self.more_types: dict[str, Any] = {}
        """Entries of the catalogue as they are, odd ones too."""
        self.over_quota: set[str] = set()
        """Types that the account may not launch, listed or not."""
        self.lies_about_capacity = False
        """What is listed as available is refused."""
        self.echoes = True
        """Whether a terminate call names what it ended."""
        self.ends_twice = True
        """Whether a machine that is terminating can be terminated; else ``global/unknown``."""
        self.shows_ended = timedelta(0)
        """So long a machine that is gone is shown as ``terminated``."""
        self.rows: dict[str, dict[str, Any]] = {}
        """By the world's id: what a row says instead; ``...`` takes a field away."""
        self._made: dict[tuple[str, str], Made] = {}
        self._names: dict[str, str] = {}
        self._ids: dict[str, str] = {}
        self.routes = self._table()

    def _table(self) -> tuple[tuple[str, str, str, Told], ...]:
        shelf = self.shelf
        restarted, cycled = "restarted_instances", "power_cycled_instances"
        ruleset = [
            (verb, "firewall-rulesets/*", "other", shelf.one_ruleset) for verb in ("GET", "PATCH", "DELETE")
        ]
        return (
            ("GET", "openapi.json", "other", self._document),
            ("GET", "instance-types", "offers", self._types),
            ("GET", "instances", "machines", self._list),
            ("GET", "instances/*", "inspect", self._show),
            ("POST", "instances/*", "other", self._rename),
            ("POST", "instance-operations/launch", "launch", self._launch),
            ("POST", "instance-operations/terminate", "destroy", self._terminate),
            ("POST", "instance-operations/restart", "other", partial(self._restart, restarted)),
            ("POST", "instance-operations/power-cycle", "other", partial(self._restart, cycled)),
            ("GET", "ssh-keys", "keys", shelf.list_keys),
            ("POST", "ssh-keys", "keys", shelf.add_key),
            ("DELETE", "ssh-keys/*", "keys", shelf.delete_key),
            ("GET", "file-systems", "leftovers", shelf.list_file_systems),
            ("POST", "filesystems", "other", shelf.create_file_system),
            ("DELETE", "filesystems/*", "other", shelf.delete_file_system),
            ("GET", "images", "other", shelf.list_images),
            ("GET", "firewall-rules", "other", shelf.list_rules),
            ("PUT", "firewall-rules", "other", shelf.put_rules),
            ("GET", "firewall-rulesets", "other", shelf.list_rulesets),
            ("POST", "firewall-rulesets", "other", shelf.create_ruleset),
            ("GET", "firewall-rulesets/global", "other", shelf.global_rules),
            ("PATCH", "firewall-rulesets/global", "other", shelf.patch_global),
            *ruleset,
            ("GET", "audit-events", "other", self._events),
        )

    # --- ids -----------------------------------------------------------------------------------

    def vendor_id(self, machine: SimMachine) -> str:
        """The id on the wire."""
        made = digest(machine.id)
        self._ids[made] = machine.id
        return made

    def machine(self, vendor_id: str) -> SimMachine | None:
        """The world's machine with this id on the wire, whatever its state."""
        if vendor_id not in self._ids:
            for line in self.world.intervals():
                self.vendor_id(self.world.machine(line.machine_id))
        found = self._ids.get(vendor_id)
        return self.world.machine(found) if found else None

    # --- calls that look -----------------------------------------------------------------------

    def _document(self, _call: Call) -> Said:
        paths = {f"{ROOT}{pattern.replace('*', '{id}')}" for _, pattern, _, _ in self.routes}
        return Said(200, {"openapi": "3.1.0", "paths": {path: {} for path in sorted(paths)}})

    def _types(self, _call: Call) -> Said:
        free = self.world.offers()
        rows = {**catalogue(self.world.hosts.values(), free), **self.more_types}
        return Said(200, {"data": list(rows.values()) if self.types_as_list else rows})

    def _list(self, call: Call) -> Said:
        if set(call.query) - {"cluster_id"}:
            raise invalid("This query parameter is not known.")
        rows = [self._row(machine) for machine, _ in self.world.listing()]
        return Said(200, {"data": [*rows, *(self._row(one) for one in self._ended())]})

    def _show(self, _call: Call, vendor_id: str) -> Said:
        known = self.machine(vendor_id)
        machine = self.world.find(known.id if known else "")
        if machine is None and known is not None and known in self._ended():
            machine = known
        if machine is None:
            raise missing("instance")
        return Said(200, {"data": self._row(machine)})

    def _events(self, _call: Call) -> Said:
        events: list[dict[str, Any]] = [
            {
                "service_name": "cloud",
                "resource_name": "instance",
                "action": "launch",
                "catalog_version": "1.0",
                "event_id": digest(f"event {line.machine_id}"),
                "event_time": f"{line.born:%Y-%m-%dT%H:%M:%S.%fZ}",
                "actor_lrn": None,
                "resource_lrns": [f"lrn:instance:{digest(line.machine_id)}"],
                "resource_owner_lrn": None,
                "request_api_key_lrn": None,
                "additional_details": {},
            }
            for line in self.world.intervals()
        ]
        return Said(200, {"data": {"events": events, "page_token": None}})

    # --- calls that change ---------------------------------------------------------------------

    def _launch(self, call: Call) -> Said:
        body = body_of(call, LAUNCH_NEEDS, LAUNCH_MAY)
        host = self._host(body["instance_type_name"], body["region_name"])
        key = self.shelf.key(body["ssh_key_names"][0])
        image = body.get("image", {"family": "lambda-stack-24-04"})
        if key is None:
            raise missing("SSH key", 400)
        if not self.shelf.has_image(image):
            raise missing("image", 400)
        if body.get("quantity", 1) != 1:
            raise invalid("Requested too many instances.")
        if type_name(host) in self.over_quota:
            more = "Contact Support to increase your quota."
            raise Coded(400, "global/quota-exceeded", "Quota exceeded.", more)
        if self.lies_about_capacity:
            raise no_capacity()
        made = Made(
            name=body.get("name", ""),
            key=key["name"],
            hostname=body.get("hostname", ""),
            tags=body.get("tags", []),
            file_systems=body.get("file_system_names", []),
            mounts=body.get("file_system_mounts", []),
            rulesets=body.get("firewall_rulesets", []),
        )
        label = made.name or next((tag["value"] for tag in made.tags if tag["key"] == "label"), "")
        self._made[label, key["public_key"]] = made
        # The disk is the type's, whatever was asked for.
        order = LaunchOrder(label, key["public_key"], host.disk_gb, next(iter(image.values())))
        return Said(
            200, {"data": {"instance_ids": [self.vendor_id(self.world.launch(host.offer_id, order))]}}
        )

    def _terminate(self, call: Call) -> Said:
        """All or nothing: one id that is not there spoils the batch."""
        found = self._named(call)
        if not self.ends_twice and any(self._status(machine) == "terminating" for machine in found):
            raise Coded(500, "global/unknown", "Unknown error.")
        for machine in found:
            self.world.destroy(machine.id)
        rows = [self._row(machine, "terminating") for machine in found]
        return Said(200, {"data": {"terminated_instances": rows if self.echoes else []}})

    def _restart(self, answer: str, call: Call) -> Said:
        """Taken; the status stays, the bill runs on."""
        return Said(200, {"data": {answer: [self._row(machine) for machine in self._named(call)]}})

    def _rename(self, call: Call, vendor_id: str) -> Said:
        name = body_of(call, NAME)["name"]
        machine = self._alive(vendor_id)
        self._names[machine.id] = name
        return Said(200, {"data": self._row(machine)})

    def shrug(self, kind: str, call: Call) -> Said:
        """What it should have done is named, and was not done."""
        if kind == "launch":
            return Said(200, {"data": {"instance_ids": [digest("nothing")]}})
        if kind == "destroy":
            rows = [self._row(machine, "terminating") for machine in self._named(call)]
            return Said(200, {"data": {"terminated_instances": rows if self.echoes else []}})
        return Said(200, {"data": {}})

    # --- inside --------------------------------------------------------------------------------

    def _host(self, wanted: str, region: str) -> SimHost:
        """The stock of that type there; sold out where another region has some. Raises what Lambda says."""
        if region not in REGIONS:
            raise invalid(f"Region {region} does not exist")
        hosts = [host for host in self.world.hosts.values() if type_name(host) == wanted]
        if not hosts:
            raise missing("instance type")
        here = [host for host in hosts if region_name(host) == region]
        if not here:
            raise no_capacity()
        return next((host for host in self.world.free_hosts() if host in here), here[0])

    def _named(self, call: Call) -> list[SimMachine]:
        return [self._alive(one) for one in body_of(call, INSTANCES)["instance_ids"]]

    def _alive(self, vendor_id: str) -> SimMachine:
        machine = self.machine(vendor_id)
        if machine is None or machine.state(self.world.clock.now()) is None:
            raise missing("instance")
        return machine

    def _ended(self) -> list[SimMachine]:
        """Those that are gone and still shown."""
        now = self.world.clock.now()
        lines = [
            line for line in self.world.intervals() if line.end and now - self.shows_ended < line.end <= now
        ]
        return [self.world.machine(line.machine_id) for line in lines]

    def _uses(self, key_name: str) -> bool:
        return any(self._of(machine).key == key_name for machine in self.world.alive())

    def _of(self, machine: SimMachine) -> Made:
        """What its launch said; for one that was made by hand, its label is its name."""
        by_hand = Made(name=machine.label, key="somebody's key")
        return self._made.get((machine.label, machine.public_key), by_hand)

    def _status(self, machine: SimMachine) -> str:
        return status_of(machine, self.world.clock.now())

    def _row(self, machine: SimMachine, status: str = "") -> dict[str, Any]:
        row = instance_row(
            self.vendor_id(machine), machine, self._of(machine), status or self._status(machine), self.habits
        )
        if machine.id in self._names:
            row["name"] = self._names[machine.id]
        row |= self.rows.get(machine.id, {})
        return {name: value for name, value in row.items() if value is not ...}
