"""What cannot be ended from here, and what goes wrong with an end, is said wherever somebody looks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest

from adapters.simulators.chat import words
from adapters.simulators.faults import Fault, FaultKind
from bot.domain.rental import Step
from bot.domain.talk import Button, Kind, Reply, Tone
from bot.store.rows import Say
from tests.support.small_town import FOR_EVER, HOUR, MINUTE, SmallTown
from tests.support.town import ANN, HERE

CLOSED_TO_US = "is open on World and cannot be ended without WORLD_KEY."


def without_key(town: SmallTown) -> None:
    """The same database, and a process whose settings have lost the key."""
    house = town.life.desk.house
    cast("dict[str, Any]", house.providers).clear()
    keyed = [replace(one, title="World", setting="WORLD_KEY") for one in house.profiles]
    object.__setattr__(house, "profiles", keyed)


async def test_a_missing_key_does_not_hide_what_is_open(town: SmallTown):
    """Status, the card, down and orphans name the rental and the setting; an incomplete list says that it is one."""
    tab = await town.rent("up world 3090 for 1h")
    await town.pass_time(MINUTE)
    without_key(town)
    sentence = f"{tab} {CLOSED_TO_US}"
    assert sentence in (await town.ask("status")).lines
    assert sentence in (await town.ask(f"status {tab}")).lines
    reply = await town.ask("orphans")
    assert f"World was not asked: it has no key here (set WORLD_KEY), and {tab} is open there." in reply.lines
    assert reply.tone is Tone.WARN and reply.data["complete"] is False
    for line in (f"down {tab}", "down all"):
        reply = await town.ask(line)
        assert sentence in reply.lines and reply.data["ends"] is True


async def test_a_key_that_is_missing_while_nothing_is_open_is_no_problem(town: SmallTown):
    """What was proven gone is not brought up again."""
    tab = await town.rent("up world 3090 for 1h")
    await town.until_step(tab, Step.VALIDATE)
    await town.ask(f"down {tab}")
    await town.until_closed(tab)
    without_key(town)
    reply = await town.ask("orphans")
    assert reply.lines == () and reply.data["complete"] is True
    assert (await town.ask("status")).lines == ()


async def test_a_computer_of_another_process_is_no_missing_key(town: SmallTown):
    """A workstation has a name of its own and no setting that could be typed here."""
    tab = await town.rent("up world 3090 for 1h")
    await town.pass_time(MINUTE)
    without_key(town)
    object.__setattr__(town.life.desk.house, "profiles", [])
    [line] = (await town.ask("status")).lines[:1]
    assert line == f"{tab} is open on world, which only another process has: it cannot be ended from here."
    assert "only another process has it" in words(await town.ask("orphans"))


async def test_a_key_that_is_refused_during_the_teardown_is_seen_in_status(town: SmallTown):
    """Nobody has to look into the journal."""
    tab = await town.rent("up world 3090 for 1h")
    await town.pass_time(MINUTE)
    for call in ("destroy", "machines"):
        town.vendor(call, FaultKind.NEEDS_HUMAN, times=FOR_EVER, reason="the key is not valid")
    await town.ask(f"down {tab}")
    await town.pass_time(MINUTE)
    assert f"{tab}: teardown: the key is not valid." in (await town.ask("status")).lines
    assert "teardown: the key is not valid" in words(await town.ask(f"status {tab}"))
    town.mend()
    await town.until_closed(tab)


@pytest.mark.parametrize("over", [True, False])
async def test_a_notice_that_waited_offers_nothing_that_is_over(town: SmallTown, over: bool):
    """The chat was down: about a closed rental there are no buttons and nobody is called; of an open one, as ever."""
    tab = await town.rent("up world 3090 for 90m")
    await town.pass_time(MINUTE)
    town.chat.down_until = town.clock.now() + HOUR
    buttons = (Button("Tear down", f"down {tab}"),)
    late = Reply(Kind.NOTICE, "50 % used", buttons=buttons, rental=tab, mention=(ANN,))
    await town.life.store.outbox.put(Say("late", HERE, late), now=town.clock.now(), rental=tab)
    if over:
        await town.ask(f"down {tab}")
    await town.pass_time(61 * MINUTE)
    await town.say_all()
    reply = town.chat.said_once("late").reply
    assert bool(reply.buttons) is bool(reply.mention) is not over
    assert ("is closed since" in words(reply)) is over


async def test_an_unreadable_vendor_makes_the_list_incomplete(town: SmallTown):
    """A script is told by more than a sentence."""
    assert (await town.ask("orphans")).data["complete"] is True
    town.world.plan("machines", Fault(FaultKind.NEEDS_HUMAN, reason="no"))
    assert (await town.ask("orphans")).data["complete"] is False
