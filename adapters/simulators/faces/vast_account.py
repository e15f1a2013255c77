"""Vast.ai's account: user, SSH keys, logs, charges and the names of cards."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from adapters.simulators.faces.face import BadCall, Call, Said
from adapters.simulators.faces.vast_rows import SPELLINGS
from adapters.simulators.faces.vast_voice import (
    NO_BALANCE,
    VastVoice,
    body_of,
    no_such_instance,
    parsed,
    refusal,
)
from adapters.simulators.machine import SimMachine
from bot.domain.money import ZERO, Usd

_DAY = timedelta(days=1)
_MOST_ROWS = 500


class VastAccount(VastVoice):
    """What is not a machine."""

    def user(self, call: Call) -> Said:
        """``GET /api/v0/users/current/``: the raw body holds the account's key (vast.md, 8.2)."""
        balance, _ = self.world.account()
        credit = NO_BALANCE if balance is None else balance
        body = {"id": 7, "key_id": 11, "email": "a@b.example", "username": "a", "balance": 0.0}
        more = {"balance_threshold": 5.0, "balance_threshold_enabled": False, "can_pay": True, "sid": "s"}
        rest = {"has_billing": True, "ssh_key": "", "host_agreement_accepted": False, "api_key": self.key}
        return Said(200, {**body, "credit": float(credit.dollars), **more, **rest})

    # --- SSH keys ------------------------------------------------------------------------------

    def account_keys(self, call: Call) -> Said:
        """A bare array, or 404 when there are none (vast.md, 7.1)."""
        if not self.memory.account_keys:
            return Said(404, refusal("not_found", "No SSH keys found"))
        keys = self.memory.account_keys.items()
        return Said(200, [{**self._key(number, line), "key": line} for number, line in keys])

    def add_account_key(self, call: Call) -> Said:
        """It reaches instances that are created from now on."""
        line = _line(call)
        number = 501 + len(self.memory.account_keys)
        self.memory.account_keys[number] = line
        return Said(200, {"success": True, "key": {**self._key(number, line), "public_key": line}})

    def drop_account_key(self, call: Call, number: str) -> Said:
        """By its number."""
        found = self.memory.account_keys.pop(int(number), None)
        return Said(200, {"success": True}) if found else Said(404, refusal("not_found", "SSH key not found"))

    def instance_keys(self, call: Call, instance: str) -> Said:
        """A text with JSON in it (vast.md, 7.1)."""
        machine = self.sim(instance)
        if machine is None:
            return no_such_instance()
        rows = [{"id": number, "public_key": line} for number, line in enumerate(machine.keys, 501)]
        return Said(200, {"success": True, "ssh_keys": json.dumps(rows)})

    def attach(self, call: Call, instance: str) -> Said:
        """Let a key into one instance."""
        machine, line = self.sim(instance), _line(call)
        if machine is None:
            return no_such_instance()
        if line in machine.keys and self.quirks.refuses_second_key:
            return Said(400, refusal("invalid_args", "SSH key already attached to instance."))
        if line not in machine.keys:
            machine.keys.append(line)
        return Said(200, {"success": True, "msg": "SSH key attached"})

    def detach(self, call: Call, instance: str, number: str) -> Said:
        """By its number on the instance."""
        machine, at = self.sim(instance), int(number) - 501
        if machine is None or not 0 <= at < len(machine.keys):
            return no_such_instance()
        machine.keys.pop(at)
        return Said(200, {"success": True})

    def _key(self, number: int, line: str) -> dict[str, Any]:
        made = self.world.clock.now().isoformat()
        return {"id": number, "user_id": 7, "created_at": made, "deleted_at": None}

    # --- logs ----------------------------------------------------------------------------------

    def ask_log(self, call: Call, instance: str) -> Said:
        """The answer names an address that serves the log a little later, without any key (vast.md, 7.3)."""
        body_of(call, "tail", "filter", "daemon_logs")
        machine = self.sim(instance)
        if machine is None:
            return no_such_instance()
        name = f"{instance}-{len(self.memory.logs)}.txt"
        self.memory.logs[name] = [self.quirks.late_logs, machine.fate.words or "Digest: sha256:00\n"]
        url = f"http://{call.headers.get('host', 'vast.invalid')}{self.prefix}/logs/{name}"
        return Said(200, {"success": True, "result_url": url, "msg": "log request sent"})

    def read_log(self, call: Call, name: str) -> Said:
        """404 until it is there."""
        log = self.memory.logs.get(name)
        if log is None or log[0] > 0:
            if log is not None:
                log[0] -= 1
            return Said(
                404, text="<Error><Code>NoSuchKey</Code></Error>", headers={"Content-Type": "text/xml"}
            )
        return Said(200, text=log[1], headers={"Content-Type": "text/plain"})

    # --- money ---------------------------------------------------------------------------------

    def charges(self, call: Call) -> Said:
        """One row for each instance and day (vast.md, 8.2); ``day`` has to be said. How pages go on is as in the list
        of instances."""
        size, start = _checked(call)
        asked = parsed(call, "select_filters", {})
        days, kinds = asked.get("day"), asked.get("type", {"in": ["instance"]})
        if not isinstance(days, dict) or set(days) - {"gte", "lte"} or set(asked) - {"day", "type"}:
            raise BadCall(400, "select_filters: day is required")
        first = datetime.fromtimestamp(days.get("gte", 0), UTC)
        last = datetime.fromtimestamp(days.get("lte", self.world.clock.now().timestamp()), UTC)
        sold = self.world.ever() if "instance" in kinds.get("in", ()) else []
        rows = [row for machine in sold for row in self._days(machine, first, last)]
        shown, rest = rows[start : start + size], rows[start + size :]
        token = f"charges-{start + size}" if rest else None
        body = {"success": True, "count": len(shown), "total": len(rows), "next_token": token}
        return Said(200, {**body, "results": shown})

    def _days(self, machine: SimMachine, first: datetime, last: datetime) -> Iterator[dict[str, Any]]:
        written, tariff = self.world.clock.now() - self.quirks.late_books, self.world.tariff
        born = machine.spans[0].born
        start = born.replace(hour=0, minute=0, second=0, microsecond=0)
        for step in itertools.count():
            day = start + step * _DAY
            if day > min(last, written):
                return
            before = machine.cost(tariff, day) if day > born else ZERO
            amount = machine.cost(tariff, min(day + _DAY, written)) - before
            if day + _DAY > first and amount > ZERO:
                yield _charge(machine, day, amount)

    # --- cards ---------------------------------------------------------------------------------

    def gpu_names(self, call: Call) -> Said:
        """``GET /api/v0/gpu_names/unique/``, for everybody."""
        names = {SPELLINGS.get(host.gpu, host.gpu) for host in self.world.hosts.values()}
        return Said(200, {"gpu_names": sorted(names), "gpu_types": sorted(names)})


