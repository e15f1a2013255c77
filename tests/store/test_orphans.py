"""The orphans' rows: people and the sweep write side by side, and nobody's word is lost."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from bot.domain.market import Machine, MachineState
from bot.domain.money import Usd
from bot.domain.orphan import Fate, Orphan
from bot.domain.orphan_cards import card
from bot.domain.rental import Goal
from bot.domain.talk import Actor, Channel, Reply
from bot.store import Store
from bot.store.rows import ORPHANS, OUTBOX, RENTALS, Entry
from bot.store.session import reading
from tests.store.tabs import ANN, HERE, HOUR, MINUTE, SECOND, T0, attempt, claimed, count, tab, texts

BEN = Actor("sim", "acme", "ben", "ben")
THERE = Channel("sim", "admins")
FOUND = Entry("orphan", "found it")
SAID = Entry("orphan", "said so", ANN.key)


def orphan(**changed: Any) -> Orphan:
    fresh = Orphan(
        "sim", "m1", "lc-test-k7m2qd-1-20260303T0900Z", "RTX 3090", MachineState.RUNNING, Usd.of("0.20"),
        T0, T0 + 15 * MINUTE,
    )  # fmt: skip
    return replace(fresh, **changed)


def machine(id: str = "m1", label: str = "", provider: str = "sim") -> Machine:
    return Machine(provider, id, label, MachineState.RUNNING)


async def only(store: Store) -> Orphan:
    """The one orphan as the database has it."""
    [one] = await store.orphans.named("sim/m1")
    return one


async def decide(store: Store, fate: Fate, *, by: Actor = ANN, key: str = "press") -> Orphan:
    return await store.orphans.decide(orphan(), fate, by=by, now=T0 + MINUTE, key=key, entry=SAID)


async def cards(store: Store) -> list[tuple[Reply, int]]:
    """What stands in the outbox, and how often it was written."""
    async with reading(store.engine) as connection:
        rows = await connection.execute(select(OUTBOX.c.reply, OUTBOX.c.version).order_by(OUTBOX.c.seq))
        return [(row.reply, row.version) for row in rows]


async def test_it_is_kept_as_it_was_found(store: Store):
    """Every field; a second look at the same machine adds nothing."""
    one = orphan(hourly=None, gpu="", note="x")
    await store.orphans.found(one, FOUND)
    await store.orphans.found(orphan(found_at=T0 + HOUR), FOUND)
    assert await only(store) == one
    assert await store.orphans.unfinished() == await store.orphans.unfinished("sim") == [one]
    assert await store.orphans.unfinished("other") == [] and await texts(store) == ["found it"]


async def test_two_sweeps_that_find_it_at_once_write_it_once(store: Store, other: Store):
    """A lease that ran out in the middle."""
    await asyncio.gather(*(each.orphans.found(orphan(), FOUND) for each in (store, other, store, other)))
    assert await count(store.engine, ORPHANS) == 1


async def test_what_the_sweep_sees_takes_back_nothing_that_a_person_said(store: Store):
    """It read the row before, and writes after."""
    await store.orphans.found(orphan(), FOUND)
    before = await only(store)
    await decide(store, Fate.IGNORE)
    await store.orphans.saw(replace(before, state=MachineState.STOPPED, note="slow"), now=T0 + 2 * MINUTE)
    after = await only(store)
    assert (after.fate, after.decided_by, after.decided_at) == (Fate.IGNORE, ANN, T0 + MINUTE)
    assert (after.state, after.note) == (MachineState.STOPPED, "slow")


@pytest.mark.parametrize("kept", [Fate.IGNORE, Fate.ADOPT])
async def test_a_life_that_was_spared_at_the_last_moment_is_not_ended(store: Store, kept: Fate):
    """The grace was over when the sweep looked; somebody pressed before it wrote."""
    await store.orphans.found(orphan(), FOUND)
    late = T0 + HOUR
    if kept is Fate.ADOPT:
        await adopt(store)
    else:
        await decide(store, kept)
    assert not await store.orphans.condemn(orphan(), now=late, entry=FOUND)
    assert (await only(store)).asked_at is None


async def test_once_its_end_is_asked_for_nobody_can_keep_it(store: Store):
    """It is written before the vendor hears of it."""
    await store.orphans.found(orphan(), FOUND)
    assert not await store.orphans.condemn(orphan(), now=T0 + MINUTE, entry=FOUND)  # in its grace
    assert await store.orphans.condemn(orphan(), now=T0 + HOUR, entry=FOUND)
    assert await store.orphans.condemn(
        orphan(), now=T0 + 2 * HOUR, entry=FOUND
    )  # and again, with no second line
    one = await only(store)
    assert (one.asked_at, one.fate, one.decided_by) == (T0 + HOUR, Fate.KILL, None)
    assert (await decide(store, Fate.IGNORE)).fate is Fate.KILL
    assert (await adopt(store)).fate is Fate.KILL and await count(store.engine, RENTALS) == 0
    assert await texts(store) == ["found it", "found it"]


async def test_of_a_kill_and_a_life_at_once_one_wins_and_both_hear_which(store: Store, other: Store):
    """Two people, two processes; whoever was first, the row is whole."""
    await store.orphans.found(orphan(), FOUND)
    killed, kept = await asyncio.gather(
        store.orphans.condemn(orphan(), now=T0 + HOUR, entry=FOUND), adopt(other, key="adopt")
    )
    one = await only(store)
    assert killed == (one.fate is Fate.KILL) and (kept.fate is Fate.ADOPT) == (not killed)
    assert await count(store.engine, RENTALS) == (0 if killed else 1)


async def test_the_same_request_has_no_second_effect(store: Store):
    """And one that came in vain stays in vain."""
    await store.orphans.found(orphan(), FOUND)
    assert (await decide(store, Fate.IGNORE, key="one")).fate is Fate.IGNORE
    await decide(store, Fate.KILL, key="two", by=BEN)
    assert (await decide(store, Fate.IGNORE, key="one")).decided_by == BEN
    assert await store.orphans.condemn(orphan(), now=T0 + MINUTE, entry=FOUND)
    await decide(store, Fate.IGNORE, key="three")
    assert not await store.rentals.done_before("three") and await store.rentals.done_before("two")


async def adopt(store: Store, key: str = "press") -> Orphan:
    rental = tab(
        "k7m2qd", goal=Goal.READY, began_at=T0, owner=BEN,
        attempts=(attempt(rental="k7m2qd", machine_id="m1", ready_at=T0, running_at=T0),),
    )  # fmt: skip
    return await store.orphans.adopt(
        orphan(), rental, by=BEN, key=key, entry=Entry("adopt", "took it", BEN.key)
    )


async def test_an_adoption_opens_the_rental_with_its_attempt_and_is_one_for_all(store: Store):
    """In one transaction with the orphan's row; the engine finds it due."""
    await store.orphans.found(orphan(), FOUND)
    for _ in range(2):
        assert (await adopt(store)).rental == "k7m2qd"
    rental = await store.rentals.get("k7m2qd")
    assert rental is not None and rental.attempts[0].machine_id == "m1"
    assert await store.claims.next_wake() == T0 and await store.orphans.unfinished() == []
    assert await texts(store, "k7m2qd") == ["took it"]


