"""How Vast.ai words what it does not do, whom it lets in, and what a simulated account remembers beside its world."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from adapters.simulators.faces.face import BadCall, Call, Dropped, Face, Said
from adapters.simulators.faces.vast_rows import Made
from adapters.simulators.faults import FaultKind, WorldFault
from adapters.simulators.machine import SimHost, SimMachine, Tariff
from adapters.simulators.world import World
from bot.domain.market import MachineState
from bot.domain.money import ZERO, Usd

VAST_TARIFF = Tariff(gpu_from_running=True, gpu_while_stopped=False, ends_when_asked=True)
"""GPU while it runs, disk from the creation until the delete is taken, a month of 720 hours (vast.md, 8.1)."""
NO_BALANCE = Usd.of(100)
"""The credit of a world that keeps no balance."""
LIMITS = {
    "offers": 6.0,
    "launch": 4.5,
    "machines": 1.0,
    "inspect": 2.0,
    "destroy": 3.0,
    "keys": 1.0,
    "account": 1.0,
    "bill": 1.0,
}
"""The published least intervals, seconds (vast.md, 9)."""
_OWN = re.compile(r"/api/v0/instances/(\d+)/", re.ASCII)
_CODES = {"invalid_token", "invalid_price"}
_PLAIN = {"Content-Type": "text/plain"}


@dataclass(slots=True)
class Quirks:
    """What the vendor may do on one day and not on another. Times count down; the rest stays until it is changed."""

    wrong_key_status: int = 404
    """Lived; the documents say 401."""
    throttle: str = "text"
    """``text``, ``detail`` or ``error``: how a 429 is worded."""
    gone_status: int = 400
    """For an offer that is gone: 400 as lived, 404 and 410 as documented."""
    strict: bool = True
    """An unknown filter is refused; else it is passed over, and the rows with it."""
    unfiltered: bool = False
    """Filters are taken and not applied."""
    row_quota: int = 20_000
    most_rows: int = 64
    drop_onstart: int = 0
    stopped_creates: int = 0
    """A create answers with an error and a contract, and the machine is there, stopped."""
    double_booking: bool = False
    """A second create on an offer that is taken is accepted, too."""
    refuses_second_key: bool = False
    late_logs: int = 2
    """So often a log that was asked for is not there yet."""
    count_off_by: int = 0
    """The count of all instances is wrong by so many."""
    late_books: timedelta = timedelta(0)
    """So long after it was used up, something is on the bill."""
    relay: str = ""
    """The relay's name, where it is another address than the machine's."""


@dataclass(slots=True)
class Memory:
    """What the account remembers."""

    hosts: dict[str, int] = field(default_factory=dict)
    made: dict[str, Made] = field(default_factory=dict)
    container_keys: dict[str, str] = field(default_factory=dict)
    account_keys: dict[int, str] = field(default_factory=dict)
    logs: dict[str, list[Any]] = field(default_factory=dict)
    rows: dict[date, int] = field(default_factory=dict)


class VastVoice(Face):
    """Words, keys and memory; the calls stand in the other parts."""

    def __init__(self, world: World, *, key: str = "sim-key", skew: timedelta = timedelta(0)) -> None:
        super().__init__(world, key=key, skew=skew)
        self.quirks = Quirks()
        self.memory = Memory()
        self.limits = {kind: timedelta(seconds=seconds) for kind, seconds in LIMITS.items()}

    # --- who is who ----------------------------------------------------------------------------

    def number(self, host: SimHost) -> int:
        """The host's own number, the same for ever."""
        return self.memory.hosts.setdefault(host.fingerprint, len(self.memory.hosts) + 1)

    def made(self, machine: SimMachine) -> Made:
        """What is known of its creation."""
        return self.memory.made.setdefault(machine.id, Made())

    def sim(self, instance: str | int) -> SimMachine | None:
        """The machine with this id, if it is there."""
        try:
            found = self.world.machine(f"m{instance}")
        except KeyError:
            return None
        return found if found.state(self.world.clock.now()) is not None else None

    def dress(self, instance: str | int, **look: Any) -> None:
        """Let an instance be seen so, whatever is true: ``dress(id, actual_status="offline")``."""
        machine = self.sim(instance)
        assert machine is not None
        self.made(machine).look |= look

    def outbid(self, instance: str | int) -> None:
        """Somebody bids more: it is stopped at once, and its disk bills on."""
        machine = self.sim(instance)
        assert machine is not None
        self.world.stop(machine.id, "outbid")
        self.made(machine).contract_stopped = True

    def container_key(self, machine: SimMachine) -> str:
        """The key that opens this one instance and nothing else."""
        token = hashlib.sha256(f"{self.key}/{machine.id}".encode()).hexdigest()
        self.memory.container_keys[token] = machine.id.removeprefix("m")
        return token

    def credit(self) -> Usd:
        """What is left of the prepaid money."""
        return NO_BALANCE if self.world.balance is None else self.world.balance - self.world.bill()

    def settle(self) -> None:
        """At no credit every instance is stopped; their disks bill on, below zero (vast.md, 8.1)."""
        if self.credit() > ZERO:
            return
        for machine in self.world.alive():
            if machine.state(self.world.clock.now()) in (MachineState.STARTING, MachineState.RUNNING):
                self.world.stop(machine.id, "Your account lacks credit; see the billing page.")
                self.made(machine).contract_stopped = True

    # --- who may -------------------------------------------------------------------------------

    def authorised(self, call: Call) -> bool:
        token = _token(call)
        if token == self.key or self.local_path(call).startswith(("/logs/", "/api/v0/gpu_")):
            return True
        own = _OWN.fullmatch(self.local_path(call))
        return own is not None and self.memory.container_keys.get(token) == own[1]

    def local_path(self, call: Call) -> str:
        """The path below where this face is served."""
        return call.path.removeprefix(self.prefix)

    # --- words ---------------------------------------------------------------------------------

    def throttled(self, seconds: int | None) -> Said:
        headers = {} if seconds is None else {"Retry-After": str(seconds)}
        words = "API requests too frequent endpoint threshold=4.5"
        match self.quirks.throttle:
            case "detail":
                return Said(429, {"detail": words}, headers=headers)
            case "error":
                body = {"success": False, "error": "rate_limit_exceeded", "msg": words}
                return Said(429, body, headers=headers)
            case _:
                return Said(429, text=words, headers={**_PLAIN, **headers})

    def unauthorised(self, call: Call) -> Said:
        if not _token(call):
            return Said(403, refusal("auth_error", "This action requires login."))
        if _token(call) in self.memory.container_keys:
            return Said(403, refusal("auth_error", "This key is for one instance."))
        return Said(self.quirks.wrong_key_status, refusal("auth_error", "Invalid user key"))

    def forbidden(self, call: Call) -> Said:
        return Said(403, refusal("auth_error", "This API key has no permission for this action."))

    def bad(self, problem: BadCall) -> Said:
        if problem.status in (404, 405):
            return Said(problem.status, text=problem.sentence, headers=_PLAIN)
        named = problem.sentence.partition(":")[0]
        code = named if named in _CODES else "server_error" if problem.status == 422 else "invalid_args"
        return Said(problem.status, refusal(code, f"error {problem.status}/3467: {problem.sentence}"))

    def failed(self) -> Said:
        return Said(500, refusal("server_error", "Something went wrong on the server"))

    def shrug(self, kind: str, call: Call) -> Said:
        words = {"destroy": "Instance destroyed successfully"}.get(kind, "ok")
        return Said(200, {"success": True, "msg": words})

    def dialect(self, kind: str, met: WorldFault, call: Call) -> Said:
        """A fault of the world in this vendor's words."""
        match met.fault.kind:
            case FaultKind.NO_CAPACITY:
                return self.no_such_ask(self.local_path(call).strip("/").rpartition("/")[2])
            case FaultKind.TRY_LATER:
                return self.throttled(None)
            case FaultKind.NEEDS_HUMAN if kind == "launch":
                words = "Your account lacks credit; see the billing page."
                return Said(400, refusal("insufficient_credit", words))
            case FaultKind.NEEDS_HUMAN:
                return self.unauthorised(call)
            case FaultKind.GARBLED:
                return Said(200, text='{"success": true, "inst')
            case _:
                raise Dropped("timeout")

    def no_such_ask(self, ask: str) -> Said:
        """An offer that was taken; 410 is worded otherwise than the rest."""
        status, number = self.quirks.gone_status, int(ask) if ask.isdigit() else 0
        if status == 410:
            words = f"error 410/3907: no_such_ask Instance type {ask} is no longer available."
            return Said(410, {**refusal("no_such_ask", words), "ask_id": number})
        words = f"error 404/3603: no_such_ask  Instance type by id {ask} is not available."
        return Said(status, {**refusal("invalid_args", words), "ask_id": number})


def refusal(code: str, words: str) -> dict[str, Any]:
    """The usual error body."""
    return {"success": False, "error": code, "msg": words}


def no_such_instance() -> Said:
    """An instance that is not there, for every call but the one that asks for it."""
    return Said(404, refusal("no_such_instance", "Instance not found"))


def parsed(call: Call, name: str, usual: Any) -> Any:
    """A query parameter that is JSON."""
    if name not in call.query:
        return usual
    try:
        return json.loads(call.query[name])
    except ValueError:
        raise BadCall(400, f"{name}: not JSON") from None


def body_of(call: Call, *fields: str) -> Mapping[str, Any]:
    """The body, which has no other fields than these."""
    body = call.json if call.json is not None else {}
    if not isinstance(body, dict) or set(body) - set(fields):
        raise BadCall(400, "Extra inputs are not permitted")
    return body


def _token(call: Call) -> str:
    header = call.headers.get("authorization", "")
    return header.removeprefix("Bearer ") if header.startswith("Bearer ") else call.query.get("api_key", "")
