"""A broken recipe is told in one sentence: the file, the line, and what is wrong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bot import recipes
from bot.recipes import BrokenRecipe, parse, read

GOOD = """\
recipe: 1
name: my-lora
title: Mine
description: A test.
family: test
tool: a tool
tool_version: "1"
inputs:
  rank: {type: int, default: 16, min: 1, max: 128}
  fast: {type: bool, default: true}
presets:
  quick: {steps: 10, minutes: 5}
run:
  argv: ["{python}", train.py, "--rank={input:rank}"]
outputs: {final: "{name}.safetensors", patterns: ["*.safetensors"]}
progress:
  stages:
    "loading": loading
"""

BROKEN = [
    ("name: my-lora", "name: my: lora", "line 2:", "no valid YAML"),
    ("recipe: 1", "recipe: 2", "line 1, recipe:", "should be 1"),
    ("recipe: 1\n", "", "recipe:", "it is missing."),
    ("title: Mine", "titel: Mine", "line 3, titel:", "no such key; is it title?"),
    ("title: Mine\n", "", "title:", "it is missing."),
    ("max: 128}", "max: lots}", "line 9, inputs.rank.max:", "valid number"),
    ("default: 16", "default: 400", "line 9, inputs.rank.default:", "400 is not a whole number from 1 to 128."),
    ("steps: 10, minutes: 5", "minutes: 5", "line 12, presets.quick:", "says no steps"),
    ("quick: {", "swift: {", "preset 'swift'", "is not one of quick, standard, thorough"),
    ("minutes: 5}", "minutes: 5, inputs: {rnk: 4}}", "line 12, presets.quick.inputs.rnk:", "is it rank?"),
    ("minutes: 5}", "minutes: 5, inputs: {rank: 999}}", "line 12,", "from 1 to 128, not 999."),
    ("minutes: 5}", "minutes: 5, limit_minutes: 1}", "line 12,", "stopped before its minutes are over"),
    ("input:rank", "input:rang", "line 14, run.argv:", "{input:rang} stands for nothing here"),
    ("{name}.safe", "{nam}.safe", "line 15, outputs.final:", "{nam} stands for nothing here"),
    ('"loading":', '"load(ing":', "line 18, progress.stages.load(ing:", "is no regular expression"),
    ('tool_version: "1"', "tool_version: main", "line 7, tool_version:", "moves: name a release or a commit"),
    ("outputs: {", "models: [{id: a, url: 'https://x/y', dest: m/a, gb: 1}]\noutputs: {", "line 15, models:", "fetch"),
    ("outputs: {", "memory: [{when: {fsat: true}, gb: 2}]\noutputs: {", "line 15, memory.0.when.fsat:", "is it fast?"),
    ("outputs: {", "cards: [{below_gb: 9, inputs: {fast: 3}}]\noutputs: {", "line 15, cards.0", "fast is yes or no"),
    ("outputs: {", "memory_ladder: [{inputs: {rank: 0}}]\noutputs: {", "line 15, memory_ladder.0", "from 1 to 128"),
    (
        "outputs: {",
        "speed: {most: 9, paces: [{seconds: {'RTX 30900': 1}, other: 2}]}\noutputs: {",
        "line 15, speed.paces.0.seconds.RTX 30900:",
        "is no card we know",
    ),
    ("outputs: {", "environment: {files: [gone.py]}\noutputs: {", "line 15, environment.files.0:", "is not there."),
]  # fmt: skip


def test_the_good_one_is_good():
    """So that what is broken below is broken by one change."""
    assert parse(GOOD, Path(), "my.yaml").recipe.name == "my-lora"


@pytest.mark.parametrize(("was", "now", "place", "reason"), BROKEN)
def test_a_fault_is_told_with_its_place_and_reason(
    tmp_path: Path, was: str, now: str, place: str, reason: str
):
    """One line, the file first."""
    assert GOOD.count(was) >= 1
    path = tmp_path / "my.yaml"
    path.write_text(GOOD.replace(was, now, 1), encoding="utf-8")
    with pytest.raises(BrokenRecipe) as told:
        read(path)
    said = str(told.value)
    assert said.startswith("my.yaml, line ") and "\n" not in said and said[-1] in ".?"
    assert place in said and reason in said


@pytest.mark.parametrize("content", [b"", b"- a\n- b\n", b"just words", b"\xff\xfe\x00", b"a: b: c"])
def test_what_is_no_recipe_at_all_is_told_too(tmp_path: Path, content: bytes):
    """Nothing, a list, words, bytes: a sentence with the file's name, never a stack."""
    path = tmp_path / "odd.yaml"
    path.write_bytes(content)
    with pytest.raises(BrokenRecipe, match=r"^odd\.yaml"):
        read(path)


def test_a_broken_one_is_left_out_and_told_and_the_others_are_there(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    """A bot that has tabs to close starts all the same. A team's recipe of the same name wins over ours."""
    (tmp_path / "bad.yaml").write_text("recipe: 1\nnam: x\n", encoding="utf-8")
    (tmp_path / "good.yaml").write_text(GOOD.replace("my-lora", "tiny-lora"), encoding="utf-8")
    found = recipes.load(recipes.SHIPPED, tmp_path)
    assert found["tiny-lora"].recipe.title == "Mine" and "sdxl-lora" in found
    assert "bad.yaml, line 2, nam: no such key" in caplog.text


def test_what_a_rental_keeps_is_not_held_against_rules_that_came_later():
    """It was whole when it was asked for; a machine may run by it."""
    moving = GOOD.replace('tool_version: "1"', "tool_version: main")
    assert parse(moving, Path(), "my-lora", kept=True).recipe.tool_version == "main"


def test_a_team_can_look_at_its_files_before_the_bot_does(tmp_path: Path):
    """``python -m bot.recipes FILE…`` says of each whether it is a recipe, and exits 1 if one is not."""
    (tmp_path / "good.yaml").write_text(GOOD, encoding="utf-8")
    (tmp_path / "bad.yaml").write_text(GOOD.replace("title", "titel"), encoding="utf-8")
    paths = [str(tmp_path / "good.yaml"), str(tmp_path / "bad.yaml")]
    done = subprocess.run([sys.executable, "-m", "bot.recipes", *paths], capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr == ""
    first, second = done.stdout.splitlines()
    assert first == "good.yaml: my-lora is a recipe."
    assert second.startswith("bad.yaml, line 3, titel: no such key")
