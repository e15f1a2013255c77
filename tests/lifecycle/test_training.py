"""The trainer crashes, hangs, babbles, ends early, ends late, and leaves good or bad files."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from adapters.simulators.faults import Fault, FaultKind
from adapters.simulators.training import Training, tiny_safetensors
from bot.domain.rental import Ending, Step
from tests.support.crash import Forwarding
from tests.support.small_town import FOR_EVER, MINUTE, SECOND, TRAIN, SmallTown, Trainer, bar

WHOLE = tiny_safetensors(0, 8)
DONE = bar(4, loss="0.2") + bar(8) + b"\nmodel saved.\n"


async def _trained_by(town: SmallTown, trainer: Trainer | Training, text: str = TRAIN) -> str:
    """A rental with this trainer, lived to its end."""
    town.shell.script = trainer
    tab = await town.rent(text)
    await town.until_closed(tab)
    return tab


async def test_a_known_error_is_told_with_its_sentence_and_fix(town: SmallTown):
    """The recipe knows what its tool says when the disk is full."""
    says = ((0.5, bar(2)), (1.0, b"\nOSError: [Errno 28] No space left on device\n"))
    tab = await _trained_by(town, Trainer(says, exit_code=1))
    card = town.card(tab)
    assert "The machine's disk is full" in card and "at step 2" in card
    assert "Ask for more disk: disk 80GB." in card
    assert (await town.rental(tab)).ending is Ending.FAILED and len(town.world.ever()) == 1


async def test_a_known_error_is_found_although_much_was_said_between_it_and_the_end(town: SmallTown):
    """It was read by an earlier look, long before the exit."""
    says = (
        (0.5, bar(2)),
        (1.0, b"\nthe loss is gone: lower the learning rate\n"),
        (6.0, b"shutting down workers\n"),
    )
    tab = await _trained_by(town, Trainer(says, lasts=8 * SECOND, exit_code=1))
    assert "The numbers ran away" in town.card(tab) and "lr=0.001" in town.card(tab)


async def test_an_unknown_error_is_told_in_the_trainers_last_words(town: SmallTown):
    """Without the bars, without control characters."""
    says = (
        (0.5, bar(3)),
        (1.0, b"\nTraceback (most recent call last):\n  File x\nValueError: bad \x1b[31mthing\x07\n"),
    )
    tab = await _trained_by(town, Trainer(says, exit_code=1))
    card = town.card(tab)
    assert "ended with exit 1 at step 3 of 8" in card
    assert "ValueError: bad" in card
    assert "\x1b" not in card and "\x07" not in card


@pytest.mark.parametrize("code", [137, -9])
async def test_a_trainer_that_was_killed_from_outside_is_told_so(town: SmallTown, code: int):
    """The kernel ends what takes too much memory, without a word."""
    tab = await _trained_by(town, Trainer(((0.5, bar(3)),), exit_code=code))
    assert "killed from outside" in town.card(tab) and "more memory" in town.card(tab)


async def test_a_machine_that_was_rebooted_under_the_trainer_is_told_so(town: SmallTown):
    """Nobody was left to write an exit."""
    town.shell.script = Trainer(((0.5, bar(3)),), lasts=None)
    tab = await town.rent()
    await town.until(tab, lambda rental: rental.progress.step == 3)
    town.shell.reboot(town.world.ever()[0])
    rental = await town.until_closed(tab)
    assert rental.ending is Ending.FAILED and "killed from outside" in town.card(tab)


async def test_a_trainer_that_hangs_is_ended_after_the_recipes_patience(town: SmallTown):
    """No byte in the log for a minute; what there is, is saved."""
    town.shell.script = Trainer(((0.5, bar(3)),), lasts=None)
    tab = await town.rent()
    began = town.clock.now()
    rental = await town.until_closed(tab)
    assert rental.ending is Ending.FAILED and "hangs" in town.card(tab)
    assert MINUTE < town.clock.now() - began < 3 * MINUTE


async def test_a_slow_trainer_that_speaks_does_not_hang(town: SmallTown):
    """A word every 50 seconds is a sign of life."""
    says = tuple((50.0 * turn, bar(turn, left="10:00")) for turn in range(1, 5))
    trainer = Trainer((*says, (201.0, DONE)), lasts=timedelta(seconds=202), final=WHOLE)
    tab = await _trained_by(town, trainer)
    assert (await town.rental(tab)).ending is Ending.DONE


async def test_half_a_line_is_a_sign_of_life_too(town: SmallTown):
    """A bar without its end is not read yet, and it has grown."""
    says = tuple((50.0 * turn, bar(turn, left="10:00").rstrip(b"\r")) for turn in range(1, 5))
    trainer = Trainer((*says, (201.0, DONE)), lasts=timedelta(seconds=202), final=WHOLE)
    tab = await _trained_by(town, trainer)
    assert (await town.rental(tab)).ending is Ending.DONE


async def test_garbage_and_broken_characters_are_read_past(town: SmallTown):
    """Invalid UTF-8, NULs, half bars, 2 MB without a line end."""
    noise = b"\xff\xfe\x00\x1b[2J" * 1000 + b"steps: 10%|" + b"9" * 2_000_000
    says = ((0.2, noise), (0.5, b"\n" + bar(3)), (0.8, noise), (1.5, DONE))
    tab = await _trained_by(town, Trainer(says, final=WHOLE))
    rental = await town.rental(tab)
    assert rental.ending is Ending.DONE and rental.progress.step == 8


async def test_a_loss_that_is_no_number_any_more_ends_the_training(town: SmallTown):
    """After as many readings as the recipe allows, with a fix; before that money is not wasted on it."""
    says = tuple((0.2 * turn, bar(min(turn, 7), loss="nan")) for turn in range(1, 40))
    tab = await _trained_by(town, Trainer(says, lasts=None))
    rental = await town.rental(tab)
    assert rental.ending is Ending.FAILED and rental.progress.loss is None
    assert "no number any more" in town.card(tab) and "smaller learning rate" in town.card(tab)


async def test_a_few_bad_numbers_on_the_way_do_not(town: SmallTown):
    """Mixed precision stumbles now and then."""
    says = ((0.3, bar(1, loss="nan")), (0.6, bar(2, loss="inf")), (1.0, DONE))
    tab = await _trained_by(town, Trainer(says, final=WHOLE))
    assert (await town.rental(tab)).ending is Ending.DONE


@pytest.mark.parametrize("says", [b"", b"Job stopped\n", bar(3)], ids=["nothing", "a word", "a bar"])
async def test_exit_0_before_the_last_step_is_no_success(town: SmallTown, says: bytes):
    """The exit code alone lies both ways."""
    tab = await _trained_by(town, Trainer(((0.5, says),), final=WHOLE))
    assert (await town.rental(tab)).ending is Ending.FAILED
    assert "ended with exit 0 at step" in town.card(tab)


@pytest.mark.parametrize("code", [-11, 139, 1])
async def test_a_bad_exit_after_the_last_step_with_a_good_file_is_a_success(town: SmallTown, code: int):
    """An interpreter that falls while it shuts down has done its work."""
    tab = await _trained_by(town, Trainer(((1.0, DONE),), exit_code=code, final=WHOLE))
    assert (await town.rental(tab)).ending is Ending.DONE
    assert any(
        f"it ended with exit {code} after its last step" in text for text in await town.told(tab, "train")
    )


@pytest.mark.parametrize(
    ("final", "words"),
    [
        (None, "it is missing"),
        (WHOLE[:-3], "it is cut off"),
        (b"", "cut off or no safetensors"),
        (b"x" * 50, "cut off or no"),
    ],
    ids=["missing", "truncated", "empty", "garbage"],
)
async def test_a_final_file_that_is_not_whole_is_no_success(town: SmallTown, final: bytes | None, words: str):
    """It is judged by its own header, and what there is comes home all the same."""
    tab = await _trained_by(town, Trainer(((1.0, DONE),), final=final))
    rental = await town.rental(tab)
    assert rental.ending is Ending.FAILED and rental.pulled_at is not None
    assert words in town.card(tab)


async def test_a_training_that_takes_longer_than_its_preset_is_stopped_on_the_machine(town: SmallTown):
    """By its own supervisor: also when nobody is connected."""
    says = tuple((30.0 * turn, bar(min(turn, 6), left="10:00")) for turn in range(1, 12))
    tab = await _trained_by(town, Trainer(says, lasts=None))
    assert "was stopped after 5 min at step 6 of 8" in town.card(tab)


async def test_checkpoints_of_a_training_that_failed_are_saved(town: SmallTown):
    """What was paid for is brought home before the machine goes."""
    failing = Training(lasts=6 * SECOND, lines=6, checkpoints=2, exit_code=1)
    tab = await _trained_by(town, failing)
    rental = await town.rental(tab)
    assert rental.ending is Ending.FAILED
    assert {name for name in town.results(tab) if "-step" in name} != set()
    assert rental.pulled_at is not None and "lastcall.json" in town.results(tab)


async def test_down_in_the_middle_lets_the_trainer_save_and_asks_it_once(town: SmallTown):
    """A second TERM would tear it out of its saving."""
    town.shell.script = Training(lasts=MINUTE, lines=60, checkpoints=3)
    tab = await town.rent()
    await town.until(tab, lambda rental: rental.progress.step >= 5)
    await town.ask(f"down {tab}")
    rental = await town.until_closed(tab, within=MINUTE)
    assert rental.ending is Ending.DOWN and town.shell.calls["stop"] == 1
    assert any("-step" in name for name in town.results(tab))


async def test_a_trainer_that_does_not_listen_is_killed_after_its_grace(town: SmallTown):
    """And then what lies there is taken."""
    town.shell.script = Trainer(((0.5, bar(3)),), lasts=None, stubborn=True)
    tab = await town.rent()
    await town.until(tab, lambda rental: rental.progress.step == 3)
    await town.ask(f"down {tab}")
    began = town.clock.now()
    rental = await town.until_closed(tab)
    assert rental.pulled_at is not None
    assert 10 * SECOND <= town.clock.now() - began < MINUTE


class Deaf(Forwarding):
    """A machine whose processes hang in the kernel."""

    async def stop(self, access: Any, unit: str, *, grace: timedelta) -> None:
        """Nobody hears."""


async def test_a_process_that_cannot_be_ended_holds_no_tab_open(town: SmallTown):
    """The grace is over, it is still there: the machine under it goes."""
    town.shell.script = Trainer(((0.5, bar(3)),), lasts=None)
    tab = await town.rent()
    await town.until(tab, lambda rental: rental.progress.step == 3)
    town.town.shell = Deaf(town.shell)
    town.again()
    await town.ask(f"down {tab}")
    began = town.clock.now()
    assert (await town.until_closed(tab)).ending is Ending.DOWN
    assert town.clock.now() - began < 2 * MINUTE


async def test_salvage_from_a_machine_that_cannot_be_reached_is_tried_three_times(town: SmallTown):
    """Then the tab is closed without."""
    town.shell.script = Trainer(((0.5, bar(3)),), lasts=None)
    tab = await town.rent()
    await town.until(tab, lambda rental: rental.progress.step == 3)
    for call in ("look", "stop", "fetch"):
        town.shell.plan(call, _cut())
    await town.ask(f"down {tab}")
    began = town.clock.now()
    rental = await town.until_closed(tab)
    assert rental.ending is Ending.DOWN and rental.pulled_at is None
    assert town.clock.now() - began < MINUTE


def _cut() -> Fault:
    return Fault(FaultKind.UNREACHABLE, times=FOR_EVER)


async def test_a_restarted_bot_goes_on_where_the_log_was_read(town: SmallTown):
    """Nothing is started twice, nothing is read twice."""
    town.shell.script = Training(lasts=20 * SECOND, lines=8)
    tab = await town.rent()
    before = await town.until(tab, lambda rental: rental.progress.step >= 4)
    town.again()
    rental = await town.until_closed(tab)
    assert rental.ending is Ending.DONE and town.shell.calls["start"] == 2  # the switch, and one training
    assert rental.progress.offset > before.progress.offset
    assert [step for step, _ in rental.progress.losses] == list(range(1, 9))


async def test_a_long_log_that_grew_while_nobody_looked_is_read_to_its_end(town: SmallTown):
    """A piece of it at a time."""
    long = b"".join(b"%06d %s\n" % (number, b"x" * 200) for number in range(5000))
    tab = await _trained_by(town, Trainer(((0.5, long), (1.0, DONE)), final=WHOLE))
    rental = await town.rental(tab)
    assert rental.ending is Ending.DONE and rental.progress.offset == len(long + DONE)


async def test_the_card_shows_how_far_it_is(town: SmallTown):
    """Step, total, loss, and how much is left."""
    town.shell.script = Training(lasts=MINUTE, lines=30)
    tab = await town.rent()
    rental = await town.until(tab, lambda rental: rental.progress.step >= 4)
    await town.say_all()
    assert rental.step is Step.TRAIN
    card = town.card(tab)
    assert "training 4/8" in card and "loss: 0." in card and "of training" in card


async def test_enough_is_enough_what_was_trained_comes_home_and_the_tab_is_closed(town: SmallTown):
    """Finished early by a word: the trainer saves, its file is at home and valid, nothing is left, nothing failed."""
    town.shell.script = Training(lasts=2 * MINUTE, lines=30, checkpoints=3)
    tab = await town.rent(TRAIN)
    await town.until(tab, lambda rental: rental.progress.step >= 4)
    reply = await town.ask(f"stop {tab}")
    assert reply.title == f"Finishing {tab} early: it saves, comes home, and is torn down."
    rental = await town.until_closed(tab)
    assert rental.ending is Ending.STOPPED and rental.ending.is_success and rental.pulled_at is not None
    assert any(name.endswith(".safetensors") for name in town.results(tab))
    assert "Finished early on request of ann: what was trained is at home." in town.card(tab)
    assert (await town.ask(f"stop {tab}")).title == f"{tab} is over already."


async def test_what_does_not_train_is_not_stopped_but_ended(town: SmallTown):
    """A bare machine, and a training that has not begun, say what to type instead."""
    tab = await town.rent("up world 3090 for 1h")
    refused = await town.ask(f"stop {tab}")
    assert refused.title == f"{tab} trains nothing." and refused.lines == (f"To end it: down {tab}",)
    other = await town.rent(TRAIN)
    assert "has not begun to train" in (await town.ask(f"stop {other}")).title
