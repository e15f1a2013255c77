"""One pass over one rental: look, decide, take at most one step, and say what changed in one write."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, assert_never

from bot.domain import budget, notices
from bot.domain.allowance import Ask
from bot.domain.cards import card, title
from bot.domain.errors import ClaimLost, Refused
from bot.domain.ladder import (
    FOREVER,
    MOST_FAULTS,
    MOST_MACHINES,
    MOST_REFUSALS,
    Close,
    Decision,
    GiveUp,
    Rest,
    Rise,
    Seen,
    next_step,
)
from bot.domain.money import ZERO
from bot.domain.rental import Blame, Done, Ending, Fail, Goal, Outcome, Progress, Rental, Step, Wait
from bot.domain.talk import Kind, Reply, Tone
from bot.lifecycle.hands import Hands, Pass
from bot.lifecycle.standstill import noted
from bot.lifecycle.steps import STEPS
from bot.lifecycle.steps.choose import may_go_unasked
from bot.recipes import BrokenRecipe, asked_for
from bot.store import Claim
from bot.store.claims import Rising, risen
from bot.store.rows import Entry, Say

log = logging.getLogger("lastcall.engine")

_ELSEWHERE = timedelta(seconds=20)


@dataclass(slots=True)
class Verdict:
    """What a pass wants written."""

    after: Rental
    wake_at: datetime
    rising: Rising | None = None


async def reconcile(hands: Hands, claim: Claim) -> None:
    """The pass. Raises ``ClaimLost`` when the row went to somebody else; anything else is written down."""
    rental = claim.rental
    seen = await hands.watch.seen(rental.attempt) if _is_in_use(hands, rental) else Seen.UNKNOWN
    turn = Pass(hands, claim, seen, _soft_end(hands, rental))
    decision = _if_ours(turn, next_step(rental, seen, turn.now, turn.soft_end))
    heard = await hands.heart.beat(hands, rental) if decision is not Step.TEAR_DOWN else {}
    verdict = await _carry_out(turn, decision)
    if heard and rental.attempt is not None:
        verdict.after = _changed(verdict.after, {}, heard, rental.attempt.number)
    await _write(turn, verdict)
    hands.count(rental, verdict.after)


def _is_in_use(hands: Hands, rental: Rental) -> bool:
    """Whether it matters how the machine is. On the way down it does not: its end is asked for without waiting for a
    listing that may be slow to come."""
    over = rental.hard_end is not None and hands.clock.now() >= rental.hard_end
    return rental.goal is not Goal.GONE and not over


def _if_ours(turn: Pass, decision: Decision) -> Decision:
    """A machine of a provider that this process does not have (another computer's own) is left to who has it. Its
    teardown is tried all the same: there somebody must hear that nobody can."""
    known = turn.hands.providers
    strange = [
        one.offer.provider
        for one in turn.rental.attempts
        if not one.gone_at and one.offer.provider not in known
    ]
    offer, quoted = turn.rental.offer, turn.rental.quoted_at
    if turn.rental.attempt is None and offer is not None and offer.provider not in known:
        # Chosen by a process that has it; if there is none any more, this is said soon enough.
        strange += [offer.provider] if quoted is not None and turn.now < quoted + _ELSEWHERE else []
    if not strange or decision is Step.TEAR_DOWN or not isinstance(decision, Step):
        return decision
    return Rest(turn.now + _ELSEWHERE, f"waiting for the process that has {strange[0]}")


def _soft_end(hands: Hands, rental: Rental) -> datetime | None:
    if rental.job is None:
        return budget.soft_end(rental, 100)
    try:
        outputs = asked_for(rental.job, hands.recipes).recipe.outputs
    except BrokenRecipe:
        outputs = None
    return budget.soft_end(rental, outputs.megabytes if outputs else 100)


async def _carry_out(turn: Pass, decision: Decision) -> Verdict:
    rental, now = turn.rental, turn.now
    match decision:
        case Rest(until=until, note=note):
            return Verdict(replace(rental, note=note, stumbles=0), until)
        case Rise(ending=why, note=note):
            turn.entries.append(Entry("goal", f"GONE: {why.value}" + (f" ({note})" if note else "")))
            return Verdict(rental, now, Rising(Goal.GONE, why, note))
        case GiveUp(why=why):
            return _given_up(turn, Fail(why, Blame.HOST))
        case Close():
            await turn.hands.store.vault.forget_all(rental.id)
            cost = budget.spent(rental, now)
            turn.entries.append(Entry("closed", f"closed: {rental.ending or 'no reason'}", cost=cost))
            return Verdict(replace(rental, closed_at=now, note="", stumbles=0), now + FOREVER)
        case Step():
            return _weigh(turn, decision, await _take(turn, decision))
        case _:
            assert_never(decision)


async def _take(turn: Pass, step: Step) -> Outcome:
    try:
        return await STEPS[step](turn)
    except ClaimLost:
        raise
    except Refused as error:
        return Fail(error.sentence, Blame.JOB, fix=error.help)
    except Exception as fault:
        # A fault of ours must neither stop the teardown nor reach a chat: it is logged, and the pass comes again.
        reference = turn.hands.ids.token()[:8]
        log.exception("rental %s, step %s, reference %s", turn.rental.id, step.value, reference)
        wait = timedelta(seconds=min(60, 2 ** min(6, turn.rental.stumbles + 1)))
        what = f"a fault of Lastcall ({type(fault).__name__}, reference {reference} in the log)"
        if turn.rental.stumbles >= MOST_FAULTS and step not in (Step.TEAR_DOWN, Step.PULL_RESULTS):
            return Fail(what, Blame.JOB)
        return Wait(turn.now + wait, what, _one_salvage_less(turn.rental), stumble=True)


def _one_salvage_less(rental: Rental) -> dict[str, Any]:
    """On the way down the tries to save something are counted, whatever ends them."""
    return {"salvage_tries": rental.salvage_tries + 1} if rental.goal is Goal.GONE else {}


def _weigh(turn: Pass, step: Step, outcome: Outcome) -> Verdict:
    rental, now = turn.rental, turn.now
    match outcome:
        case Done(facts=facts, attempt=attempt, said=said, of=of):
            after = _changed(rental, facts, attempt, of)
            after = replace(after, step=step, stumbles=0, note="")
            if said:
                turn.entries.append(Entry(step.value, said))
            if step is Step.CHOOSE and may_go_unasked(turn, after):
                turn.entries.append(Entry("goal", f"{after.wished.name}: within what needs no confirm"))
                return Verdict(after, now, Rising(after.wished, ask=_charged(after, now)))
            if step is Step.CHOOSE and _costs_more(rental, after):
                return Verdict(after, now, Rising(after.goal, ask=_charged(after, now)))
            return Verdict(after, now)
        case Wait(until=until, note=note, facts=facts, attempt=attempt, stumble=stumble, of=of):
            after = _changed(rental, facts, attempt, of)
            after = replace(after, step=step, note=note, stumbles=rental.stumbles + 1 if stumble else 0)
            if stumble and rental.stumbles == 0:
                turn.entries.append(Entry("trouble", f"{step.value}: {note}"))
            return Verdict(after, until)
        case Fail():
            return _given_up(turn, outcome, step)
        case _:
            assert_never(outcome)


def _costs_more(before: Rental, after: Rental) -> bool:
    """Another machine that is dearer than what was confirmed, within what nobody is asked about: the budgets are."""
    worst = after.worst_case or ZERO
    return after.began_at is not None and not after.asks_again and worst > (before.worst_case or ZERO)


def _charged(rental: Rental, now: datetime) -> Ask:
    """What the budgets are charged when nobody has to be asked."""
    hourly = rental.offer.ceiling if rental.offer is not None else ZERO
    return Ask(rental.owner, rental.channel, rental.worst_case or ZERO, hourly, now)


def _given_up(turn: Pass, fail: Fail, step: Step | None = None) -> Verdict:
    """A failure: another machine where that may help, else the goal rises to GONE."""
    rental, now = turn.rental, turn.now
    turn.entries.append(Entry("failure", f"{step.value + ': ' if step else ''}{fail.reason}"))
    after = _changed(rental, {**_one_salvage_less(rental), **fail.facts}, fail.attempt, None)
    after = replace(after, step=step or rental.step, stumbles=0, note=fail.reason)
    current = rental.attempt
    if current is not None and fail.blame in (Blame.OFFER, Blame.HOST):
        why = " ".join(part for part in (fail.reason, fail.fix) if part)
        after = _changed(after, {}, {"condemned": why}, current.number)
        machines = sum(1 for one in after.attempts if one.machine_id and one.condemned)
        if machines < MOST_MACHINES and len(after.attempts) < MOST_REFUSALS and rental.goal is not Goal.GONE:
            fresh = replace(after, offer=None, trained_at=None, progress=_restarted(after))
            return Verdict(fresh, now)
    ending = Ending.NO_OFFER if step is Step.CHOOSE and not rental.attempts else Ending.FAILED
    note = fail.reason + (f"\n{fail.fix}" if fail.fix else "")
    return Verdict(after, now, Rising(Goal.GONE, ending, note))


def _restarted(rental: Rental) -> Progress:
    """What is remembered of a training that begins anew: how long it is, and from which loss it fell."""
    return Progress(total=rental.progress.total, first_loss=rental.progress.first_loss)


def _changed(rental: Rental, facts: Mapping[str, Any], attempt: Mapping[str, Any], of: int | None) -> Rental:
    after = replace(rental, **facts) if facts else rental
    if not attempt:
        return after
    number = of if of is not None else after.attempts[-1].number
    return replace(
        after,
        attempts=tuple(replace(one, **attempt) if one.number == number else one for one in after.attempts),
    )


async def _write(turn: Pass, verdict: Verdict) -> None:
    now, hands = turn.now, turn.hands
    after, says = _notify(verdict.after, now)
    after = noted(_at_the_price_of_now(turn, after), hands.watch)
    shown = risen(after, verdict.rising) if verdict.rising else after
    soft_end = _soft_end(hands, shown)
    says.insert(0, Say(f"card:{after.id}", after.channel, card(shown, now, soft_end)))
    if shown.closed_at is not None:
        says.append(Say(f"closed:{after.id}", after.channel, closing(shown, now)))
    await hands.store.claims.apply(
        turn.claim,
        after,
        now=now,
        wake_at=_wake(shown, verdict.wake_at, now, soft_end),
        rising=verdict.rising,
        entries=turn.entries,
        says=says,
    )


def _at_the_price_of_now(turn: Pass, rental: Rental) -> Rental:
    """A vendor may raise the price of a machine that runs: from then on that is what is counted, and the reminders
    tell of it where what was shown does not hold any more."""
    attempt, hourly = rental.attempt, turn.hands.watch.hourly(rental.attempt)
    if attempt is None or attempt.running_at is None or hourly is None or hourly <= attempt.offer.hourly:
        return rental
    said = f"its machine costs {hourly.rate()} now, {attempt.offer.hourly.rate()} before"
    turn.entries.append(Entry("price", said))
    return _changed(rental, {}, {"offer": replace(attempt.offer, hourly=hourly)}, attempt.number)


def _notify(rental: Rental, now: datetime) -> tuple[Rental, list[Say]]:
    """What only a pass knows. A notice is said once under its key, however often it is decided; all that may be
    answered is the reminders' (``reminders.py``)."""
    says: list[Say] = []
    ending = notices.ending_attempt(rental)
    rental = replace(rental, alarmed=rental.alarmed if ending else 0)
    if ending is not None and (rung := notices.stuck_rung(rental, now)) is not None:
        rental = replace(rental, alarmed=rung)
        says.append(_once(rental, f"stuck:{ending.number}:{rung}", notices.stuck(rental, ending, rung, now)))
    return rental, says


def _once(rental: Rental, what: str, reply: Reply) -> Say:
    kind, _, which = what.partition(":")
    return Say(f"{kind}:{rental.id}:{which}", rental.channel, reply, once=True)


def closing(rental: Rental, now: datetime) -> Reply:
    """The last word on a rental: one message of its own, so that whoever waits for the end hears it once."""
    shown = card(rental, now)
    good = rental.ending is not None and rental.ending.is_success
    spent = budget.spent(rental, now)
    head = f"{title(rental)}: closed, {spent}"
    return replace(
        shown,
        kind=Kind.NOTICE,
        title=head,
        tone=Tone.GOOD if good else Tone.WARN,
        mention=(rental.owner,),
        final=True,
    )


def _wake(rental: Rental, wanted: datetime, now: datetime, soft_end: datetime | None) -> datetime:
    """The earliest of what the step asked for, a word about a stuck teardown, the soft end and the hard end."""
    if rental.closed_at is not None:
        return wanted
    moments = [wanted]
    if notices.wants_reminders(rental):
        moments += [one for one in (soft_end, rental.hard_end) if one]
    stuck_at = notices.next_stuck_at(rental)
    if stuck_at is not None:
        moments.append(stuck_at)
    overdue = rental.goal is not Goal.GONE and rental.hard_end is not None and rental.hard_end <= now
    return now if overdue or wanted <= now else min(moment for moment in moments if moment > now)
