"""Faults on demand: what goes wrong, in which call, how often. Used by the world, its shell and every API face."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum

ALWAYS = -1
"""``Fault.times`` for a fault that stays until it is cleared."""


class FaultKind(StrEnum):
    """What goes wrong. "Lost" means that the caller gets no answer."""

    NONE = "none"
    """Nothing: lets a call through, so that a later one fails."""
    # --- the vendor -----------------------------------------------------------------
    LOST_BEFORE = "lost before"
    """The request never arrived; no answer either."""
    LOST_AFTER = "lost after"
    """It was done; the answer was lost."""
    LATE = "late"
    """No answer, and it is done ``Fault.late`` afterwards."""
    NO_CAPACITY = "no capacity"
    TRY_LATER = "try later"
    NEEDS_HUMAN = "needs human"
    GARBLED = "garbled"
    """An answer that cannot be read."""
    SHRUG = "shrug"
    """``destroy`` says yes and does nothing."""
    RETURNS = "returns"
    """``destroy`` works, and the machine is there again ``Fault.late`` after it was gone."""
    # --- the way into a machine -----------------------------------------------------
    UNREACHABLE = "unreachable"
    CUT = "cut"
    """A command whose effect happened before the line broke; a transfer after ``Fault.parts`` files."""
    TOO_SLOW = "too slow"
    DISK_FULL = "disk full"
    """A transfer after ``Fault.parts`` files."""
    CORRUPT = "corrupt"
    """A transfer whose bytes changed on the way after ``Fault.parts`` files."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One entry of a plan: happens ``times`` calls in a row."""

    kind: FaultKind
    late: timedelta = timedelta(0)
    times: int = 1
    parts: int = 0
    reason: str = "simulated"


class WorldFault(Exception):
    """How a planned fault leaves the world. A provider turns it into our errors, an API face into its vendor's."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(f"{fault.kind}: {fault.reason}")
        self.fault = fault


class FaultPlan:
    """A queue of faults per call name. A call with an empty queue goes well."""

    def __init__(self) -> None:
        self._queues: dict[str, deque[Fault]] = {}

    def plan(self, call: str, *faults: Fault) -> None:
        """Let the next calls of that name meet these faults, after those that were planned before."""
        self._queues.setdefault(call, deque()).extend(faults)

    def clear(self, call: str | None = None) -> None:
        """Forget what was planned for ``call``, or for all calls."""
        if call is None:
            self._queues.clear()
        else:
            self._queues.pop(call, None)

    def take(self, call: str) -> Fault | None:
        """The fault that this call meets, or None."""
        queue = self._queues.get(call)
        if not queue:
            return None
        fault = queue[0]
        if fault.times == 1:
            queue.popleft()
        elif fault.times > 1:
            queue[0] = replace(fault, times=fault.times - 1)
        return None if fault.kind is FaultKind.NONE else fault

    def waiting(self) -> dict[str, int]:
        """How many entries are still to come per call; a test may insist that none are."""
        return {call: len(queue) for call, queue in self._queues.items() if queue}
