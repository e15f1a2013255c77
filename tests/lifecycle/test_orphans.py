"""Orphans: machines of ours that no rental knows are told, wait out a grace, and are ended until they are gone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.simulators.faults import FaultKind
from bot.domain.orphan import Fate
from bot.domain.talk import Tone
from tests.support.orphans import HOME, OURS, put, row, shown, sweep
from tests.support.small_town import FOR_EVER, HOUR, MINUTE, SmallTown
from tests.support.towns import Found

PAST = "lc-test-zzzzzz-1-20260302T0800Z"
"""Its time was over an hour before the town began."""


@pytest.fixture
async def town(found: Found) -> SmallTown:
    """A town with an empty database and a home for its cards."""
    return await found(homes=(HOME,))


async def test_with_an_empty_database_a_machine_of_ours_is_a_card_with_three_buttons(town: SmallTown):
    """Within one sweep of two; nothing is done to it yet."""
    machine = put(town)
    assert await sweep(town) == []
    [card] = shown(town)
    assert [one.label for one in card.buttons] == ["Kill", "Adopt", "Ignore"]
    assert {one.command for one in card.buttons} == {
        f"orphans {verb} world/{machine.id}" for verb in ("kill", "adopt", "ignore")
    }
    assert "09:16 UTC" in card.lines[1] and dict(card.fields)["label"] == OURS
    assert "$0.20/h" in dict(card.fields)["machine"] and card.tone is Tone.WARN
    assert not town.world.calls.get("destroy")


async def test_it_is_ended_by_itself_after_the_grace_and_proven_gone(town: SmallTown):
    """Not a sweep earlier; the card then says what it has cost at most."""
    machine = put(town)
    assert await sweep(town, 15) == []
    assert await sweep(town) == [machine.id]
    assert "nobody decided in time" in shown(town)[0].lines[0] and not shown(town)[0].buttons
    await sweep(town)
    assert (await row(town, machine)).gone_at is None  # once is not enough
    await sweep(town)
    [card] = shown(town)
    # found at 09:01, seen no more at 09:17
    assert "Gone since 09:17 UTC" in card.lines[0] and "at most $0.06" in card.lines[0]
    assert card.final and card.tone is Tone.GOOD and not card.buttons
    assert town.world.calls["destroy"] == 1 and not await town.life.store.orphans.unfinished()


async def test_the_time_in_its_label_is_the_end_of_the_grace_where_that_is_sooner(town: SmallTown):
    """One whose time is over is told first, and ended at the next sweep."""
    late, soon = put(town, PAST), put(town, "lc-test-zzzzzz-2-20260302T0905Z")
    assert await sweep(town) == []
    assert len(shown(town)) == 2
    assert await sweep(town) == [late.id]
    assert await sweep(town, 2) == []
    assert await sweep(town) == [soon.id]  # at 09:05


@pytest.mark.parametrize("label", [OURS + "x", "lc-test-zzzzzz-1", "lc-test-", "lc-test-my-box"])
async def test_a_label_that_was_altered_by_hand_is_still_of_ours(town: SmallTown, label: str):
    """As long as it begins with our name."""
    machine = put(town, label)
    await sweep(town)
    town.clock.advance(14 * MINUTE)
    assert dict(shown(town)[0].fields)["label"] == label
    assert await sweep(town) == [machine.id]


async def test_a_kill_that_is_shrugged_off_is_asked_again_and_told(town: SmallTown):
    """Each sweep, for as long as it takes; after ten minutes somebody is called."""
    machine = put(town, PAST)
    await sweep(town)
    town.vendor("destroy", FaultKind.SHRUG, times=FOR_EVER)
    for _ in range(3):
        assert await sweep(town) == [machine.id]
        town.clock.advance(4 * MINUTE)
    [alarm] = [said for said in town.chat.said() if said.key.startswith("orphan-stuck:")]
    assert alarm.channel == HOME and alarm.reply.tone is Tone.ALARM and "For 10 minutes" in alarm.text
    town.mend()
    assert await sweep(town) == [machine.id]
    await sweep(town, 2)
    assert (await row(town, machine)).gone_at and "Gone since" in shown(town)[0].lines[0]


async def test_a_kill_that_is_refused_is_on_the_card_and_spares_no_neighbour(town: SmallTown):
    """In the vendor's words, until it works."""
    first, second = put(town, PAST), put(town, PAST.replace("-1-", "-2-"))
    await sweep(town)
    town.vendor("destroy", FaultKind.NEEDS_HUMAN, reason="the key may not delete")
    assert await sweep(town) == [second.id]
    assert "the key may not delete" in shown(town)[0].lines
    assert await sweep(town) == [first.id]
    assert "the key may not delete" not in shown(town)[0].lines


