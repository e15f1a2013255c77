"""Alerts as pure decisions: what is due, how loud, what settles it, and what a snooze holds back."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain import alerts, notices
from bot.domain.alert import SNOOZE, Alert, Anchor, Louder, Loudness, Page, Raise, Settle
from bot.domain.alerts import Seen
from bot.domain.money import Usd
from bot.domain.rental import Ending, Goal, Rental, Step
from tests.support.rentals import HOUR, MINUTE, START, a_rental, begun, running

RICH = Usd.of(100)


def _alert(rung: str, minute: int, level: Loudness = Loudness.THREAD, **more: object) -> Alert:
    at = START + minute * MINUTE
    return replace(Alert("k7m2qd", rung, 0, at, level, at), **more)  # type: ignore[arg-type]


def _raised(rental: Rental, now: datetime, *known: Alert, idle_since: datetime | None = None) -> list[str]:
    moves = alerts.due(rental, now, Seen(known, idle_since))
    return [move.rung for move in moves if isinstance(move, Raise)]


@pytest.mark.parametrize(
    ("minute", "rung"),
    [(59, []), (60, ["50%"]), (90, ["75%"]), (108, ["90%"]), (110, ["90%"]), (118, ["T-2"]), (120, ["90%"])],
)
def test_a_bot_that_knows_nothing_yet_says_only_the_highest(minute: int, rung: list[str]):
    """On the minute, not after it; past the hard end only what was used is worth a word."""
    assert _raised(begun(budget=RICH), START + minute * MINUTE) == rung


def test_what_falls_due_at_once_is_covered_by_what_is_said():
    """Three quarters of two hours and half an hour before their end are the same moment."""
    [move] = alerts.due(begun(budget=RICH), START + 90 * MINUTE, Seen(()))
    assert move == Raise("75%", Loudness.OWNER, ("T-30",))


def test_rungs_are_reached_by_money_before_time():
    """Ten cents of twenty are half, although most of the time is left."""
    rental = begun(budget=Usd.of("0.20"))
    assert _raised(rental, START + 29 * MINUTE) == []
    assert _raised(rental, START + 30 * MINUTE) == ["50%"]


def test_a_short_rental_hears_no_long_countdown():
    """Half an hour before the end of half an hour is the beginning."""
    assert alerts.rungs_of_time(begun(lifetime=30 * MINUTE)) == (10, 2)
    assert alerts.rungs_of_time(begun(lifetime=3 * MINUTE)) == ()


def test_an_extension_makes_due_again_what_lies_ahead_again():
    """Twice the time: half of it is reached anew, and what was said at three quarters is."""
    longer = begun(lifetime=4 * HOUR, budget=RICH, rev=1)
    known = (_alert("50%", 60, settled_at=START), _alert("75%", 90, settled_at=START))
    assert _raised(longer, START + 100 * MINUTE, *known) == []
    assert _raised(longer, START + 120 * MINUTE, *known) == ["50%"]
    assert _raised(replace(longer, rev=0), START + 120 * MINUTE, *known) == []


@given(st.lists(st.integers(-60, 180), max_size=60))
def test_no_clock_says_a_rung_twice(minutes: list[int]):
    """Forward, back, beyond the end and before the beginning: each rung once, and never a lower one after a higher."""
    rental, known = begun(budget=RICH), []
    for minute in minutes:
        now = START + minute * MINUTE
        for move in alerts.due(rental, now, Seen(tuple(known))):
            if isinstance(move, Raise):
                known += [_alert(rung, minute) for rung in (move.rung, *move.covers)]
    said = [one.rung for one in known]
    assert len(said) == len(set(said))
    percents = [int(rung[:-1]) for rung in said if rung.endswith("%")]
    assert percents == sorted(percents)


def test_nobody_answers_and_it_gets_louder_within_ten_minutes_up_to_the_second_medium():
    """A level at a time; at the top it is paged once and stays."""
    rental, alert, heard = begun(lifetime=20 * HOUR, budget=RICH), _alert("50%", 600), []
    for quarter in range(4 * 60):
        now = START + 600 * MINUTE + quarter * timedelta(seconds=15)
        for move in alerts.due(rental, now, Seen((alert,))):
            if isinstance(move, Louder):
                heard.append((move.level, now - alert.level_at))
                alert = replace(alert, level=move.level, level_at=now)
            elif isinstance(move, Page):
                heard.append((Loudness.PAGER, now - alert.level_at))
                alert = replace(alert, paged_at=now)
    assert [level for level, _ in heard] == [1, 2, 3, 4, Loudness.PAGER]
    assert all(waited <= 10 * MINUTE for _, waited in heard)


def test_a_clock_that_was_set_back_behind_an_alert_counts_its_patience_anew():
    """Neither louder at once nor silent for an hour."""
    alert = _alert("50%", 60)
    assert alerts.due(begun(budget=RICH), START, Seen((alert,))) == [Anchor(alert)]


def test_a_command_about_the_rental_is_an_answer():
    """Its ``rev`` moved; the end of the rental is one too, with why."""
    alert = _alert("50%", 60)
    [move] = alerts.due(begun(budget=RICH, rev=1, lifetime=9 * HOUR), START + 61 * MINUTE, Seen((alert,)))
    assert move == Settle(alert, "", answered=True)
    over = begun(goal=Goal.GONE, ending=Ending.HARD_END)
    assert alerts.due(over, START + 121 * MINUTE, Seen((alert,))) == [Settle(alert, "hard end")]


def test_the_louder_rung_goes_on_in_place_of_the_one_before():
    """Nobody is asked about half when three quarters are used."""
    alert = _alert("50%", 60)
    moves = alerts.due(begun(budget=RICH), START + 90 * MINUTE, Seen((alert,)))
    assert [type(one) for one in moves] == [Raise, Settle]


def test_a_snooze_holds_back_all_but_the_last_ten_minutes():
    """Neither a new rung nor a louder one; what fell due meanwhile comes after it, and T-10 comes whatever was said."""
    snooze = _alert(SNOOZE, 50, settled_at=START, snoozed_until=START + 100 * MINUTE)
    rental, open_one = begun(budget=RICH), _alert("50%", 49)
    assert alerts.due(rental, START + 91 * MINUTE, Seen((snooze, open_one))) == []
    assert _raised(rental, START + 100 * MINUTE, snooze, open_one) == ["75%"]
    for_ever = replace(snooze, snoozed_until=START + 130 * MINUTE)
    assert _raised(rental, START + 110 * MINUTE, for_ever) == ["90%"]
    assert _raised(rental, START + 119 * MINUTE, for_ever) == ["T-2"]


def test_a_snooze_that_a_wrong_clock_gave_does_not_hold():
    """It ends further away than any snooze may."""
    snooze = _alert(SNOOZE, 50, settled_at=START, snoozed_until=START + 9 * HOUR)
    assert alerts.quiet_until(begun(lifetime=20 * HOUR), START + HOUR, (snooze,)) is None


def test_a_snooze_ends_before_the_last_ten_minutes():
    """However long it was asked for."""
    assert alerts.snooze_end(begun(), START + 100 * MINUTE, HOUR) == START + 110 * MINUTE
    assert alerts.snooze_end(begun(lifetime=20 * HOUR), START, 9 * HOUR) == START + 4 * HOUR


def test_idle_is_said_once_for_each_spell_and_settles_when_it_is_used():
    """Twenty minutes after it began; a step of ours is never idle, whatever the GPU does."""
    by_hand = begun(job=None, goal=Goal.READY, budget=RICH, lifetime=9 * HOUR)
    since, now = START + 10 * MINUTE, START + 30 * MINUTE
    assert _raised(by_hand, now - MINUTE, idle_since=since) == []
    [rung] = _raised(by_hand, now, idle_since=since)
    told = _alert(rung, 30, Loudness.OWNER)
    assert told.kind == "idle" and _raised(by_hand, now + MINUTE, told, idle_since=since) == []
    [over] = alerts.due(by_hand, now + MINUTE, Seen((told,)))
    assert isinstance(over, Settle) and "in use" in over.what
    assert _raised(begun(budget=RICH, lifetime=9 * HOUR), now, idle_since=since) == []
    busy = replace(by_hand, attempts=(running(unit="train-1"),))
    assert _raised(busy, now, idle_since=since) == []


def test_results_at_home_and_a_machine_still_there_is_said():
    """After ten minutes; when its teardown begins that one is watched instead, and the admins hear at half an hour."""
    done = begun(pulled_at=START)
    assert _raised(done, START + 9 * MINUTE) == []
    assert _raised(done, START + 10 * MINUTE) == ["finished"]
    ending = begun(goal=Goal.GONE, pulled_at=START, attempts=(running(destroy_asked_at=START),))
    assert _raised(ending, START + 29 * MINUTE) == []
    [move] = alerts.due(ending, START + 30 * MINUTE, Seen(()))
    assert move == Raise("stuck-1", Loudness.DIRECT)
    stuck = _alert("stuck-1", 30, Loudness.DIRECT)
    gone = replace(ending, attempts=(running(destroy_asked_at=START, gone_at=START + 31 * MINUTE),))
    assert alerts.due(gone, START + 32 * MINUTE, Seen((stuck,))) == [Settle(stuck, "its machine is gone")]


def test_results_that_do_not_come_home_are_said_until_they_do():
    """Once for each machine, whatever the tries in between; at home, or with another machine, it is over."""
    stuck = begun(goal=Goal.TRAINED, step=Step.PULL_RESULTS, stumbles=3, budget=RICH)
    [move] = alerts.due(stuck, START, Seen(()))
    assert move == Raise("unpulled-1", Loudness.OWNER)
    told = _alert("unpulled-1", 0)
    assert alerts.due(stuck, START + MINUTE, Seen((told,))) == []
    assert alerts.due(replace(stuck, stumbles=0), START + MINUTE, Seen((told,))) == []
    assert alerts.due(replace(stuck, pulled_at=START), START, Seen((told,))) == [
        Settle(told, "the results are at home")
    ]
    assert _raised(replace(stuck, stumbles=2), START) == []
    assert _raised(replace(stuck, goal=Goal.GONE), START) == []


def test_a_price_above_the_worst_case_is_said_once_for_each_and_a_snooze_keeps_it():
    """What may be taken unasked is in the worst case; who snoozes has seen the new one."""
    rental = begun(budget=RICH)
    offer = rental.attempts[0].offer
    agreed = replace(rental, offer=offer)

    def at(micros: int) -> Rental:
        return replace(
            agreed, attempts=(replace(rental.attempts[0], offer=replace(offer, hourly=Usd(micros))),)
        )

    assert _raised(at(offer.ceiling.micros), START) == []
    high = offer.ceiling.micros + 1
    assert _raised(at(high), START) == [f"dearer-1-{high}"]
    told, snooze = _alert(f"dearer-1-{high}", 0), _alert(SNOOZE, 1, settled_at=START)
    assert alerts.due(at(high), START, Seen((told,))) == []
    assert alerts.due(at(high), START + MINUTE, Seen((told, snooze))) == [
        Settle(told, "seen, and kept at that price")
    ]
    raised, settled = alerts.due(at(high + 1), START, Seen((told,)))[::-1]
    assert raised == Raise(f"dearer-1-{high + 1}", Loudness.OWNER) and settled == Settle(told, "")


def test_nothing_is_due_before_anything_was_tried():
    """A quote reminds nobody."""
    assert alerts.due(a_rental(), START + 9 * HOUR, Seen(())) == []


def test_the_button_says_what_down_does():
    """It pulls what a training has so far; from a machine that is used by hand nothing is pulled."""
    training = begun(attempts=(running(unit="train-1"),))
    assert [one.label for one in notices.answers(training)] == [
        "Pull and tear down", "Extend 1 h", "Extend $2", "Snooze",
    ]  # fmt: skip
    assert notices.answers(begun(job=None))[0].label == "Tear down"
