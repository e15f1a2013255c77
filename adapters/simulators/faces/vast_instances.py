"""Vast.ai's instances: the paged list, one of them, and what can be done to it."""

from __future__ import annotations

import base64
from collections import Counter
from decimal import Decimal
from typing import Any

from adapters.simulators.faces.face import BadCall, Call, Said
from adapters.simulators.faces.vast_filters import Row, matches
from adapters.simulators.faces.vast_rows import instance_row, min_bid
from adapters.simulators.faces.vast_voice import VastVoice, body_of, no_such_instance, parsed, refusal
from adapters.simulators.machine import SimMachine
from bot.domain.market import MachineState
from bot.domain.money import Usd

_PAGE = 25
_STORED = {
    "id", "label", "actual_status", "intended_status", "cur_state", "next_state", "gpu_name", "verification",
    "machine_id", "host_id", "image_uuid", "start_date", "end_date",
}  # fmt: skip
"""What can be filtered and sorted by; computed columns cannot (vast.md, 4.1)."""


class VastInstances(VastVoice):
    """Everything on the account."""

    def row(self, machine: SimMachine, state: MachineState) -> Row:
        """A machine as the vendor shows it."""
        now, tariff = self.world.clock.now(), self.world.tariff
        return instance_row(machine, state, self.number(machine.host), self.made(machine), now, tariff)

    def dressed(self, row: Row) -> Row:
        """The same as a test wants it to be seen."""
        return {**row, **self.memory.made[f"m{row['id']}"].look}

    def old_list(self, call: Call) -> Said:
        """``GET /api/v0/instances/``: dead since the summer of 2026 (vast.md, 4.2)."""
        words = "/api/v0/instances/ is deprecated. Use /api/v1/instances/ instead."
        return Said(410, refusal("deprecated_endpoint", words))

    def list_instances(self, call: Call) -> Said:
        """``GET /api/v1/instances/``: at most 25 at a time."""
        self.settle()
        rows = [{**self.row(machine, state), "volume_info": []} for machine, state in self.world.listing()]
        filters = parsed(call, "select_filters", {})
        if not isinstance(filters, dict) or set(filters) - _STORED:
            return Said(400, refusal("invalid_request", "error 400/3471: not a stored column"))
        rows = self._sorted(call, [row for row in rows if matches(row, filters)])
        start, size = self._start(call, rows), _size(call)
        page = rows[start : start + size]
        more = start + size < len(rows)
        body = {
            "success": True,
            "instances_found": len(page),
            "total_instances": len(rows) + self.quirks.count_off_by,
            "label_counts": Counter(row["label"] or "" for row in rows),
            "next_token": _token_of(page[-1]) if more else None,
            "instances": [_columns(self.dressed(row), parsed(call, "select_cols", ["*"])) for row in page],
        }
        return Said(200, body)

    def _sorted(self, call: Call, rows: list[Row]) -> list[Row]:
        for entry in reversed(parsed(call, "order_by", [])):
            name = entry.get("col") if isinstance(entry, dict) else None
            if name not in _STORED or entry.get("dir", "asc") not in ("asc", "desc"):
                raise BadCall(400, f"order_by: {entry!r}")
            rows = sorted(rows, key=lambda row: (row[name], row["id"]), reverse=entry.get("dir") == "desc")
        return rows

    def _start(self, call: Call, rows: list[Row]) -> int:
        """Behind the row that the token names, also when that is gone by now."""
        token = call.query.get("after_token")
        if token is None:
            return 0
        try:
            last = int(base64.urlsafe_b64decode(token.encode()).decode())
        except ValueError:
            raise BadCall(400, "invalid_token") from None
        return sum(1 for row in rows if row["id"] <= last)

    def show(self, call: Call, instance: str) -> Said:
        """``GET /api/v0/instances/{id}/``: the plural key with one object, or null (vast.md, 4.3)."""
        self.settle()
        machine = self.world.find(f"m{instance}")
        state = machine.state(self.world.clock.now()) if machine else None
        if machine is None or state is None:
            return Said(200, {"instances": None})
        return Said(200, {"instances": self.dressed(self.row(machine, state))})

    def destroy(self, call: Call, instance: str) -> Said:
        """``DELETE /api/v0/instances/{id}/``."""
        body_of(call)
        there = self.sim(instance) is not None
        self.world.destroy(f"m{instance}")
        if not there:
            return no_such_instance()
        return Said(200, {"success": True, "msg": "Instance destroyed successfully"})

    def destroy_many(self, call: Call) -> Said:
        """``DELETE /api/v0/instances/`` with a list of ids."""
        for instance in body_of(call, "instance_ids").get("instance_ids", []):
            self.world.destroy(f"m{instance}")
        return Said(200, {"success": True})

    def change(self, call: Call, instance: str) -> Said:
        """``PUT /api/v0/instances/{id}/``: another label, stop or start."""
        body = body_of(call, "state", "label")
        machine = self.sim(instance)
        if machine is None:
            return no_such_instance()
        if "label" in body:
            if not isinstance(body["label"], str) or len(body["label"]) > 1024:
                return Said(400, refusal("label_too_long", "error 400/3480: label"))
            machine.label = body["label"]
        match body.get("state"):
            case "stopped":
                self.world.stop(machine.id, "stopped by its user")
                self.made(machine).contract_stopped = True
            case "running" if machine.state(self.world.clock.now()) is MachineState.STOPPED:
                words = "Required resources are currently unavailable, state change queued."
                return Said(200, refusal("resources_unavailable", words))
            case None | "running":
                pass
            case other:
                raise BadCall(400, f"state: {other!r}")
        return Said(200, {"success": True})

    def bid(self, call: Call, instance: str) -> Said:
        """``PUT /api/v0/instances/bid_price/{id}/``."""
        body = body_of(call, "client_id", "price")
        machine, price = self.sim(instance), body.get("price")
        if machine is None:
            return no_such_instance()
        if not isinstance(price, int | float) or price < 0.001:
            return Said(400, refusal("invalid_args", "Please set a bid price >= 0.001."))
        machine.agreed = max(Usd.of(Decimal(str(price))), min_bid(machine.host))
        return Said(200, {"success": True})

    def again(self, call: Call, instance: str) -> Said:
        """Reboot and recycle: the container begins anew on the same GPU."""
        body_of(call)
        return Said(200, {"success": True}) if self.sim(instance) else no_such_instance()


def _size(call: Call) -> int:
    told = call.query.get("limit", str(_PAGE))
    if not told.lstrip("-").isdigit():
        raise BadCall(400, "limit: Input should be a valid integer")
    return min(int(told), _PAGE) if int(told) > 0 else 5


def _token_of(row: Row) -> str:
    return base64.urlsafe_b64encode(str(row["id"]).encode()).decode()


def _columns(row: Row, names: Any) -> Row:
    """Unknown names come back as null (vast.md, 4.1)."""
    return row if "*" in names else {name: row.get(name) for name in names}
