"""Alerts: who must hear what now, and how loudly. Pure: the same facts always say the same.

A *rung* is a thing to say (half of it used, ten minutes left, nobody uses it). Each is raised once; nobody answers, and
it climbs the ladder of *loudness*. An answer is a command about the rental, or a snooze.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain import budget
from bot.domain.alert import SNOOZE, Alert, Anchor, Louder, Loudness, Move, Page, Raise, Settle
from bot.domain.credit import is_about
from bot.domain.notices import ending_attempt, is_dearer, is_unpulled, wants_reminders
from bot.domain.rental import Attempt, Goal, Rental

PATIENCE = timedelta(minutes=9)
"""Without an answer for so long it gets louder; with the pace of the pass that is within 10 minutes."""
LAST_MINUTES = (30, 10, 2)
"""Minutes before the hard end at which somebody hears of it."""
NEVER_QUIET = timedelta(minutes=10)
"""From here to the hard end no snooze holds."""
LONGEST_SNOOZE = timedelta(hours=4)
FINISHED_AFTER = timedelta(minutes=10)
"""A teardown begins at once when the results are at home; after so long without one somebody must know."""
STUCK_AFTER = timedelta(minutes=30)
"""The channel hears of a stuck teardown earlier (``notices.STUCK_RUNGS``); from here the admins do."""
_FIRST = {
    "50%": Loudness.THREAD,
    "75%": Loudness.OWNER,
    "90%": Loudness.OWNER,
    "T-30": Loudness.OWNER,
    "T-10": Loudness.CHANNEL,
    "T-2": Loudness.CHANNEL,
    "idle": Loudness.OWNER,
    "finished": Loudness.OWNER,
    "stuck": Loudness.DIRECT,
    "unpulled": Loudness.OWNER,
    "dearer": Loudness.OWNER,
}
"""How loudly each begins: what is less time away begins louder. Credit has a page of its own (``credit_due.py``)."""
_URGENCY = ("50%", "T-30", "75%", "T-10", "90%", "T-2")
"""When several fall due in one look, the last of these is said and the others are not."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known besides the rental."""

    alerts: Sequence[Alert]
    """All of this rental."""
    idle_since: datetime | None = None
    """Of the current attempt's machine; None is used, or unknown."""
    idle_remind: timedelta = timedelta(minutes=20)


def due(rental: Rental, now: datetime, seen: Seen) -> list[Move]:
    """All that is to be done about one rental now."""
    settling = [move for one in seen.alerts if one.is_open and (move := _over(rental, one, seen))]
    settled = {move.alert for move in settling}
    raising = _raising(rental, now, seen)
    passed_on: set[str] = set()
    moves: list[Move] = [*settling]
    for one in raising:
        moves.append(one)
        passed_on |= set(_URGENCY) if one.rung in _URGENCY else set()
    for alert in seen.alerts:
        if not alert.is_open or alert in settled:
            continue
        if alert.rung in passed_on:
            moves.append(Settle(alert, ""))  # the more urgent one goes on in its place
        elif (climbing := _climbing(rental, alert, now, seen)) is not None:
            moves.append(climbing)
    return moves


def quiet_until(rental: Rental, now: datetime, alerts: Sequence[Alert]) -> datetime | None:
    """The end of the snooze that holds now. A snooze that ends further away than one may be was given by a clock that
    was wrong, and does not hold."""
    snoozes = [one for one in alerts if one.snoozed_until is not None]
    last = max(snoozes, key=lambda one: (one.raised_at, one.rev), default=None)
    end = last.snoozed_until if last is not None else None
    if end is not None and not now < end <= now + LONGEST_SNOOZE:
        end = None
    hard_end = rental.hard_end
    return None if hard_end is not None and now >= hard_end - NEVER_QUIET else end


def snooze_end(rental: Rental, now: datetime, length: timedelta) -> datetime:
    """How long a snooze of this length holds: at most four hours, and never into the last ten minutes."""
    end = now + min(length, LONGEST_SNOOZE)
    return min(end, rental.hard_end - NEVER_QUIET) if rental.hard_end is not None else end


def rungs_of_time(rental: Rental) -> tuple[int, ...]:
    """Minutes before the end that are worth a word: the longer ones only where they are in the second half."""
    return tuple(one for one in LAST_MINUTES if 2 * timedelta(minutes=one) <= rental.lifetime)


def idle_rung(since: datetime) -> str:
    """Each idle spell is a rung of its own."""
    return f"idle-{since:%m%dT%H%M%S}"


# --- raising ---------------------------------------------------------------------------------


def _raising(rental: Rental, now: datetime, seen: Seen) -> list[Raise]:
    found: list[Raise] = []
    quiet = quiet_until(rental, now, seen.alerts) is not None
    if wants_reminders(rental):
        pressing = [] if quiet else _percents(rental, now, seen.alerts)
        pressing += [one for one in _minutes(rental, now, seen.alerts) if not quiet or one != "T-30"]
        if pressing:
            pressing.sort(key=_URGENCY.index)
            found.append(Raise(pressing[-1], _FIRST[pressing[-1]], tuple(pressing[:-1])))
        if not quiet and (rung := _idle(rental, now, seen)):
            found.append(Raise(rung, _FIRST["idle"]))
    said = {one.rung for one in seen.alerts}
    found += [Raise(rung, _FIRST[kind]) for kind, rung in _left_over(rental, now) if rung not in said]
    return found


def _percents(rental: Rental, now: datetime, alerts: Sequence[Alert]) -> list[str]:
    """The highest one that is due and was not said."""
    used = budget.used(rental, now) * 100
    said = max((rung for rung in budget.RUNGS if _said(rental, f"{rung}%", alerts)), default=0)
    reached = [rung for rung in budget.RUNGS if said < rung <= used]
    return [f"{reached[-1]}%"] if reached else []


