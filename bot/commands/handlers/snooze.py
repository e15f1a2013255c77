"""Snooze: a while without reminders of one rental. No end and no money moves; the last ten minutes are never quiet."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from bot.commands.handlers import find
from bot.commands.house import House
from bot.commands.spoken import Snooze
from bot.domain import alerts, notices
from bot.domain.clocktime import short, utc
from bot.domain.errors import Refused
from bot.domain.policy import Deed
from bot.domain.rental import Goal, Rental
from bot.domain.talk import Kind, Reply, Request
from bot.store.rows import Entry

USUAL = timedelta(minutes=30)


async def snooze(house: House, request: Request, command: Snooze) -> Reply:
    """Whoever may end a rental may quiet it."""
    rental = await find.meant(house, request, command.rental, Deed.END, "snooze", _costs)
    if not _costs(rental):
        raise Refused(f"{rental.id} is over or has not begun; nothing reminds of it.")
    now, length = house.clock.now(), command.length or USUAL
    if length > alerts.LONGEST_SNOOZE:
        raise Refused(
            f"Reminders are quiet for {short(alerts.LONGEST_SNOOZE)} at most.",
            help=f"snooze {rental.id} for 4h; for longer: extend it, or take it down.",
        )
    until = alerts.snooze_end(rental, now, length)
    if until <= now and not await house.store.rentals.done_before(request.key):
        left = short(rental.hard_end - now) if rental.hard_end else ""
        raise Refused(
            f"{rental.id} is torn down in {left}; its last ten minutes are never quiet.",
            help=f"More time: extend {rental.id} 1h",
        )
    who = request.actor.name or request.actor.id
    words = f"snoozed until {utc(until)}"
    done = await house.store.alerts.snooze(
        rental.id,
        until=until,
        by=who,
        now=now,
        key=request.key,
        entry=Entry("snooze", words, actor=request.actor.key),
        shown=partial(notices.snoozed, what=f"{who} {words}."),
    )
    house.nudge()
    return await _said(house, rental, done=done)


async def _said(house: House, rental: Rental, *, done: bool) -> Reply:
    known = (await house.store.alerts.of([rental.id])).get(rental.id, [])
    until = alerts.quiet_until(rental, house.clock.now(), known)
    quiet = f"{rental.id} is quiet until {utc(until)}." if until else f"{rental.id} is not quiet any more."
    sentence = quiet if done else f"That was said before: {quiet}"
    return Reply(
        Kind.ANSWER,
        sentence,
        await house.idle_note(),
        rental=rental.id,
        data={"rental": rental.id, "quiet_until": until.isoformat() if until else None},
    )


def _costs(rental: Rental) -> bool:
    return rental.began_at is not None and rental.goal is not Goal.GONE and rental.closed_at is None
