"""The line into the machine is cut, slow or full, in every step, for a while and for ever."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from adapters.simulators.faults import FaultKind
from adapters.simulators.machine import SimMachine
from bot.domain.rental import Ending, Rental, Step
from bot.domain.talk import Tone
from tests.support.crash import Forwarding
from tests.support.small_town import FOR_EVER, HOUR, MINUTE, TRAIN, SmallTown

CALLS = [
    (Step.VALIDATE, "pin"),
    (Step.VALIDATE, "run"),
    (Step.DEPLOY_TOOLS, "send"),
    (Step.DEPLOY_TOOLS, "run"),
    (Step.TRANSFER_DATASET, "send"),
    (Step.TRAIN, "send"),
    (Step.TRAIN, "start"),
    (Step.TRAIN, "look"),
    (Step.PULL_RESULTS, "fetch"),
]
NAMES = [f"{step.value}, {call}" for step, call in CALLS]


@pytest.mark.parametrize(("step", "call"), CALLS, ids=NAMES)
@pytest.mark.parametrize("kind", [FaultKind.UNREACHABLE, FaultKind.CUT, FaultKind.TOO_SLOW])
async def test_a_bad_line_in_any_step_costs_time_and_nothing_else(
    town: SmallTown, step: Step, call: str, kind: FaultKind
):
    """Three tries fail, before or after their effect; then it goes on, on the same machine, nothing twice."""
    tab = await town.rent()
    await town.until_step(tab, step)
    town.broken(call, kind, times=3)
    rental = await town.until_closed(tab, within=HOUR)
    assert rental.ending is Ending.DONE
    assert len(town.world.ever()) == 1
    assert [name for name in town.world.ever()[0].units if name != "switch"] == [rental.attempts[0].unit]


@pytest.mark.parametrize(("step", "call"), CALLS[:-1], ids=NAMES[:-1])
async def test_a_machine_that_cannot_be_reached_any_more_is_given_up(town: SmallTown, step: Step, call: str):
    """After minutes, not hours; another is tried, and when none can be reached, everything is torn down."""
    tab = await town.rent()
    await town.until_step(tab, step)
    town.broken(call, FaultKind.UNREACHABLE, times=FOR_EVER)
    began = town.clock.now()
    rental = await town.until_closed(tab)
    assert rental.ending is Ending.FAILED
    assert town.clock.now() - began < HOUR
    assert "unreachable" in town.card(tab)


async def test_finished_results_that_cannot_be_reached_are_waited_for_until_the_hard_end(town: SmallTown):
    """They were paid for: nobody destroys them for a bad line, and nobody pays for them for ever."""
    tab = await town.rent(f"{TRAIN} for 20m")
    await town.until_step(tab, Step.PULL_RESULTS)
    town.broken("fetch", FaultKind.UNREACHABLE, times=FOR_EVER)
    await town.pass_time(5 * MINUTE)
    rental = await town.until_closed(tab)
    assert rental.ending is Ending.HARD_END and len(rental.attempts) == 1
    assert rental.hard_end is not None and town.clock.now() < rental.hard_end + MINUTE
    assert "the results cannot be pulled" in town.chat.said_once(f"alert:{tab}:unpulled-1:1:0").text


async def test_somebody_else_at_the_machines_address_is_told_nothing(town: SmallTown):
    """Another host key condemns the machine at once."""
    tab = await town.rent()
    await town.until_step(tab, Step.TRANSFER_DATASET)
    town.world.ever()[0].key_turn += 1
    rental = await town.until_closed(tab)
    assert rental.ending is Ending.DONE and len(rental.attempts) == 2
    assert not any(name.startswith("data/") for name in town.world.ever()[0].files)


# --- disks --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("step", "call"), [one for one in CALLS if one[1] == "send"], ids=str)
async def test_a_full_disk_over_there_condemns_the_machine(town: SmallTown, step: Step, call: str):
    """Another one may have room."""
    tab = await town.rent()
    await town.until_step(tab, step)
    town.broken(call, FaultKind.DISK_FULL)
    rental = await town.until_closed(tab)
    assert rental.ending is Ending.DONE and len(rental.attempts) == 2
    assert "disk is full" in (rental.attempts[0].condemned or "")


async def test_full_disks_everywhere_are_told_with_what_to_ask_for(town: SmallTown):
    """The sentence and the fix."""
    town.broken("send", FaultKind.DISK_FULL, times=FOR_EVER)
    tab = await town.rent()
    rental = await town.until_closed(tab)
    assert rental.ending is Ending.FAILED and len(rental.attempts) == 2
    assert "disk is full" in town.card(tab) and "disk 80GB" in town.card(tab)


async def test_a_full_disk_at_home_keeps_the_results_on_the_machine_until_its_hard_end(town: SmallTown):
    """A loud notice, once, long before; then the tab is closed all the same."""
    tab = await town.rent(f"{TRAIN} for 15m")
    await town.until_step(tab, Step.PULL_RESULTS)
    town.broken("fetch", FaultKind.DISK_FULL, times=FOR_EVER)
    began = town.clock.now()
    await town.until(tab, lambda rental: rental.stumbles == 4)
    assert town.clock.now() - began < 2 * MINUTE
    await town.say_all()
    notice = town.chat.said_once(f"alert:{tab}:unpulled-1:1:0").reply
    assert notice.tone is Tone.ALARM and notice.mention
    assert "no space left" in notice.lines[0] and "until 09:15 UTC" in notice.lines[1]
    assert town.world.alive()
    rental = await town.until_closed(tab)
    assert rental.ending is Ending.HARD_END and rental.hard_end is not None
    assert rental.hard_end <= town.clock.now() < rental.hard_end + MINUTE
    town.chat.said_once(f"alert:{tab}:unpulled-1:1:0")


async def test_room_made_at_home_brings_the_results_in(town: SmallTown):
    """It goes on trying."""
    tab = await town.rent()
    await town.until_step(tab, Step.PULL_RESULTS)
    town.broken("fetch", FaultKind.DISK_FULL, times=12)
    rental = await town.until_closed(tab)
    assert rental.ending is Ending.DONE
    assert f"tiny-lora-{tab}.safetensors" in town.results(tab)


async def test_a_folder_of_results_that_cannot_be_written_is_the_same(town: SmallTown):
    """Here it is a file where the folder should be."""
    tab = await town.rent(f"{TRAIN} for 10m")
    await town.until_step(tab, Step.PULL_RESULTS)
    blocked = town.town.folder / "results"
    blocked.write_text("in the way")
    await town.until(tab, lambda rental: rental.stumbles == 4)
    await town.say_all()
    town.chat.said_once(f"alert:{tab}:unpulled-1:1:0")
    blocked.unlink()
    assert (await town.until_closed(tab)).ending is Ending.DONE


@pytest.mark.parametrize(("step", "call"), [one for one in CALLS if one[1] in ("send", "fetch")], ids=str)
async def test_bytes_that_changed_on_the_way_are_sent_again(town: SmallTown, step: Step, call: str):
    """The digests differ, so that nothing is believed."""
    tab = await town.rent()
    await town.until_step(tab, step)
    town.broken(call, FaultKind.CORRUPT, times=2)
    rental = await town.until_closed(tab)
    assert rental.ending is Ending.DONE and len(rental.attempts) == 1


async def test_a_transfer_that_is_cut_goes_on_where_it_was(town: SmallTown):
    """What arrived is not sent again."""
    tab = await town.rent()
    await town.until_step(tab, Step.TRANSFER_DATASET)
    town.broken("send", FaultKind.CUT, parts=2)
    rental = await town.until_closed(tab)
    assert rental.ending is Ending.DONE
    assert len([name for name in town.world.ever()[0].files if name.startswith("data/")]) == 4


# --- the data set and the recipe ----------------------------------------------------------------


async def _until_transfer(town: SmallTown) -> str:
    tab = await town.rent()
    await town.until_step(tab, Step.TRANSFER_DATASET)
    return tab


async def test_a_data_set_that_was_changed_after_asking_is_not_trained_on(town: SmallTown):
    """What was checked is what travels."""
    tab = await _until_transfer(town)
    (town.images / "0.txt").write_text("another caption")
    rental = await town.until_closed(tab)
    assert rental.ending is Ending.FAILED
    assert "was changed after" in town.card(tab) and "Ask for it again." in town.card(tab)


async def test_a_data_set_that_was_removed_after_asking_ends_the_rental(town: SmallTown):
    """With its name."""
    tab = await _until_transfer(town)
    town.images.rename(town.images.with_name("elsewhere"))
    rental = await town.until_closed(tab)
    assert rental.ending is Ending.FAILED
    assert "There is no folder" in town.card(tab)


@pytest.mark.parametrize("step", list(dict.fromkeys(step for step, _ in CALLS)))
async def test_a_recipe_that_was_removed_in_the_middle_is_carried_out_as_it_was_asked_for(
    town: SmallTown, step: Step
):
    """A rental keeps the recipe's text: a file that is edited or removed later changes nothing for it."""
    tab = await town.rent()
    await town.until_step(tab, step)
    town.town.recipes = {name: file for name, file in town.town.recipes.items() if name != "tiny-lora"}
    town.again()
    rental = await town.until_closed(tab, within=10 * MINUTE)
    assert rental.ending is Ending.DONE