def _minutes(rental: Rental, now: datetime, alerts: Sequence[Alert]) -> list[str]:
    """The last one that is due and was not said. Past the hard end it is too late for a word."""
    end = rental.hard_end
    if end is None or now >= end:
        return []
    least = min(
        (one for one in LAST_MINUTES if _said(rental, f"T-{one}", alerts)), default=LAST_MINUTES[0] + 1
    )
    reached = [one for one in rungs_of_time(rental) if one < least and now >= end - timedelta(minutes=one)]
    return [f"T-{reached[-1]}"] if reached else []


def _said(rental: Rental, rung: str, alerts: Sequence[Alert]) -> bool:
    return any(one.rung == rung and not _lapsed(rental, one) for one in alerts)


def _lapsed(rental: Rental, alert: Alert) -> bool:
    """Whether an extension since has moved this rung beyond the moment at which it was raised: then it is due again
    when it is reached. Asked of that moment and not of now, so that no clock makes it so."""
    if rental.rev == alert.rev:
        return False
    if alert.rung.endswith("%"):
        return budget.used(rental, alert.raised_at) * 100 < int(alert.rung[:-1])
    end = rental.hard_end
    return end is not None and alert.raised_at < end - timedelta(minutes=int(alert.rung.removeprefix("T-")))


def _idle(rental: Rental, now: datetime, seen: Seen) -> str:
    since = seen.idle_since
    if since is None or not may_be_idle(rental) or now - since < seen.idle_remind:
        return ""
    rung = idle_rung(since)
    told = any(one.rung == rung or (one.kind == "idle" and one.is_open) for one in seen.alerts)
    return "" if told else rung


def may_be_idle(rental: Rental) -> bool:
    """Phase-aware: a machine on which a step of ours runs (tools, transfer, training with its caching, results) is at
    work whatever its GPU does. Only one that was handed over to a person, ready and without a unit, can be idle."""
    attempt = rental.attempt
    return (
        rental.goal is Goal.READY
        and rental.closed_at is None
        and attempt is not None
        and attempt.ready_at is not None
        and attempt.unit is None
    )


def _left_over(rental: Rental, now: datetime) -> list[tuple[str, str]]:
    """What is not as it should be, told as soon as it is so: kind and rung. No snooze holds these back."""
    if rental.closed_at is not None:
        return []
    found = []
    ending = ending_attempt(rental)
    if ending is not None and ending.destroy_asked_at is not None:
        if now - ending.destroy_asked_at >= STUCK_AFTER:
            found.append(("stuck", f"stuck-{ending.number}"))
    elif rental.pulled_at is not None and now - rental.pulled_at >= FINISHED_AFTER and _has_machine(rental):
        found.append(("finished", "finished"))
    if is_unpulled(rental):
        found.append(("unpulled", f"unpulled-{len(rental.attempts)}"))
    if wants_reminders(rental) and is_dearer(rental):
        found.append(("dearer", _dearer(rental.attempts[-1])))
    return found


def _dearer(attempt: Attempt) -> str:
    """Each price is a rung of its own."""
    return f"dearer-{attempt.number}-{attempt.offer.hourly.micros}"


def _has_machine(rental: Rental) -> bool:
    return any(one.machine_id and one.gone_at is None for one in rental.attempts)


# --- what was raised -------------------------------------------------------------------------


def _over(rental: Rental, alert: Alert, seen: Seen) -> Settle | None:
    """Answered, or not so any more."""
    if rental.closed_at is not None:
        return Settle(alert, "it is closed", answered=rental.rev > alert.rev)
    if alert.kind in ("stuck", "finished"):
        still = any(rung == alert.rung for _, rung in _left_over(rental, alert.raised_at))
        what = "its teardown has begun" if _has_machine(rental) else "its machine is gone"
        return None if still else Settle(alert, what)
    if rental.rev > alert.rev:
        return Settle(alert, "", answered=True)
    if rental.goal is Goal.GONE:
        return Settle(alert, rental.ending.value if rental.ending else "it ends")
    past = _past(rental, alert, seen)
    return None if past is None else Settle(alert, past)


def _past(rental: Rental, alert: Alert, seen: Seen) -> str | None:
    """Why it is not so any more; empty where something else is said in its place, None while it is so."""
    match alert.kind:
        case "idle" if seen.idle_since is None:
            return "in use again, or it cannot be seen whether it is"
        case "unpulled" if rental.pulled_at is not None:
            return "the results are at home"
        # Failed tries may be followed by one that gets further: only another machine, or the end of it, ends this.
        case "unpulled" if alert.rung != f"unpulled-{len(rental.attempts)}" or rental.attempt is None:
            return "its machine was given up"
        case "dearer" if not is_dearer(rental):
            return "it does not run at that price any more"
        case "dearer" if alert.rung != _dearer(rental.attempts[-1]):
            return ""
        case "dearer" if any(one.rung == SNOOZE and one.raised_at >= alert.raised_at for one in seen.alerts):
            return "seen, and kept at that price"
        case "credit" if not is_about(rental, alert):
            return "another machine took its place"
    return None


def _climbing(rental: Rental, alert: Alert, now: datetime, seen: Seen) -> Move | None:
    if alert.level_at > now:
        return Anchor(alert)
    if alert.level is Loudness.PAGER:
        return Page(alert) if alert.paged_at is None else None
    if now - alert.level_at < PATIENCE:
        return None
    held = alert.kind != "stuck" and quiet_until(rental, now, seen.alerts) is not None
    return None if held else Louder(alert, Loudness(alert.level + 1))
