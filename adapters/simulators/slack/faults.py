"""What goes wrong on Slack's side, on order.

A method is one of the Web API's, or ``response_url``, ``upload``, ``download``, ``link`` (a new socket); ``*`` is all.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from adapters.simulators.slack.things import Json


@dataclass(slots=True)
class Fault:
    """``how``: ``error``, ``limited``, ``status``, ``drop`` (nothing happens) or ``lost`` (it happens, unheard)."""

    method: str
    how: str
    times: int | None
    error: str = ""
    number: int = 0
    extra: Json = field(default_factory=dict)


class Faults:
    """Each is met so many ``times`` (None: until ``recover``), in the order in which they were ordered."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def fail(self, method: str, error: str, times: int | None = 1, **extra: object) -> None:
        """HTTP 200 with this error; nothing happens."""
        self._waiting.append(Fault(method, "error", times, error, extra=dict(extra)))

    def rate_limit(self, method: str, retry_after: int, times: int | None = 1) -> None:
        """HTTP 429 with ``Retry-After`` in seconds; nothing happens."""
        self._waiting.append(Fault(method, "limited", times, number=retry_after))

    def http_error(self, method: str, status: int = 503, times: int | None = 1) -> None:
        """This HTTP status with a page of HTML; nothing happens."""
        self._waiting.append(Fault(method, "status", times, number=status))

    def drop(self, method: str, times: int | None = 1) -> None:
        """The connection is cut before anything happens."""
        self._waiting.append(Fault(method, "drop", times))

    def lose_answer(self, method: str, times: int | None = 1) -> None:
        """It happens, and the connection is cut before the answer."""
        self._waiting.append(Fault(method, "lost", times))

    def outage(self, status: int = 503) -> None:
        """Every address answers this status until ``recover``, new sockets included. Open sockets live on; cut them
        with ``slack.sockets.cut()``, and see ``slack.go_dark()`` for a Slack that nobody reaches."""
        self._waiting.insert(0, Fault("*", "status", None, number=status))

    def recover(self) -> None:
        """Nothing is wrong any more; what was ordered and not met is forgotten."""
        self._waiting.clear()

    def take(self, method: str) -> Fault | None:
        """The next fault for this call, which counts as met."""
        for fault in self._waiting:
            if fault.method not in ("*", method):
                continue
            if fault.times is not None:
                fault.times -= 1
                if fault.times <= 0:
                    self._waiting.remove(fault)
            return fault
        return None
