"""A recipe rendered for a card as the train step does it, without a machine; and what its tool calls its options."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml

from bot import recipes
from bot.commands.training import inputs_of
from bot.domain.fitting import fitted, said
from bot.domain.recipe import Recipe
from bot.domain.rental import Job
from bot.lifecycle.rendering import command, written

SHIPPED = recipes.load(recipes.SHIPPED)
OPTIONS = Path(__file__).parent / "options"
READ = {"json": json.loads, "toml": tomllib.loads, "yaml": yaml.safe_load}


@dataclass(frozen=True)
class Rendered:
    """What the tool would get: its files, parsed back, and its command."""

    job: Job
    files: dict[str, Any]
    argv: tuple[str, ...]


def rendered(recipe: Recipe, preset: str, gpu: str | None, vram_gb: float, **typed: str) -> Rendered:
    """As it runs on this card when this was typed."""
    inputs = inputs_of(recipe, preset, typed)
    limit = timedelta(minutes=recipe.preset(preset).minutes)
    asked = Job(
        recipe.name,
        "",
        preset,
        inputs,
        "/data",
        "",
        10,
        1,
        int(inputs.get("steps", 1)),
        limit,
        said=tuple(typed),
    )
    job = fitted(recipe, asked, gpu, vram_gb)
    values = {
        "workdir": "/w",
        "host_python": "python3",
        "python": "/w/venv/bin/python",
        "name": "cats-k7m2qd",
    }
    values |= {"steps": str(job.steps), "save_every": str(max(1, job.steps // 5))}
    values |= {f"input:{name}": said(value) for name, value in job.inputs.items()}
    files = {one.path: READ[one.format](written(one, values, job).decode()) for one in recipe.render}
    return Rendered(job, files, command(recipe, values, job))


def options(name: str) -> tuple[str, dict[str, set[str]]]:
    """The version that a list was read from, and its sections."""
    text = (OPTIONS / f"{name}.txt").read_text(encoding="utf-8")
    version = re.search(r"^# tool_version: (\w+)$", text, re.MULTILINE)
    assert version is not None
    sections: dict[str, set[str]] = {}
    current: set[str] = set()
    for line in text.splitlines():
        if line.startswith("["):
            current = sections.setdefault(line.strip("[]"), set())
        elif line and not line.startswith("#"):
            current.add(line)
    return version[1], sections
