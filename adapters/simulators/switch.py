"""The dead-man's switch of a simulated machine: the real rule, on the world's clock.

The real one counts on running clocks, so the world's must not be one that is set: see ``SimClock.true``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from bot.domain import deadman
from bot.domain.deadman_rule import Told
from bot.ports import UnitJob


@dataclass(slots=True)
class SimSwitch:
    """What it was told last, and whether it has fired. A simulated machine never sleeps: its two clocks are one."""

    unit: str
    order: Mapping[str, Any]
    told: Told
    fired_at: datetime | None = None

    @classmethod
    def armed(cls, unit: str, job: UnitJob, now: datetime) -> Self:
        """By the unit that it is."""
        order = json.loads(job.env[deadman.ORDER])
        return cls(unit, order, _told(order["left"], now))

    def can(self, env: Mapping[str, str]) -> deadman.Ends:
        """What it finds out when it is armed."""
        able = not self.order["asks"] or self.order["key"] in env
        return deadman.Ends(self.order["ends"] if able else self.order["at_least"])

    def heard(self, stdin: bytes, env: Mapping[str, str], now: datetime, *, alive: bool) -> bytes:
        """A heartbeat, and its answer."""
        line = stdin.decode().partition("\n")[0]
        self.told = _told(json.loads(line.removeprefix(deadman.TOLD))["left"], now)
        state = "gone" if not alive else "ending" if self.fired_at else "watching"
        return json.dumps({"state": state, "ends": self.can(env).value, "why": ""}).encode()


def _told(left: float, now: datetime) -> Told:
    return Told(left, now.timestamp(), now.timestamp())
