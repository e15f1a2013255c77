"""The example of docs/recipes.md is a recipe, and the page tells of every block."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import jsonschema
import pytest
import yaml

from bot import recipes
from bot.domain.recipe import Recipe
from tests.recipes.rendered import options, rendered

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "docs" / "examples" / "my-style.yaml"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A team's folder, as the page says: the file, and what it names beside it."""
    shutil.copy(EXAMPLE, tmp_path)
    shutil.copy(ROOT / "recipes" / "common" / "fetch_file.py", tmp_path)
    return tmp_path


def test_the_example_loads_and_renders(folder: Path):
    """Beside the shipped ones, with sd-scripts' own option names."""
    recipe = recipes.load(recipes.SHIPPED, folder)["my-style"].recipe
    run = rendered(recipe, "thorough", "RTX 4090", 24, optimizer="Prodigy")
    assert run.files["config.toml"]["network_dim"] == 64 and run.job.steps == 3000
    assert set(run.files["config.toml"]) <= options("sd-scripts")[1]["sdxl_train_network.py"]
    assert run.argv[-2:] == ("--max_grad_norm", "0")


def test_the_page_tells_of_every_block():
    """A block that is added is told."""
    page = (ROOT / "docs" / "recipes.md").read_text(encoding="utf-8")
    told = set(re.findall(r"`(\w+)(?:: 1)?`", page.split("## The blocks")[1]))
    assert set(Recipe.model_fields) <= told


def test_the_example_has_every_block_but_one(folder: Path):
    """As the page says."""
    said = recipes.read(folder / EXAMPLE.name).recipe.model_fields_set
    assert set(Recipe.model_fields) - said == {"dry_run", "advice"}


def test_the_schema_takes_what_the_code_takes():
    """For editors: every shipped recipe and the example are valid by ``recipes/schema.json``; a misspelt key is not."""
    check = jsonschema.Draft202012Validator(recipes.schema())
    for path in (EXAMPLE, *recipes.SHIPPED.glob("*.yaml")):
        value = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert [error.message for error in check.iter_errors(value)] == [], path.name
    assert list(check.iter_errors({**value, "titel": "x"}))
