"""What was decided is said: once, in order, also after an hour in which nobody could hear."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from adapters.simulators.faults import Fault, FaultKind
from bot.domain.rental import Ending
from bot.domain.talk import Channel, Kind, Reply
from bot.store.rows import Say
from tests.support.crash import Forwarding
from tests.support.small_town import FOR_EVER, HOUR, MINUTE, SECOND, SmallTown
from tests.support.town import HERE, closed


async def test_a_chat_that_is_down_delays_no_step_and_hears_everything_once_in_order(town: SmallTown):
    """An hour of silence, a whole rental meanwhile; then the card and the end. What nobody could hear in time and what
    is over by now is not said."""
    town.chat.down_until = town.clock.now() + HOUR
    tab = await town.rent("up world 3090 for 30m")
    await town.pass_time(45 * MINUTE)
    assert (await town.rental(tab)).ending is Ending.HARD_END and not town.chat.said()
    await town.pass_time(20 * MINUTE)
    await town.say_all()
    keys = [said.key for said in town.chat.said()]
    assert keys == [f"card:{tab}", f"closed:{tab}"]
    assert town.chat.said_once(f"card:{tab}").reply.final


async def test_a_lost_answer_says_nothing_twice(town: SmallTown):
    """The chat is asked whether it has it already."""
    for call in ("post", "edit"):
        town.chat.plan(call, Fault(FaultKind.LOST_AFTER, times=3))
    tab = await town.rent()
    await town.life.until(lambda: closed(town.life, tab))
    assert len(town.chat.said()) == 2


async def test_what_can_never_be_said_is_dropped_with_its_reason(town: SmallTown):
    """The channel was deleted: the rental goes on, and the next message is tried."""
    town.chat.plan("post", Fault(FaultKind.NEEDS_HUMAN, reason="there is no such channel"))
    tab = await town.rent()
    await town.life.until(lambda: closed(town.life, tab))
    assert (await town.rental(tab)).ending is Ending.DONE
    assert not await town.life.store.outbox.unsaid()


async def test_a_chat_that_stays_away_holds_up_no_other_place(town: SmallTown):
    """Each rental's words wait by themselves."""
    away = Channel("elsewhere", "general")
    reply = Reply(Kind.NOTICE, "hello")
    await town.life.store.outbox.put(Say("one", away, reply), now=town.clock.now())
    await town.life.store.outbox.put(Say("two", HERE, reply), now=town.clock.now())
    assert await town.life.delivery.tick() == 1
    assert await town.life.store.outbox.unsaid() == 1


class Falling(Forwarding):
    """A chat whose adapter has a bug for one message."""

    async def post(self, channel: Channel, reply: Reply, *, key: str, retried: bool) -> Any:
        if key.startswith("bad"):
            raise RuntimeError("a bug of ours")
        return await self._inner.post(channel, reply, key=key, retried=retried)


async def test_a_fault_of_ours_in_one_message_holds_up_no_other_and_ends(town: SmallTown):
    """It is tried again for a while, then given up with its name."""
    town.town.chat = Falling(town.chat)
    life = town.again()
    reply = Reply(Kind.NOTICE, "hello")
    await life.store.outbox.put(Say("bad", HERE, reply), now=town.clock.now())
    await life.store.outbox.put(Say("good", HERE, reply), now=town.clock.now())
    await life.delivery.tick()
    assert [said.key for said in town.chat.said()] == ["good"]
    for _ in range(20):
        town.clock.advance(6 * MINUTE)
        await life.delivery.tick()
    assert not await life.store.outbox.unsaid()


async def test_a_chat_that_is_away_is_asked_less_and_less_often(town: SmallTown):
    """And at least every five minutes."""
    town.chat.plan("post", Fault(FaultKind.TRY_LATER, times=FOR_EVER))
    await town.life.store.outbox.put(Say("one", HERE, Reply(Kind.NOTICE, "x")), now=town.clock.now())
    asked = []
    for _ in range(500):
        before = len(town.chat.faults.waiting())
        due = await town.life.store.outbox.waiting(now=town.clock.now(), serves=lambda _: True, limit=5)
        asked += [town.clock.now()] if due and before else []
        await town.life.delivery.tick()
        town.clock.advance(3 * SECOND)
    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(asked)]
    assert gaps == sorted(gaps) and gaps[0] <= 6 and 200 <= gaps[-1] <= 303


@pytest.mark.parametrize("edited", [True, False])
async def test_a_card_is_rewritten_in_place_and_a_notice_is_not(town: SmallTown, edited: bool):
    """A person is called by a new message, not by an old one that changed."""
    kind = Kind.CARD if edited else Kind.NOTICE
    for text in ("one", "two"):
        await town.life.store.outbox.put(Say("k", HERE, Reply(kind, text)), now=town.clock.now())
        await town.life.delivery.tick()
    assert len(town.chat.said("k")) == (1 if edited else 2)
