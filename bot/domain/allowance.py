"""What a person, a channel and a team may spend, and who may what. Pure; decided on sums that the caller has read.

A budget is charged the worst case from the confirm on, and the true cost once a rental is closed: what may still be
spent counts as spent, so that two requests at once cannot overdraw. A rental counts in the day and month in which it
was confirmed, and in every later one in which it is still open.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time
from enum import StrEnum
from zoneinfo import ZoneInfo

from bot.domain.money import ZERO, Usd
from bot.domain.talk import Actor, Channel


class Role(StrEnum):
    """A viewer looks; a member rents within the budgets; an admin sets them, approves, and may do all in the team."""

    VIEWER = "viewer"
    MEMBER = "member"
    ADMIN = "admin"


class Scope(StrEnum):
    """Whose limit it is. An empty subject means: of each person, of each channel."""

    PERSON = "person"
    CHANNEL = "channel"
    TEAM = "team"
    APPROVAL = "approval"
    """From where on somebody else has to agree."""


class Kind(StrEnum):
    """What is limited."""

    DAY = "day"
    MONTH = "month"
    RATE = "rate"
    """Dollars an hour of all that runs at a time."""
    MACHINES = "machines"
    HOURS = "hours"
    """The time of day in which something may be rented: ``08:00-20:00 Europe/Berlin``."""
    TOTAL = "total"
    CARDS = "cards"
    ROLE = "role"


KINDS: Mapping[Scope, tuple[Kind, ...]] = {
    Scope.PERSON: (Kind.DAY, Kind.MONTH, Kind.RATE, Kind.MACHINES, Kind.ROLE),
    Scope.CHANNEL: (Kind.DAY, Kind.MONTH, Kind.RATE, Kind.MACHINES),
    Scope.TEAM: (Kind.DAY, Kind.MONTH, Kind.RATE, Kind.MACHINES, Kind.HOURS),
    Scope.APPROVAL: (Kind.TOTAL, Kind.RATE, Kind.CARDS),
}
Key = tuple[Scope, str, Kind]
Rules = Mapping[Key, str]
"""What holds: (scope, subject, kind) to its value as text; micro-dollars for money. What is not there has no limit."""


@dataclass(frozen=True, slots=True)
class Ask:
    """What is to be charged: by whom, where, how much at most, and what it costs an hour."""

    actor: Actor
    channel: Channel
    worst: Usd
    hourly: Usd
    at: datetime
    machines: int = 1
    """0 for more time on a machine that runs."""

    @property
    def subjects(self) -> Mapping[Scope, str]:
        """Who each scope is, here."""
        return {
            Scope.PERSON: self.actor.key,
            Scope.CHANNEL: channel_key(self.channel),
            Scope.TEAM: "",
            Scope.APPROVAL: "",
        }


@dataclass(frozen=True, slots=True)
class Charges:
    """What one scope is charged already."""

    day: Usd = ZERO
    month: Usd = ZERO
    rate: Usd = ZERO
    machines: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """Empty sentence: admitted."""

    sentence: str = ""
    help: str = ""


ADMITTED = Verdict()


@dataclass(frozen=True, slots=True)
class Defaults:
    """What holds where a team has said nothing: the settings."""

    rules: Rules = field(default_factory=dict)
    role: Role = Role.MEMBER
    admins: frozenset[str] = frozenset()
    """Keys of people who are admins whatever a command says: nobody locks everybody out."""
    joined: Mapping[str, str] = field(default_factory=dict)
    """Workspaces and servers (``slack:T024``) that are one team, and its name."""

    def seated(self, actor: Actor) -> Actor:
        """This person as one of the team that their workspace belongs to."""
        return replace(actor, joined=self.joined.get(f"{actor.chat}:{actor.team}", ""))


def team_key(actor: Actor) -> str:
    """``slack:T024``, or ``team:acme`` where several places are one team: whose budgets are charged."""
    return f"team:{actor.joined}" if actor.joined else f"{actor.chat}:{actor.team}"


def channel_key(channel: Channel) -> str:
    """``slack:C024``, its threads included."""
    return f"{channel.chat}:{channel.id}"


def day_of(now: datetime) -> datetime:
    """When the day began, UTC."""
    return datetime.combine(now.astimezone(UTC).date(), time.min, UTC)


def month_of(now: datetime) -> datetime:
    """When the month began, UTC."""
    return day_of(now).replace(day=1)


def rule(rules: Rules, scope: Scope, subject: str, kind: Kind) -> str | None:
    """The one's own, else everybody's."""
    own = rules.get((scope, subject, kind))
    return own if own is not None else rules.get((scope, "", kind))


def money(value: str | None) -> Usd | None:
    """An amount as rules keep it."""
    return Usd(int(value)) if value is not None else None


def role_of(actor: Actor, rules: Rules, defaults: Defaults) -> Role:
    """Whoever sits at the console has the files and the keys anyway; settings stand above commands."""
    if actor.key in defaults.admins or actor.chat == "console":
        return Role.ADMIN
    said = rules.get((Scope.PERSON, actor.key, Kind.ROLE))
    if said is not None:
        return Role(said)
    return Role(actor.rank) if actor.rank in [*Role] else defaults.role


def judge(ask: Ask, charges: Mapping[Scope, Charges], rules: Rules) -> Verdict:
    """Whether every budget covers it. The first that does not is told, with what would help."""
    closed = _closed(ask, rules)
    if closed.sentence:
        return closed
    for scope in (Scope.PERSON, Scope.CHANNEL, Scope.TEAM):
        subject, has = ask.subjects[scope], charges.get(scope, Charges())
        for kind, charged in ((Kind.DAY, has.day), (Kind.MONTH, has.month)):
            limit = money(rule(rules, scope, subject, kind))
            if limit is not None and charged + ask.worst > limit and ask.worst > ZERO:
                return _short_of_money(scope, kind, limit - charged, limit, ask.worst)
        rate = money(rule(rules, scope, subject, Kind.RATE))
        if rate is not None and has.rate + ask.hourly > rate and ask.hourly > ZERO:
            return Verdict(
                f"{_WHOSE[scope]} may run for {rate.rate()} at a time; {has.rate.rate()} run, and this is"
                f" {ask.hourly.rate()}.",
                "Take a cheaper card, or end something first: status all",
            )
        most = rule(rules, scope, subject, Kind.MACHINES)
        if most is not None and has.machines + ask.machines > int(most) and ask.machines:
            return Verdict(
                f"{_WHOSE[scope]} may have {most} machine{'' if most == '1' else 's'} at a time, and has"
                f" {has.machines}.",
                "End one first: status all",
            )
    return ADMITTED


_WHOSE = {Scope.PERSON: "You", Scope.CHANNEL: "This channel", Scope.TEAM: "The team"}


def _short_of_money(scope: Scope, kind: Kind, left: Usd, limit: Usd, worst: Usd) -> Verdict:
    left = max(left, ZERO)
    whose = {Scope.PERSON: "Your", Scope.CHANNEL: "This channel's", Scope.TEAM: "The team's"}[scope]
    period = "today" if kind is Kind.DAY else "this month"
    what = (
        "Ask for a shorter time or a cheaper card, or ask an admin for more budget."
        if left > ZERO
        else "Nothing is left: end what runs ('status all'), or ask an admin for more budget."
    )
    return Verdict(
        f"{whose} budget has {_down(left)} of {limit} left {period}, and this can cost {worst}.", what
    )


def _down(left: Usd) -> str:
    """Never more than there is: an amount left is rounded down."""
    return str(Usd(left.micros // 10_000 * 10_000))


def _closed(ask: Ask, rules: Rules) -> Verdict:
    hours = rules.get((Scope.TEAM, "", Kind.HOURS))
    if hours is None or not ask.machines or is_within(hours, ask.at):
        return ADMITTED
    return Verdict(
        f"Renting is allowed from {hours.replace('-', ' to ', 1)} here.",
        "Ask again then, or ask an admin: budget set team hours off",
    )


def is_within(hours: str, at: datetime) -> bool:
    """Whether the time of day is in ``08:00-20:00 ZONE``; over midnight where the end is before the start."""
    span, _, zone = hours.partition(" ")
    first, _, last = span.partition("-")
    now = at.astimezone(ZoneInfo(zone or "UTC")).time().replace(tzinfo=None)
    begin, end = time.fromisoformat(first), time.fromisoformat(last)
    return begin <= now < end if begin < end else now >= begin or now < end


def wants_approval(worst: Usd, hourly: Usd, gpu: str, rules: Rules) -> str:
    """Why somebody else has to agree; empty when nobody has to."""
    total = money(rules.get((Scope.APPROVAL, "", Kind.TOTAL)))
    if total is not None and worst > total:
        return f"it can cost more than {total}"
    rate = money(rules.get((Scope.APPROVAL, "", Kind.RATE)))
    if rate is not None and hourly > rate:
        return f"it costs more than {rate.rate()}"
    cards = rules.get((Scope.APPROVAL, "", Kind.CARDS), "")
    named = next((card for card in cards.split(",") if card and card.lower() in gpu.lower()), "")
    return f"{gpu} needs it" if named else ""
