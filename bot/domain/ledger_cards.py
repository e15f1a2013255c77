"""Spend as a message: the same tables answer ``costs`` and make the week's digest. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from bot.domain import ledger
from bot.domain.ledger import By, Line, Outlook, Period, Settled
from bot.domain.money import ZERO, Usd
from bot.domain.rental import Rental
from bot.domain.talk import Kind, Reply, Table, Tone

_GROUPS = 6
"""Columns of the table by day; the rest is one column."""
_ROWS = 15
"""Rows of a table of people or providers."""
_OTHERS = "others"


@dataclass(frozen=True, slots=True)
class Spend:
    """What a report is made of. ``rentals``: all that may have cost anything since ``start`` or since the month began,
    whichever is earlier, of whom the report is about."""

    whose: str
    """As the title says it: ``your``, ``the team's``, ``ann's``."""
    by: By
    what: str
    """``this month``, ``last week (2026-W47)``."""
    start: datetime
    end: datetime
    """Where the report ends; ``now``, unless it looks at a time that is over."""
    now: datetime
    rentals: Sequence[Rental]

    @property
    def lines(self) -> list[Line]:
        """What was spent within the report, day by day."""
        return [one for one in ledger.lines(self.rentals, self.start, self.now) if one.day <= self.last]

    @property
    def last(self) -> date:
        """The last day of it."""
        return self.end.date()

    @property
    def days(self) -> dict[date, dict[str, Usd]]:
        """The table behind the picture."""
        return ledger.by_day(self.lines, self.by, self.start, self.end)

    @property
    def names(self) -> list[str]:
        """Groups, most first."""
        return [name for name, _ in ledger.groups(self.lines, self.by)]


def title_of(period: Period) -> str:
    """How a title calls it."""
    return "today" if period is Period.DAY else f"this {period.value}"


def report(spend: Spend) -> Reply:
    """Spent, burn, outlook, by day and by group, and how far the vendors' own books are from ours."""
    lines, now = spend.lines, spend.now
    spent, burn = ledger.total(lines), ledger.burn(spend.rentals)
    ahead = ledger.outlook(spend.rentals, now)
    settled = ledger.settled(_within(spend), now)
    tables = [_days(spend), *(_groups(lines, by) for by in _orders(spend.by))] if lines else []
    if settled:
        tables.append(_bills(settled))
    return Reply(
        kind=Kind.ANSWER,
        title=f"{spend.whose} spend {spend.what}: {spent}"
        if lines
        else f"{spend.whose} spend {spend.what}: nothing",
        fields=(
            ("spent", str(spent)),
            ("burn now", burn.rate()),
            ("month so far", str(ahead.spent)),
            (
                "month's end",
                f"{ahead.average} at this month's average, {ahead.running} if only what runs now goes on",
            ),
        ),
        tables=tuple(tables),
        tone=Tone.CALM,
        data=_data(spend, spent, burn, ahead, settled),
    )


def _within(spend: Spend) -> list[Rental]:
    ids = {line.rental for line in spend.lines}
    return [one for one in spend.rentals if one.id in ids]


def _orders(by: By) -> tuple[By, ...]:
    return (By.PERSON, By.PROVIDER) if by is By.PERSON else (By.PROVIDER,)


def _days(spend: Spend) -> Table:
    """A row for each day that cost something."""
    names = spend.names
    shown = names if len(names) <= _GROUPS else names[: _GROUPS - 1]
    rest = names[len(shown) :]
    rows = []
    for day, row in sorted(spend.days.items()):
        if not row:
            continue
        others = (sum((row.get(name, ZERO) for name in rest), ZERO),) if rest else ()
        amounts = (*(row.get(name, ZERO) for name in shown), *others, sum(row.values(), ZERO))
        rows.append((f"{day}", *(str(one) if one.micros else "" for one in amounts)))
    header = ("day (UTC)", *shown, *((_OTHERS,) if rest else ()), "all")
    return Table(header, tuple(rows))


def _groups(lines: Sequence[Line], by: By) -> Table:
    found = ledger.groups(lines, by)
    counts = {name: len({one.rental for one in lines if one.group(by) == name}) for name, _ in found[:_ROWS]}
    rows = tuple((name, str(counts[name]), str(cost)) for name, cost in found[:_ROWS])
    rest = found[_ROWS:]
    note = f"{len(rest)} more: {sum((cost for _, cost in rest), ZERO)}" if rest else ""
    return Table((by.value, "rentals", "spent"), rows, note=note)


def _bills(settled: Sequence[Settled]) -> Table:
    """Exact to the micro-dollar: a difference below a cent is one, too."""
    rows = tuple((one.provider, str(one.machines), _exact(one.counted), _exact(one.billed), _exact(one.apart))
                 for one in settled)  # fmt: skip
    loud = [one.provider for one in settled if ledger.matters(one.counted, one.billed)]
    note = (
        f"The bill is not our count at {', '.join(loud)}; 'history' of a rental has each machine."
        if loud
        else ""
    )
    return Table(("vendor's own bill", "machines", "counted", "billed", "apart"), rows, note=note)


def _exact(amount: Usd) -> str:
    return f"{'-' if amount.micros < 0 else ''}${abs(amount.dollars):.4f}"


def _data(spend: Spend, spent: Usd, burn: Usd, ahead: Outlook, settled: Sequence[Settled]) -> dict[str, Any]:
    return {
        "since": spend.start.isoformat(),
        "until": spend.end.isoformat(),
        "spent_usd": _told(spent),
        "burn_hourly_usd": _told(burn),
        "month_usd": _told(ahead.spent),
        "month_end_by_average_usd": _told(ahead.average),
        "month_end_of_running_usd": _told(ahead.running),
        "days": {f"{day}": {name: _told(cost) for name, cost in row.items()} for day, row in spend.days.items()},
        "by": spend.by.value,
        "bills": [
            {"provider": one.provider, "machines": one.machines, "counted_usd": _told(one.counted),
             "billed_usd": _told(one.billed)}
            for one in settled
        ],
    }  # fmt: skip


def _told(amount: Usd) -> str:
    return f"{amount.dollars:.6f}"
