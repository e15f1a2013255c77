"""What people and programs are told about prices, providers and offers."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from bot.commands.replies_market import advise_reply, estimate_reply, providers_reply
from bot.domain.advice import advise
from bot.domain.hardware import GpuKind, Hardware
from bot.domain.market import Account, AccountNote, Offer
from bot.domain.money import ZERO, Usd
from bot.domain.recipe import Recipe, Requirements
from bot.domain.talk import Kind, Reply, Tone
from bot.domain.vendor import Profile


def profile(family: str, gpu: str, hourly: str, *, owned: bool = False, setting: str = "") -> Profile:
    """A provider for the comparison."""
    return Profile(
        family=family, title=family.title(), best_for="cheap runs", gpu_options="many", price_range="$0.10 to $3",
        ease="easy", example_gpu=gpu, example_hourly=Usd.of(hourly), boot=timedelta(minutes=3), owned=owned,
        setting=setting,
    )  # fmt: skip


ONE, TWO = profile("one", "RTX 3090", "0.20"), profile("two", "RTX 3090", "0.30")
THREE, HOME = profile("three", "A10", "0.80", setting="THREE_KEY"), profile("home", "", "0", owned=True)
ALL = (ONE, TWO, THREE, HOME)
RECIPE = Recipe(
    recipe=1, name="big-lora", title="Big LoRA", description="", family="big", tool="t", tool_version="1",
    requirements=Requirements(vram_gb=16, vram_comfort_gb=24),
)  # fmt: skip
OFFER = Offer(provider="one", id="77", gpu="RTX 4090", count=1, vram_gb=24, hourly=Usd.of("0.31"), disk_gb=30)


def said(reply: Reply) -> str:
    """All that a person reads, as one text; and programs can read the rest."""
    json.dumps(reply.data)
    rows = [" | ".join(row) for table in reply.tables for row in (table.header, *table.rows)]
    return "\n".join([reply.title, *reply.lines, *rows, *(table.note for table in reply.tables)])


@pytest.mark.parametrize(
    ("rate", "costs"),
    [
        ("0.20", ("$0.02", "$0.10", "$0.40")),
        ("0.30", ("$0.03", "$0.15", "$0.60")),
        ("0.80", ("$0.07", "$0.40", "$1.60")),
    ],
)
def test_a_said_rate_gives_one_row_of_training_only(rate: str, costs: tuple[str, ...]) -> None:
    """``estimate rate $0.20/h``: exactly the three amounts, and the same for programs."""
    reply = estimate_reply(ALL, {}, None, None, Usd.of(rate), None)
    training, whole = reply.tables
    assert training.rows == (("Any provider", f"${rate}/h", *costs),)
    assert list(reply.data["training_only"].values()) == [cost[1:] for cost in costs]
    assert [row[0] for row in whole.rows] == ["One", "Two", "Three"]


def test_without_a_rate_every_provider_has_its_typical_row() -> None:
    """Provider by preset, training only and the whole bill; the own computer is free."""
    reply = estimate_reply(ALL, {}, None, None, None, None)
    training, whole = reply.tables
    assert training.header == (
        "Training only",
        "Price per hour",
        "quick (5 min)",
        "standard (30 min)",
        "thorough (2 h)",
    )
    assert training.rows[0] == ("One", "$0.20/h (typical, RTX 3090)", "$0.02", "$0.10", "$0.40")
    assert training.rows[1][2:] == ("$0.03", "$0.15", "$0.60")
    assert training.rows[2][2:] == ("$0.07", "$0.40", "$1.60")
    assert training.rows[3] == ("Home", "free", "free", "free", "free")
    assert [row[0] for row in whole.rows] == ["One", "Two", "Three", "Home"]
    assert all(" to $" in cell for row in whole.rows[:3] for cell in row[1:])
    assert not any("later release" in line or "configured" in line for line in reply.lines)


def test_who_is_not_configured_is_said_with_what_to_set() -> None:
    """In the estimate and beside the cards to rent, in the sentence that was given."""
    missing = "Three is not configured: set THREE_KEY."
    assert missing in estimate_reply(ALL, {}, None, None, None, None, missing=missing).lines
    bare = Hardware(GpuKind.NONE, sentence="No GPU was found.")
    assert missing in advise_reply(RECIPE, advise(RECIPE, [bare], ALL), missing).lines
    easy = RECIPE.model_copy(update={"requirements": Requirements(gpu=False)})
    assert missing not in advise_reply(easy, advise(easy, [bare], ALL), missing).lines


def test_the_note_explains_why_the_two_tables_differ() -> None:
    """In words for people who have never rented a machine, with the minutes of each part."""
    note = estimate_reply(ALL, {}, None, None, None, None).tables[1].note
    assert note.startswith(
        "Why it is more than training only: a rented machine is paid from its start to its end."
    )
    for part in ("(boot) 1.5 to 6 min", "training tool 3 to 10 min", "500 Mbit/s", "closing down 1 to 2 min"):
        assert part in note
    assert "A quick run trains for 5 min and is paid for" in note


def test_programs_get_the_same_numbers() -> None:
    """Money as decimal strings, the whole bill never below training only, each part with its minutes."""
    data = estimate_reply(ALL, {}, RECIPE, None, None, {"one": OFFER}).data
    assert data["presets"] == {"quick": 5, "standard": 30, "thorough": 120}
    assert data["providers"][0]["source"] == "live"
    assert data["providers"][0]["offer"] == "77"
    for row in data["providers"]:
        for preset, cost in row["training_only"].items():
            bill = row["whole_bill"][preset]
            assert Decimal(cost) <= Decimal(bill["low"]) <= Decimal(bill["high"])
            assert any(part["name"] == "training" for part in bill["parts"])


def test_a_live_offer_is_preferred_and_marked() -> None:
    """The row says that it is a price of now, and for which card."""
    reply = estimate_reply(ALL, {}, None, None, None, {"one": replace(OFFER, count=2)})
    assert reply.tables[0].rows[0][1] == "$0.31/h (offered now, 2x RTX 4090)"
    assert "typical" in reply.tables[0].rows[1][1]


def test_a_card_without_a_live_price_gets_none_invented() -> None:
    """The typical rate stays the example card's, and that is said; so is that the own computer lacks it."""
    reply = estimate_reply(ALL, {}, None, "RTX 4090", None, {"one": OFFER})
    assert reply.lines[0] == (
        "No live price of RTX 4090 is known for Two (RTX 3090), Three (A10): "
        "the rate shown is typical for the card in brackets, not for RTX 4090."
    )
    assert any(line.startswith("Home has no RTX 4090") for line in reply.lines)
    assert "RTX 3090" in reply.tables[0].rows[1][1]


