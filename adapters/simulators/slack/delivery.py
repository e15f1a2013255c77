"""One thing that Slack tells an app, and what came back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from adapters.simulators.slack.things import Json


@dataclass(frozen=True, slots=True)
class Occurrence:
    """What is told: ``kind`` is ``slash_commands``, ``interactive`` or ``events_api`` (chat-platforms.md, 2.3)."""

    kind: str
    payload: Json
    accepts_response: bool = True
    attempt: int = 0
    """0: told the first time; else ``retry_attempt`` of a redelivery."""
    reason: str = "timeout"


@dataclass(frozen=True, slots=True)
class Delivered:
    """What became of it. ``took``: real seconds until the answer, or until nobody waited any more."""

    sent: Occurrence
    acked: bool
    took: float
    payload: Json = field(default_factory=dict)
    """What the acknowledgement carried; ``{"text": ...}`` for a plain one; empty for a bare one."""
    status: int = 0
    """HTTP mode: the answer's status; 0 over a socket, or when nothing was reached."""
    why: str = ""
    """Not acknowledged because: ``timeout``, ``no_connection`` or ``http_<status>``."""
    wire: tuple[bytes, dict[str, str]] | None = field(default=None, repr=False)
    """HTTP mode: body and headers as they were sent, for a replay."""
    again: tuple[Delivered, ...] = ()
    """The further deliveries of the same occurrence, where several were asked for."""

    @property
    def text(self) -> str:
        """The text of the acknowledgement."""
        return str(self.payload.get("text", ""))


class Transport(Protocol):
    """A way to the app: sockets or signed requests."""

    async def tell(self, what: Occurrence) -> Delivered:
        """Send it and wait for the answer; at most the three seconds that Slack waits."""