# --- faults of our own --------------------------------------------------------------------------


class Breaking(Forwarding):
    """A shell with a fault of ours in one of its calls."""

    def __init__(self, inner: Any, call: str, times: int = 10**6) -> None:
        super().__init__(inner)
        self.left = times
        good = getattr(inner, call)

        async def fails(*args: Any, **named: Any) -> Any:
            if self.left > 0:
                self.left -= 1
                raise RuntimeError("a bug, with a secret: sk-12345")
            return await good(*args, **named)

        setattr(self, call, fails)


@pytest.mark.parametrize(("step", "call"), CALLS, ids=NAMES)
async def test_a_fault_of_ours_in_any_step_never_blocks_the_teardown(town: SmallTown, step: Step, call: str):
    """It is tried again for a while, told with a reference, and the tab is closed. Nobody sees a traceback."""
    tab = await town.rent(f"{TRAIN} for 30m")
    await town.until_step(tab, step)
    town.town.shell = Breaking(town.shell, call)
    town.again()
    rental = await town.until_closed(tab)
    assert rental.ending in (Ending.FAILED, Ending.HARD_END)
    said = "".join(one.text for one in town.chat.said()) + "".join(
        line.text for line in await town.journal(tab)
    )
    assert "a fault of Lastcall (RuntimeError, reference" in said
    assert "Traceback" not in said and "sk-12345" not in said


