"""From ``train …`` to a Job: parameters read by the recipe's schema, the data set found and put through gate 1."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from bot.commands.attached import called, fetched
from bot.commands.house import House
from bot.commands.spoken import Train
from bot.dataset import Survey, quoted, survey
from bot.domain.errors import AskAgain, Refused
from bot.domain.fitting import steps_on
from bot.domain.inherited import inherited
from bot.domain.nearest import nearest
from bot.domain.recipe import Recipe, fill
from bot.domain.rental import Job
from bot.domain.talk import Request
from bot.recipes import RecipeFile

_SAMPLE_LIMIT = 60


async def job_for(house: House, request: Request, command: Train) -> tuple[Job, tuple[str, ...]]:
    """The job and gate 1's warnings. Raises ``Refused`` or ``AskAgain`` with the place of the fault."""
    file = house.recipes[command.recipe]
    recipe = file.recipe
    assert command.preset is not None
    inputs = inputs_of(recipe, command.preset, command.inputs)
    found = await _surveyed(house, request, command, file)
    job = Job(
        recipe=recipe.name,
        recipe_sha256=file.sha256,
        preset=command.preset,
        inputs=inputs,
        dataset=str(found.folder),
        dataset_sha256=found.sha256,
        images=found.images,
        dataset_bytes=found.bytes,
        steps=int(inputs.get("steps") or steps_on(recipe, command.preset, inputs, command.want.gpu)),
        train_limit=recipe.train_limit(command.preset),
        said=tuple(command.inputs),
        recipe_text=file.text,
        recipe_folder=str(file.folder),
    )
    return job, _warnings(found, command)


async def _surveyed(house: House, request: Request, command: Train, file: RecipeFile) -> Survey:
    """Gate 1. What came with the message is not kept when it is refused, and is called as the person called it."""
    rules = file.recipe.dataset
    if not command.attached:
        folder = await _folder(house, request, command, file)
        return await asyncio.to_thread(survey, folder, rules)
    folder = await fetched(house, request, rules)
    try:
        return await asyncio.to_thread(survey, folder, rules)
    except Refused as error:
        if not await house.store.rentals.done_before(request.key):  # else a rental may still need it
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        said = error.sentence.replace(quoted(folder), called(request))
        raise Refused(said, help=error.help) from None


def _warnings(found: Survey, command: Train) -> tuple[str, ...]:
    if command.data is None and not command.attached:
        return (
            f"no data set was named, so the recipe's own sample is used ({found.images} images).",
            *found.warnings,
        )
    return found.warnings


def inputs_of(recipe: Recipe, preset: str, said: Mapping[str, str]) -> dict[str, Any]:
    """All parameters with what was said of them. Raises ``AskAgain`` for one that there is not, ``Refused`` for a value
    that it cannot have."""
    values: dict[str, Any] = {name: one.default for name, one in recipe.inputs.items()}
    chosen = recipe.preset(preset)
    values |= chosen.inputs
    if "steps" in recipe.inputs and (chosen.steps is not None or recipe.speed is not None):
        values["steps"] = steps_on(recipe, preset, values, None)  # on a card that we know, once there is one
    for name, text in said.items():
        parameter = recipe.inputs.get(name)
        if parameter is None:
            near = nearest(name, recipe.inputs)
            meant = f"; {near} is {recipe.inputs[near].shape()}" if near else ""
            raise AskAgain(
                f"{recipe.name} has no parameter {name}{meant}.",
                expected=", ".join(sorted(recipe.inputs)),
                nearest=near,
            )
        try:
            values[name] = parameter.read(name, text)
        except ValueError as error:
            raise Refused(str(error), help=parameter.help and f"{name}: {parameter.help}.") from None
    return values


async def _folder(house: House, request: Request, command: Train, file: RecipeFile) -> Path:
    if command.data is None:
        if not file.recipe.dataset.sample:
            raise Refused("Which images? No data set was named.", help="Add: data ./folder")
        return await _sample(house, file)
    return said_folder(request.folder, command.data)


def said_folder(start: str, data: str) -> Path:
    """The folder that is meant, there or not. Raises ``Refused``."""
    try:
        path = Path(data).expanduser()
    except RuntimeError:
        raise Refused("There is no such home folder.", help="Write the whole path after 'data'.") from None
    if not path.is_absolute():
        if not start:
            raise Refused("A relative path means nothing here.", help="Write the whole path after 'data'.")
        path = Path(start) / path
    return Path(os.path.normpath(path))


def sample_folder(house: House, file: RecipeFile) -> Path:
    """Where the recipe's own sample is, once it was asked for."""
    return house.data / "samples" / file.recipe.name


async def _sample(house: House, file: RecipeFile) -> Path:
    """The recipe's own sample data set, made once by the recipe's own command."""
    dest = sample_folder(house, file)
    dest.parent.mkdir(parents=True, exist_ok=True)
    values = {"host_python": sys.executable, "recipe_dir": str(file.folder), "dest": str(dest)}
    argv = [fill(word, values) for word in file.recipe.dataset.sample]
    process = await asyncio.create_subprocess_exec(
        *argv,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=inherited(os.environ),  # the command is the recipe's, and the keys are ours
    )
    try:
        output, _ = await asyncio.wait_for(
            process.communicate(), timedelta(seconds=_SAMPLE_LIMIT).total_seconds()
        )
    except TimeoutError:
        process.kill()
        await process.wait()
        raise Refused("The sample data set could not be made in time.", help="Add: data ./folder") from None
    if process.returncode != 0:
        last = output.decode("utf-8", "replace").strip().splitlines()[-1:] or ["no output"]
        raise Refused(f"The sample data set could not be made: {last[0][:200]}", help="Add: data ./folder")
    return dest
