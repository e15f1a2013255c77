"""A recipe on a card, by hand-made recipes: who wins, what holds, which rung comes next."""

from __future__ import annotations

from typing import Any

import pytest

from bot.domain.fitting import inputs_on, memory_gb, seconds_per_step, smaller, steps_on, usable_gb
from bot.domain.recipe import Recipe
from bot.domain.recipe_blocks import Between, holds


def recipe(**blocks: Any) -> Recipe:
    """The least there is, and these."""
    inputs = {
        "batch": {"type": "int", "default": 1},
        "swap": {"type": "int", "default": 0},
        "thin": {"type": "bool", "default": False},
        "steps": {"type": "int", "default": 10},
    }
    known = {"recipe": 1, "name": "a-lora", "title": "", "description": "", "family": "x", "tool": "t"}
    return Recipe.model_validate({**known, "tool_version": "1", "inputs": inputs, **blocks})


PLAIN = {"batch": 1, "swap": 0, "thin": False, "steps": 10}
RUNGS = ({"batch": 1}, {"thin": True}, {"swap": 16}, {"swap": 28})
LADDER = recipe(memory_ladder=[{"inputs": one} for one in RUNGS])


@pytest.mark.parametrize(
    ("changed", "rung"),
    [
        ({"batch": 4}, "batch=1"),
        ({}, "thin=true"),
        ({"thin": True}, "swap=16"),
        ({"thin": True, "swap": 16}, "swap=28"),
        ({"thin": True, "swap": 28}, ""),
        ({"swap": 28}, "thin=true"),
    ],
)
def test_the_next_rung_is_the_first_that_changes_something_and_never_back_up(
    changed: dict[str, Any], rung: str
):
    """Who stands on 28 is not told 16."""
    assert smaller(LADDER, {**PLAIN, **changed}) == rung
    assert smaller(recipe(), PLAIN) == ""


def test_a_card_changes_what_nobody_said_and_nothing_else():
    """Rules in order, the later over the earlier; without a card there is nothing to follow."""
    cards = [{"below_gb": 24, "inputs": {"thin": True, "swap": 8}}, {"below_gb": 12, "inputs": {"swap": 28}}]
    one = recipe(cards=cards)
    assert inputs_on(one, PLAIN, (), 24) == PLAIN == inputs_on(one, PLAIN, (), 0)
    assert inputs_on(one, PLAIN, (), 16) == {**PLAIN, "thin": True, "swap": 8}
    assert inputs_on(one, PLAIN, (), 8) == {**PLAIN, "thin": True, "swap": 28}
    assert inputs_on(one, PLAIN, ("swap",), 8) == {**PLAIN, "thin": True}


def test_seconds_and_memory_are_those_of_the_first_case_that_holds():
    """None where no case does: then nothing is claimed."""
    paces = [{"when": {"thin": True}, "seconds": {"A100 80GB": 2}, "other": 5}, {"seconds": {}, "other": 1}]
    speed = {"paces": paces, "times": ["batch"], "least": 20, "most": 1000}
    one = recipe(
        speed=speed, memory=[{"when": {"swap": {"min": 16}}, "gb": 9}], presets={"quick": {"minutes": 5}}
    )
    assert seconds_per_step(one, {**PLAIN, "thin": True}, "A100 PCIe 80GB") == 2
    assert seconds_per_step(one, {**PLAIN, "thin": True, "batch": 3}, "RTX 3090") == 15
    assert seconds_per_step(one, PLAIN, None) == 1 and seconds_per_step(recipe(), PLAIN, None) is None
    assert steps_on(one, "quick", PLAIN, None) == 300
    assert steps_on(one, "quick", {**PLAIN, "batch": 100}, None) == 20
    assert steps_on(one, "thorough", PLAIN, None) == 1000
    assert memory_gb(one, {**PLAIN, "swap": 20}) == 9 and memory_gb(one, PLAIN) is None


def test_a_condition_holds_for_a_value_or_a_range_and_not_for_an_input_that_is_missing():
    """Both ends belong to a range; a word lies in none."""
    assert holds({}, {}) and holds({"a": 1, "b": Between(min=2, max=2)}, {"a": 1, "b": 2})
    assert not holds({"a": 1}, {}) and not holds({"b": Between(max=1)}, {"b": 2})
    assert not holds({"b": Between(min=0)}, {"b": "many"})


def test_the_vram_rule():
    """93 % of what is printed on the box, and a tenth of that stays free."""
    assert usable_gb(24) == pytest.approx(20.088)
