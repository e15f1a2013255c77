"""The outbox: what is said at least once, in order, and recognised when it may have been said before."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from sqlalchemy import select

from bot.domain.talk import Channel, Kind
from bot.store import Store
from bot.store.outbox import Due
from bot.store.rows import OUTBOX
from bot.store.session import reading
from tests.store.tabs import ASKED, HERE, LEASE, MINUTE, SECOND, T0, count, opened, say

THERE = Channel("sim", "admins")
AWAY = Channel("console", "closed-terminal")


def here(channel: Channel) -> bool:
    return channel.chat == "sim"


async def put(store: Store, *keys: str, rental: str = "abc234", channel: Channel = HERE) -> None:
    for key in keys:
        await store.outbox.put(say(key, channel=channel), now=T0, rental=rental)


async def due(store: Store, *, now=T0, limit: int = 50, token: str = "mine") -> list[Due]:
    seqs = await store.outbox.waiting(now=now, serves=here, limit=limit)
    return await store.outbox.claim(seqs, now=now, until=now + LEASE, token=token)


def keys(many: list[Due]) -> list[str]:
    return [one.key for one in many]


async def test_a_card_is_one_row_that_is_rewritten(store: Store):
    """Ten changes before anybody looked are one message: the newest."""
    for number in range(10):
        card = say("card:abc234", f"{number * 10} %", kind=Kind.CARD)
        await store.outbox.put(card, now=T0 + number * SECOND, rental="abc234")
    [one] = await due(store, now=T0 + MINUTE)
    assert (one.reply.title, one.ref, one.retried, one.tries) == ("90 %", None, False, 1)


async def test_a_card_that_reads_the_same_is_not_said_again(store: Store):
    """A pass that found nothing new makes no edit."""
    await put(store, "card")
    await store.outbox.said((await due(store))[0], "ref-1")
    await put(store, "card")
    assert await store.outbox.unsaid() == 0
    await store.outbox.put(say("card", "new"), now=T0, rental="abc234")
    [one] = await due(store)
    assert (one.ref, one.reply.title) == ("ref-1", "new")


async def test_what_came_while_saying_stays_due(store: Store):
    """A newer version that was written between post and ``said`` is not lost: it is due and knows the message."""
    await put(store, "card")
    [old] = await due(store)
    await store.outbox.put(say("card", "new"), now=T0 + SECOND, rental="abc234")
    assert await due(store, now=T0 + SECOND, token="theirs") == []
    await store.outbox.said(old, "ref-1")
    [new] = await due(store, now=T0 + SECOND)
    assert (new.reply.title, new.ref) == ("new", "ref-1")
    await store.outbox.said(new, "ref-1")
    assert await store.outbox.unsaid() == 0


async def test_retried_is_true_only_when_this_may_have_been_said(store: Store):
    """A try without an answer makes the next one a retry; once it is said, the next version is a first try."""
    await put(store, "card")
    [first] = await due(store)
    assert not first.retried
    late = T0 + 2 * LEASE
    [again] = await due(store, now=late, token="theirs")
    assert (again.retried, again.tries) == (True, 2)
    await store.outbox.said(again, "ref-1")
    await store.outbox.put(say("card", "new"), now=late, rental="abc234")
    [new] = await due(store, now=late)
    assert (new.retried, new.tries) == (False, 1)


async def test_a_message_is_claimed_by_one(store: Store, other: Store):
    """Two bots that look at the same time share the messages and say none twice."""
    await asyncio.gather(*(put(store, f"key-{n}", rental=f"rent{n:02d}") for n in range(20)))
    seqs = await store.outbox.waiting(now=T0, serves=here, limit=50)
    assert len(seqs) == 20
    shares = await asyncio.gather(
        *(
            bot.outbox.claim(seqs, now=T0, until=T0 + LEASE, token=f"{n}")
            for n, bot in enumerate((store, other) * 2)
        )
    )
    assert sorted(one.seq for share in shares for one in share) == sorted(seqs)


async def test_who_was_overtaken_settles_nothing(store: Store, other: Store):
    """After a takeover the late ``said``, ``later`` and ``drop`` of the first claimer touch no row."""
    await put(store, "a")
    [lost] = await due(store)
    late = T0 + 2 * LEASE
    [theirs] = await due(other, now=late, token="theirs")
    await store.outbox.said(lost, "ref-lost")
    await store.outbox.later(lost, T0)
    await store.outbox.drop(lost, "lost")
    assert await due(store, now=late) == []
    assert await store.outbox.unsaid() == 1
    await other.outbox.said(theirs, "ref")
    assert await store.outbox.unsaid() == 0


async def test_messages_come_in_the_order_in_which_they_were_put(store: Store):
    """Also when they are claimed in another order."""
    await put(store, "first", "second", "third")
    seqs = await store.outbox.waiting(now=T0, serves=here, limit=50)
    some = await store.outbox.claim(seqs[::-1], now=T0, until=T0 + LEASE, token="mine")
    assert keys(some) == ["first", "second", "third"]


async def test_nothing_overtakes_what_is_being_said(store: Store, other: Store):
    """While one bot says a rental's message, another bot leaves the next one alone, however fresh it is."""
    await put(store, "first")
    [first] = await due(store)
    await put(other, "second")
    await put(other, "elsewhere", rental="xyz789")
    assert keys(await due(other, token="theirs")) == ["elsewhere"]
    await store.outbox.said(first, "ref")
    assert keys(await due(other, token="theirs")) == ["second"]