@pytest.mark.parametrize(("step", "call"), CALLS, ids=NAMES)
async def test_a_fault_of_ours_that_passes_is_forgotten(town: SmallTown, step: Step, call: str):
    """Two passes fall, the third goes on."""
    tab = await town.rent()
    await town.until_step(tab, step)
    town.town.shell = Breaking(town.shell, call, times=2)
    town.again()
    assert (await town.until_closed(tab)).ending is Ending.DONE


@pytest.mark.parametrize("call", ["machines", "inspect", "destroy"])
async def test_a_fault_of_ours_in_a_providers_adapter_does_not_end_the_teardown(town: SmallTown, call: str):
    """It is asked again until it works."""
    tab = await town.rent()
    await town.until_step(tab, Step.TRAIN)
    town.town.wrap.provider = lambda inner: Breaking(inner, call, times=5)
    town.again()
    await town.ask(f"down {tab}")
    rental = await town.until_closed(tab)
    assert rental.ending is Ending.DOWN


def _machine(town: SmallTown) -> SimMachine:
    return town.world.ever()[-1]


async def test_a_machine_that_was_wiped_in_the_middle_of_a_training_is_replaced(town: SmallTown):
    """The vendor moved it to another host: nothing of ours is on it."""
    tab = await town.rent()
    await town.until(tab, lambda rental: rental.attempt is not None and rental.attempt.unit)
    _machine(town).units.clear()
    rental: Rental = await town.until_closed(tab, within=timedelta(hours=1))
    assert rental.ending is Ending.DONE and len(rental.attempts) == 2
