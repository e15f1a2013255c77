"""A tool's own files and words, from a recipe and a job. What is written is read back: the tool has to see the same."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Mapping
from typing import Any

import tomli_w
import yaml

from bot.domain.errors import Refused
from bot.domain.recipe import Recipe, Render, fill
from bot.domain.recipe_blocks import holds
from bot.domain.rental import Job


def _yaml(value: Any) -> str:
    return str(yaml.safe_dump(value, sort_keys=False, allow_unicode=True))


def _json(value: Any) -> str:
    return json.dumps(value, indent=1)


_WRITE: Mapping[str, Callable[[Any], str]] = {"json": _json, "toml": tomli_w.dumps, "yaml": _yaml}
_READ: Mapping[str, Callable[[str], Any]] = {
    "json": json.loads,
    "toml": tomllib.loads,
    "yaml": yaml.safe_load,
}


def written(render: Render, values: Mapping[str, str], job: Job) -> bytes:
    """The file's content. Raises ``Refused`` when it would be read back as something else."""
    content = filled_values(render.values, dict(values), job)
    text = _WRITE[render.format](content)
    if _READ[render.format](text) != content:
        raise Refused(
            f"{render.path} would not be read as it was meant", help="A value in it is no plain one."
        )
    return text.encode()


def filled_values(value: Any, values: dict[str, str], job: Job) -> Any:
    """``{input:rank}`` alone becomes the typed value; other ``{...}`` become text, digits alone a number."""
    if isinstance(value, dict):
        return {name: filled_values(one, values, job) for name, one in value.items()}
    if isinstance(value, list):
        return [filled_values(one, values, job) for one in value]
    if not isinstance(value, str):
        return value
    whole = re.fullmatch(r"\{input:([a-z0-9_]+)\}", value)
    if whole:
        return job.inputs[whole[1]]
    text = fill(value, values)
    return int(text) if text != value and text.isdigit() else text


def command(recipe: Recipe, values: Mapping[str, str], job: Job) -> tuple[str, ...]:
    """The training command, with the switches that these inputs ask for."""
    assert recipe.run is not None
    extra = (word for one in recipe.run.extra if holds(one.when, job.inputs) for word in one.argv)
    return tuple(fill(word, dict(values)) for word in (*recipe.run.argv, *extra))