async def test_nothing_overtakes_what_was_put_off(store: Store):
    """A message that could not be said holds back the later ones of its rental in that place, and only those."""
    await put(store, "first")
    await store.outbox.later((await due(store))[0], T0 + MINUTE)
    await put(store, "second")
    await put(store, "admins", channel=THERE)
    await put(store, "greeting", rental="")
    assert keys(await due(store)) == ["admins", "greeting"]
    both = await due(store, now=T0 + MINUTE)
    assert [(one.key, one.retried) for one in both] == [("first", True), ("second", False)]


async def test_two_bots_at_once_keep_the_order(store: Store, other: Store):
    """One knows only of the first message, the other of both; the second is never claimed before the first is said."""
    for number in range(8):
        rental = f"rent{number:02d}"
        await put(store, f"{rental}-1", f"{rental}-2", rental=rental)
        both = await store.outbox.waiting(now=T0, serves=lambda _: True, limit=50)
        one, two = await asyncio.gather(
            store.outbox.claim(both[:1], now=T0, until=T0 + LEASE, token="one"),
            other.outbox.claim(both, now=T0, until=T0 + LEASE, token="two"),
        )
        assert (keys(one), keys(two)) in [
            ([f"{rental}-1"], []),
            ([], [f"{rental}-1", f"{rental}-2"]),
        ]
        for bot, some in ((store, one), (other, two)):
            for each in some:
                await bot.outbox.said(each, "ref")
        for each in await due(store):
            await store.outbox.said(each, "ref")


async def test_later_waits_until_then(store: Store):
    """A message that could not be said is due again at its time, and counts its tries."""
    await put(store, "a")
    await store.outbox.later((await due(store))[0], T0 + MINUTE)
    assert await due(store, now=T0 + MINUTE - SECOND) == []
    [again] = await due(store, now=T0 + MINUTE)
    assert again.tries == 2


async def test_dropped_is_kept_with_its_reason(store: Store):
    """What can never be said is not tried again, and the reason stays for whoever looks."""
    await put(store, "a")
    await store.outbox.drop((await due(store))[0], "channel is gone")
    assert await store.outbox.unsaid() == 0
    async with reading(store.engine) as connection:
        assert (await connection.execute(select(OUTBOX.c.dropped))).scalar_one() == "channel is gone"


async def test_messages_for_a_chat_that_is_not_here_hold_up_nobody(store: Store):
    """Six hundred messages for a closed terminal lie there; the next one for this chat is found all the same."""
    lying = [
        {
            "key": f"old-{n}", "rental": "", "chat": "console", "channel": AWAY, "reply": say("x").reply,
            "created_at": T0, "version": 1, "said": 0, "tries": 0, "due_at": T0, "dropped": "",
        }
        for n in range(600)
    ]  # fmt: skip
    async with store.engine.begin() as connection:
        await connection.execute(OUTBOX.insert(), lying)
    await put(store, "first", "second", "third")
    assert keys(await due(store, limit=2)) == ["first", "second"]


async def test_the_outbox_takes_part_in_the_callers_transaction(store: Store):
    """An opened tab and its card are committed together: no card for a tab that was refused."""
    await opened(store)
    await store.rentals.open(
        (await store.rentals.open_ones())[0], key="open-abc234", entry=ASKED, says=[say("card:abc234")]
    )
    assert await count(store.engine, OUTBOX) == 0


async def test_a_notice_that_was_decided_twice_is_said_once(store: Store):
    """A message that is meant once keeps what was put first, also when it was said long ago."""
    notice = replace(say("reminder:abc234:50", "half is used"), once=True)
    await store.outbox.put(notice, now=T0, rental="abc234")
    await store.outbox.said((await due(store))[0], "ref-1")
    again = replace(notice, reply=replace(notice.reply, title="51 % is used"))
    await store.outbox.put(again, now=T0, rental="abc234")
    assert await store.outbox.unsaid() == 0
