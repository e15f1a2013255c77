"""A filled form as a line: what the grammar reads back is what was filled in, and every fault is at its field."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.commands.form_line import speak
from bot.commands.spoken import Train, Up
from bot.commands.vocabulary import ProviderWord, Vocabulary
from bot.domain.money import Usd

WORDS = Vocabulary(
    (ProviderWord("one", "One"), ProviderWord("two")), ("tiny-lora",), ("quick",), ("rank", "trigger")
)
UP = {"provider": "any", "gpu": "rtx-3090", "for": "2h", "budget": "$5"}
TRAIN = {"recipe": "tiny-lora", "preset": "quick", "provider": "any", "for": "1h", "budget": "$5"}


@pytest.mark.parametrize(
    "data",
    [
        "/a b/cats",
        "it's",
        '6" prints',
        "a='b c'",
        "--help",
        "budget $100",
        "-x",
        "猫",
        "x\\y",
        "“curly”",
        "a=b",
        ".",
    ],
)
def test_a_line_says_exactly_what_was_filled_in(data: str):
    """Whatever it looks like."""
    values = {**TRAIN, "data": data, "inputs": 'rank=8 trigger="a b"'}
    said = speak("train", values, WORDS)
    assert isinstance(said.command, Train), said
    assert (said.command.data, said.command.attached) == (data, False)
    assert said.command.inputs == {"rank": "8", "trigger": "a b"}
    assert (said.command.hours, said.command.budget) == (timedelta(hours=1), Usd.of(5))


def test_a_rental_says_exactly_what_was_filled_in():
    """A plain number is dollars where dollars are asked for."""
    said = speak("up", {**UP, "count": "2", "spot": "yes", "provider": "one", "budget": "3.50"}, WORDS)
    assert isinstance(said.command, Up)
    want = said.command.want
    assert (want.provider, want.gpu, want.count, want.spot) == ("one", "RTX 3090", 2, True)
    assert said.command.budget == Usd.of("3.50")
    nothing = speak("up", {"gpu": "", "for": "2h"}, WORDS).command
    assert isinstance(nothing, Up) and nothing.want.provider == "any"
    cpu = speak("up", {"gpu": "cpu", "spot": "no"}, WORDS).command
    assert isinstance(cpu, Up) and cpu.want.cpu_ok and not cpu.want.spot


@pytest.mark.parametrize(
    ("name", "said", "told"),
    [
        ("budget", "lots", "no amount"), ("budget", "$5 $6", "$5"), ("for", "2", "unit"), ("for", "99d", "30 days"),
        ("provider", "mars", "mars"), ("recipe", "mega", "mega"), ("preset", "slow", "slow"), ("gpu", "9090", "9090"),
        ("inputs", "rank", "name=value"), ("inputs", "budget=$99", "no parameter budget"),
        ("inputs", "--rank=8", "no parameter"), ("inputs", 'rank="8', "never closed"), ("data", "a\nb", "line breaks"),
        ("data", "x" * 3000, "too long"), ("data", "a\u202eb", "U+202E"), ("data", "a\" b' c", "quotes"),
    ],
)  # fmt: skip
def test_a_fault_is_at_its_field(name: str, said: str, told: str):
    """And the other fields have none."""
    found = speak("train", {**TRAIN, name: said}, WORDS)
    assert list(found.errors) == [name] and found.command is None
    assert told in found.errors[name] or told in found.errors[name].lower()


def test_all_faults_are_told_at_once():
    """Each at its own field."""
    assert set(speak("up", {**UP, "budget": "lots", "for": "soon"}, WORDS).errors) == {"budget", "for"}
    assert set(speak("train", {"budget": "$5"}, WORDS).errors) == {"recipe"}


def test_what_is_too_long_together_is_told_at_the_longest():
    """A line has a limit of its own."""
    found = speak("train", {**TRAIN, "data": "x" * 1_400, "inputs": f"trigger={'y' * 900}"}, WORDS)
    assert list(found.errors) == ["data"] and "too long" in found.errors["data"]
