"""Notices: what a reminder says, of whatever it reminds. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from bot.domain import budget
from bot.domain.clocktime import short, utc
from bot.domain.credit import Credit
from bot.domain.money import ZERO
from bot.domain.rental import Attempt, Goal, Rental, Step
from bot.domain.talk import Button, Kind, Reply, Tone

STUCK_RUNGS = (10, 30, 60)
"""Minutes after the first destroy at which somebody hears of a teardown that does not end."""
_TRIES = 3
"""Tries to pull that may fail before somebody hears of it."""


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
        buttons=answers(rental),
        tone=Tone.ALARM if rung >= budget.RUNGS[-1] else Tone.WARN,
        rental=rental.id,
        mention=(rental.owner,),
        data={
            "rental": rental.id,
            "rung": rung,
            "hard_end": end.isoformat(),
            "cost_usd": f"{cost.dollars:.6f}",
        },
    )


def answers(rental: Rental) -> tuple[Button, ...]:
    """What a person may answer with one click. The first says what it does: ``down`` brings home what a training has
    so far, from a machine that is used by hand there is nothing to bring."""
    attempt = rental.attempt
    pulls = attempt is not None and attempt.unit is not None and rental.pulled_at is None
    found = [
        Button("Pull and tear down" if pulls else "Tear down", f"down {rental.id}", danger=True),
        Button("Extend 1 h", f"extend {rental.id} 1h"),
    ]
    if attempt is not None and attempt.offer.hourly > ZERO:
        found.append(Button("Extend $2", f"extend {rental.id} $2"))
    return (*found, Button("Snooze", f"snooze {rental.id}"))


def last_minutes(rental: Rental, now: datetime) -> Reply:
    """The hard end is near, and it comes whether anybody reads this or not."""
    end = rental.hard_end or now
    cost = budget.spent(rental, now)
    saves = "what there is gets pulled first" if rental.job else "nothing on it is kept"
    return Reply(
        kind=Kind.NOTICE,
        title=f"{rental.id}: torn down in {short(end - now)}",
        lines=(f"{cost} of {rental.budget} spent. At {utc(end)} the machine is ended; {saves}.",),
        buttons=answers(rental),
        tone=Tone.ALARM,
        rental=rental.id,
        mention=(rental.owner,),
        data={"rental": rental.id, "hard_end": end.isoformat(), "cost_usd": f"{cost.dollars:.6f}"},
    )


def idle(rental: Rental, since: datetime, now: datetime) -> Reply:
    """A machine that nobody uses costs as much as one that works."""
    attempt = rental.attempts[-1]
    return Reply(
        kind=Kind.NOTICE,
        title=f"{rental.id}: nobody has used it for {short(now - since)}",
        lines=(
            "Nobody is logged in, its GPU does nothing and nothing is transferred.",
            f"It costs {attempt.offer.hourly.rate()}, {budget.spent(rental, now)} so far.",
        ),
        buttons=answers(rental),
        tone=Tone.WARN,
        rental=rental.id,
        mention=(rental.owner,),
        data={"rental": rental.id, "idle_since": since.isoformat()},
    )


def finished(rental: Rental, now: datetime) -> Reply:
    """The work is done and its machine is still there."""
    since = rental.pulled_at or now
    return Reply(
        kind=Kind.NOTICE,
        title=f"{rental.id}: done for {short(now - since)}, and its machine still runs",
        lines=(
            f"The results are at home; {budget.spent(rental, now)} spent. Its teardown has not begun.",
            f"The last that is known: {rental.note.rstrip('.') or 'nothing'}.",
        ),
        buttons=(Button("Tear down", f"down {rental.id}", danger=True),),
        tone=Tone.ALARM,
        rental=rental.id,
        mention=(rental.owner,),
        data={"rental": rental.id, "pulled_at": since.isoformat()},
    )


def settled(reply: Reply, what: str) -> Reply:
    """What an alert reads once it was answered: nothing can be pressed any more, and who did what."""
    return replace(
        reply, lines=(*reply.lines[:1], what), buttons=(), mention=(), tone=Tone.CALM, rewrites=True
    )


def snoozed(reply: Reply, what: str) -> Reply:
    """What it reads while it is quiet. It may still be answered."""
    return replace(reply, lines=(*reply.lines[:1], what), mention=(), rewrites=True)


def ending_attempt(rental: Rental) -> Attempt | None:
    """The attempt whose end was asked for and is not proven yet."""
    return next((one for one in rental.attempts if one.destroy_asked_at and one.gone_at is None), None)


def stuck_rung(rental: Rental, now: datetime) -> int | None:
    """The highest rung of the stuck-teardown ladder that is due and was not said."""
    attempt = ending_attempt(rental)
    if attempt is None or attempt.destroy_asked_at is None:
        return None
    minutes = (now - attempt.destroy_asked_at) / timedelta(minutes=1)
    due = [rung for rung in STUCK_RUNGS if rental.alarmed < rung <= minutes]
    return due[-1] if due else None


def stuck(rental: Rental, attempt: Attempt, rung: int, now: datetime) -> Reply:
    """A machine that does not go away."""
    what, rate = attempt.machine_id or attempt.label, attempt.offer.hourly.rate()
    return Reply(
        kind=Kind.NOTICE,
        title=f"{rental.id}: the teardown does not end",
        lines=(
            f"For {rung} minutes {attempt.offer.provider} has been asked to end {what}; it may still cost {rate}.",
            f"The last answer: {rental.note.rstrip('.') or 'none'}.",
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
    attempt = ending_attempt(rental)
    rung = next((rung for rung in STUCK_RUNGS if rung > rental.alarmed), None)
    if attempt is None or attempt.destroy_asked_at is None or rung is None:
        return None
    return attempt.destroy_asked_at + timedelta(minutes=rung)


def is_unpulled(rental: Rental) -> bool:
    """Whether the training is done and its results have not come home for several tries."""
    return rental.step is Step.PULL_RESULTS and rental.goal is Goal.TRAINED and rental.stumbles >= _TRIES


def unpulled(rental: Rental, now: datetime) -> Reply:
    """Results that are still only on a machine with an end."""
    end = rental.hard_end or now
    return Reply(
        kind=Kind.NOTICE,
        title=f"{rental.id}: the results cannot be pulled",
        lines=(
            f"{rental.note[:1].upper()}{rental.note[1:]}.",
            f"They stay on the machine for {short(end - now)}, until {utc(end)}; then they are lost with it.",
            "Lastcall goes on trying. More time: extend; by hand: ssh.",
        ),
        buttons=(
            Button("Extend 1 h", f"extend {rental.id} 1h"),
            Button("SSH", f"ssh {rental.id}"),
            Button("Snooze", f"snooze {rental.id}"),
        ),
        tone=Tone.ALARM,
        rental=rental.id,
        mention=(rental.owner,),
        data={"rental": rental.id, "unpulled": rental.note, "hard_end": end.isoformat()},
    )


def is_dearer(rental: Rental) -> bool:
    """Whether the machine runs at a price above what was agreed and what the worst case has in it."""
    attempt, agreed = rental.attempt, rental.offer
    return attempt is not None and agreed is not None and attempt.offer.hourly > agreed.ceiling


def dearer(rental: Rental) -> Reply:
    """The vendor asks more for a machine that runs."""
    agreed, now = (rental.offer or rental.attempts[-1].offer).hourly, rental.attempts[-1].offer.hourly
    return Reply(
        kind=Kind.NOTICE,
        title=f"{rental.id}: its machine costs {now.rate()} now, {agreed.rate()} was agreed",
        lines=(
            f"The vendor raised the price. What was shown as the most ({rental.worst_case}) may not hold at this rate.",
            "Take it down if that is too much; its results so far are pulled first. Snooze to keep it at that price.",
        ),
        buttons=(answers(rental)[0], Button("Snooze", f"snooze {rental.id}")),
        tone=Tone.ALARM,
        rental=rental.id,
        mention=(rental.owner,),
        data={"rental": rental.id, "hourly_usd": str(now.dollars), "agreed_usd": str(agreed.dollars)},
    )


def runway(rental: Rental, credit: Credit, now: datetime) -> Reply:
    """The account's credit ends before what is rented from it does. More time would cost more: no button for it."""
    left, place = credit.dry_at - now, credit.place
    machines = ", ".join(f"{one} (until {utc(end)})" for one, end in credit.machines)
    ends = f"lasts {short(left)} more" if left > timedelta(0) else "should be used up"
    return Reply(
        kind=Kind.NOTICE,
        title=f"{rental.id}: the credit at {place} {ends}",
        lines=(
            f"{credit.balance} were left there when it was looked at; at what runs it ends at {utc(credit.dry_at)}.",
            f"Then {place} stops these machines, or deletes them with everything on them: {machines}.",
            f"Add credit at {place}, or take the results and end them.",
        ),
        buttons=(answers(rental)[0], Button("Snooze", f"snooze {rental.id}")),
        tone=Tone.ALARM if left <= timedelta(hours=1) else Tone.WARN,
        rental=rental.id,
        mention=(rental.owner,),
        data={"rental": rental.id, **credit.data()},
    )


def wants_reminders(rental: Rental) -> bool:
    """Whether money or time still runs by choice."""
    return rental.began_at is not None and rental.goal is not Goal.GONE and rental.closed_at is None
