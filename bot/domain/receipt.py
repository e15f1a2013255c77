"""The receipt of a rental: what was quoted, what it cost, where the time went, and what was paid for nothing. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from bot.domain import budget
from bot.domain.attempt import Attempt
from bot.domain.clocktime import short
from bot.domain.ledger import matters
from bot.domain.money import ZERO, Usd
from bot.domain.rental import Rental
from bot.domain.talk import Table

STAGES = (
    "choose", "confirm", "boot", "validate", "tools", "transfer", "train", "use", "pull", "teardown",
)  # fmt: skip
"""In the order in which they come; ``use``: a machine that was kept ready for its owner."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """The stages come to the whole time from the request to the end, waiting included."""

    quoted: Usd | None
    """The worst case that was agreed to; None when no price was ever shown."""
    spent: Usd
    stages: tuple[tuple[str, timedelta], ...]
    never_ready: Usd
    """Paid for machines that never became ready."""
    idle: Usd
    """Paid for a machine after its results were home."""
    strayed: Usd
    """Paid for machines that should not have been there: one that came back, came late, or came twice."""
    billed: Usd | None
    """What the vendor's books say, once they are settled for every machine of it."""

    @property
    def waste(self) -> Usd:
        """What nobody had anything of."""
        return self.never_ready + self.idle + self.strayed


def receipt(rental: Rental, now: datetime) -> Receipt:
    """As it stands ``now``; of a closed rental it is final, but for the vendor's bill."""
    end = rental.closed_at or now
    lost = sum((budget.cost(one, end) - one.strayed for one in rental.attempts if one.ready_at is None), ZERO)
    return Receipt(
        quoted=rental.worst_case,
        spent=budget.spent(rental, end),
        stages=tuple(_stages(rental, end)),
        never_ready=lost,
        idle=_idle(rental, end),
        strayed=sum((one.strayed for one in rental.attempts), ZERO),
        billed=_billed(rental),
    )


def table(one: Receipt) -> Table:
    """The receipt as rows."""
    rows = [("quoted at most", "" if one.quoted is None else str(one.quoted)), ("spent", str(one.spent))]
    if one.billed is not None:
        told = matters(one.spent, one.billed)
        rows.append(("vendor's bill", f"{one.billed}, {'which is not our count' if told else 'as counted'}"))
    rows += [(name, short(length)) for name, length in one.stages]
    if one.never_ready > ZERO:
        rows.append(("waste: never ready", str(one.never_ready)))
    if one.idle > ZERO:
        rows.append(("waste: after the results", str(one.idle)))
    if one.strayed > ZERO:
        rows.append(("waste: should not have been", str(one.strayed)))
    return Table(("receipt", ""), tuple(rows), note="" if one.waste > ZERO else "Nothing was wasted.")


def data(one: Receipt) -> dict[str, Any]:
    """The receipt for programs."""
    return {
        "quoted_usd": None if one.quoted is None else f"{one.quoted.dollars:.6f}",
        "spent_usd": f"{one.spent.dollars:.6f}",
        "billed_usd": None if one.billed is None else f"{one.billed.dollars:.6f}",
        "minutes": {name: round(length.total_seconds() / 60, 2) for name, length in one.stages},
        "waste_usd": f"{one.waste.dollars:.6f}",
        "never_ready_usd": f"{one.never_ready.dollars:.6f}",
        "idle_usd": f"{one.idle.dollars:.6f}",
        "strayed_usd": f"{one.strayed.dollars:.6f}",
    }


def _idle(rental: Rental, end: datetime) -> Usd:
    """From the moment at which the results were home, on the machine that made them."""
    home = rental.pulled_at
    last = rental.attempts[-1] if rental.attempts else None
    if home is None or last is None or last.ready_at is None:
        return ZERO
    own = replace(last, strayed=ZERO)
    return budget.cost(own, end) - budget.cost(own, end, home)


def _billed(rental: Rental) -> Usd | None:
    """None as long as a machine that was billed waits for its settlement."""
    total: Usd | None = None
    for one in rental.attempts:
        if one.machine_id is None:
            continue
        if one.billed is None or one.settled_at is None:
            return None
        total = (total or ZERO) + one.billed
    return total


def _stages(rental: Rental, end: datetime) -> Iterator[tuple[str, timedelta]]:
    """Each stretch of time belongs to the stage that ended with it; a clock that was set back adds none."""
    sums = dict.fromkeys(STAGES, timedelta(0))
    last = rental.created_at
    for stage, moment in [*_marks(rental), ("teardown", end)]:
        moment = min(moment, end)  # noqa: PLW2901 - what is known later belongs to no stage
        if moment > last:
            sums[stage] += moment - last
            last = moment
    return ((name, length) for name, length in sums.items() if length)


def _marks(rental: Rental) -> Iterator[tuple[str, datetime]]:
    """The moments at which stages ended, in order."""
    if rental.quoted_at is not None and not rental.attempts:
        yield "choose", rental.quoted_at
    if rental.attempts:
        first = rental.attempts[0].tried_at
        # A quote is renewed with every further machine: only one before the first is what was waited for.
        if rental.quoted_at is not None and rental.quoted_at <= first:
            yield "choose", rental.quoted_at
        if rental.confirmed_at is not None and rental.confirmed_at <= first:
            yield "confirm", rental.confirmed_at
    for number, attempt in enumerate(rental.attempts, 1):
        yield from _marks_of(rental, attempt, last=number == len(rental.attempts))


def _marks_of(rental: Rental, attempt: Attempt, *, last: bool) -> Iterator[tuple[str, datetime]]:
    """One machine's: up to the stage in which it was given up, and its teardown."""
    yield "choose", attempt.tried_at
    steps: list[tuple[str, datetime | None]] = [
        ("boot", attempt.running_at),
        ("validate", attempt.ready_at),
    ]
    if rental.job is None:
        steps.append(("use", None))
    else:
        steps += [("tools", attempt.tools_at), ("transfer", attempt.dataset_at)]
        steps += [("train", rental.trained_at), ("pull", rental.pulled_at)] if last else [("train", None)]
    given_up = attempt.destroy_asked_at or attempt.gone_at
    for stage, moment in steps:
        if moment is None or (given_up is not None and moment > given_up):
            if given_up is not None:
                yield stage, given_up
            break
        yield stage, moment
    if attempt.gone_at is not None:
        yield "teardown", attempt.gone_at
