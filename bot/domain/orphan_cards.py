"""What is said of machines that no rental here knows: their card, and the notices beside it. Pure.

A card names moments and never durations, so that it reads the same until something about the machine changes.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Any

from bot.domain.clocktime import utc
from bot.domain.market import Machine
from bot.domain.notices import STUCK_RUNGS
from bot.domain.orphan import Fate, Orphan, Owner
from bot.domain.talk import Actor, Button, Channel, Kind, Reply, Tone


def card(orphan: Orphan) -> Reply:
    """What it is, what becomes of it, and what can be pressed."""
    return Reply(
        kind=Kind.CARD,
        title=f"{orphan.name}: no rental here knows this machine",
        lines=tuple(line for line in _lines(orphan) if line),
        fields=_fields(orphan),
        buttons=buttons(orphan),
        tone=_tone(orphan),
        final=orphan.fate is Fate.ADOPT or orphan.tidied_at is not None,
        data=facts(orphan),
    )


def condition(orphan: Orphan) -> str:
    """What becomes of it, in a few words."""
    if orphan.gone_at is not None:
        return "gone"
    if orphan.fate is Fate.ADOPT:
        return f"adopted by {_who(orphan.decided_by)} as {orphan.rental}"
    if orphan.asked_at is not None:
        return f"being ended since {utc(orphan.asked_at)}"
    if orphan.fate is Fate.KILL:
        return f"to be ended: {_who(orphan.decided_by)} said so"
    if orphan.fate is Fate.IGNORE:
        at = f" at {utc(orphan.decided_at)}" if orphan.decided_at else ""
        return f"ignored: {_who(orphan.decided_by)} said so{at}"
    return f"ended at {utc(orphan.kill_at)} unless somebody decides"


def buttons(orphan: Orphan) -> tuple[Button, ...]:
    """What may be decided now."""
    if not orphan.can_be_spared or orphan.fate is Fate.KILL:
        return ()
    kill = Button("Kill", f"orphans kill {orphan.name}", danger=True)
    adopt = Button("Adopt", f"orphans adopt {orphan.name}")
    ignore = Button("Ignore", f"orphans ignore {orphan.name}")
    return (kill, adopt) if orphan.fate is Fate.IGNORE else (kill, adopt, ignore)


def facts(orphan: Orphan) -> dict[str, Any]:
    """The card for programs."""
    moments = {
        "found_at": orphan.found_at,
        "kill_at": None if orphan.fate else orphan.kill_at,
        "asked_at": orphan.asked_at,
        "gone_at": orphan.gone_at,
    }
    return {
        "machine": orphan.name,
        "label": orphan.label,
        "gpu": orphan.gpu or None,
        "state": orphan.state.value,
        "hourly_usd": str(orphan.hourly.dollars) if orphan.hourly is not None else None,
        "fate": orphan.fate.value if orphan.fate else None,
        "decided_by": orphan.decided_by.key if orphan.decided_by else None,
        "adopted_as": orphan.rental or None,
        "cost_usd": f"{orphan.cost.dollars:.6f}" if orphan.cost is not None else None,
        **{name: moment.isoformat() if moment else None for name, moment in moments.items()},
    }


def card_key(orphan: Orphan) -> str:
    """The beginning of its cards' outbox keys. One that comes back after it was gone has a card of its own."""
    return f"orphan:{digest(orphan.name, orphan.found_at.isoformat())}:"


def stuck(orphan: Orphan, now: datetime) -> tuple[int, Reply] | None:
    """The highest rung (minutes) that is due for a machine that was asked to end and does not, with what to say."""
    if orphan.asked_at is None:
        return None
    minutes = (now - orphan.asked_at) / timedelta(minutes=1)
    due = [rung for rung in STUCK_RUNGS if rung <= minutes]
    if not due:
        return None
    costs = f"; it may still cost {orphan.hourly.rate()}" if orphan.hourly is not None else ""
    lines = (
        f"For {due[-1]} minutes {orphan.provider} has been asked to end it{costs}.",
        f"The last answer: {orphan.note.rstrip('.')}." if orphan.note else "",
        "Lastcall goes on asking. Look into the provider's own console and end it there.",
    )
    return due[-1], Reply(
        kind=Kind.NOTICE,
        title=f"{orphan.name} does not go away",
        lines=tuple(line for line in lines if line),
        tone=Tone.ALARM,
        data={**facts(orphan), "stuck_minutes": due[-1]},
    )


def stray(owner: Owner, machine: Machine, now: datetime) -> Reply:
    """A machine of a rental that should not have it (any more) was there, and was asked to end."""
    if owner.lives:
        title = f"A second machine was there under {owner.rental}'s label: ended"
    else:
        title = f"A machine that {owner.rental} had given back was there again: ended"
    costs = f" It cost {machine.hourly.rate()} while it was there." if machine.hourly is not None else ""
    return Reply(
        kind=Kind.NOTICE,
        title=title,
        lines=(f"{machine.provider} was asked at {utc(now)} to end {machine.id}.{costs}",),
        tone=Tone.WARN,
        rental=owner.rental,
        mention=(owner.actor,),
        data={"rental": owner.rental, "machine": f"{machine.provider}/{machine.id}", "label": machine.label},
    )


def digest(*parts: str) -> str:
    """Names of any length as sixteen characters, for a key."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def place(channel: Channel) -> str:
    """A channel as the end of a key."""
    return digest(channel.chat, channel.id, channel.thread)


def _lines(orphan: Orphan) -> list[str]:
    what = condition(orphan)
    if orphan.gone_at is not None:
        at = utc(orphan.absent_at or orphan.gone_at)
        cost = f"at most {orphan.cost}" if orphan.cost is not None else "an amount that is not known"
        return [
            f"Gone since {at}. Since it was found at {utc(orphan.found_at)} it has cost {cost}.",
            orphan.note,
        ]
    if orphan.fate is Fate.IGNORE:
        costs = f" It goes on costing {orphan.hourly.rate()}." if orphan.hourly is not None else ""
        return [f"{what[0].upper()}{what[1:]}. Nobody ends it.{costs}"]
    if orphan.fate is not None:
        why = "nobody decided in time" if orphan.decided_by is None else f"{_who(orphan.decided_by)} said so"
        because = f" ({why})" if orphan.asked_at is not None else ""
        return [f"{what[0].upper()}{what[1:]}{because}.", orphan.note]
    return [
        "Its label has this deployment's name, and this database never rented it.",
        orphan.note or f"It is {what}.",
    ]


def _fields(orphan: Orphan) -> tuple[tuple[str, str], ...]:
    price = orphan.hourly.rate() if orphan.hourly is not None else "a price that is not told"
    return (
        ("machine", f"{orphan.gpu or 'unknown GPU'} at {price}"),
        ("label", orphan.label),
        ("state", "gone" if orphan.gone_at else orphan.state.value),
        ("found", utc(orphan.found_at)),
    )


def _tone(orphan: Orphan) -> Tone:
    if orphan.is_over:
        return Tone.GOOD
    return Tone.CALM if orphan.fate is Fate.IGNORE else Tone.WARN


def _who(actor: Actor | None) -> str:
    return (actor.name or actor.id) if actor else "nobody"
