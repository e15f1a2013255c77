"""The live card of a rental: its state in words, its numbers, and what can be pressed now. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from bot.domain import budget, receipt
from bot.domain.clocktime import short, utc
from bot.domain.killers import killers
from bot.domain.money import ZERO
from bot.domain.rental import Attempt, Ending, Goal, Rental, Step
from bot.domain.talk import Button, Kind, Meter, Reply, Table, Tone

_DOING = {
    Step.CHOOSE: "choosing an offer",
    Step.SPIN_UP: "spinning up",
    Step.VALIDATE: "validating",
    Step.DEPLOY_TOOLS: "deploying tools",
    Step.TRANSFER_DATASET: "transferring the data set",
    Step.TRAIN: "training",
    Step.PULL_RESULTS: "pulling results",
    Step.TEAR_DOWN: "tearing down",
}


def status(rental: Rental) -> str:
    """The state in one or two words, derived from the facts."""
    if rental.closed_at is not None:
        return "closed"
    if rental.goal is Goal.GONE:
        return "pulling results" if rental.step is Step.PULL_RESULTS else "tearing down"
    if rental.asks_again:
        return "quoted"
    if rental.goal is Goal.QUOTED:
        return "quoted" if rental.offer is not None and rental.quoted_at is not None else "choosing an offer"
    attempt = rental.attempt
    if attempt is not None and attempt.ready_at is not None and rental.goal is Goal.READY:
        return "ready"
    return _DOING.get(rental.step, "starting") if rental.step else "starting"


def title(rental: Rental) -> str:
    """What it is: ``k7m2qd · tiny-lora quick on local``."""
    what = f"{rental.job.recipe} {rental.job.preset}" if rental.job else (rental.want.gpu or "machine")
    place = rental.offer.provider if rental.offer else rental.want.provider
    return f"{rental.id} · {what} on {place}"


def card(rental: Rental, now: datetime, soft_end: datetime | None = None) -> Reply:
    """The whole card."""
    state = status(rental)
    lines = tuple(line for line in _lines(rental, state) if line)
    results = rental.results if rental.closed_at else ()
    return Reply(
        kind=Kind.CARD,
        title=title(rental),
        lines=lines,
        fields=_fields(rental, now, state, soft_end),
        tables=_tables(rental, now),
        meter=_meter(rental, state),
        buttons=_buttons(rental, state),
        pictures=tuple(one.path for one in results if one.name.endswith(".png")),
        files=tuple(one.path for one in results if not one.name.endswith(".png")),
        tone=_tone(rental, state),
        rental=rental.id,
        final=rental.closed_at is not None,
        data=facts(rental, now),
    )


def _lines(rental: Rental, state: str) -> list[str]:
    if state == "quoted":
        said = f"This cannot cost more than {rental.worst_case}. Nothing is rented before somebody confirms."
        return [f"The price rose since it was confirmed. {said}" if rental.asks_again else said]
    if rental.closed_at is not None:
        return [_last_word(rental), _fix(rental)]
    if rental.goal is Goal.GONE and rental.ending is not None:
        return [_last_word(rental), rental.note]
    return [rental.note if rental.note != state else ""]


def _last_word(rental: Rental) -> str:
    why = rental.ending_note.partition("\n")[0]
    if rental.ending is Ending.DONE:
        if rental.is_open:
            return "Results are at home; closing the tab."
        return "Done: results are at home, nothing is left running."
    if rental.ending is Ending.DOWN:
        return f"Torn down on request{f' of {why}' if why else ''}."
    if rental.ending is Ending.STOPPED:
        there = "what was trained is at home" if rental.pulled_at is not None else "it saves and comes home"
        return f"Finished early on request{f' of {why}' if why else ''}: {there}."
    if rental.ending is None:
        return why
    head = {
        Ending.FAILED: "Failed",
        Ending.NO_OFFER: "No offer",
        Ending.CANCELLED: "Cancelled",
        Ending.DECLINED: "Declined",
        Ending.EXPIRED: "The quote expired",
        Ending.SOFT_END: "Budget used",
        Ending.HARD_END: "Hard end",
        Ending.IDLE: "Idle",
    }.get(rental.ending, rental.ending.value)
    return f"{head}: {why}" if why else f"{head}."


def _fix(rental: Rental) -> str:
    return rental.ending_note.partition("\n")[2]


def _fields(
    rental: Rental, now: datetime, state: str, soft_end: datetime | None
) -> tuple[tuple[str, str], ...]:
    found: list[tuple[str, str]] = [("state", state)]
    if rental.offer is not None:
        count = f" x{rental.offer.count}" if rental.offer.count > 1 else ""
        found.append(("machine", f"{rental.offer.gpu}{count} at {rental.offer.hourly.rate()}"))
        if rental.offer.note and state in ("quoted", "ready"):
            found.append(("note", rental.offer.note))
        if rental.offer.traffic_per_gb.micros and state == "quoted":
            found.append(("traffic", f"${rental.offer.traffic_per_gb.dollars.normalize():f} a GB, included"))
    found += _money(rental, now)
    found += _time(rental, now, soft_end)
    attempt = rental.attempt
    if attempt is not None and attempt.report:
        found.append(("gate 3", _gate(attempt)))
    if rental.progress.loss is not None:
        first = f" (from {rental.progress.first_loss:.4g})" if rental.progress.first_loss is not None else ""
        found.append(("loss", f"{rental.progress.loss:.4g}{first}"))
    if behind := killers(rental, now):
        found.append(("killers", ", ".join(behind)))
    if len(rental.attempts) > 1:
        found.append(("attempt", str(len(rental.attempts))))
    return tuple(found)


def _money(rental: Rental, now: datetime) -> list[tuple[str, str]]:
    if rental.began_at is None:
        if rental.worst_case is None:
            return []
        how = [("how", rental.worst_how)] if rental.worst_how and rental.worst_case > ZERO else []
        return [("at most", str(rental.worst_case)), *how]
    cost = str(budget.spent(rental, rental.closed_at or now))
    most = f", at most {rental.worst_case}" if rental.is_open and rental.worst_case is not None else ""
    return [("cost", cost + most)]


def _time(rental: Rental, now: datetime, soft_end: datetime | None) -> list[tuple[str, str]]:
    if rental.closed_at is not None:
        return [("time", short(rental.closed_at - (rental.began_at or rental.created_at)))]
    if rental.hard_end is None:
        return [("length", f"up to {short(rental.lifetime)}")]
    found = [("ends", f"{utc(rental.hard_end)} at the latest")]
    if rental.progress.eta is not None and rental.step is Step.TRAIN and rental.goal is not Goal.GONE:
        found.insert(0, ("left", f"about {short(rental.progress.eta)} of training"))
    if soft_end is not None and now >= soft_end:
        found.append(("window", "pulling what there is"))
    return found


def _gate(attempt: Attempt) -> str:
    count = {
        verdict: sum(check.verdict == verdict for check in attempt.report)
        for verdict in ("PASS", "WARN", "FAIL")
    }
    return ", ".join(f"{number} {verdict}" for verdict, number in count.items() if number)


def _tables(rental: Rental, now: datetime) -> tuple[Table, ...]:
    if rental.closed_at is None or rental.began_at is None:
        return ()
    paid = receipt.table(receipt.receipt(rental, now))
    if not rental.results:
        return (paid,)
    rows = tuple((one.name, _size(one.bytes), one.sha256[:16]) for one in rental.results)
    folder = rental.results[0].path.removesuffix(rental.results[0].name).rstrip("/")
    return (Table(("result", "size", "sha256 (first 16)"), rows, note=f"In {folder}"), paid)


def _size(size: int) -> str:
    """Decimal units, as vendors and file managers have them."""
    if size < 1000:
        return f"{size} B"
    amount = size / 1000
    for unit in ("kB", "MB"):
        if amount < 999.95:
            return f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} GB"


def _meter(rental: Rental, state: str) -> Meter | None:
    progress = rental.progress
    if state != "training" or not progress.total:
        return None
    pace = f", {progress.seconds_per_step:.2g} s a step" if progress.seconds_per_step else ""
    return Meter(progress.step, progress.total, f"{progress.stage} {progress.step}/{progress.total}{pace}")


def _buttons(rental: Rental, state: str) -> tuple[Button, ...]:
    if rental.closed_at is not None or rental.goal is Goal.GONE:
        return ()
    if state == "quoted":
        return (
            Button("Confirm", f"confirm {rental.id} budget {rental.worst_case}", primary=True),
            Button("Cancel", f"cancel {rental.id}"),
        )
    if rental.goal is Goal.QUOTED:
        return (Button("Cancel", f"cancel {rental.id}"),)
    buttons = [
        Button("Tear down", f"down {rental.id}", danger=True),
        Button("Extend 1 h", f"extend {rental.id} 1h"),
    ]
    attempt = rental.attempt
    if rental.offer is not None and rental.offer.hourly > ZERO:
        buttons.append(Button("Extend $2", f"extend {rental.id} $2"))
    if attempt is not None and attempt.unit is not None and rental.pulled_at is None:
        buttons.append(Button("Pull now", f"pull {rental.id}"))
    if rental.job is not None:
        buttons.append(Button("Logs", f"logs {rental.id}"))
    elif state == "ready":
        buttons.append(Button("SSH", f"ssh {rental.id}"))
    return tuple(buttons)


def _tone(rental: Rental, state: str) -> Tone:
    if rental.closed_at is not None:
        return Tone.GOOD if rental.ending and rental.ending.is_success else Tone.WARN
    if rental.alarmed:
        return Tone.ALARM
    return Tone.WARN if rental.stumbles >= 3 or state == "quoted" else Tone.CALM


def facts(rental: Rental, now: datetime) -> dict[str, Any]:
    """The card for programs: the last one names cost, duration, result files with digests, and ``closed``."""
    end = rental.closed_at or now
    length: timedelta = end - (rental.began_at or rental.created_at)
    return {
        "rental": rental.id,
        "state": status(rental),
        "goal": rental.goal.name.lower(),
        "ending": rental.ending.value if rental.ending else None,
        "reason": rental.ending_note.replace("\n", " ") or None,
        "success": bool(rental.closed_at and rental.ending and rental.ending.is_success),
        "provider": rental.offer.provider if rental.offer else rental.want.provider,
        "gpu": rental.offer.gpu if rental.offer else None,
        "hourly_usd": str(rental.offer.hourly.dollars) if rental.offer else None,
        "worst_case_usd": str(rental.worst_case.dollars) if rental.worst_case is not None else None,
        "budget_usd": str(rental.budget.dollars),
        "cost_usd": f"{budget.spent(rental, end).dollars:.6f}",
        "duration_s": round(length.total_seconds(), 3),
        "attempts": len(rental.attempts),
        "step": rental.progress.step,
        "steps": rental.progress.total,
        "loss": rental.progress.loss,
        "hard_end": rental.hard_end.isoformat() if rental.hard_end else None,
        "receipt": receipt.data(receipt.receipt(rental, end))
        if rental.closed_at and rental.began_at
        else None,
        "results": [
            {"path": one.path, "name": one.name, "bytes": one.bytes, "sha256": one.sha256}
            for one in rental.results
        ],
    }
