"""Delivery: outbox rows become posts and edits, at least once, in order per rental. A chat that is down delays
only its own messages, and no step of any rental."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from bot.domain.clocktime import utc
from bot.domain.errors import LastcallError, Refused
from bot.domain.rental import Goal
from bot.domain.talk import Channel, Kind, Tone
from bot.ports import Chat, Clock, Ids
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


class Delivery:
    """One per process, for the chats that this process has."""

    def __init__(self, store: Store, chats: Sequence[Chat], clock: Clock, ids: Ids) -> None:
        self._store = store
        self._chats = chats
        self._clock = clock
        self._ids = ids

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
            if not await self._say(one):
                at = self._clock.now() + self._pause(one)
                for later in many[number:]:
                    await self._store.outbox.later(later, at)
                return number
        return len(many)

    async def _say(self, due: Due) -> bool:
        chat = self._chat_for(due.channel)
        if chat is None:
            return False
        due = await self._as_it_is_now(due)
        try:
            async with asyncio.timeout(ANSWER.total_seconds()):
                ref = await _at(chat, due)
        except Refused as error:
            log.warning("message %s cannot be said: %s", due.key, error)
            await self._store.outbox.drop(due, str(error))
            return True
        except (LastcallError, OSError) as error:
            log.info("message %s waits: %s", due.key, error)
            return False
        except Exception as fault:
            # A fault of ours in one message must not keep the others back for ever.
            log.exception("message %s, try %s", due.key, due.tries)
            if due.tries < MOST_FAULTS:
                return False
            await self._store.outbox.drop(due, f"a fault of Lastcall: {type(fault).__name__}")
            return True
        await self._store.outbox.said(due, ref)
        return True

    async def _as_it_is_now(self, due: Due) -> Due:
        """A notice that waited (for a terminal, for a chat that was down) may speak of a rental that is over meanwhile.
        It is still said, but it offers nothing that can not be done any more, and calls nobody to what is closed."""
        reply = due.reply
        if not due.rental or reply.kind is not Kind.NOTICE or reply.final or not reply.buttons:
            return due
        rental = await self._store.rentals.get(due.rental)
        if rental is None or rental.goal is not Goal.GONE:
            return due
        reply = replace(reply, buttons=())
        if rental.closed_at is not None:
            late = (
                f"Said late: {rental.id} is closed since {utc(rental.closed_at)}, and nothing is to be done."
            )
            reply = replace(reply, lines=(late,), tone=Tone.CALM, mention=())
        return replace(due, reply=reply)

    def _pause(self, due: Due) -> timedelta:
        return min(timedelta(seconds=2 ** min(due.tries, 8)), LONGEST_WAIT)


async def _at(chat: Chat, due: Due) -> str:
    if due.ref is not None and (due.reply.kind is Kind.CARD or due.reply.rewrites):
        await chat.edit(due.channel, due.ref, due.reply)
        return due.ref
    return await chat.post(due.channel, due.reply, key=due.key, retried=due.retried)
