"""What a person types for a recipe: unknown, out of bounds, of the wrong type: one sentence that says what works."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.commands.training import inputs_of
from bot.domain.errors import AskAgain, Refused
from tests.recipes.rendered import SHIPPED

SDXL = SHIPPED["sdxl-lora"].recipe


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"rank": "999"}, "rank is a whole number from 1 to 256, not 999."),
        ({"rank": "0"}, "rank is a whole number from 1 to 256, not 0."),
        ({"rank": "16.5"}, "rank is a whole number from 1 to 256, not 16.5."),
        ({"rank": "many"}, "rank is a whole number from 1 to 256, not many."),
        ({"rank": "１６"}, "rank is a whole number from 1 to 256, not １６."),
        ({"lr": "fast"}, "lr is a number such as 1e-4 from 1e-09 to 10, not fast."),
        ({"lr": "11"}, "lr is a number such as 1e-4 from 1e-09 to 10, not 11."),
        ({"lr": "nan"}, "lr is a number such as 1e-4 from 1e-09 to 10, not nan."),
        ({"lr": "1e999"}, "lr is a number such as 1e-4 from 1e-09 to 10, not 1e999."),
        ({"checkpointing": "maybe"}, "checkpointing is yes or no, not maybe."),
        ({"optimizer": "SGD"}, "optimizer is one of AdamW8bit, AdamW, Adafactor, Prodigy, not SGD."),
        ({"trigger": "a\x07b"}, "trigger is a text of 1 to 200 printable characters, not a\x07b."),
    ],
)
def test_a_value_that_cannot_be_is_told_with_what_can(typed: dict[str, str], sentence: str):
    """The bounds are in the sentence."""
    with pytest.raises(Refused) as told:
        inputs_of(SDXL, "quick", typed)
    assert told.value.sentence == sentence


def test_a_parameter_that_there_is_not_is_told_with_the_nearest_and_its_bounds():
    """One sentence; the whole list stands beside it."""
    with pytest.raises(AskAgain) as told:
        inputs_of(SDXL, "quick", {"rnk": "16"})
    assert told.value.sentence == "sdxl-lora has no parameter rnk; rank is a whole number from 1 to 256."
    assert told.value.nearest == "rank" and "resolution" in told.value.expected


def test_a_word_that_is_near_nothing_is_told_without_a_guess():
    """No nearest, no bounds."""
    with pytest.raises(AskAgain) as told:
        inputs_of(SDXL, "quick", {"colour": "blue"})
    assert told.value.sentence == "sdxl-lora has no parameter colour." and told.value.nearest == ""


def test_what_is_typed_wins_over_the_preset_and_the_preset_over_the_default():
    """rank: 16 by default, 64 by thorough, 8 by word."""
    assert inputs_of(SDXL, "thorough", {})["rank"] == 64
    assert inputs_of(SDXL, "thorough", {"rank": "8", "lr": "1e-4"})["rank"] == 8
    assert inputs_of(SDXL, "quick", {"lr": "1e-4"})["lr"] == 0.0001


@given(st.text(max_size=40), st.sampled_from(sorted(SDXL.inputs)))
def test_whatever_is_typed_is_a_value_within_its_bounds_or_a_sentence(text: str, name: str):
    """Never another error, never a value that the recipe does not allow."""
    try:
        value = inputs_of(SDXL, "quick", {name: text})[name]
    except Refused as error:
        assert error.sentence.startswith(f"{name} is ") and error.sentence.endswith(".")
    else:
        assert SDXL.inputs[name].allows(value)
