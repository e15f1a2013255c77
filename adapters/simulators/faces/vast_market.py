"""Vast.ai's market: searching offers, and taking one."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from adapters.simulators.faces import vast_order as orders
from adapters.simulators.faces.face import BadCall, Call, Said
from adapters.simulators.faces.vast_filters import Row, ordered, search
from adapters.simulators.faces.vast_rows import Made, min_bid, offer_row, on_demand
from adapters.simulators.faces.vast_voice import VastVoice, body_of, parsed, refusal
from adapters.simulators.machine import SimHost, SimMachine
from bot.domain.money import ZERO, Usd

_FIRST_ASK = 30_000_000
_PER_HOST = 10_000
_TYPES = {"on-demand", "ondemand", "bid", "reserved"}


class VastMarket(VastVoice):
    """The order book."""

    def search_bundles(self, call: Call) -> Said:
        """``POST /bundles/``: the filters are the body; the older GET has them in its query."""
        return self._search(parsed(call, "q", {}) if call.method == "GET" else call.json)

    def search_asks(self, call: Call) -> Said:
        """``PUT /search/asks/``: the filters are wrapped; a flat body is refused (vast.md, 2.1)."""
        return self._search(body_of(call, "select_cols", "q").get("q"))

    def _search(self, asked: Any) -> Said:
        if not isinstance(asked, dict):
            raise BadCall(400, "a search is an object of filters")
        kind, limit = asked.get("type", "on-demand"), asked.get("limit", self.quirks.most_rows)
        disk = asked.get("allocated_storage", 8)
        if kind not in _TYPES or not _is_number(disk) or not isinstance(limit, int):
            raise BadCall(400, "type, limit or allocated_storage")
        now, tariff = self.world.clock.now(), self.world.tariff
        free = [host for host in self.world.offers() if host.spot == (kind == "bid")]
        rows = [offer_row(host, self.number(host), self.ask_of(host), disk, now, tariff) for host in free]
        found = search(rows, asked, strict=self.quirks.strict)
        shown = ordered(rows if self.quirks.unfiltered else found, asked.get("order", [["score", "desc"]]))
        return self._counted(shown[: max(0, min(limit, self.quirks.most_rows))])

    def _counted(self, rows: list[Row]) -> Said:
        """Every row counts against the day's quota (vast.md, 2.5)."""
        now, quota = self.world.clock.now(), self.quirks.row_quota
        used = self.memory.rows.get(now.date(), 0)
        if used >= quota:
            left = 86_400 - (now.hour * 3600 + now.minute * 60 + now.second)
            body = {"error": "search_quota_exceeded", "limit": quota, "remaining": 0, "retry_after": left}
            return Said(429, body, headers={"X-RateLimit-Reset": str(int(now.timestamp()) + left)})
        self.memory.rows[now.date()] = used + len(rows)
        return Said(200, {"offers": rows})

    def ask_of(self, host: SimHost) -> int:
        """The number of its offer, another one whenever the host was full in between (vast.md, 0)."""
        taken = sum(1 for one in self.world.ever() if one.host is host) // host.capacity
        return _FIRST_ASK + self.number(host) * _PER_HOST + taken

    def create(self, call: Call, ask: str) -> Said:
        """``PUT /asks/{id}/``: rent it."""
        body = orders.read(call.json)
        numbers = {self.number(host): host for host in self.world.hosts.values()}
        host = numbers.get((int(ask) - _FIRST_ASK) // _PER_HOST)
        if self.credit() <= ZERO:
            words = "Your account lacks credit; see the billing page."
            return Said(400, refusal("insufficient_credit", words))
        price = _price(body.get("price"))
        order = orders.order(body, drop_onstart=self.quirks.drop_onstart > 0)
        fresh = host is not None and host in self.world.free_hosts() and self.ask_of(host) == int(ask)
        if host is None or not (fresh or self.quirks.double_booking or not body.get("cancel_unavail")):
            self.world.launch("taken", order)  # meets what is planned, and is not there
        assert host is not None
        before = len(self.world.ever())
        try:
            machine = self.world.launch(host.offer_id, order) if fresh else self.world.put(host, order)
        finally:  # what comes to be although no answer is given has the same contract
            for one in self.world.ever()[before:]:
                self._note(one, body, price)
        waits = not fresh and not self.quirks.double_booking
        return self._answer(machine, too_low=price is not None and price < min_bid(host), waits=waits)

    def _note(self, machine: SimMachine, body: Any, price: Usd | None) -> None:
        """What the contract says from now on."""
        dropped = self.quirks.drop_onstart > 0
        self.quirks.drop_onstart -= dropped
        machine.agreed = on_demand(machine.host) if price is None else price
        machine.keys.extend(self.memory.account_keys.values())
        number = machine.id.removeprefix("m")
        machine.env = {
            "CONTAINER_ID": number,
            "CONTAINER_API_KEY": self.container_key(machine),
            "VAST_CONTAINERLABEL": f"C.{number}",
        }
        self.memory.made[machine.id] = Made(
            image=body["image"],
            runtype=body.get("runtype") or "ssh",
            onstart=None if dropped else body.get("onstart"),
            env=dict(body.get("env") or {}),
            is_bid=price is not None,
            look={"ssh_host": self.quirks.relay, "ssh_port": 20_776} if self.quirks.relay else {},
        )

    def _answer(self, machine: SimMachine, *, too_low: bool, waits: bool) -> Said:
        """Yes; or an error that has created a stopped machine all the same (vast.md, 3.5); or one that waits."""
        number = int(machine.id.removeprefix("m"))
        if too_low or self.quirks.stopped_creates > 0 or waits:
            self.world.stop(machine.id, "Required resources are currently unavailable")
            self.made(machine).contract_stopped = True
        if too_low or self.quirks.stopped_creates > 0:
            self.quirks.stopped_creates = max(0, self.quirks.stopped_creates - 1)
            return Said(400, {"success": False, "msg": "bid too low", "new_contract": number})
        key = self.container_key(machine)
        return Said(200, {"success": True, "new_contract": number, "instance_api_key": key})


def _price(value: Any) -> Usd | None:
    if value is None:
        return None
    if not 0.001 <= value <= 128:
        raise BadCall(400, "invalid_price: between 0.001 and 128")
    return Usd.of(Decimal(str(value)))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
