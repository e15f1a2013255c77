"""Recipes from their folders: the shipped ones and a team's own."""

from __future__ import annotations

import functools
import hashlib
import json
import logging
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

import bot
from bot.domain.errors import LastcallError
from bot.domain.nearest import nearest
from bot.domain.recipe import Recipe
from bot.domain.recipe_faults import fault_of
from bot.domain.rental import Job

log = logging.getLogger("lastcall.recipes")

SHIPPED = Path(bot.__file__).parent.parent / "recipes"


class BrokenRecipe(LastcallError):
    """A recipe file that does not follow the schema; the text says which file, where and why."""


@dataclass(frozen=True, slots=True)
class RecipeFile:
    """A recipe with where it came from; ``folder`` is where its ``environment.files`` are found."""

    recipe: Recipe
    folder: Path
    sha256: str
    text: str
    """As it was read."""


Recipes = Mapping[str, RecipeFile]


def load(*folders: Path | None) -> Recipes:
    """All recipes of the folders by name; a later folder's wins. A broken one is left out and told in the log: it
    must not keep a bot from starting that has tabs to close."""
    found: dict[str, RecipeFile] = {}
    for folder in folders:
        if folder is None:
            continue
        for path in sorted(folder.glob("*.yaml")):
            try:
                one = read(path)
            except BrokenRecipe as error:
                log.error("recipe left out: %s", error)  # noqa: TRY400 - the sentence says where
                continue
            found[one.recipe.name] = one
    return MappingProxyType(found)


def read(path: Path) -> RecipeFile:
    """One recipe file. Raises ``BrokenRecipe``."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BrokenRecipe(f"{path.name} cannot be read: {error}.") from None
    return parse(text, path.parent, path.name)


@functools.lru_cache(maxsize=256)
def parse(text: str, folder: Path, name: str, *, kept: bool = False) -> RecipeFile:
    """A recipe from its text: a rental keeps the one it was asked for, whatever becomes of the file. ``kept``: it was
    found whole once, and later rules are not held against it. Raises ``BrokenRecipe``: file, line and reason."""
    try:
        value = yaml.safe_load(text)
        recipe = Recipe.model_validate(value)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise BrokenRecipe(f"{name}{where}: no valid YAML: {getattr(error, 'problem', error)}.") from None
    except ValidationError as error:
        found = error.errors()  # a misspelt key is also one that is missing: the first says more
        first = next((one for one in found if one["type"] == "extra_forbidden"), found[0])
        raise BrokenRecipe(_sentence(text, name, first["loc"], _reason(first))) from None
    fault = None if kept else fault_of(recipe)
    if fault is not None:
        raise BrokenRecipe(_sentence(text, name, fault.place, fault.reason))
    for number, file in enumerate(recipe.environment.files):
        if not (folder / file).is_file():
            place = ("environment", "files", number)
            raise BrokenRecipe(_sentence(text, name, place, f"{file} is not there."))
    return RecipeFile(recipe, folder, hashlib.sha256(text.encode()).hexdigest(), text)


def _reason(error: ErrorDetails) -> str:
    """In words that say what to type, where pydantic's speak of itself."""
    match error["type"]:
        case "extra_forbidden":
            near = nearest(str(error["loc"][-1]), _keys())
            return "no such key" + (f"; is it {near}?" if near else ".")
        case "missing":
            return "it is missing."
        case "model_type" | "model_attributes_type":
            return "it has to be a table of keys and values."
        case _:
            return f"{error['msg'].removeprefix('Value error, ').rstrip('.')}."


@functools.cache
def _keys() -> frozenset[str]:
    """All words of the schema."""
    tables = [schema(), *schema()["$defs"].values()]
    return frozenset(name for one in tables for name in one.get("properties", ()))


def _sentence(text: str, name: str, place: tuple[str | int, ...], reason: str) -> str:
    said = ".".join(str(part) for part in place if part != "[key]")
    return f"{name}, line {_line(text, place)}" + (f", {said}" if said else "") + f": {reason}"


def _line(text: str, place: tuple[str | int, ...]) -> int:
    """The line, from 1, of the deepest part of ``place`` that is in the text."""
    node, line = yaml.compose(text, Loader=yaml.SafeLoader), 1
    for part in place:
        if isinstance(node, yaml.MappingNode):
            pair = next((one for one in node.value if str(one[0].value) == str(part)), None)
            if pair is None:
                break
            line, node = pair[0].start_mark.line + 1, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            break
    return line


@functools.cache
def schema() -> dict[str, Any]:
    """The JSON Schema of a recipe file, for editors (``recipes/schema.json``)."""
    said = Recipe.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **said, "title": "Lastcall recipe"}


def main() -> None:
    """``python -m bot.recipes`` prints the schema; with files, says of each whether it is a recipe (exit 1 if not)."""
    if not sys.argv[1:]:
        sys.stdout.write(json.dumps(schema(), indent=1, ensure_ascii=False) + "\n")
        return
    broken = 0
    for path in map(Path, sys.argv[1:]):
        try:
            said = f"{path.name}: {read(path).recipe.name} is a recipe."
        except BrokenRecipe as error:
            broken, said = 1, str(error)
        sys.stdout.write(f"{said}\n")
    sys.exit(broken)


def asked_for(job: Job, known: Recipes) -> RecipeFile:
    """The recipe of a job as it was asked for. Raises ``BrokenRecipe`` when its files are gone, or nobody knows it."""
    if job.recipe_text:
        return parse(job.recipe_text, Path(job.recipe_folder), job.recipe, kept=True)
    if job.recipe not in known:
        raise BrokenRecipe(f"the recipe {job.recipe} is not in the recipe folder any more")
    return known[job.recipe]


if __name__ == "__main__":
    main()
