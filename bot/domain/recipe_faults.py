"""What the schema alone cannot see: a recipe whose parts contradict each other. Pure; the first fault is enough."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from bot.domain import gpus
from bot.domain.nearest import nearest
from bot.domain.recipe import Recipe, places_of
from bot.domain.recipe_blocks import Value

_MOVES = re.compile(r"main|master|head|latest|nightly|dev", re.IGNORECASE)
_MACHINE = {"workdir", "host_python", "python", "name"}
_RUN = {"steps", "save_every"}


class Fault(NamedTuple):
    """Where (keys and places in lists, from the top) and why, a sentence."""

    place: tuple[str | int, ...]
    reason: str


def fault_of(recipe: Recipe) -> Fault | None:
    """The first fault, or None."""
    return next(_faults(recipe), None)


def _faults(recipe: Recipe) -> Iterator[Fault]:
    if _MOVES.fullmatch(recipe.tool_version):
        yield Fault(("tool_version",), f"{recipe.tool_version} moves: name a release or a commit.")
    for name, parameter in recipe.inputs.items():
        if not parameter.allows(parameter.default):
            yield Fault(("inputs", name, "default"), f"{parameter.default} is not {parameter.shape()}.")
    yield from _patches(recipe)
    yield from _conditions(recipe)
    yield from _steps(recipe)
    for number, pace in enumerate(recipe.speed.paces if recipe.speed else ()):
        for card in pace.seconds:
            if gpus.model(card) is None:
                near = gpus.find(card)
                hint = f"; is it {near.name}?" if isinstance(near, gpus.GpuModel) else "."
                yield Fault(("speed", "paces", number, "seconds", card), f"{card} is no card we know{hint}")
    if recipe.models and not recipe.environment.fetch:
        yield Fault(("models",), "models need environment.fetch, the command that fetches one.")
    for number, model in enumerate(recipe.models):
        if model.gated and not recipe.environment.secrets:
            yield Fault(
                ("models", number, "gated"), "a gated model needs its token's name in environment.secrets."
            )
    yield from _places(recipe)


def _patches(recipe: Recipe) -> Iterator[Fault]:
    """Inputs that are set somewhere have to be inputs, within their bounds."""
    for preset, one in recipe.presets.items():
        yield from _patch(recipe, ("presets", preset, "inputs"), one.inputs)
    for number, rule in enumerate(recipe.cards):
        yield from _patch(recipe, ("cards", number, "inputs"), rule.inputs)
    for number, rung in enumerate(recipe.memory_ladder):
        yield from _patch(recipe, ("memory_ladder", number, "inputs"), rung.inputs)
    if recipe.dry_run is not None:
        yield from _patch(recipe, ("dry_run", "inputs"), recipe.dry_run.inputs)


def _patch(recipe: Recipe, place: tuple[str | int, ...], patch: Mapping[str, Value]) -> Iterator[Fault]:
    for name, value in patch.items():
        parameter = recipe.inputs.get(name)
        if parameter is None:
            yield Fault((*place, name), _unknown(recipe, name))
        elif not parameter.allows(value):
            yield Fault((*place, name), f"{name} is {parameter.shape()}, not {value}.")


def _conditions(recipe: Recipe) -> Iterator[Fault]:
    spots = [
        *((("memory", n, "when"), one.when) for n, one in enumerate(recipe.memory)),
        *((("speed", "paces", n, "when"), p.when) for n, p in enumerate(recipe.speed.paces if recipe.speed else ())),
        *((("run", "extra", n, "when"), one.when) for n, one in enumerate(recipe.run.extra if recipe.run else ())),
    ]  # fmt: skip
    for place, when in spots:
        for name in when:
            if name not in recipe.inputs:
                yield Fault((*place, name), _unknown(recipe, name))
    for number, name in enumerate(recipe.speed.times if recipe.speed else ()):
        if name not in recipe.inputs or recipe.inputs[name].type not in ("int", "float"):
            yield Fault(("speed", "times", number), f"{name} is no number among the inputs.")


def _unknown(recipe: Recipe, name: str) -> str:
    near = nearest(name, recipe.inputs)
    return f"{name} is not among the inputs" + (f"; is it {near}?" if near else ".")


def _steps(recipe: Recipe) -> Iterator[Fault]:
    if recipe.run is None:
        return
    for preset, one in recipe.presets.items():
        if recipe.speed is None and one.steps is None:
            yield Fault(
                ("presets", preset), f"{preset} says no steps, and there is no speed to tell them by."
            )
        if one.limit_minutes is not None and one.limit_minutes < one.minutes:
            yield Fault(("presets", preset, "limit_minutes"), "it is stopped before its minutes are over.")
    steps = recipe.inputs.get("steps")
    if recipe.speed is not None and steps is not None and not steps.allows(recipe.speed.most):
        yield Fault(("speed", "most"), f"steps is {steps.shape()}, not {recipe.speed.most}.")


def _places(recipe: Recipe) -> Iterator[Fault]:
    """``{...}`` has to be something we can fill in there."""
    inputs = {f"input:{name}" for name in recipe.inputs}
    around, run = recipe.environment, recipe.run
    spots: list[tuple[tuple[str | int, ...], object, set[str]]] = [
        *((("environment", "install", n, word), getattr(one, word), _MACHINE)
          for n, one in enumerate(around.install) for word in ("check", "run")),
        (("environment", "python"), around.python, _MACHINE - {"python"}),
        (("environment", "env"), around.env, _MACHINE | _RUN | inputs),
        (("environment", "fetch"), around.fetch, _MACHINE | {"url", "file", "sha256"}),
        *((("gates", n, "run"), one.run, _MACHINE) for n, one in enumerate(recipe.gates)),
        (("dataset", "sample"), recipe.dataset.sample, {"host_python", "recipe_dir", "dest"}),
        *((("render", n, "values"), one.values, _MACHINE | _RUN | inputs) for n, one in enumerate(recipe.render)),
        (("resume", "argv"), recipe.resume.argv, _MACHINE | _RUN | inputs | {"state", "step"}),
    ]  # fmt: skip
    if run is not None:
        spots.append((("run", "argv"), run.argv, _MACHINE | _RUN | inputs))
        spots += [(("run", "extra", n, "argv"), one.argv, _MACHINE | _RUN | inputs)
                  for n, one in enumerate(run.extra)]  # fmt: skip
    if recipe.outputs is not None:
        words = ("final", "patterns", "salvage")
        spots += [(("outputs", one), getattr(recipe.outputs, one), {"name", "steps"}) for one in words]
    for place, value, known in spots:
        strange = sorted(places_of(value) - known)
        if strange:
            yield Fault(
                place, f"{{{strange[0]}}} stands for nothing here; known: {', '.join(sorted(known))}."
            )
