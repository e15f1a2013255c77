"""How Lambda speaks whatever the call: who may come in, how it refuses, throttles and fails (lambda.md, 1)."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Literal
from urllib.parse import unquote

from adapters.simulators.faces.face import BadCall, Call, Dropped, Face, Handler, Said
from adapters.simulators.faces.lambda_cloud_strict import Coded
from adapters.simulators.faults import Fault, FaultKind, WorldFault
from adapters.simulators.world import World

ROOT = "/api/v1/"
_LOST = (FaultKind.LOST_BEFORE, FaultKind.LOST_AFTER, FaultKind.LATE)
Told = Callable[..., Said]
"""A handler that takes the call and the ids of its path."""


class LambdaDialect(Face):
    """Everything but the calls themselves; ``routes`` are the subclass's."""

    def __init__(self, world: World, *, key: str = "sim-key", skew: timedelta = timedelta(0)) -> None:
        super().__init__(world, key=key, skew=skew)
        self.limits = {"": timedelta(seconds=1), "launch": timedelta(seconds=12)}
        self.throttle: Literal["json", "text429", "text403"] = "text403"
        self.inactive = False
        """The account is shut: 403 for everything."""
        self.routes: tuple[tuple[str, str, str, Told], ...] = ()
        """Method, path, kind, handler; ``*`` is an id. What is written out comes before it."""
        self._scripted: dict[str, list[tuple[Said, bool]]] = {}

    def script(self, kind: str, said: Said, *, after: bool = False) -> None:
        """The next call of that kind is answered so; ``after``: once it had its effect."""
        self._scripted.setdefault(kind, []).append((said, after))

    def route(self, call: Call) -> tuple[str, Handler]:
        path = call.path.removeprefix(self.prefix)
        parts = path.removeprefix(ROOT).split("/") if path.startswith(ROOT) else [""]
        known = False
        for method, pattern, kind, handler in self.routes:
            ids = _match(pattern.split("/"), parts)
            if ids is None:
                continue
            known = True
            if method == call.method:
                return kind, partial(self._told, kind, _with_ids(handler, ids))
        raise BadCall(405 if known else 404, "no such page")

    def authorised(self, call: Call) -> bool:
        """Bearer, or Basic with the key as name and nothing as password; the document is for everybody."""
        basic = base64.b64encode(f"{self.key}:".encode()).decode()
        given = call.headers.get("authorization", "")
        return given in (f"Bearer {self.key}", f"Basic {basic}") or call.path.endswith(f"{ROOT}openapi.json")

    def unauthorised(self, call: Call) -> Said:
        given = "authorization" in call.headers
        said = "API key was invalid, expired, or deleted." if given else "No API key was provided."
        more = "Check your API key or create a new one, then try again."
        return Coded(401, "global/invalid-api-key", said, more).said

    def forbidden(self, call: Call) -> Said:
        """Keys have no scopes; what forbids is the state of the account."""
        more = "Make sure you have a valid payment method. Contact Support if problems continue."
        return Coded(403, "global/account-inactive", "Your account is inactive.", more).said

    def throttled(self, seconds: int | None) -> Said:
        headers = {} if seconds is None else {"Retry-After": str(seconds)}
        if self.throttle == "json":
            told = {"error": {"code": "global/too-many-requests", "message": "Slow down."}}
            return Said(429, told, headers=headers)
        status = 403 if self.throttle == "text403" else 429
        return Said(status, text="error code: 1015", headers={"Content-Type": "text/plain", **headers})

    def bad(self, problem: BadCall) -> Said:
        """A page that does not exist is no JSON: only a code says that an object does not exist."""
        if isinstance(problem, Coded):
            return problem.said
        page = f"<html><body>{problem.sentence}</body></html>"
        return Said(problem.status, text=page, headers={"Content-Type": "text/html"})

    def failed(self) -> Said:
        return Coded(
            500, "global/internal-error", "An internal server error occurred.", "Try again later."
        ).said

    def _told(self, kind: str, handler: Handler, call: Call) -> Said:
        """Scripted answers, the state of the account, and the world's faults in Lambda's words."""
        if self.inactive:
            return self.forbidden(call)
        queue = self._scripted.get(kind)
        said, after = queue.pop(0) if queue else (None, False)
        if said is not None and not after:
            return said
        try:
            answer = handler(call)
        except WorldFault as met:
            return self._fault(met.fault, call)
        return answer if said is None else said

    def _fault(self, fault: Fault, call: Call) -> Said:
        if fault.kind in _LOST:
            raise Dropped("timeout")
        match fault.kind:
            case FaultKind.NO_CAPACITY:
                return no_capacity().said
            case FaultKind.TRY_LATER:
                return self.throttled(None)
            case FaultKind.NEEDS_HUMAN:
                return self.forbidden(call)
            case _:
                return Said(200, text="<html>simulated</html>", headers={"Content-Type": "text/html"})


def no_capacity() -> Coded:
    """Sold out."""
    return Coded(
        400,
        "instance-operations/launch/insufficient-capacity",
        "Not enough capacity to fulfill launch request.",
        "Choose an instance type with more availability.",
    )


def _match(pattern: list[str], parts: list[str]) -> list[str] | None:
    """The ids of a path that has this pattern."""
    if len(pattern) != len(parts) or not all(parts):
        return None
    if any(wanted not in ("*", part) for wanted, part in zip(pattern, parts, strict=True)):
        return None
    return [unquote(part) for wanted, part in zip(pattern, parts, strict=True) if wanted == "*"]


def _with_ids(handler: Told, ids: list[str]) -> Handler:
    return lambda call: handler(call, *ids)
