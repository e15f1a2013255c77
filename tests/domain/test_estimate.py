"""What a training costs before anything is rented."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.estimate import Job, Source, around, rate_for, row, training_only, whole_bill
from bot.domain.market import Offer
from bot.domain.money import ZERO, Usd
from bot.domain.recipe import Bill, Preset, Recipe
from bot.domain.vendor import Profile

RENTED = Profile(
    family="cloud", title="Cloud", best_for="", gpu_options="", price_range="", ease="",
    example_gpu="RTX 3090", example_hourly=Usd.of("0.20"), boot=timedelta(minutes=3), down_mbps=500,
)  # fmt: skip
OWN = replace(RENTED, family="home", title="Home", example_gpu="", example_hourly=ZERO, owned=True)
SDXL_LIKE = Recipe(
    recipe=1, name="some-lora", title="Some LoRA", description="", family="some", tool="a tool", tool_version="1",
    bill=Bill(install_minutes=(3, 10), model_gb=6.94, cache_minutes=(0.5, 3)),
)  # fmt: skip
OFFER = Offer(provider="cloud", id="1", gpu="RTX 4090", count=1, vram_gb=24, hourly=Usd.of("0.31"))

rates = st.integers(0, 20_000_000).map(Usd)
lengths = st.floats(0, 600, allow_nan=False)
profiles = st.builds(
    lambda boot, mbps, owned: replace(RENTED, boot=timedelta(seconds=boot), down_mbps=mbps, owned=owned),
    st.integers(0, 1800), st.integers(1, 10_000), st.booleans(),
)  # fmt: skip
jobs = st.sampled_from([Job.of(None), Job.of(SDXL_LIKE)])


@pytest.mark.parametrize(
    ("hourly", "costs"),
    [
        ("0.20", ("0.02", "0.10", "0.40")),
        ("0.30", ("0.03", "0.15", "0.60")),
        ("0.80", ("0.07", "0.40", "1.60")),
    ],
)
def test_training_only_is_rate_times_time(hourly: str, costs: tuple[str, str, str]) -> None:
    """5 minutes, 30 minutes and 2 hours, rounded up to the cent."""
    minutes = Job.of(None).minutes
    assert list(minutes) == ["quick", "standard", "thorough"]
    got = [training_only(Usd.of(hourly), length) for length in minutes.values()]
    assert got == [Usd.of(cost) for cost in costs]


@given(rates, lengths)
def test_rounding_is_up_and_by_less_than_a_cent(hourly: Usd, minutes: float) -> None:
    """We never promise too little, and never a whole cent too much."""
    exact = hourly.over(timedelta(minutes=minutes))
    cost = training_only(hourly, minutes)
    assert cost.micros % 10_000 == 0
    assert 0 <= cost.micros - exact.micros < 10_000


@given(profiles, jobs, rates, lengths, st.integers(0, 1_000_000).map(Usd))
def test_the_whole_bill_is_never_below_training_only(
    profile: Profile, job: Job, hourly: Usd, minutes: float, traffic: Usd
) -> None:
    """What comes around a training only ever adds, at both ends of the range."""
    bill = whole_bill(profile, job, minutes, hourly, traffic_per_gb=traffic)
    assert training_only(hourly, minutes) <= bill.low <= bill.high
    assert minutes <= bill.minutes_low <= bill.minutes_high


@given(profiles, jobs, rates, rates, lengths, lengths)
def test_more_time_or_a_higher_rate_never_costs_less(
    profile: Profile, job: Job, one: Usd, other: Usd, some: float, more: float
) -> None:
    """Both numbers rise with the rate and with the minutes."""
    (cheap, dear), (brief, long) = sorted([one, other]), sorted([some, more])
    least, most = whole_bill(profile, job, brief, cheap), whole_bill(profile, job, long, dear)
    assert least.low <= most.low
    assert least.high <= most.high
    assert training_only(cheap, brief) <= training_only(dear, long)


@given(profiles, jobs, lengths)
def test_the_parts_are_the_bill(profile: Profile, job: Job, minutes: float) -> None:
    """Nothing is paid for that is not shown: the parts add up to the minutes."""
    bill = whole_bill(profile, job, minutes, Usd.of(1))
    assert math.isclose(sum(part.low for part in bill.parts), bill.minutes_low)
    assert math.isclose(sum(part.high for part in bill.parts), bill.minutes_high)


def test_a_quick_run_on_a_cold_machine_bills_13_to_31_minutes() -> None:
    """Five minutes of training at $0.20/h are $0.02, and the bill is $0.05 to $0.11: about three to six times that."""
    bill = whole_bill(RENTED, Job.of(SDXL_LIKE), 5, Usd.of("0.20"))
    assert (round(bill.minutes_low), round(bill.minutes_high)) == (13, 31)
    assert (str(bill.low), str(bill.high)) == ("$0.05", "$0.11")
    names = [part.name for part in bill.parts]
    assert names == ["boot", "install", "model", "images", "caching", "training", "pull and teardown"]


def test_the_model_takes_as_long_as_its_size_and_the_line_say() -> None:
    """6.94 GB at 500 Mbit/s are 1.9 minutes, or twice that where the line gives half."""
    parts = {part.name: part for part in whole_bill(RENTED, Job.of(SDXL_LIKE), 5, ZERO).parts}
    assert round(parts["model"].low, 1) == 1.9
    assert round(parts["model"].high, 1) == 3.7
    assert (parts["boot"].low, parts["boot"].high) == (1.5, 6)


def test_an_own_computer_needs_no_boot_and_no_transfer() -> None:
    """It is up already and holds the model; what is left is install, caching and training."""
    bill = whole_bill(OWN, Job.of(SDXL_LIKE), 30, ZERO, traffic_per_gb=Usd.of(1))
    assert [part.name for part in bill.parts] == ["install", "caching", "training"]
    assert bill.low == bill.high == ZERO


def test_electricity_counts_where_the_team_says_what_it_costs() -> None:
    """At $0.06/h an own computer's two hours are $0.12 and a little."""
    bill = whole_bill(OWN, Job.of(SDXL_LIKE), 120, Usd.of("0.06"))
    assert Usd.of("0.12") < bill.low <= bill.high < Usd.of("0.15")


