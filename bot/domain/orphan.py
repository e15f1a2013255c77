"""Orphans: machines that bear this deployment's namespace and that no rental of this database ever had. Pure.

A database was lost, another one is in use, or somebody changed a label by hand. Nobody is there to end such a machine
when its time is over, so it is told to whoever can decide and ended by itself after a grace.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain import label as labels
from bot.domain.market import Machine, MachineState
from bot.domain.money import Usd
from bot.domain.talk import Actor, Channel

GRACE = timedelta(minutes=15)
"""So long somebody may decide, if nothing else is set."""


class Fate(StrEnum):
    """What was decided about it."""

    KILL = "kill"
    ADOPT = "adopt"
    IGNORE = "ignore"


@dataclass(frozen=True, slots=True)
class Orphan:
    """A machine that nobody here rented. ``label`` to ``hourly`` are as the vendor last told them."""

    provider: str
    machine_id: str
    label: str
    gpu: str
    state: MachineState
    hourly: Usd | None
    found_at: datetime
    kill_at: datetime
    """It is ended by itself from here on, if nobody has decided by then."""
    # --- what a person decides -------------------------------------------------------------
    fate: Fate | None = None
    decided_by: Actor | None = None
    """None beside a fate: the grace was over."""
    decided_at: datetime | None = None
    rental: str = ""
    """Which rental it was adopted as."""
    # --- facts, written by the sweep ---------------------------------------------------------
    asked_at: datetime | None = None
    """When the vendor was first asked to end it: written before the asking, and from then on nothing is decided."""
    absent_at: datetime | None = None
    """When a complete listing and ``inspect`` first knew nothing of it."""
    gone_at: datetime | None = None
    """Proven gone: both did not know it a second time."""
    tidied_at: datetime | None = None
    """When what its launch had left on the account was removed, too: there is nothing more to do."""
    note: str = ""
    """What kept it from being ended or tidied, in the vendor's words."""

    @property
    def name(self) -> str:
        """``provider/machine``: how people and buttons call it."""
        return f"{self.provider}/{self.machine_id}"

    @property
    def is_over(self) -> bool:
        """Nothing is left to be decided or done: it is gone, or a rental looks after it."""
        return self.gone_at is not None or self.fate is Fate.ADOPT

    @property
    def can_be_spared(self) -> bool:
        """Whether it may still be kept."""
        return not self.is_over and self.asked_at is None

    def should_end(self, now: datetime) -> bool:
        """Somebody said so, or nobody said anything in time."""
        return self.fate is Fate.KILL or (self.fate is None and now >= self.kill_at)

    def may_become(self, fate: Fate) -> bool:
        """Whether this can (still) be decided: what is being ended cannot be kept any more."""
        return self.can_be_spared or (fate is Fate.KILL and not self.is_over)

    @property
    def cost(self) -> Usd | None:
        """The most it has cost since it was found; None where its price is not told, or while it still costs."""
        if self.hourly is None or self.absent_at is None:
            return None
        return self.hourly.over(self.absent_at - self.found_at)


@dataclass(frozen=True, slots=True)
class Owner:
    """The rental that a listed machine belongs to, by its label or by its id."""

    rental: str
    actor: Actor
    channel: Channel
    machine_id: str | None
    """The machine that its attempt knows; another one under the same label is one too many."""
    lives: bool
    """Whether its machine may be there: the attempt is not gone and the rental is not closed."""


def is_ours(label: str, namespace: str) -> bool:
    """Whether a label is of this namespace, also one whose rest was altered by hand."""
    return label.startswith(f"lc-{namespace}-")


def kill_at(label: str, found_at: datetime, grace: timedelta) -> datetime:
    """The end of the grace, or the time in the label where that is sooner: it may not exist longer anyway."""
    parsed = labels.parse(label)
    end = found_at + grace
    return min(end, parsed.until) if parsed else end


def again(before: Orphan, fresh: Orphan) -> Orphan:
    """One that was over and is there again, as ``fresh`` shows it: a kill or an ignore still holds, an adoption ended
    with its rental."""
    if before.fate is Fate.ADOPT:
        return fresh
    return replace(fresh, fate=before.fate, decided_by=before.decided_by, decided_at=before.decided_at)


def found(machine: Machine, now: datetime, grace: timedelta) -> Orphan:
    """A machine as it is first seen."""
    return Orphan(
        provider=machine.provider,
        machine_id=machine.id,
        label=machine.label,
        gpu=machine.gpu,
        state=machine.state,
        hourly=machine.hourly,
        found_at=now,
        kill_at=kill_at(machine.label, now, grace),
    )
