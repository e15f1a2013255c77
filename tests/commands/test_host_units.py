"""What is asked of a host: what counts as a share, a version, a speed and a region, and what is said of the rest."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.commands.host_units import parse_cuda, parse_region, parse_share, parse_speed
from bot.domain.market import version
from bot.domain.places import places
from tests.commands.unit_faults import Parser, fault, value_or_fault

PARSERS: list[Parser] = [parse_share, parse_cuda, parse_speed, parse_region]


@pytest.mark.parametrize("text", ["95%", "95 %", "95.0%", "0.95", ".95", "95 percent", "95pct"])
def test_nineteen_of_twenty_in_every_usual_way(text):
    """In percent, or as a part of one."""
    assert parse_share(text) == 0.95


@pytest.mark.parametrize(("text", "share"), [("99.95%", 0.9995), ("100%", 1), ("1", 1), ("0.5%", 0.005)])
def test_a_share_is_exact(text, share):
    """As near as a float comes, and never above all of it."""
    assert parse_share(text) == share


@pytest.mark.parametrize(
    ("text", "mbps"),
    [
        ("500mbps", 500),
        ("500 Mbit/s", 500),
        ("500MBPS", 500),
        ("1gbps", 1000),
        ("1 Gbit/s", 1000),
        ("2.5gbit", 2500),
        ("0.3 mbps", 1),
    ],
)
def test_speeds_are_whole_megabits_rounded_up(text, mbps):
    """In capitals, too, as phones and vendors write them."""
    assert parse_speed(text) == mbps


@pytest.mark.parametrize(
    ("text", "said"), [("12.4", "12.4"), ("12", "12"), ("13.0", "13"), ("12.10", "12.10"), (" 11.8 ", "11.8")]
)
def test_a_version_is_what_a_driver_tells(text, said):
    """``13.0`` and ``13`` are one version, which a driver of ``13`` and one of ``13.0`` both run."""
    assert parse_cuda(text) == said
    assert version(f"{text.strip()}") >= version(said)


@pytest.mark.parametrize(
    ("text", "region"),
    [
        ("SE", "SE"),
        ("se", "SE"),
        ("Sweden", "SE"),
        ("EU", "EU"),
        ("europe", "EU"),
        ("usa", "US"),
        ("UK", "GB"),
        ("united kingdom", "GB"),
        ("us-west-1", "us-west-1"),
        ("EU-RO-1", "eu-ro-1"),
        ("europe-central-1", "europe-central-1"),
    ],
)
def test_a_region_is_a_place_or_a_vendors_own_word(text, region):
    """Countries and parts of the world by code or name; a vendor's regions are its own business."""
    assert parse_region(text) == region


@pytest.mark.parametrize("country", ["SE", "US", "JP", "AU", "ZA", "BR", "GB"])
def test_every_part_of_the_world_that_places_are_tagged_with_can_be_said(country):
    """What an offer may be tagged with is a region that the grammar knows."""
    assert all(parse_region(tag) == tag for tag in places(country))


@pytest.mark.parametrize(
    ("parser", "text", "near"),
    [
        (parse_share, "95", "95%"),
        (parse_share, "120%", "100%"),
        (parse_share, "950", "100%"),
        (parse_share, "0,95", "0.95"),
        (parse_share, "99,5%", "99.5%"),
        (parse_share, "-95", "95%"),
        (parse_share, "９５", "95%"),
        (parse_cuda, "v12.4", "12.4"),
        (parse_cuda, "12.4.1", "12.4"),
        (parse_cuda, "124", "12.4"),
        (parse_cuda, "12,4", "12.4"),
        (parse_speed, "500", "500mbps"),
        (parse_speed, "500MB/s", "4000mbps"),
        (parse_speed, "1.5GBps", "12gbps"),
        (parse_speed, "500mb/s", "500mbps"),
        (parse_speed, "200gbps", "100gbps"),
        (parse_region, "swedn", "SE"),
        (parse_region, "untied states", "US"),
    ],
)
def test_what_is_nearly_right_is_told_how_it_would_be(parser, text, near):
    """And that is understood."""
    assert fault(parser, text).nearest == near
    assert parser(near)


@pytest.mark.parametrize(
    ("parser", "text", "sentence"),
    [
        (parse_share, "0%", "It must be more than zero."),
        (parse_share, "high", "It is no share."),
        (parse_cuda, "40", "A CUDA version is 9 to 19 here."),
        (parse_cuda, "8", "A CUDA version is 9 to 19 here."),
        (parse_cuda, "twelve", "It is no CUDA version."),
        (parse_speed, "0gbps", "It must be more than zero."),
        (parse_speed, "500kbps", "It has an unknown unit of speed."),
        (parse_speed, "fast", "It is no network speed."),
        (parse_speed, "500MB/s", "It could be bits or bytes."),
        (parse_region, "XX", "It is no region that I know."),
        (parse_region, "moon", "It is no region that I know."),
        (parse_region, "5", "It is no region."),
        (parse_region, " ", "It is no region."),
        (parse_region, "a-" * 30 + "1", "It is no region that I know."),
    ],
)
def test_what_is_wrong_is_one_sentence(parser, text, sentence):
    """With what to write instead."""
    question = fault(parser, text)
    assert question.sentence == sentence
    assert question.expected


@pytest.mark.parametrize("parser", PARSERS)
@given(text=st.one_of(st.text(max_size=60), st.text("0123456789.,% -+/mgbitpsMGBeE½us-", max_size=30)))
def test_any_text_is_a_value_or_a_fault_with_its_place(parser, text):
    """No other exception, and the place lies in the text."""
    value_or_fault(parser, text)


@given(st.integers(1, 100))
def test_every_whole_percentage_is_the_share_it_says(percent: int):
    """The same number in both ways."""
    assert parse_share(f"{percent}%") == parse_share(f"{percent / 100:.2f}") == percent / 100