async def test_its_card_says_what_is_so_wherever_it_stands(store: Store):
    """Rewritten with the row, in the same transaction; in no place where it was not put."""
    await store.orphans.found(orphan(), FOUND)
    for homes in ([], [HERE], [HERE, THERE], [HERE, THERE]):
        await store.orphans.show(orphan(), homes, now=T0)
    assert await cards(store) == [(card(orphan()), 1)] * 2
    after = await decide(store, Fate.IGNORE)
    assert await cards(store) == [(card(after), 2)] * 2
    await store.orphans.saw(replace(after, note="not shown on an ignored one"), now=T0)
    assert await cards(store) == [(card(after), 2)] * 2


async def test_one_that_is_there_again_begins_anew_and_keeps_what_was_decided(store: Store):
    """A kill holds; its card is a new one, and the old one stays as it was."""
    await store.orphans.found(orphan(), FOUND)
    await store.orphans.show(orphan(), [HERE], now=T0)
    await decide(store, Fate.KILL)
    await store.orphans.condemn(orphan(), now=T0 + MINUTE, entry=FOUND)
    gone = replace(await only(store), absent_at=T0 + HOUR, gone_at=T0 + HOUR, tidied_at=T0 + HOUR)
    await store.orphans.saw(gone, now=T0 + HOUR)
    assert await store.orphans.unfinished() == []
    back = orphan(found_at=T0 + 2 * HOUR, kill_at=T0 + 3 * HOUR)
    await store.orphans.found(back, FOUND)
    assert await only(store) == replace(back, fate=Fate.KILL, decided_by=ANN, decided_at=T0 + MINUTE)
    await store.orphans.show(back, [HERE], now=T0 + 2 * HOUR)
    assert [reply.title for reply, _ in await cards(store)] == [card(gone).title] * 2
    assert (await cards(store))[0][0] == card(gone)