def test_a_card_that_is_too_small_is_warned_of() -> None:
    """Said by the person or offered by the market: one line, with both sizes."""
    line = "RTX 3060 is too small: it has 12 GB, and Big LoRA needs 16 GB of GPU memory or more."
    asked = estimate_reply(ALL, {}, RECIPE, "RTX 3060", None, None)
    offered = estimate_reply(ALL, {}, RECIPE, None, None, {"one": replace(OFFER, gpu="RTX 3060", vram_gb=12)})
    for reply in (asked, offered):
        assert reply.lines[0] == line
        assert reply.tone is Tone.WARN
        assert reply.data["warnings"] == [line]
    assert estimate_reply(ALL, {}, RECIPE, "RTX 4090", None, None).tone is Tone.CALM


def test_an_own_computer_without_a_gpu_is_no_silent_bargain() -> None:
    """Free is not enough: it is said that it has no GPU, or nothing that suits."""
    bare = replace(OFFER, provider="home", gpu="CPU only", vram_gb=0, hourly=ZERO, cpu_only=True)
    assert "Home has no GPU" in said(estimate_reply(ALL, {}, RECIPE, None, None, {"home": bare}))
    assert "Home has no card for Big LoRA" in said(estimate_reply(ALL, {}, RECIPE, None, None, {}))
    easy = RECIPE.model_copy(update={"requirements": Requirements(gpu=False)})
    assert "has no" not in said(estimate_reply(ALL, {}, easy, None, None, {"home": bare}))


def test_electricity_is_counted_where_it_is_set() -> None:
    """At $0.06/h the own computer's two hours are 12 cents."""
    row = estimate_reply(ALL, {"home": Usd.of("0.06")}, None, None, None, None).tables[0].rows[3]
    assert row == ("Home", "$0.06/h (as set by your team)", "$0.01", "$0.03", "$0.12")


def test_advice_names_the_place_the_reasons_and_the_cards() -> None:
    """Local or Cloud stands in the title; what to rent is a table, and marked as typical."""
    bare = Hardware(GpuKind.NONE, sentence="No GPU was found.")
    reply = advise_reply(RECIPE, advise(RECIPE, [bare], ALL))
    assert reply.title == "Big LoRA: Cloud"
    assert reply.lines[0] == "No GPU was found."
    assert "A100" in said(reply)
    assert [row[0] for row in reply.tables[0].rows] == ["One", "Two", "Three"]
    assert (reply.data["where"], reply.data["cards"][0]["hourly"]) == ("cloud", "0.20")
    assert reply.buttons[0].command == "estimate big-lora"


def test_providers_are_compared_configured_or_not() -> None:
    """Best for, GPU options, price range, ease of use, and what is configured, for every provider."""
    accounts = {
        "one": [Account(AccountNote.READY, balance=Usd.of("12.349"), as_of=datetime(2026, 1, 1, tzinfo=UTC))],
        "two": [Account(AccountNote.FAULT, "The key was refused.")],
        "home": [
            Account(AccountNote.READY),
            Account(AccountNote.READY),
            Account(AccountNote.FAULT, "ws1 is off."),
        ],
    }
    reply = providers_reply(ALL, accounts)
    assert reply.kind is Kind.ANSWER
    assert reply.tables[0].header == (
        "Provider", "Best for", "GPU options", "Price range", "Ease of use", "Configured",
    )  # fmt: skip
    assert [row[-1] for row in reply.tables[0].rows] == [
        "ready",
        "fault",
        "not configured",
        "2 ready, 1 fault",
    ]
    assert reply.lines == (
        "One: Balance $12.34.", "Two: The key was refused.", "Home: ws1 is off.",
        "Three is not configured: set THREE_KEY.",
    )  # fmt: skip
    told = [
        Account(AccountNote.FAULT, "Two does not take the key."),
        Account(AccountNote.FAULT, "two/ws1: off."),
    ]
    named = providers_reply([TWO], {"two": told}).lines
    assert named == ("Two does not take the key.", "two/ws1: off.")
    assert [one["configured"] for one in reply.data["providers"]] == [True, False, False, True]
    assert providers_reply([ONE], {}).tables[0].rows[0][-1] == "not configured"
    said(reply)