def test_traffic_is_inside_the_whole_bill() -> None:
    """7.14 GB at $0.10 a GB add 71.4 cents, and are shown."""
    job = Job.of(SDXL_LIKE)
    without, charged = (
        whole_bill(RENTED, job, 5, ZERO),
        whole_bill(RENTED, job, 5, ZERO, traffic_per_gb=Usd.of("0.10")),
    )
    assert without.low == ZERO
    assert charged.traffic_low == Usd.of("0.714")
    assert charged.low == Usd.of("0.72")


def test_a_recipe_s_own_minutes_are_used() -> None:
    """A preset block of the recipe overrides what its name stands for."""
    recipe = SDXL_LIKE.model_copy(update={"presets": {"quick": Preset(minutes=8)}})
    assert Job.of(recipe).minutes == {"quick": 8, "standard": 30, "thorough": 120}


def test_without_a_recipe_the_range_covers_small_and_large_models() -> None:
    """Nobody said which model: both ends of what is usual are told."""
    job, small = Job.of(None), Job.of(SDXL_LIKE)
    wide, narrow = whole_bill(RENTED, job, 5, Usd.of(1)), whole_bill(RENTED, small, 5, Usd.of(1))
    assert wide.low <= narrow.low
    assert wide.high > narrow.high


def test_a_said_rate_comes_first_then_a_live_one_then_the_typical() -> None:
    """The best knowledge there is, and it is told which it was."""
    known, said = Usd.of("0.25"), Usd.of("0.50")

    def source(given: Usd | None, known: Usd | None, offer: Offer | None) -> tuple[Source, Usd]:
        rate = rate_for(RENTED, gpu=None, given=given, known=known, offer=offer)
        return rate.source, rate.hourly

    assert source(said, known, OFFER) == (Source.GIVEN, said)
    assert source(None, known, OFFER) == (Source.LIVE, OFFER.hourly)
    assert source(None, known, None) == (Source.SET, known)
    assert source(None, None, None) == (Source.TYPICAL, RENTED.example_hourly)


def test_what_the_team_says_about_its_own_computers_comes_before_their_offers() -> None:
    """A free offer of the own computer does not hide the electricity that was set."""
    rate = rate_for(OWN, gpu=None, given=None, known=Usd.of("0.06"), offer=replace(OFFER, hourly=ZERO))
    assert (rate.source, rate.hourly) == (Source.SET, Usd.of("0.06"))


def test_a_price_is_never_invented_for_a_card() -> None:
    """An offer of another card is no price for the one asked for; the typical rate keeps its own card's name."""
    rate = rate_for(RENTED, gpu="H200", given=None, known=None, offer=OFFER)
    assert (rate.source, rate.gpu) == (Source.TYPICAL, "RTX 3090")


def test_an_offer_of_a_form_of_the_card_is_a_price_for_it() -> None:
    """Who says A100 80GB also means the SXM form of it."""
    sxm = replace(OFFER, gpu="A100 SXM 80GB")
    rate = rate_for(RENTED, gpu="A100 80GB", given=None, known=None, offer=sxm)
    assert (rate.source, rate.gpu) == (Source.LIVE, sxm.gpu)


def test_what_is_told_about_all_providers_spans_them() -> None:
    """The lowest and the highest of each part over the rented ones; the own computer does not count."""
    job, slow = Job.of(SDXL_LIKE), replace(RENTED, boot=timedelta(minutes=8))
    rows = [
        row(one, job, rate_for(one, gpu=None, given=None, known=None, offer=None))
        for one in (RENTED, slow, OWN)
    ]
    parts = {part.name: part for part in around(rows, "quick")}
    assert (parts["boot"].low, parts["boot"].high) == (1.5, 16)
    assert parts["install"].low == 3
    assert "training" not in parts
