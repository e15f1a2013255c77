"""What goes wrong on the way to Discord: refusals, storms, cut lines, lost answers, an outage."""

from __future__ import annotations

import json
from dataclasses import dataclass
from fnmatch import fnmatchcase

from aiohttp import web


@dataclass
class Fault:
    """``route`` is ``POST /channels/*/messages``; ``times`` None: until it is taken away."""

    route: str
    status: int = 0
    code: int = 0
    times: int | None = 1
    retry_after: float = 0.0
    cuts: bool = False
    loses: bool = False
    """It is done, and the answer does not come."""

    def before(self, request: web.Request) -> web.StreamResponse | None:
        """What is answered instead of doing it; None: it is done."""
        if self.loses:
            return None
        if self.cuts:
            if request.transport is not None:
                request.transport.close()
            return web.Response(status=500)
        if self.status == 429:
            said = {
                "message": "You are being rate limited.",
                "retry_after": self.retry_after,
                "global": False,
            }
            return _json(said, 429, {"Via": "1.1 google", "Retry-After": str(self.retry_after)})
        if self.code:
            return _json({"code": self.code, "message": "refused"}, self.status)
        return web.Response(status=self.status, text="<html>trouble</html>", content_type="text/html")


def _json(said: object, status: int, headers: dict[str, str] | None = None) -> web.Response:
    body = json.dumps(said).encode()
    return web.Response(
        body=body, status=status, headers={"Content-Type": "application/json", **(headers or {})}
    )


class Faults:
    """Those that wait, the first that fits is taken."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def fail(self, route: str, status: int, code: int = 0, times: int | None = 1) -> None:
        """This status and code; nothing happens."""
        self._waiting.append(Fault(route, status, code, times))

    def rate_limit(self, route: str, retry_after: float, times: int | None = 1) -> None:
        """HTTP 429, with the ``Via`` without which discord.py takes it for a ban."""
        self._waiting.append(Fault(route, 429, times=times, retry_after=retry_after))

    def drop(self, route: str, times: int | None = 1) -> None:
        """The line is cut; nothing happens."""
        self._waiting.append(Fault(route, times=times, cuts=True))

    def lose_answer(self, route: str, times: int | None = 1) -> None:
        """It happens, and the line is cut before the answer."""
        self._waiting.append(Fault(route, times=times, loses=True))

    def outage(self, status: int = 503) -> None:
        """Everything, until ``recover``."""
        self._waiting.append(Fault("* *", status, times=None))

    def recover(self) -> None:
        """All lines are good again."""
        self._waiting.clear()

    def take(self, method: str, path: str) -> Fault | None:
        """The fault that this call meets."""
        for one in self._waiting:
            if one.times == 0 or not fnmatchcase(f"{method} {path}", one.route):
                continue
            if one.times is not None:
                one.times -= 1
            return one
        return None
