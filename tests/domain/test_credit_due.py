"""Credit that is short, as pure decisions: where its ladder stands, when it is said again, and when it is over."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.alert import SNOOZE, Alert, Loudness, Raise, Settle
from bot.domain.credit import Credit
from bot.domain.credit_due import LASTS, due
from bot.domain.money import Usd
from bot.domain.rental import Rental
from tests.support.rentals import HOUR, MINUTE, START, begun

EIGHT = begun(lifetime=8 * HOUR, budget=Usd.of(100))


def _alert(rung: str = "credit-1-0", level: Loudness = Loudness.OWNER, **more: object) -> Alert:
    return replace(Alert(EIGHT.id, rung, 0, START, level, START), **more)  # type: ignore[arg-type]


def _moves(runway: timedelta, *known: Alert, rental: Rental = EIGHT) -> list[Raise | Settle]:
    return [move for _, move in due([rental], {rental.id: known}, runway, START)]


@pytest.mark.parametrize(
    ("runway", "said"),
    [
        (timedelta.max, []),
        (8 * HOUR, []),
        (8 * HOUR - MINUTE, [Raise("credit-1-0", Loudness.OWNER)]),
        (HOUR, [Raise("credit-1-0-1h", Loudness.CHANNEL)]),
        (0 * HOUR, [Raise("credit-1-0-1h", Loudness.CHANNEL)]),
    ],
    ids=str,
)
def test_credit_is_said_when_it_ends_before_the_rental(runway: timedelta, said: list[Raise]):
    """To the minute; in its last hour for everybody in the channel."""
    assert _moves(runway) == said


def test_what_is_open_is_not_said_again_and_gives_way_to_the_last_hour():
    """Which gives way to nothing: an hour and a minute afterwards is no news."""
    first, last = _alert(), _alert("credit-1-0-1h")
    assert _moves(4 * HOUR, first) == []
    assert _moves(HOUR, first) == [Raise("credit-1-0-1h", Loudness.CHANNEL), Settle(first, "")]
    assert _moves(HOUR, first, last) == [Settle(first, "")], "who raised it died before it was settled"
    assert _moves(HOUR, last) == _moves(HOUR + MINUTE, last) == []


def test_a_top_up_ends_it_and_only_a_real_shortage_begins_it_anew():
    """A vendor's rounding around the hard end repeats nothing; a quarter less does, and so does an extension."""
    over = _alert(settled_at=START)
    assert _moves(8 * HOUR, _alert()) == [Settle(_alert(), LASTS)]
    assert _moves(7 * HOUR, over) == []
    assert _moves(6 * HOUR - MINUTE, over) == [Raise("credit-1-1", Loudness.OWNER)]
    assert _moves(7 * HOUR, over, rental=replace(EIGHT, rev=1)) == [Raise("credit-1-1", Loudness.OWNER)]


def test_a_snooze_holds_the_first_word_back_and_never_the_last_hour():
    """It was given for other reminders, and hours are left."""
    snooze = _alert(SNOOZE, settled_at=START, snoozed_until=START + HOUR)
    assert _moves(4 * HOUR, snooze) == []
    assert _moves(HOUR, snooze) == [Raise("credit-1-0-1h", Loudness.CHANNEL)]


def test_what_was_found_survives_its_words():
    """Who says it again, louder, has it to the micro-dollar and the second."""
    credit = Credit("vast", Usd(1_234_567), START, ((EIGHT.id, START + HOUR),))
    assert Credit.of(credit.data()) == credit
