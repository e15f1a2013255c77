"""Units: what counts as money, a price, a time and a size, and what is said of everything else."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.commands.units import (
    LONGEST,
    MOST_DISK_GB,
    MOST_HOURLY,
    MOST_MONEY,
    parse_duration,
    parse_money,
    parse_rate,
    parse_size,
)
from bot.domain.money import Usd
from tests.commands.unit_faults import Parser, fault, value_or_fault

PARSERS: list[Parser] = [parse_money, parse_rate, parse_duration, parse_size]


@pytest.mark.parametrize(
    "text", ["$5", "5$", "5usd", "5 USD", "usd 5", "US$5", "5 dollars", "$5.00", "500c", "500 cents", "500¢"]
)
def test_five_dollars_in_every_usual_way(text):
    """A sign or a word says that it is dollars, or cents."""
    assert parse_money(text) == Usd.of(5)


@pytest.mark.parametrize(
    "text", ["$0.40/h", "0.4/hr", "$0.40/hour", "$0.40 per hour", "0.40 usd / h", "40c/h", ".4/h"]
)
def test_forty_cents_an_hour_in_every_usual_way(text):
    """Said per hour it is a price; what is per hour is money."""
    assert parse_rate(text) == Usd.of("0.40")


@pytest.mark.parametrize(
    "text", ["90m", "1h30m", "1h 30m", "1.5h", "90 minutes", "1 hour and 30 minutes", "1HR 30MIN"]
)
def test_an_hour_and_a_half_in_every_usual_way(text):
    """Parts add up, and units may be written out."""
    assert parse_duration(text) == timedelta(minutes=90)


@pytest.mark.parametrize(
    ("text", "gb"),
    [
        ("80GB", 80),
        ("80 GiB", 80),
        ("80g", 80),
        ("1TB", 1000),
        ("1TiB", 1024),
        ("1.5TB", 1500),
        ("80.2GB", 81),
        ("16TB", MOST_DISK_GB),
    ],
)
def test_sizes_are_whole_gigabytes_rounded_up(text, gb):
    """Rounding down would rent a disk that is too small."""
    assert parse_size(text) == gb


@pytest.mark.parametrize(
    ("parser", "near"),
    [(parse_money, "$5"), (parse_rate, "$5/h"), (parse_duration, "5h"), (parse_size, "5GB")],
)
def test_a_number_without_a_unit_is_asked_about(parser, near):
    """Five of what? The suggestion shows how it would be said."""
    question = fault(parser, "5")
    assert question.nearest == near
    assert parser(near)


@pytest.mark.parametrize("parser", PARSERS)
@pytest.mark.parametrize("text", ["-5", "-$5", "$-5", "−5h", "-80GB", "-$0.40/h", "-2 hours", "–5"])
def test_less_than_nothing_is_refused(parser, text):
    """Whatever dash it is written with."""
    assert fault(parser, text).sentence == "It must be more than zero."


@pytest.mark.parametrize(
    ("parser", "text"),
    [
        (parse_money, "$0"),
        (parse_money, "0c"),
        (parse_rate, "$0/h"),
        (parse_duration, "0h"),
        (parse_duration, "0h0m"),
        (parse_size, "0GB"),
    ],
)
def test_nothing_at_all_is_refused(parser, text):
    """Zero is no budget, no price, no time and no disk."""
    assert fault(parser, text).sentence == "It must be more than zero."


@pytest.mark.parametrize("parser", PARSERS)
@pytest.mark.parametrize("text", ["NaN", "nan", "$nan", "inf", "-inf", "Infinity", "∞", "nan/h"])
def test_what_is_no_number_is_refused(parser, text):
    """Words that programs take for numbers are none."""
    assert "not a number" in fault(parser, text).sentence


@pytest.mark.parametrize("parser", PARSERS)
@pytest.mark.parametrize("text", ["1e9", "$1e9", "1E9h", "1e+9GB", "$1e9/h"])
def test_an_exponent_is_refused(parser, text):
    """Nobody pays in powers of ten."""
    assert "exponent" in fault(parser, text).sentence


@pytest.mark.parametrize(
    ("parser", "text", "bound", "most"),
    [
        (parse_money, "$10000.01", "$10000", MOST_MONEY),
        (parse_money, "$" + "9" * 900, "$10000", MOST_MONEY),
        (parse_rate, "$101/h", "$100.00/h", MOST_HOURLY),
        (parse_duration, "31d", "30d", LONGEST),
        (parse_duration, "9" * 900 + "h", "30d", LONGEST),
        (parse_size, "17TB", "16TB", MOST_DISK_GB),
    ],
)
def test_the_absurd_is_refused_with_the_sane_bound(parser, text, bound, most):
    """The sentence says how much would be accepted, and that much is."""
    question = fault(parser, text)
    assert "at most" in question.sentence
    assert question.nearest == bound
    assert parser(bound) == most


@pytest.mark.parametrize(
    ("parser", "text", "near"),
    [
        (parse_money, "$0.001", "$0.01"),
        (parse_rate, "$0.00001/h", "$0.001/h"),
        (parse_duration, "30s", "1m"),
        (parse_size, "500MB", "1GB"),
    ],
)
def test_too_little_is_refused_with_the_least(parser, text, near):
    """Below a cent, a minute, a gigabyte nothing can be rented."""
    assert fault(parser, text).nearest == near
    assert parser(near)


@pytest.mark.parametrize("parser", PARSERS)
@pytest.mark.parametrize("text", ["５", "$５", "٥h", "²GB", "Ⅴ", "8０GB", "½h"])
def test_digits_of_other_scripts_are_refused_clearly(parser, text):
    """They look like ours and are not taken for them."""
    assert fault(parser, text).sentence == "Only the digits 0 to 9 are understood."


@pytest.mark.parametrize(("text", "near"), [("$1,000", "$1000"), ("$0,40", "$0.40"), ("5,5", "$5.5")])
def test_a_comma_is_asked_about(text, near):
    """A thousand in one country is a fraction in the next."""
    assert fault(parse_money, text).nearest == near


@pytest.mark.parametrize(
    ("parser", "text", "place", "near"),
    [
        (parse_money, "5k", "k", "usd"),
        (parse_duration, "2 hurs", "hurs", "hours"),
        (parse_duration, "1h30foo", "foo", ""),
        (parse_size, "80gbb", "gbb", "GB"),
        (parse_size, "5 parsecs", "parsecs", ""),
        (parse_rate, "$1/day", "day", "h"),
        (parse_rate, "$1/fortnight", "fortnight", "h"),
    ],
)
def test_an_unknown_unit_is_pointed_at(parser, text, place, near):
    """The place of the fault is the unit, not the number."""
    question = fault(parser, text)
    assert text[question.start : question.end] == place
    assert question.nearest == near


@pytest.mark.parametrize("text", ["€5", "5 eur", "£5", "5 euros"])
def test_other_currencies_are_refused(text):
    """There is no exchange rate here."""
    assert "dollars" in fault(parse_money, text).sentence


def test_a_total_and_a_price_are_not_taken_for_each_other():
    """``$5/h`` is no budget and ``$5`` no price, and each is told how it would be."""
    assert fault(parse_money, "$5/h").nearest == "$5"
    assert fault(parse_rate, "$5").nearest == "$5/h"


def test_half_past_one_could_be_two_things():
    """``1:30`` is asked about, ``1h30`` is completed."""
    assert fault(parse_duration, "1:30").nearest == "1h30m"
    assert fault(parse_duration, "1h30").nearest == "1h30m"


@pytest.mark.parametrize("parser", PARSERS)
@given(text=st.one_of(st.text(max_size=60), st.text("0123456789.,$ -+/hmdgbtpercsu½５eE", max_size=40)))
def test_any_text_is_a_value_or_a_fault_with_its_place(parser, text):
    """No other exception, and the place lies in the text."""
    value_or_fault(parser, text)


@given(st.decimals("0.01", "10000", places=2))
def test_every_amount_between_the_bounds_is_exact(amount: Decimal):
    """No float ever touches it."""
    assert parse_money(f"${amount}") == Usd.of(amount)


@given(st.integers(1, 30 * 24 * 60))
def test_every_whole_minute_up_to_the_bound_is_exact(minutes: int):
    """In minutes and in hours and minutes."""
    assert parse_duration(f"{minutes}m") == timedelta(minutes=minutes)
    assert parse_duration(f"{minutes // 60}h{minutes % 60}m") == timedelta(minutes=minutes)
