"""Delivery: outbox rows become posts and edits, at least once, in order per rental. A chat that is down delays
only its own messages, and no step of any rental.

What belongs to a rental is said in the thread of its card, where the chat has threads. A place that is lost (archived,
the bot removed, the person gone) costs no message: it is said to the owner directly, then in a channel of the team's,
then on the second medium.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.domain.clocktime import utc
from bot.domain.errors import LastcallError, PlaceLost, Refused
from bot.domain.outlet import outlet_of
from bot.domain.rental import Goal, Rental
from bot.domain.talk import Channel, Kind, Tone
from bot.ports import Chat, Clock, Ids, Notifier
from bot.store import Store
from bot.store.outbox import Due

log = logging.getLogger("lastcall.delivery")

AT_ONCE = 50
CLAIM = timedelta(seconds=30)
ANSWER = timedelta(seconds=20)
"""A chat that does not answer within this is taken for down; within the claim, so that nobody else says it too."""
MOST_FAULTS = 10
"""So often a message may break the chat's adapter before it is given up."""
LONGEST_WAIT = timedelta(minutes=5)
_NONE = timedelta(0)
_MOST_TRIES = 20
"""For about an hour a notification channel may be lost before what waits for it is given up."""
_MANY, _WHILE = 1000, timedelta(minutes=1)


class Delivery:
    """One per process, for the chats that this process has."""

    def __init__(
        self,
        store: Store,
        chats: Sequence[Chat],
        clock: Clock,
        ids: Ids,
        *,
        homes: Callable[[], Sequence[Channel]] = tuple,
        notifier: Notifier | None = None,
    ) -> None:
        """``homes``: the team's channels, for what has lost its own; ``notifier``: the second medium, after them."""
        self._store = store
        self._chats = chats
        self._clock = clock
        self._ids = ids
        self._homes = homes
        self._notifier = notifier
        self._edited: dict[str, datetime] = {}
        """When a message was last edited, by its key: a chat says how soon it may be again."""

    def _chat_for(self, channel: Channel) -> Chat | None:
        return next((chat for chat in self._chats if chat.serves(channel)), None)

    async def tick(self) -> int:
        """Say what is due; returns how many messages were said."""
        if not self._chats:
            return 0
        now = self._clock.now()
        outbox = self._store.outbox
        waiting = await outbox.waiting(
            now=now, serves=lambda one: self._chat_for(one) is not None, limit=AT_ONCE
        )
        if not waiting:
            return 0
        due = await outbox.claim(waiting, now=now, until=now + CLAIM, token=self._ids.token())
        per_place: dict[tuple[str, Channel], list[Due]] = defaultdict(list)
        for one in due:
            per_place[one.rental or one.key, one.channel].append(one)
        said = await asyncio.gather(*(self._say_in_order(many) for many in per_place.values()))
        return sum(said)

    async def _say_in_order(self, many: list[Due]) -> int:
        for number, one in enumerate(many):
            wait = await self._say(one)
            if wait is not None:
                at = self._clock.now() + wait
                for later in many[number:]:
                    await self._store.outbox.later(later, at)
                return number
        return len(many)

    async def _say(self, due: Due) -> timedelta | None:
        """None when there is no more to do about it; else how long it waits."""
        chat = self._chat_for(due.channel)
        if chat is None:
            return _pause(due)
        if wait := self._too_soon(chat, due):
            return wait
        rental = await self._store.rentals.get(due.rental) if due.rental else None
        due, outlet = _as_it_is_now(due, rental), outlet_of(due.key)
        try:
            async with asyncio.timeout(ANSWER.total_seconds()):
                ref = await self._at(chat, due)
        except PlaceLost as error:
            if outlet is not None and due.tries < _MOST_TRIES:
                return await self._not_there(due, outlet, str(error))
            await self._elsewhere(due, rental, str(error))
        except Refused as error:
            log.warning("message %s cannot be said: %s", due.key, error)
            if outlet is not None:
                await self._store.outlets.failed(outlet, str(error), now=self._clock.now())
            await self._store.outbox.drop(due, str(error))
        except (LastcallError, OSError) as error:
            return await self._not_there(due, outlet, str(error) or "it does not answer")
        except Exception as fault:
            # A fault of ours in one message must not keep the others back for ever.
            log.exception("message %s, try %s", due.key, due.tries)
            if due.tries < MOST_FAULTS:
                return _pause(due)
            await self._store.outbox.drop(due, f"a fault of Lastcall: {type(fault).__name__}")
        else:
            await self._store.outbox.said(due, ref)
            if outlet is not None:
                await self._store.outlets.told(outlet, now=self._clock.now())
        return None

    async def _not_there(self, due: Due, outlet: int | None, why: str) -> timedelta:
        """It waits. Of a notification channel that takes nothing its team can read; another one is asked meanwhile."""
        log.info("message %s waits: %s", due.key, why)
        if outlet is not None:
            await self._store.outlets.failed(outlet, why, now=self._clock.now())
        return _pause(due)

    async def _at(self, chat: Chat, due: Due) -> str:
        if due.ref is not None and (due.reply.kind is Kind.CARD or due.reply.rewrites):
            await chat.edit(due.channel, due.ref, due.reply)
            self._edited[due.key] = self._clock.now()
            return due.ref
        channel = due.channel
        if chat.capabilities.threads and _is_detail(due):
            copy = "" if (outlet := outlet_of(due.key)) is None else f"@{outlet}"
            card = await self._store.outbox.ref(f"card:{due.rental}{copy}", channel)
            channel = replace(channel, thread=card or channel.thread)
        return await chat.post(channel, due.reply, key=due.key, retried=due.retried)

    async def _elsewhere(self, due: Due, rental: Rental | None, why: str) -> None:
        """The next place that is not lost yet; a message that has none is told on the second medium, if it matters."""
        place = _next_place(due, rental, self._homes()) if outlet_of(due.key) is None else None
        if place is not None:
            log.warning(
                "message %s cannot be said in %s (%s); next: %s", due.key, due.channel.id, why, place.id
            )
            await self._store.outbox.move(due, place, at=self._clock.now())
            return
        if self._notifier is not None and due.reply.kind is Kind.NOTICE and due.reply.tone is not Tone.CALM:
            failed = await self._notifier.shout(due.reply.title, "\n".join(due.reply.lines))
            why += f"; told on the second medium{', not taken by ' + ', '.join(failed) if failed else ''}"
        log.warning("message %s has no place left: %s", due.key, why)
        await self._store.outbox.drop(due, why)

    def _too_soon(self, chat: Chat, due: Due) -> timedelta:
        """How long it is too soon to edit it again; what was not edited for a while is forgotten."""
        now, pace = self._clock.now(), chat.capabilities.pace
        if len(self._edited) > _MANY:
            self._edited = {key: at for key, at in self._edited.items() if now - at < _WHILE}
        last = self._edited.get(due.key)
        return min(max(last + pace - now, _NONE), pace) if due.ref is not None and last is not None else _NONE


