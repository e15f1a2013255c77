"""Notices: reminders at 50, 75 and 90 %, a teardown that sticks, results that cannot be pulled. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.domain import budget
from bot.domain.clocktime import short, utc
from bot.domain.rental import Goal, Rental
from bot.domain.talk import Button, Kind, Reply, Tone

STUCK_RUNGS = (10, 30, 60)
"""Minutes after the first destroy at which somebody hears of a teardown that does not end."""


def reminder(rental: Rental, rung: int, now: datetime) -> Reply:
    """Said once per rung; a bot that slept says only the highest."""
    end = rental.hard_end or now
    cost = budget.spent(rental, now)
    return Reply(
        kind=Kind.NOTICE,
        title=f"{rental.id}: {rung} % used",
        lines=(
            f"{cost} of {rental.budget} spent; {short(end - now)} left, then it is torn down ({utc(end)}).",
        ),
        buttons=(
            Button("Tear down", f"down {rental.id}", danger=True),
            Button("Extend 1 h", f"extend {rental.id} 1h"),
        ),
        tone=Tone.ALARM if rung >= budget.RUNGS[-1] else Tone.WARN,
        rental=rental.id,
        mention=(rental.owner,),
        data={"rental": rental.id, "rung": rung, "cost_usd": f"{cost.dollars:.6f}"},
    )


def stuck_rung(rental: Rental, now: datetime) -> int | None:
    """The highest rung of the stuck-teardown ladder that is due and was not said."""
    asked = [one.destroy_asked_at for one in rental.attempts if one.destroy_asked_at and one.gone_at is None]
    if not asked:
        return None
    minutes = (now - min(asked)) / timedelta(minutes=1)
    due = [rung for rung in STUCK_RUNGS if rental.alarmed < rung <= minutes]
    return due[-1] if due else None


def stuck(rental: Rental, rung: int, now: datetime) -> Reply:
    """A machine that does not go away."""
    attempt = next(one for one in rental.attempts if one.destroy_asked_at and one.gone_at is None)
    return Reply(
        kind=Kind.NOTICE,
        title=f"{rental.id}: the teardown does not end",
        lines=(
            f"{attempt.offer.provider} was asked {rung} minutes ago to end {attempt.machine_id or attempt.label}, and "
            f"it may still cost {attempt.offer.hourly.rate()}. {rental.note}".strip(),
            "Lastcall goes on asking. Look into the provider's own console and end it there.",
        ),
        tone=Tone.ALARM,
        rental=rental.id,
        mention=(rental.owner,),
        data={
            "rental": rental.id,
            "stuck_minutes": rung,
            "cost_usd": f"{budget.spent(rental, now).dollars:.6f}",
        },
    )


def next_stuck_at(rental: Rental) -> datetime | None:
    """When the next rung of a stuck teardown falls due."""
    asked = [one.destroy_asked_at for one in rental.attempts if one.destroy_asked_at and one.gone_at is None]
    rung = next((rung for rung in STUCK_RUNGS if rung > rental.alarmed), None)
    return min(asked) + timedelta(minutes=rung) if asked and rung is not None else None


def wants_reminders(rental: Rental) -> bool:
    """Whether money or time still runs by choice."""
    return rental.began_at is not None and rental.goal is not Goal.GONE and rental.closed_at is None
