"""When the dead-man's switch fires, and what is said about the killers behind a machine."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from bot.domain.deadman import Ends
from bot.domain.deadman_rule import LATE_S, SILENCE_S, Told, fires_in, why
from bot.domain.killers import killers
from bot.lifecycle.switch import payload
from tests.support.rentals import HOUR, MINUTE, START, begun, running


def told(left: float, at: float = 1000) -> Told:
    """Said at that second of both clocks."""
    return Told(left, at, at)


def test_it_fires_five_minutes_after_the_end_it_was_told():
    """Not a second before, and it says why."""
    note = told(600)
    end = 1000 + 600 + LATE_S
    assert fires_in(note, end - 1, end - 1) == 1 and why(note, end - 1, end - 1) == ""
    assert fires_in(note, end, end) == 0
    assert why(note, end, end) == "the hard end passed 300 s ago and the machine is still here"


def test_it_fires_after_an_hour_of_silence_however_far_the_end_is():
    """That the training runs well makes no difference: nobody watches it."""
    note = told(24 * 3600)
    assert fires_in(note, 1000 + SILENCE_S - 1, 1000 + SILENCE_S - 1) == 1
    assert why(note, 1000 + SILENCE_S, 1000 + SILENCE_S) == "no heartbeat for 3600 s"


def test_each_heartbeat_begins_both_counts_anew_and_may_move_the_end():
    """An extension counts from the moment at which it arrived."""
    assert fires_in(told(60), 1000 + 60 + LATE_S, 1000 + 60 + LATE_S) == 0
    assert fires_in(told(1800, at=1360), 1360, 1360) == 1800 + LATE_S


def test_time_in_which_the_machine_slept_is_no_silence_but_brings_the_end_nearer():
    """A notebook that was shut for two hours gives the bot an hour to be heard, unless the hard end is over."""
    slept = 2 * 3600
    assert fires_in(told(24 * 3600), 1000 + slept, 1000) == SILENCE_S
    assert why(told(3600), 1000 + slept, 1000).startswith("the hard end passed")


@pytest.mark.parametrize("left", [-LATE_S, -86_400.0])
def test_an_end_that_is_long_over_fires_at_once(left: float):
    """A bot that comes too late does not give it more time."""
    assert fires_in(told(left), 1000, 1000) <= 0


def test_a_clock_that_goes_back_stands_still():
    """It neither fires early nor gets more than it was told."""
    assert fires_in(told(100), 10, 10) == 100 + LATE_S


def test_no_reading_of_the_calendar_is_part_of_it():
    """The machine's date may be wrong by a day: only running clocks are asked."""
    for file in payload.FAR.glob("*.py"):
        text = file.read_text(encoding="utf-8")
        assert not any(word in text for word in ("time.time", "datetime", "gmtime", "localtime", "st_mtime"))


def armed(kind: str = Ends.MACHINE, **changes: object):
    """A rental whose machine has a switch."""
    return begun(attempts=(running(switch_at=START, switch_kind=kind, switch_end=START + HOUR, **changes),))


def test_all_three_are_named_with_what_the_switch_can_do():
    """The reaper's time is the label's own."""
    assert killers(armed(), START) == (
        "bot",
        "reaper label until 03 Mar 09:00 UTC",
        "switch on the machine (ends the machine)",
    )
    assert killers(armed(f"{Ends.JOB}: no key"), START)[-1] == (
        "switch on the machine (stops the job only: no key)"
    )


def test_a_switch_that_is_not_there_or_not_reached_is_told():
    """Nobody shall count on what does not work."""
    assert killers(begun(), START)[-1] == "no switch on the machine"
    failed = begun(attempts=(running(switch_kind=f"{Ends.NOTHING}: connection refused"),))
    assert killers(failed, START)[-1] == "no switch on the machine (connection refused)"
    quiet = killers(armed(beat_at=START), START + 20 * MINUTE)
    assert quiet[-1] == "switch on the machine (ends the machine; not reached for 20 min)"


def test_nothing_is_said_of_a_machine_that_is_not_there():
    """Before the launch, after the proof, and when the tab is closed."""
    assert killers(begun(attempts=()), START) == ()
    assert killers(begun(attempts=(running(gone_at=START),)), START) == ()
    assert killers(replace(armed(), closed_at=START), START) == ()


def test_a_label_that_was_altered_is_no_killer():
    """The reaper would not touch that machine, so it is not named."""
    names = killers(begun(attempts=(running(label="mine"),)), START)
    assert not [name for name in names if "reaper" in name]


def test_one_rule_holds_for_every_mixture_of_silence_and_end():
    """It fires at the earlier of the two, and never later."""
    for left, passed in itertools.product((-400, -10, 0, 500, 3300, 5000), (0, 299, 300, 3599, 3600, 9000)):
        fires = fires_in(told(left), 1000 + passed, 1000 + passed) <= 0
        assert fires == (passed >= min(left + LATE_S, SILENCE_S))