def _pause(due: Due) -> timedelta:
    return min(timedelta(seconds=2 ** min(due.tries, 8)), LONGEST_WAIT)


def _is_detail(due: Due) -> bool:
    return (
        bool(due.rental) and due.reply.kind is Kind.NOTICE and not due.reply.loud and not due.channel.thread
    )


def _next_place(due: Due, rental: Rental | None, homes: Sequence[Channel]) -> Channel | None:
    """Where else it may be said: always further down the same list, so that it ends. What was meant for others
    (approvers, admins) is no owner's to hear: it goes to the team's channels."""
    team = [one for one in homes if one.chat == due.channel.chat]
    owners = [rental.channel, Channel(rental.owner.chat, f"@{rental.owner.id}")] if rental else []
    ids = [one.id for one in (*owners, *team)]
    after = ids.index(due.channel.id) + 1 if due.channel.id in ids else len(owners)
    later = (*owners, *team)[after:]
    return next((one for one in later if one.id not in ids[:after]), None)


def _as_it_is_now(due: Due, rental: Rental | None) -> Due:
    """A notice that waited (for a terminal, for a chat that was down) may speak of a rental that is over meanwhile.
    It is still said, but it offers nothing that can not be done any more, and calls nobody to what is closed."""
    reply = due.reply
    if reply.kind is not Kind.NOTICE or reply.final or not reply.buttons:
        return due
    if rental is None or rental.goal is not Goal.GONE:
        return due
    reply = replace(reply, buttons=())
    if rental.closed_at is not None:
        late = f"Said late: {rental.id} is closed since {utc(rental.closed_at)}, and nothing is to be done."
        reply = replace(reply, lines=(late,), tone=Tone.CALM, mention=())
    return replace(due, reply=reply)
