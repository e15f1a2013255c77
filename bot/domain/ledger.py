"""What was spent, by day, person and provider; what runs now; where the month is going. Pure.

Days are UTC days of 24 hours, whatever the clocks of people do: a day on which they are set is a day like any other.
The days of a rental come to what ``budget.spent`` says, to the micro-dollar: each is the difference of two totals.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from bot.domain import budget
from bot.domain.money import ZERO, Usd
from bot.domain.rental import Attempt, Rental
from bot.domain.talk import Actor

_DAY = timedelta(days=1)
_LONGEST = 40
"""Characters of a name in a table."""
_MOST_NAME = 200
"""Characters of a name in a file."""


class Period(StrEnum):
    """What is looked at: the UTC day, the week since Monday, or the month since the first, up to now."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class By(StrEnum):
    """What spend is stacked by."""

    PROVIDER = "provider"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Line:
    """What one rental spent on one day at one provider."""

    day: date
    rental: str
    owner: Actor
    provider: str
    cost: Usd

    def group(self, by: By) -> str:
        """Whose colour it has."""
        return self.provider if by is By.PROVIDER else person(self.owner)


@dataclass(frozen=True, slots=True)
class Settled:
    """Our count beside the vendor's own bill, for the attempts whose bill is known."""

    provider: str
    machines: int
    counted: Usd
    billed: Usd

    @property
    def apart(self) -> Usd:
        """What the vendor billed more (or, below zero, less) than we counted."""
        return self.billed - self.counted


@dataclass(frozen=True, slots=True)
class Outlook:
    """The month's end, seen from now. Neither is a promise; the budgets are."""

    spent: Usd
    """Since the first of the month."""
    running: Usd
    """What will have been spent if all that runs now goes on to its hard end, and nothing else begins."""
    average: Usd
    """What will have been spent if the rest is like the average day so far."""


def began(moment: datetime) -> datetime:
    """Midnight, UTC, of the day that a moment lies in."""
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def since(period: Period, now: datetime) -> datetime:
    """When the period that ``now`` lies in began."""
    day = began(now)
    if period is Period.DAY:
        return day
    return day - timedelta(days=day.weekday()) if period is Period.WEEK else day.replace(day=1)


def month_end(now: datetime) -> datetime:
    """The first moment of the next month."""
    return (since(Period.MONTH, now) + timedelta(days=32)).replace(day=1)


def lines(rentals: Iterable[Rental], start: datetime, now: datetime) -> list[Line]:
    """Every rental's spend from ``start`` (midnight, UTC) to ``now``, day by day. Days without any are left out."""
    found: list[Line] = []
    for rental in rentals:
        spent: defaultdict[tuple[date, str], int] = defaultdict(int)
        for attempt in rental.attempts:
            for day, cost in _days(attempt, start, now):
                spent[day, attempt.offer.provider] += cost.micros
        found += [
            Line(day, rental.id, rental.owner, provider, Usd(micros))
            for (day, provider), micros in sorted(spent.items())
        ]
    return sorted(found, key=lambda line: (line.day, line.rental, line.provider))


def _days(attempt: Attempt, start: datetime, now: datetime) -> Iterable[tuple[date, Usd]]:
    day = max(start, began(attempt.tried_at))
    last = max(min(now, attempt.ended_at or attempt.gone_at or now), attempt.tried_at)
    if attempt.strayed > ZERO:  # it belongs to the day of the proof
        last = max(last, min(now, attempt.gone_at or last))
    before = budget.cost(attempt, now, day)
    while day <= last:
        after = budget.cost(attempt, now, day + _DAY)
        if after != before:
            yield day.date(), after - before
        day, before = day + _DAY, after


def total(found: Iterable[Line]) -> Usd:
    """The sum."""
    return sum((line.cost for line in found), ZERO)


