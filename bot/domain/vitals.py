"""What an operator is told: which parts are well, and the numbers of the moment. Values only; an adapter shows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from bot.domain.money import ZERO, Usd


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that has to be well. ``said``: how it is, in a sentence without secrets."""

    name: str
    ok: bool
    said: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many wait, and how long the oldest does."""

    many: int
    oldest: timedelta


@dataclass(frozen=True, slots=True)
class Left:
    """A team's budget of the month."""

    limit: Usd
    left: Usd
    """Below zero where more was charged than is allowed now."""


@dataclass(frozen=True, slots=True)
class Rows:
    """What the database says: the same, whichever process is asked."""

    rentals: Mapping[str, int] = field(default_factory=dict)
    """Open rentals by state, as their cards say it."""
    closed: Mapping[str, int] = field(default_factory=dict)
    """All that were ever closed, by ending."""
    hourly: Mapping[str, Usd] = field(default_factory=dict)
    """What is billed an hour now, by provider; what is not proven gone counts."""
    budgets: Mapping[str, Left] = field(default_factory=dict)
    """By team; one without a limit is not in it."""
    reminders: Mapping[str, int] = field(default_factory=dict)
    """All that were ever said, by rung."""
    teardowns: Mapping[str, Waiting] = field(default_factory=dict)
    """Asked for and not proven, by provider."""
    outbox: Mapping[str, Waiting] = field(default_factory=dict)
    """Messages that are due, by chat."""
    orphans: int = 0
    orphans_hourly: Usd = ZERO
    lag: timedelta = timedelta(0)
    """How long the row that is due longest waits for a pass."""
    overdue: timedelta = timedelta(0)
    """How far the rental that is furthest past its hard end is past it."""


@dataclass(frozen=True, slots=True)
class Line:
    """The way into a chat. ``silence``: since it was last seen alive; None where it has no socket that could tell."""

    connected: bool
    silence: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Vitals:
    """``rows`` None: the database does not answer. The rest is of this one process."""

    namespace: str
    rows: Rows | None
    chats: Mapping[str, Line] = field(default_factory=dict)
    calls: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """Requests to vendors by (provider, kind)."""
    errors: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """Of these, what did not succeed, by (provider, what it means)."""
    beats: Mapping[str, timedelta] = field(default_factory=dict)
    """Since each beat last ended well."""
    sweeps: Mapping[str, timedelta] = field(default_factory=dict)
    """Since each provider was last swept well by this process."""
