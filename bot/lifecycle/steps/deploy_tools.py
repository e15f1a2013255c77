"""Deploy tools: send the recipe's files, then install until its own checks pass. What passes already is skipped."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

from bot.domain.errors import ShellError
from bot.domain.recipe import InstallStep, Recipe
from bot.domain.recipe_blocks import Model
from bot.domain.rental import Blame, Done, Fail, Outcome, Wait
from bot.lifecycle.hands import Pass
from bot.lifecycle.steps.common import (
    access_of,
    far_trouble,
    filled,
    names,
    recipe_file_of,
    recipe_of,
    secrets_of,
)
from bot.ports import Parcel, UnitJob, UnitState

_CHECK = timedelta(seconds=60)


async def run(turn: Pass) -> Outcome:
    """Fact of the attempt: tools (which Python the tool runs with)."""
    recipe = recipe_of(turn)
    try:
        await _send_files(turn, recipe)
        python = await _ready_python(turn, recipe)
        if python is not None:
            return await _ready(turn, recipe, python)
        return await _install(turn, recipe)
    except ShellError as error:
        return far_trouble(turn, error)


async def _send_files(turn: Pass, recipe: Recipe) -> None:
    folder = recipe_file_of(turn).folder
    parcels = [Parcel(folder / name, name.rpartition("/")[2]) for name in recipe.environment.files]
    if parcels:
        await turn.hands.shell.send(access_of(turn), parcels, "tools")


async def _ready(turn: Pass, recipe: Recipe, python: str) -> Outcome:
    """The tools are there; what the recipe itself asks of the machine is looked at last."""
    told = []
    for gate in recipe.gates:
        limit = timedelta(seconds=gate.seconds)
        ran = await turn.hands.shell.run(access_of(turn), filled(gate.run, names(turn, python)), limit=limit)
        output = (ran.stdout + b"\n" + ran.stderr).decode("utf-8", "replace")
        if ran.exit_code == 0 and re.search(gate.expect, output):
            continue
        said = f"gate 3, {gate.id}: {_last_line(output.encode())}"
        if gate.severity == "block":
            return Fail(said, Blame.HOST, fix=gate.hint)
        told.append(f"; {said}" + (f" {gate.hint}" if gate.hint else ""))
    progress = replace(turn.rental.progress, stage="")
    found = {"tools": {"python": python}, "tools_at": turn.now}
    return Done({"progress": progress}, found, said=f"{recipe.tool} is ready, with {python}{''.join(told)}")


def _steps(recipe: Recipe) -> tuple[InstallStep, ...]:
    """What is installed, then the models that are fetched: both until their own checks pass."""
    fetched = (
        InstallStep(
            id=f"model-{one.id}",
            check=(*(_of(word, one) for word in recipe.environment.fetch), "--check"),
            run=tuple(_of(word, one) for word in recipe.environment.fetch),
            minutes=one.minutes,
        )
        for one in recipe.models
    )
    return (*recipe.environment.install, *fetched)


def _of(word: str, model: Model) -> str:
    for name, value in (("url", model.url), ("file", f"{{workdir}}/{model.dest}"), ("sha256", model.sha256)):
        word = word.replace(f"{{{name}}}", value)
    return word


async def _ready_python(turn: Pass, recipe: Recipe) -> str | None:
    for candidate in recipe.environment.python:
        python = filled((candidate,), names(turn))[0]
        if await _passes(turn, _steps(recipe), python):
            return python
    return None


async def _passes(turn: Pass, steps: tuple[InstallStep, ...], python: str) -> bool:
    for step in steps:
        ran = await turn.hands.shell.run(
            access_of(turn), filled(step.check, names(turn, python)), limit=_CHECK
        )
        if ran.exit_code != 0:
            return False
    return True


async def _install(turn: Pass, recipe: Recipe) -> Outcome:
    """Each install step is a detached unit: a cut line or a killed bot costs nothing."""
    access, shell = access_of(turn), turn.hands.shell
    python = filled((recipe.environment.python[-1],), names(turn))[0]
    for step in _steps(recipe):
        unit = f"install-{step.id}"
        seen = await shell.look(access, unit)
        if seen.state is UnitState.ABSENT:
            if await _passes(turn, (step,), python):
                continue
            limit = timedelta(minutes=step.minutes)
            ask = UnitJob(filled(step.run, names(turn, python)), secrets=secrets_of(turn), limit=limit)
            await shell.start(access, unit, ask)
            return Wait(turn.now + timedelta(seconds=2), f"installing {step.id}")
        if seen.state is UnitState.RUNNING:
            return Wait(turn.now + timedelta(seconds=2), f"installing {step.id}")
        if not await _passes(turn, (step,), python):
            return Fail(f"{step.id} could not be installed: {_last_line(seen.log)}", Blame.HOST)
    return await _ready(turn, recipe, python)


def _last_line(log: bytes) -> str:
    lines = [line.strip() for line in log.decode("utf-8", "replace").splitlines() if line.strip()]
    return lines[-1][:200] if lines else "no output"
