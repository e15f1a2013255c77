"""Money: whole micro-dollars, and every rounding goes up."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.money import ZERO, Usd

amounts = st.integers(0, 10**12).map(Usd)
lengths = st.timedeltas(timedelta(0), timedelta(days=60))


@pytest.mark.parametrize(
    ("said", "micros"),
    [("5", 5_000_000), ("0.20", 200_000), ("0.0000001", 1), (3, 3_000_000), (Decimal("1.5"), 1_500_000)],
)
def test_dollars_are_read_exactly_and_crumbs_round_up(said: str | int | Decimal, micros: int):
    """A tenth of a micro-dollar is a whole one: we never promise too little."""
    assert Usd.of(said).micros == micros


@pytest.mark.parametrize("said", ["NaN", "Infinity", "-Infinity", "sNaN"])
def test_what_is_no_finite_number_is_no_money(said: str):
    """Decimal knows words that no bill may contain."""
    with pytest.raises(ValueError, match="finite"):
        Usd.of(said)


@given(amounts, lengths)
def test_a_rate_over_time_is_never_too_little_and_never_a_micro_too_much(hourly: Usd, length: timedelta):
    """The exact cost lies at most one micro-dollar below what we say."""
    exact = Fraction(hourly.micros) * Fraction(length // timedelta(microseconds=1), 3_600_000_000)
    assert exact <= hourly.over(length).micros < exact + 1


@given(amounts, lengths, lengths)
def test_a_longer_time_never_costs_less(hourly: Usd, one: timedelta, other: timedelta):
    """The cost of a rental only grows."""
    short, long = sorted((one, other))
    assert hourly.over(short) <= hourly.over(long)


def test_a_time_that_runs_backwards_costs_nothing():
    """A clock that jumped back brings no money back."""
    assert Usd.of(1).over(timedelta(hours=-1)) == ZERO


@given(amounts, st.integers(1, 10**9).map(Usd))
def test_what_money_lasts_for_never_costs_more_than_the_money(money: Usd, hourly: Usd):
    """``lasts`` rounds down, ``over`` rounds up: the budget holds."""
    length = money.lasts(hourly)
    assert length == timedelta.max or hourly.over(length) <= money


def test_what_is_free_lasts_for_ever_and_so_does_what_cannot_be_counted():
    """A large budget on a computer that costs next to nothing overflows no clock."""
    assert Usd.of(5).lasts(ZERO) == timedelta.max
    assert Usd.of(10**9).lasts(Usd(1)) == timedelta.max


@given(amounts)
def test_whole_cents_are_at_least_the_amount(money: Usd):
    """Rounded up, by less than a cent, and stable."""
    cents = money.up_to_cent()
    assert money <= cents < Usd(money.micros + 10_000)
    assert cents.up_to_cent() == cents


@pytest.mark.parametrize(
    ("micros", "text"),
    [
        (0, "$0.00"),
        (1, "$0.01"),
        (10_000, "$0.01"),
        (10_001, "$0.02"),
        (4_100_000, "$4.10"),
        (-500_000, "-$0.50"),
    ],
)
def test_an_amount_is_shown_in_cents_that_hide_nothing(micros: int, text: str):
    """A micro-dollar shows as a cent."""
    assert str(Usd(micros)) == text


@pytest.mark.parametrize(
    ("micros", "text"), [(200_000, "$0.20/h"), (35_000, "$0.035/h"), (0, "$0.00/h"), (10_000_000, "$10.00/h")]
)
def test_a_rate_says_that_it_is_hourly(micros: int, text: str):
    """With two digits, or as many as it needs."""
    assert Usd(micros).rate() == text