async def test_one_that_disappears_by_itself_is_gone_and_was_never_asked_to(town: SmallTown):
    """Somebody ended it in the vendor's console."""
    machine = put(town)
    await sweep(town)
    town.world.vanish(machine.id)
    await sweep(town, 2)
    [card] = shown(town)
    assert "Gone since 09:02 UTC" in card.lines[0] and not town.world.calls.get("destroy")
    assert any("nobody had asked" in one.text for one in await town.life.store.journal.lines())


async def test_one_that_is_only_not_listed_is_not_gone(found: Found):
    """A list that lags shows nothing for an hour; ``inspect`` knows better, and what is due is ended all the same."""
    town = await found(homes=(HOME,), world_options={"list_lag": MINUTE})
    machine = put(town)
    await sweep(town, 2)
    town.world.list_lag = 2 * HOUR
    await sweep(town, 2)
    assert (await row(town, machine)).absent_at is None
    town.clock.advance(11 * MINUTE)
    assert await sweep(town) == [machine.id]


@pytest.mark.parametrize("call", ["machines", "inspect"])
async def test_a_provider_that_cannot_be_read_marks_and_ends_nothing(found: Found, call: str):
    """Unknown is not gone: neither a list nor an answer about one that cannot be read proves anything."""
    town = await found(homes=(HOME,), world_options={"list_lag": MINUTE})
    machine = put(town)
    await sweep(town, 2)
    before = await row(town, machine)
    if call == "inspect":
        town.world.list_lag = 2 * HOUR
    town.vendor(call, FaultKind.GARBLED, times=FOR_EVER)
    town.clock.advance(20 * MINUTE)
    assert await sweep(town, 3) == []
    assert await row(town, machine) == before and not town.world.calls.get("destroy")
    town.mend()
    assert await sweep(town) == [machine.id]


async def test_without_a_home_it_is_listed_and_ended_and_a_home_that_opens_gets_the_card(found: Found):
    """Nobody has to listen for a machine to be ended."""
    town = await found()
    first = put(town)
    await sweep(town)
    town.clock.advance(14 * MINUTE)
    assert await sweep(town) == [first.id]
    second = put(town, OURS.replace("-1-", "-2-"))
    await sweep(town)
    assert not town.chat.said()
    assert {one.name for one in await town.life.store.orphans.unfinished()} >= {f"world/{second.id}"}
    town.town.homes = (HOME,)
    await sweep(town)
    assert [one.title.split(":")[0] for one in shown(town)] == [f"world/{second.id}"]


async def test_the_bot_may_begin_again_at_any_time(town: SmallTown):
    """Found by one process, ended by a second, proven by a third: one card all the way."""
    machine = put(town)
    await sweep(town)
    town.again()
    town.clock.advance(14 * MINUTE)
    assert await sweep(town) == [machine.id]
    town.again()
    await sweep(town, 5)
    [card] = shown(town)
    assert "Gone since" in card.lines[0]


async def test_a_card_is_said_once_as_long_as_nothing_changes(town: SmallTown):
    """No edit a minute: a chat is not a clock."""
    put(town)
    await sweep(town, 10)
    [said] = [one for one in town.chat.said() if one.key.startswith("orphan:")]
    assert said.edits == []


async def test_one_whose_label_is_not_ours_any_more_is_left_alone(town: SmallTown):
    """Also when its end was decided: somebody took it over by hand."""
    machine = put(town)
    await sweep(town)
    machine.label = "ann's own"
    town.clock.advance(20 * MINUTE)
    assert await sweep(town, 2) == []
    assert "left alone" in shown(town)[0].lines[1]
    await town.ask(f"orphans kill world/{machine.id}")
    assert await sweep(town, 3) == [] and not town.world.calls.get("destroy")
    machine.label = OURS
    assert await sweep(town) == [machine.id]


async def test_one_that_comes_back_has_no_second_grace_and_a_card_of_its_own(town: SmallTown):
    """It was decided already; the old card stays as it was."""
    machine = put(town, PAST)
    await sweep(town)
    town.vendor("destroy", FaultKind.RETURNS, late=10 * MINUTE)
    await sweep(town, 3)
    assert (await row(town, machine)).gone_at
    town.clock.advance(8 * MINUTE)
    assert await sweep(town, 2) == [machine.id]
    await sweep(town, 2)
    assert ["Gone since" in card.lines[0] for card in shown(town)] == [True, True]
    assert (await row(town, machine)).fate is Fate.KILL and not town.world.alive()


async def test_a_clock_that_is_set_back_proves_nothing(town: SmallTown):
    """An absence in the future is forgotten and begins anew."""
    machine = put(town)
    await sweep(town)
    town.world.vanish(machine.id)
    now, orphan = town.clock.now(), await row(town, machine)
    await town.life.store.orphans.saw(replace(orphan, absent_at=now + HOUR), now=now)
    await sweep(town)
    seen = await row(town, machine)
    assert (seen.absent_at, seen.gone_at) == (now + MINUTE, None)
    await sweep(town)
    assert (await row(town, machine)).gone_at == now + 2 * MINUTE