def by_day(found: Sequence[Line], by: By, start: datetime, now: datetime) -> dict[date, dict[str, Usd]]:
    """Spend per day and group, also of the days without any."""
    days = (now - start) // _DAY + 1
    table: dict[date, dict[str, Usd]] = {(start + n * _DAY).date(): {} for n in range(days)}
    for line in found:
        row, group = table.setdefault(line.day, {}), line.group(by)
        row[group] = row.get(group, ZERO) + line.cost
    return table


def groups(found: Iterable[Line], by: By) -> list[tuple[str, Usd]]:
    """What each spent, most first."""
    sums: defaultdict[str, int] = defaultdict(int)
    for line in found:
        sums[line.group(by)] += line.cost.micros
    return [(name, Usd(micros)) for name, micros in sorted(sums.items(), key=lambda one: (-one[1], one[0]))]


def person(actor: Actor) -> str:
    """How a table names somebody, within a column."""
    name = " ".join((actor.name or actor.id).split())
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"


def burn(rentals: Iterable[Rental]) -> Usd:
    """What an hour of all that runs now costs, stopped machines at their rate."""
    return sum((_rate(one) for one in _running(rentals)), ZERO)


def outlook(rentals: Sequence[Rental], now: datetime) -> Outlook:
    """``rentals`` are all that spent anything this month. An average needs a day: on the first, before a day is over,
    today counts as a whole one."""
    start, end = since(Period.MONTH, now), month_end(now)
    spent = total(lines(rentals, start, now))
    elapsed, left = max(now - start, _DAY), end - now
    micro = timedelta(microseconds=1)
    average = Usd(spent.micros + max(0, spent.micros * (left // micro) // (elapsed // micro)))
    running = spent
    for rental in rentals:
        until = min(rental.hard_end or now, end)
        running += sum((_rate(one).over(until - now) for one in _running([rental])), ZERO)
    return Outlook(spent, running, max(average, spent))


def _running(rentals: Iterable[Rental]) -> Iterable[Attempt]:
    for rental in rentals:
        for one in rental.attempts:
            if not one.refused and one.ended_at is None and one.gone_at is None:
                yield one


def _rate(attempt: Attempt) -> Usd:
    offer = attempt.offer
    if attempt.stopped_at is not None and offer.stopped_hourly is not None:
        return offer.stopped_hourly
    return offer.hourly


def settled(rentals: Iterable[Rental], now: datetime) -> list[Settled]:
    """Ours beside theirs, by provider, of every attempt whose bill is settled."""
    ours: dict[str, Settled] = {}
    for rental in rentals:
        for attempt in rental.attempts:
            if attempt.billed is not None and attempt.settled_at is not None:
                name = attempt.offer.provider
                one = ours.get(name, Settled(name, 0, ZERO, ZERO))
                counted = one.counted + budget.cost(attempt, now)
                ours[name] = Settled(name, one.machines + 1, counted, one.billed + attempt.billed)
    return [ours[name] for name in sorted(ours)]


def matters(counted: Usd, billed: Usd) -> bool:
    """Whether a difference is told: more than 1 % of the bill, and more than a cent."""
    apart = abs((billed - counted).micros)
    return apart > max(billed.micros // 100, 10_000)


CSV_HEADER = ("day", "rental", "person", "provider", "usd")


def csv_rows(found: Iterable[Line]) -> list[tuple[str, ...]]:
    """Cells that no spreadsheet takes for a formula; amounts are exact."""
    return [
        (
            f"{one.day}",
            *(harmless(cell) for cell in (one.rental, _whole_name(one.owner), one.provider)),
            f"{one.cost.dollars:.6f}",
        )
        for one in found
    ]


def harmless(cell: str) -> str:
    """A text that begins as a formula does gets an apostrophe before it (OWASP, "CSV Injection")."""
    flat = " ".join(cell.split())
    return f"'{flat}" if flat[:1] in ("=", "+", "-", "@") else flat


def _whole_name(actor: Actor) -> str:
    return (actor.name or actor.id)[:_MOST_NAME]