def _line(call: Call) -> str:
    line = body_of(call, "ssh_key").get("ssh_key")
    if not isinstance(line, str) or not line.startswith("ssh-") or len(line.split()) < 2:
        raise BadCall(400, "ssh_key: Input should be a public key")
    return line.strip()


def _checked(call: Call) -> tuple[int, int]:
    """How many rows, from which on."""
    known = {"select_filters", "latest_first", "limit", "format", "after_token", "api_key"}
    size, token = call.query.get("limit", "100"), call.query.get("after_token", "charges-0")
    start = token.removeprefix("charges-")
    if set(call.query) - known or not size.isdigit() or not 1 <= int(size) <= _MOST_ROWS:
        raise BadCall(400, "limit: 1 to 500 rows")
    if not token.startswith("charges-") or not start.isdigit():
        raise BadCall(400, "after_token: not one of ours")
    return int(size), int(start)


def _charge(machine: SimMachine, day: datetime, amount: Usd) -> dict[str, Any]:
    return {
        "start": int(day.timestamp()),
        "end": int((day + _DAY).timestamp()),
        "type": "instance",
        "source": f"instance-{machine.id.removeprefix('m')}",
        "description": f"{machine.host.count}x {machine.host.gpu}",
        "amount": float(amount.dollars),
        "metadata": {"label": machine.label},
        "items": [{"type": "gpu", "amount": float(amount.dollars)}],
    }
