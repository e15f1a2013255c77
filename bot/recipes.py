"""Recipes from their folders: the shipped ones and a team's own."""

from __future__ import annotations

import functools
import hashlib
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import yaml
from pydantic import ValidationError

import bot
from bot.domain.errors import LastcallError
from bot.domain.recipe import Recipe
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
def parse(text: str, folder: Path, name: str) -> RecipeFile:
    """A recipe from its text: a rental keeps the one it was asked for, whatever becomes of the file. Raises
    ``BrokenRecipe``."""
    try:
        recipe = Recipe.model_validate(yaml.safe_load(text))
    except re.error as error:
        raise BrokenRecipe(f"{name}: {error.pattern!r} is no regular expression ({error}).") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark else ""
        raise BrokenRecipe(f"{name} is no valid YAML{where}: {getattr(error, 'problem', error)}.") from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "top level"
        raise BrokenRecipe(f"{name}, {place}: {first['msg']}.") from None
    for file in recipe.environment.files:
        if not (folder / file).is_file():
            raise BrokenRecipe(f"{name}, environment.files: {file} is not there.")
    return RecipeFile(recipe, folder, hashlib.sha256(text.encode()).hexdigest(), text)


def asked_for(job: Job, known: Recipes) -> RecipeFile:
    """The recipe of a job as it was asked for. Raises ``BrokenRecipe`` when its files are gone, or nobody knows it."""
    if job.recipe_text:
        return parse(job.recipe_text, Path(job.recipe_folder), job.recipe)
    if job.recipe not in known:
        raise BrokenRecipe(f"the recipe {job.recipe} is not in the recipe folder any more")
    return known[job.recipe]
