"""The simulated chat: remembers what was said, once or twice, and whether anybody heard of it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from adapters.simulators.chat import WorldChat
from adapters.simulators.clock import SimClock
from adapters.simulators.faults import Fault, FaultKind
from bot.domain.errors import Refused, TryLater
from bot.domain.talk import Actor, Channel, Kind, Reply, Request, Table

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HERE = Channel("sim", "general")


def reply(title: str) -> Reply:
    """A notice of one line."""
    return Reply(Kind.NOTICE, title)


async def test_a_retried_key_is_not_said_again():
    """The answer was lost though it was said; the retry finds it and returns its reference."""
    chat = WorldChat()
    chat.plan("post", Fault(FaultKind.LOST_AFTER))
    with pytest.raises(TryLater):
        await chat.post(HERE, reply("50 %"), key="r/50", retried=False)
    ref = await chat.post(HERE, reply("50 %"), key="r/50", retried=True)
    assert chat.said_once("r/50").ref == ref


async def test_a_key_said_twice_without_retried_is_seen():
    """The platform does not know of keys: who says it twice is heard twice, and ``said_once`` tells."""
    chat = WorldChat()
    for _ in range(2):
        await chat.post(HERE, reply("hello"), key="k", retried=False)
    with pytest.raises(AssertionError, match="2 times"):
        chat.said_once("k")


async def test_edits_replace_and_a_message_that_is_gone_is_success():
    """What it showed before is kept for assertions; a deleted or unknown message is no error."""
    chat = WorldChat()
    ref = await chat.post(HERE, reply("0 %"), key="card", retried=False)
    await chat.edit(HERE, ref, Reply(Kind.CARD, "10 %", fields=(("rate", "$0.20/h"),)))
    card = chat.said_once("card")
    assert card.text == "10 %\nrate: $0.20/h"
    assert [old.title for old in card.edits] == ["0 %"]
    chat.remove(ref)
    await chat.edit(HERE, ref, reply("late"))
    await chat.edit(HERE, "unknown", reply("late"))
    assert card.reply.title == "10 %"


async def test_down_for_a_while_and_refused():
    """Down until 12:10 nothing is said; later it is, with its moment. A channel that refuses is ``Refused``."""
    clock = SimClock(START)
    chat = WorldChat(clock=clock)
    chat.down_until = START + timedelta(minutes=10)
    with pytest.raises(TryLater):
        await chat.post(HERE, reply("a"), key="a", retried=False)
    clock.advance(timedelta(minutes=10))
    await chat.post(HERE, reply("a"), key="a", retried=True)
    assert chat.said_once("a").at == START + timedelta(minutes=10)
    chat.plan("post", Fault(FaultKind.NEEDS_HUMAN, reason="not in channel"))
    with pytest.raises(Refused, match="not in channel"):
        await chat.post(HERE, reply("b"), key="b", retried=False)


async def test_lines_reach_the_desk_while_somebody_listens():
    """``hear`` goes through the desk of ``listen``; before and after that nobody listens."""

    class Echo:
        async def handle(self, request: Request) -> Reply:
            return Reply(Kind.ANSWER, request.text, tables=(Table(("a", "b"), (("1", "2"),)),))

    chat = WorldChat()
    request = Request(Actor("sim", "t", "u"), HERE, "gpu status", "key", START)
    with pytest.raises(RuntimeError):
        await chat.hear(request)
    listening = asyncio.create_task(chat.listen(Echo()))
    await asyncio.sleep(0)
    assert (await chat.hear(request)).title == "gpu status"
    listening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await listening
    assert chat.desk is None
    assert chat.serves(HERE)
    assert not chat.serves(Channel("other", "general"))
