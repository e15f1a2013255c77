"""Reminders: the one place that reminds. Each pass decides from rows alone what is to be said now and writes it with
the fact that it was decided; a restart, a second replica or a clock that jumps changes nothing about that.

No task is elected: every process may pass at any time, and each rung and level is taken by one statement.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from bot.domain import alerts, notices
from bot.domain.alert import Alert, Anchor, Louder, Loudness, Move, Page, Raise, Settle
from bot.domain.allowance import team_key
from bot.domain.clocktime import utc
from bot.domain.credit import Credit
from bot.domain.rental import Ending, Goal, Rental
from bot.domain.talk import Actor, Channel, Reply
from bot.lifecycle.echoes import paging
from bot.lifecycle.hands import Hands
from bot.lifecycle.idle import STALE
from bot.lifecycle.lapse import lapse
from bot.ports import Notifier
from bot.store.alerts import key_of
from bot.store.rows import Entry, Say

log = logging.getLogger("lastcall.reminders")

EVERY = timedelta(seconds=15)
IDLE_REMIND = timedelta(minutes=20)
_TERMINAL = "console"
"""A terminal is a conversation with one person already: there is no other place for a direct message."""


def direct(actor: Actor, rental: Rental) -> Channel:
    """Where this person alone reads: a channel ``@id``, which each chat opens in its own way."""
    return rental.channel if actor.chat == _TERMINAL else Channel(actor.chat, f"@{actor.id}")


def in_place(rental: Rental, alert: Alert, level: Loudness, reply: Reply) -> Say:
    """What is said of it where the rental lives, up to the channel."""
    channel = rental.channel if level < Loudness.CHANNEL else replace(rental.channel, thread="")
    mention = () if level is Loudness.THREAD else (rental.owner,)
    said = replace(reply, mention=mention, loud=level >= Loudness.CHANNEL)
    return Say(key_of(alert, level), channel, said, once=True)


class Reminders:
    """``notifier`` is the second medium, if there is one."""

    def __init__(
        self,
        hands: Hands,
        *,
        notifier: Notifier | None = None,
        idle_remind: timedelta = IDLE_REMIND,
    ) -> None:
        self._hands = hands
        self._notifier = notifier
        self._idle_remind = idle_remind

    async def tick(self) -> int:
        """One pass over all rentals that may need a word; returns how many things were done."""
        store = self._hands.store
        lapsed = await lapse(store, self._hands.clock.now())
        rentals = {one.id: one for one in await store.rentals.open_ones() if one.began_at is not None}
        for other in await store.alerts.unsettled() - rentals.keys():
            if (closed := await store.rentals.get(other)) is not None:
                rentals[other] = closed
        if not rentals:
            return lapsed
        known = await store.alerts.of([*rentals])
        idle = await store.alerts.idle([*rentals], seen_since=self._hands.clock.now() - STALE)
        done = lapsed
        for rental in rentals.values():
            seen = alerts.Seen(known.get(rental.id, ()), idle.get(rental.id), self._idle_remind)
            try:
                done += await self._one(rental, seen)
            except Exception:
                log.exception("reminders of %s", rental.id)  # its neighbours are reminded all the same
        return done

    async def _one(self, rental: Rental, seen: alerts.Seen) -> int:
        moves = alerts.due(rental, self._hands.clock.now(), seen)
        return sum([await self._do(rental, move, seen) for move in moves])

    async def _do(self, rental: Rental, move: Move, seen: alerts.Seen) -> bool:
        now, store = self._hands.clock.now(), self._hands.store
        match move:
            case Raise(rung=rung, level=level, covers=covers):
                fresh = Alert(rental.id, rung, rental.rev, now, level, now)
                goal = Goal.GONE if fresh.kind not in ("stuck", "finished") else None
                says = await self._says(rental, fresh, level, seen, now)
                return await store.alerts.raise_(fresh, covers, says, goal=goal)
            case Louder(alert=alert, level=level):
                return await self._louder(rental, alert, level, seen)
            case Page(alert=alert):
                return await self._page(rental, alert, seen)
            case Anchor(alert=alert):
                await store.alerts.anchor(alert, now=now)
                return True
            case Settle(alert=alert, what=what, answered=answered):
                return await self._settle(rental, alert, what, answered=answered)

    async def _louder(self, rental: Rental, alert: Alert, level: Loudness, seen: alerts.Seen) -> bool:
        """A chat that has not said the quieter word is down: nothing louder helps there, the second medium does. From
        the first mention on, the team's notification channels are told what it cannot say."""
        now, store = self._hands.clock.now(), self._hands.store
        relayed = alert.level < Loudness.OWNER and bool(await store.outlets.of(team_key(rental.owner)))
        if not relayed and not await store.alerts.was_heard(alert):
            await store.alerts.anchor(alert, now=now)
            return await self._page(rental, alert, seen)
        says = await self._says(rental, alert, level, seen, now)
        return await store.alerts.louder(alert, level, says, now=now)

    async def _page(self, rental: Rental, alert: Alert, seen: alerts.Seen) -> bool:
        """At least once: who dies in between is followed by another, and a second page is better than none."""
        now, store = self._hands.clock.now(), self._hands.store
        outlets = await store.outlets.of(team_key(rental.owner))
        if (
            (self._notifier is None and not outlets)
            or alert.paged_at is not None
            or not await store.alerts.may_page(alert, now=now)
        ):
            return False
        reply = await self._reply(rental, alert, seen, now)
        says = paging(rental, alert, reply, outlets)
        failed = await self._shout(reply, rental)
        told = f"paged: {reply.title}" + (f"; not taken by {', '.join(failed)}" if failed else "")
        await store.alerts.paged(alert, now=self._hands.clock.now(), entry=Entry("page", told), says=says)
        return True

    async def _shout(self, reply: Reply, rental: Rental) -> Sequence[str]:
        if self._notifier is None:
            return ()
        return await self._notifier.shout(
            reply.title, "\n".join((*reply.lines, f"Owner: {_name(rental.owner)}"))
        )

    async def _settle(self, rental: Rental, alert: Alert, what: str, *, answered: bool) -> bool:
        now, store = self._hands.clock.now(), self._hands.store
        by, words = await store.alerts.last_word(alert) if answered else ("", "")
        if rental.ending is Ending.IDLE:
            by, words = "", rental.ending.value
        name = _name(rental.owner) if by == rental.owner.key else by.rpartition(":")[2]
        said = f"{name} {words}" if name else (words or what).capitalize()
        shown = partial(notices.settled, what=f"{said} ({utc(now)}).") if said else None
        return await store.alerts.settle(alert, now=now, by=by, what=words or what, shown=shown)

    # --- what is said, and where -----------------------------------------------------------------

    async def _says(
        self, rental: Rental, alert: Alert, level: Loudness, seen: alerts.Seen, now: datetime
    ) -> list[Say]:
        if level is Loudness.PAGER:
            return []
        reply = await self._reply(rental, alert, seen, now)
        if level is not Loudness.DIRECT:
            return [in_place(rental, alert, level, reply)]
        admins = await self._hands.store.budgets.admins(team_key(rental.owner))
        people = {one.key: one for one in (*admins, rental.owner)}.values()
        return [
            Say(
                key_of(alert, level, hashlib.sha256(one.key.encode()).hexdigest()[:10]),
                direct(one, rental),
                replace(reply, mention=(one,)),
                once=True,
            )
            for one in people
        ]

    async def _reply(self, rental: Rental, alert: Alert, seen: alerts.Seen, now: datetime) -> Reply:
        match alert.kind:
            case "idle":
                return notices.idle(rental, seen.idle_since or alert.raised_at, now)
            case "finished":
                return notices.finished(rental, now)
            case "stuck":
                return _stuck(rental, now)
            case "unpulled":
                return notices.unpulled(rental, now)
            case "dearer":
                return notices.dearer(rental)
            case "credit":
                # Only a look at the account knows it, and what was said first has what that look found.
                said = await self._hands.store.alerts.words(alert)
                return notices.runway(rental, Credit.of(said.data if said else {}), now)
        if alert.rung.endswith("%"):
            return notices.reminder(rental, int(alert.rung.removesuffix("%")), now)
        return notices.last_minutes(rental, now)


def _stuck(rental: Rental, now: datetime) -> Reply:
    ending = notices.ending_attempt(rental) or rental.attempts[-1]
    since = ending.destroy_asked_at or now
    return notices.stuck(rental, ending, int((now - since) / timedelta(minutes=1)), now)


def _name(actor: Actor) -> str:
    return actor.name or actor.id
