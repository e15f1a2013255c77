"""Completion: what is offered fits what is typed, and what is offered is understood."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.commands.catalogue import COMMANDS
from bot.commands.completion import complete
from bot.domain.errors import AskAgain
from tests.commands.words import VOCABULARY, said

IDS = ("k7m2qd", "k8aaaa", "zz9zz9")


def offered(line: str) -> list[str]:
    return [each.text for each in complete(line, VOCABULARY, IDS)]


def test_an_empty_line_offers_every_command_that_works():
    """Those of later releases are not advertised."""
    assert offered("") == [spec.name for spec in COMMANDS if spec.available]
    assert offered("/gpu ") == offered("")


def test_a_command_is_completed_from_its_first_letters():
    """Also one that comes later, which says so."""
    assert offered("stat") == ["status"]
    assert [each.description for each in complete("repo", VOCABULARY)] == [
        "A week of rentals on a page (later)"
    ]


@pytest.mark.parametrize(
    ("line", "first"),
    [
        ("up ", "any"),
        ("up v", "vast"),
        ("up local/", "local/ws1"),
        ("up vast 309", "rtx-3090"),
        ("up vast rtx-30", "rtx-3090"),
        ("up gpu h1", "h100-sxm"),
        ("up vast 3090 for ", "2h"),
        ("up vast budget ", "$5"),
        ("up vast --max=", "$0.40/h"),
        ("up --gpu=a100-", "a100-40gb"),
        ("up vast --b", "--budget"),
        ("train ", "tiny-lora"),
        ("train sdxl-lora q", "quick"),
        ("down ", "k7m2qd"),
        ("down m", "mine"),
        ("extend ", "k7m2qd"),
        ("extend k7m2qd ", "1h"),
        ("logs z", "zz9zz9"),
        ("help ex", "extend"),
    ],
)
def test_the_likeliest_comes_first(line, first):
    """Values before options, and a plain card before its Ti."""
    assert offered(line)[0] == first


def test_what_was_said_is_not_offered_again():
    """A slot is filled once."""
    after = offered("up vast 3090 budget $5 spot ")
    assert not {"vast", "any", "on", "gpu", "budget", "spot"} & set(after)
    assert "disk" in after


def test_a_rentals_id_is_offered_from_those_that_are_passed_in():
    """Completion asks nobody."""
    assert offered("ssh k") == ["k7m2qd", "k8aaaa"]
    assert complete("ssh k", VOCABULARY) == []


def test_a_provider_that_is_not_configured_is_offered_as_such():
    """It can be compared and estimated; renting there needs a key first."""
    (found,) = complete("offers run", VOCABULARY)
    assert (found.text, found.description) == ("runpod", "RunPod (not configured)")


def test_the_place_is_where_the_typed_part_begins():
    """The text replaces the rest of the line from there."""
    for line in ("up va", "/gpu up va", "up --on=va"):
        found = complete(line, VOCABULARY)[0]
        assert line[: found.start] + found.text == line[:-2] + "vast"


@pytest.mark.parametrize("line", ["foo ", "budget ", 'up "RTX', "up vast data ./", "providers ", "x" * 3000])
def test_where_nothing_is_known_nothing_is_offered(line):
    """Unknown and later commands, open quotes, folders."""
    assert complete(line, VOCABULARY, IDS) == []


@pytest.mark.parametrize(
    "line",
    [
        "up ",
        "up v",
        "up vast 4",
        "up gpu ",
        "up vast for ",
        "up any max ",
        "train ",
        "train tiny-lora ",
        "estimate ",
        "extend k7m2qd ",
        "down ",
        "logs ",
        "help ",
        "offers ",
    ],
)
def test_every_value_that_is_offered_is_understood(line):
    """What is chosen from the menu is never unknown (an option may still wait for its value)."""
    for each in complete(line, VOCABULARY, IDS):
        try:
            said(line[: each.start] + each.text)
        except AskAgain as question:
            assert "know" not in question.sentence, (each, question.sentence)


@given(
    st.text(max_size=60)
    | st.lists(
        st.sampled_from(["up", "train", "gpu", "--for", "=", '"', "3090", "x2", "-", "vast", ""]), max_size=6
    ).map(" ".join)
)
def test_no_half_typed_line_breaks_it(line):
    """Every offer begins in the line and adds something."""
    for each in complete(line, VOCABULARY, IDS):
        assert 0 <= each.start <= len(line)
        assert each.text
