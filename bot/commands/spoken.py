"""What a line comes to: one frozen value per command. Policy and handlers read these and never the text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from bot.domain.alert import Loudness
from bot.domain.allowance import Kind, Scope
from bot.domain.ledger import Period
from bot.domain.market import Want
from bot.domain.money import Usd
from bot.domain.orphan import Fate
from bot.domain.outlet import Topic

MINE = "mine"
ALL = "all"
ME = "me"
TEAM = "team"
ATTACHED = "attached"
USUAL_LINES = 30


@dataclass(frozen=True, slots=True)
class Up:
    """Rent a machine. ``None`` means "not said"."""

    want: Want
    hours: timedelta | None = None
    budget: Usd | None = None


@dataclass(frozen=True, slots=True)
class Train:
    """Rent a machine, train on it, bring the results back. ``want.provider`` is ``any`` if none was said."""

    recipe: str
    preset: str | None
    want: Want
    hours: timedelta | None = None
    budget: Usd | None = None
    data: str | None = None
    """A folder as it was typed; where a relative one begins is the request's business."""
    attached: bool = False
    """The data set came with the message (``data attached``); then no folder is named."""
    inputs: Mapping[str, str] = field(default_factory=dict)
    """Recipe parameters as they were typed, names in lower case; the recipe's schema judges them."""
    rerun: str | None = None
    """The rental whose training is repeated: what is not said here is as it was there, and ``recipe`` may be empty."""


@dataclass(frozen=True, slots=True)
class Status:
    """``which`` is a rental id, ``mine`` or ``all``."""

    which: str = MINE


@dataclass(frozen=True, slots=True)
class Down:
    """``which`` is a rental id, ``mine`` or ``all``; it was said, never assumed."""

    which: str


@dataclass(frozen=True, slots=True)
class Extend:
    """More time or more money for one rental."""

    rental: str
    by: timedelta | Usd


@dataclass(frozen=True, slots=True)
class Confirm:
    """Yes to a quote; ``None``: the only one there is."""

    rental: str | None = None
    most: Usd | None = None
    """The worst case that was on the button; a dearer one is not meant."""


@dataclass(frozen=True, slots=True)
class Cancel:
    """No to a quote."""

    rental: str | None = None


@dataclass(frozen=True, slots=True)
class Offers:
    """What could be rented now."""

    want: Want


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a training would take and cost. ``rate`` is hourly."""

    recipe: str | None = None
    gpu: str | None = None
    rate: Usd | None = None


@dataclass(frozen=True, slots=True)
class Advise:
    """Which GPU and provider suit a recipe."""

    recipe: str


@dataclass(frozen=True, slots=True)
class Providers:
    """How the providers compare and which are configured."""


@dataclass(frozen=True, slots=True)
class Logs:
    """The last ``lines`` lines of a rental's log."""

    rental: str | None = None
    lines: int = USUAL_LINES


@dataclass(frozen=True, slots=True)
class Pull:
    """Bring the results so far."""

    rental: str | None = None


@dataclass(frozen=True, slots=True)
class Stop:
    """Finish a training early: save, bring what there is, tear down."""

    rental: str | None = None


@dataclass(frozen=True, slots=True)
class Ssh:
    """How to get onto the machine."""

    rental: str | None = None


@dataclass(frozen=True, slots=True)
class History:
    """What happened to one rental, or the last ``count`` rentals."""

    rental: str | None = None
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Snooze:
    """Quiet one rental's reminders; ``None``: the only one there is, the usual length."""

    rental: str | None = None
    length: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Orphans:
    """What no rental knows; or what becomes of one such machine."""

    everything: bool = False
    """Other people's machines, too."""
    fate: Fate | None = None
    machine: str = ""
    """``provider/id``, or the id alone; said whenever a fate is."""


@dataclass(frozen=True, slots=True)
class Approve:
    """Yes to somebody else's rental; ``most``: if it cannot cost more."""

    rental: str
    most: Usd | None = None


@dataclass(frozen=True, slots=True)
class Decline:
    """No to somebody else's rental, and why."""

    rental: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Budget:
    """Show the budgets, or set one limit or role: ``rule`` with ``value`` (None: what a team said is forgotten;
    empty: no limit). ``person`` is who it is about, as typed; empty: everybody."""

    rule: tuple[Scope, Kind] | None = None
    person: str = ""
    value: str | None = None


@dataclass(frozen=True, slots=True)
class Notify:
    """Show the team's notification channels; ``add`` is ``here``, an address, or a place (``slack:C024``);
    ``remove`` and ``test`` are a channel's number. No ``topics``: the usual ones; no ``least``: the usual one."""

    add: str = field(default="", repr=False)
    remove: int | None = None
    test: int | None = None
    topics: tuple[Topic, ...] = ()
    least: Loudness | None = None


@dataclass(frozen=True, slots=True)
class Costs:
    """What was spent. ``whose`` is ``me``, ``team``, or a person of the team behind an ``@``."""

    whose: str = ME
    period: Period = Period.MONTH
    csv: bool = False


@dataclass(frozen=True, slots=True)
class Help:
    """``command`` is a name of the catalogue, or ``None`` for all."""

    command: str | None = None


@dataclass(frozen=True, slots=True)
class Later:
    """A command that a later release brings; its arguments are not looked at."""

    command: str


Command = (
    Up | Train | Status | Down | Extend | Confirm | Cancel | Offers | Estimate | Advise
    | Providers | Logs | Pull | Stop | Ssh | History | Snooze | Orphans | Approve | Decline | Budget
    | Notify | Costs | Help | Later
)  # fmt: skip
