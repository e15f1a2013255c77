"""Closing the tab: in every step, against vendors that do not listen, and never by giving up."""

from __future__ import annotations

import pytest

from adapters.simulators.faults import FaultKind
from adapters.simulators.training import Training
from bot.domain.rental import Ending, Step
from bot.domain.talk import Tone
from tests.support.small_town import FOR_EVER, MINUTE, SECOND, SmallTown
from tests.support.towns import Found


async def _ready(town: SmallTown) -> str:
    tab = await town.rent("up world 3090 for 2h")
    await town.until(tab, lambda rental: rental.attempt is not None and rental.attempt.ready_at)
    return tab


@pytest.mark.parametrize("step", list(Step)[:-1])
async def test_down_in_any_step_closes_the_tab(found: Found, step: Step):
    """Within a minute, with what there is to save, and nothing left."""
    town = await found()
    town.shell.script = Training(lasts=MINUTE, lines=30)
    tab = await town.rent()
    await town.until_step(tab, step)
    await town.ask(f"down {tab}")
    began = town.clock.now()
    rental = await town.until_closed(tab)
    assert rental.ending in (Ending.DOWN, Ending.CANCELLED)
    assert town.clock.now() - began <= MINUTE
    assert "ann" in rental.ending_note


async def test_a_destroy_that_does_nothing_is_asked_for_again(town: SmallTown):
    """Asked for is not gone."""
    tab = await _ready(town)
    town.vendor("destroy", FaultKind.SHRUG, times=5)
    await town.ask(f"down {tab}")
    await town.until_closed(tab)
    assert town.world.calls["destroy"] >= 6


async def test_a_machine_that_takes_long_to_end_is_waited_for(found: Found):
    """It is listed as ending, and billed, until it is not."""
    town = await found(world_options={"destroy_lag": 3 * MINUTE, "unlist_lag": 20 * SECOND})
    tab = await _ready(town)
    await town.ask(f"down {tab}")
    began = town.clock.now()
    await town.until_closed(tab)
    assert town.clock.now() - began >= 3 * MINUTE
    assert len(await town.told(tab, "destroy")) == 1


async def test_a_listing_that_lags_behind_spares_nothing(found: Found):
    """A machine whose id is known is asked to end although no list shows it yet."""
    town = await found(world_options={"list_lag": 30 * SECOND})
    tab = await town.rent("up world 3090")
    await town.until(tab, lambda rental: rental.attempts and rental.attempts[0].machine_id)
    await town.ask(f"down {tab}")
    await town.until_closed(tab)


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        ("machines", FaultKind.GARBLED),
        ("machines", FaultKind.NEEDS_HUMAN),
        ("destroy", FaultKind.TRY_LATER),
        ("inspect", FaultKind.GARBLED),
    ],
)
async def test_an_answer_that_cannot_be_had_never_closes_a_tab(town: SmallTown, call: str, kind: FaultKind):
    """Unknown is not gone: alarms after 10, 30 and 60 minutes, each once; closed when it heals."""
    tab = await _ready(town)
    town.vendor(call, kind, times=FOR_EVER, reason="the key was revoked")
    if call != "machines":
        town.vendor("machines", FaultKind.GARBLED, times=FOR_EVER)
    await town.ask(f"down {tab}")
    began = town.clock.now()
    await town.pass_time(95 * MINUTE)
    assert (await town.rental(tab)).closed_at is None
    said = [one for one in town.chat.said() if one.key.startswith("stuck:")]
    assert [one.key for one in said] == [f"stuck:{tab}:1:{minutes}" for minutes in (10, 30, 60)]
    assert [round((one.at - began) / MINUTE) for one in said if one.at] == [10, 30, 60]
    assert all(one.reply.tone is Tone.ALARM and one.reply.mention for one in said)
    assert "Look into the provider's own console" in said[0].text
    town.mend()
    await town.until_closed(tab)
    assert town.notices("stuck:") == [one.key for one in said]


async def test_a_listing_that_cannot_be_read_does_not_keep_the_machine_alive(town: SmallTown):
    """Its id is known: it is asked to end first of all, and the proof comes later."""
    tab = await _ready(town)
    town.vendor("machines", FaultKind.GARBLED, times=FOR_EVER)
    await town.ask(f"down {tab}")
    await town.pass_time(MINUTE)
    assert not town.world.alive() and (await town.rental(tab)).closed_at is None
    town.mend()
    await town.until_closed(tab)


async def test_a_provider_that_is_not_configured_any_more_is_told_and_never_closed(town: SmallTown):
    """Somebody took its key away while a machine ran: the alarms say so, and the tab closes when it is back."""
    tab = await _ready(town)
    before = town.town.wrap.provider
    town.town.wrap.provider = lambda inner: _renamed(before(inner))
    town.again()
    await town.ask(f"down {tab}")
    await town.pass_time(12 * MINUTE)
    assert (await town.rental(tab)).closed_at is None and town.world.alive()
    assert "world is not configured any more" in town.chat.said_once(f"stuck:{tab}:1:10").text
    town.town.wrap.provider = before
    town.town.provider.name = "world"
    town.again()
    await town.until_closed(tab)


def _renamed(provider):
    provider.name = "another"
    return provider


async def test_a_machine_that_comes_back_before_the_proof_is_ended_again(town: SmallTown):
    """One listing without it proves nothing."""
    tab = await _ready(town)
    town.vendor("destroy", FaultKind.RETURNS, late=2 * SECOND)
    await town.ask(f"down {tab}")
    await town.until_closed(tab)
    assert len(town.world.ever()[0].spans) == 2


async def test_a_machine_that_was_ended_by_hand_closes_the_tab_too(town: SmallTown):
    """Already gone is success."""
    tab = await _ready(town)
    await town.ask(f"down {tab}")
    town.world.vanish(town.world.ever()[0].id)
    await town.until_closed(tab)


async def test_the_keys_of_a_machine_go_with_it(town: SmallTown):
    """Also those of launches that were refused."""
    town.vendor("launch", FaultKind.NO_CAPACITY)
    tab = await town.rent()
    await town.until_closed(tab)
    for number in (1, 2):
        with pytest.raises(KeyError):
            await town.life.store.vault.private_key(f"{tab}-{number}")


async def test_all_mine_are_ended_by_one_word(town: SmallTown):
    """Each with its own proof."""
    tabs = [await _ready(town) for _ in range(2)]
    reply = await town.ask("down mine")
    assert set(reply.data["rentals"]) == set(tabs)
    for tab in tabs:
        await town.until(tab, lambda rental: rental.closed_at)
    town_is_empty(town)


def town_is_empty(town: SmallTown) -> None:
    """Nothing is billed and nothing will be."""
    assert not town.world.alive() and not town.world.unborn()