async def test_an_adoption_ends_with_its_rental(store: Store):
    """What is strange again afterwards is decided about anew."""
    await store.orphans.found(orphan(), FOUND)
    await adopt(store)
    back = orphan(label="lc-test-other", found_at=T0 + HOUR, kill_at=T0 + 2 * HOUR)
    await store.orphans.found(back, FOUND)
    assert await only(store) == back


async def test_owners_are_known_by_label_and_living_ones_by_id_too(store: Store):
    """An id means something on its own provider only; a label that was altered hides no living rental's machine."""
    await store.orphans.found(orphan(), FOUND)
    await adopt(store)
    label = attempt(rental="k7m2qd").label
    listed = [
        machine("m1", "altered"),
        machine("m2", label),
        machine("m3", "lc-test-zzzzzz-1-20260303T0900Z"),
    ]
    owners = await store.orphans.owners("sim", listed)
    assert {one: owner.rental for one, owner in owners.items()} == {"m1": "k7m2qd", "m2": "k7m2qd"}
    assert owners["m2"].lives and owners["m2"].machine_id == "m1" and owners["m2"].actor == BEN
    assert await store.orphans.owners("other", listed[:1]) == {}
    assert await store.orphans.owners("sim", []) == {}
    claim = await claimed(store)
    [last] = claim.rental.attempts
    closed = replace(claim.rental, attempts=(replace(last, gone_at=T0),), closed_at=T0)
    await store.claims.apply(claim, closed, now=T0, wake_at=T0)
    owners = await store.orphans.owners("sim", listed)
    assert set(owners) == {"m2"} and not owners["m2"].lives


@pytest.mark.parametrize("text", ["m1", "M1", "sim/m1", "SIM/m1"])
async def test_it_is_called_by_its_name_or_its_id(store: Store, text: str):
    """In any case of letters; another's name is not its."""
    await store.orphans.found(orphan(), FOUND)
    await store.orphans.found(orphan(provider="sim/ws1", machine_id="m2"), FOUND)
    assert [one.machine_id for one in await store.orphans.named(text)] == ["m1"]
    assert [one.name for one in await store.orphans.named("sim/ws1/m2")] == ["sim/ws1/m2"]
    assert await store.orphans.named("other/m1") == [] and await store.orphans.named("m") == []


async def test_a_label_is_used_as_long_as_another_machine_goes_by_it(store: Store):
    """One of nobody, or one of a rental that is not proven gone."""
    one, twin = orphan(), orphan(machine_id="m2")
    await store.orphans.found(one, FOUND)
    assert not await store.orphans.is_used(one.label, but=one)
    await store.orphans.found(twin, FOUND)
    assert await store.orphans.is_used(one.label, but=one)
    await store.orphans.saw(replace(twin, gone_at=T0 + SECOND), now=T0)
    assert not await store.orphans.is_used(one.label, but=one)
    await adopt(store)
    assert await store.orphans.is_used(one.label, but=orphan(machine_id="m3"))
