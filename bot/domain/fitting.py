"""A recipe on a card: which inputs, how many steps, how much memory. Pure, so that every process says the same.

What a person said comes first; then what the card's memory asks for; then the preset; then the defaults.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from bot.domain import gpus
from bot.domain.recipe import Recipe
from bot.domain.recipe_blocks import Value, holds
from bot.domain.rental import Job

SHOWN = 0.93
"""The least share of its nominal memory that a card may show (gate 3)."""
KEPT_FREE = 0.10
"""Of what it shows, this much stays free: fragments, the desktop, a larger bucket."""


def usable_gb(vram_gb: float) -> float:
    """The VRAM rule: what a training may take on a card that is sold with ``vram_gb``, GiB."""
    return vram_gb * SHOWN * (1 - KEPT_FREE)


def memory_gb(recipe: Recipe, inputs: Mapping[str, Value]) -> float | None:
    """What a run with these inputs takes on the card, GiB; None where the recipe does not say."""
    return next((one.gb for one in recipe.memory if holds(one.when, inputs)), None)


def inputs_on(
    recipe: Recipe, inputs: Mapping[str, Value], said: Collection[str], vram_gb: float
) -> dict[str, Value]:
    """The inputs on a card with so much memory. ``vram_gb`` 0 is no card: nothing changes."""
    changed = dict(inputs)
    for rule in recipe.cards if vram_gb else ():
        if vram_gb < rule.below_gb:
            changed |= {name: value for name, value in rule.inputs.items() if name not in said}
    return changed


def seconds_per_step(recipe: Recipe, inputs: Mapping[str, Value], gpu: str | None) -> float | None:
    """By the recipe's tables, for this card (canonical name); None where there are none for it."""
    if recipe.speed is None:
        return None
    pace = next((one for one in recipe.speed.paces if holds(one.when, inputs)), None)
    if pace is None:
        return None
    known = (seconds for card, seconds in pace.seconds.items() if gpu and gpus.covers(card, gpu))
    seconds = next(known, pace.other)
    for name in recipe.speed.times:
        seconds *= float(inputs[name])
    return seconds


def steps_on(recipe: Recipe, preset: str, inputs: Mapping[str, Value], gpu: str | None) -> int:
    """How many steps the preset's minutes are on this card: never fewer than is of use, nor more."""
    chosen = recipe.preset(preset)
    seconds = seconds_per_step(recipe, inputs, gpu)
    if chosen.steps is not None or recipe.speed is None or seconds is None:
        return chosen.steps or 1
    # A hair more than nothing, so that 300 / 0.6 is 500 also in binary.
    return min(recipe.speed.most, max(recipe.speed.least, int(chosen.minutes * 60 / seconds + 1e-9)))


def fitted(recipe: Recipe, job: Job, gpu: str | None, vram_gb: float) -> Job:
    """The job as it runs on this card: the same for the same card, whoever asks."""
    inputs = inputs_on(recipe, job.inputs, job.said, vram_gb)
    steps = job.steps if "steps" in job.said else steps_on(recipe, job.preset, inputs, gpu)
    if recipe.speed is None:
        steps = job.steps
    if "steps" in inputs:
        inputs["steps"] = steps
    return replace(job, inputs=inputs, steps=steps)


def smaller(recipe: Recipe, inputs: Mapping[str, Value]) -> str:
    """What to say to take less memory than these inputs did (``blocks_to_swap=28``): the first rung of the ladder that
    they do not stand on, nor on a later one of the same names; or nothing."""
    passed: set[frozenset[str]] = set()
    found = ""
    for rung in reversed(recipe.memory_ladder):
        names = frozenset(rung.inputs)
        if all(inputs.get(name) == value for name, value in rung.inputs.items()):
            passed.add(names)
        elif names not in passed:
            found = " ".join(f"{name}={said(value)}" for name, value in rung.inputs.items())
    return found


def said(value: Value) -> str:
    """A value as a person would type it, and as most tools read it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else str(value)
