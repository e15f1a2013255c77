"""``train rerun k7m2qd``: the same training once more, with what was said otherwise."""

from __future__ import annotations

import asyncio
from dataclasses import fields, replace
from pathlib import Path

from bot.commands.handlers import find
from bot.commands.house import House
from bot.commands.spoken import Train
from bot.domain.errors import Refused
from bot.domain.market import Want
from bot.domain.policy import Deed
from bot.domain.rental import Job
from bot.domain.talk import Request


async def repeated(house: House, request: Request, command: Train) -> Train:
    """The command, filled in from the rental that it repeats. Raises ``Refused`` for one that trained nothing, or
    whose recipe or pictures are gone."""
    assert command.rerun is not None
    rental = await find.one(house, request, command.rerun, Deed.SEE)
    job = rental.job
    if job is None:
        raise Refused(f"{rental.id} trained nothing.", help="Say what to train: train <recipe> …")
    recipe = command.recipe or job.recipe
    if recipe not in house.recipes:
        raise Refused(f"There is no recipe {recipe} any more.", help="'help train' shows which there are.")
    same = recipe == job.recipe
    inputs = {name: _typed(job.inputs[name]) for name in job.said if name in job.inputs} if same else {}
    data = None if command.attached else command.data or await _pictures(job)
    return replace(
        command,
        recipe=recipe,
        preset=command.preset or job.preset,
        want=_want(command.want, rental.want),
        hours=command.hours or rental.lifetime,
        budget=command.budget or rental.budget,
        data=data,
        inputs={**inputs, **command.inputs},
        rerun=None,
    )


async def _pictures(job: Job) -> str:
    if not await asyncio.to_thread(Path(job.dataset).is_dir):
        raise Refused(
            "The pictures of that training are not kept any more.",
            help="Add them again: data ./folder, or data attached",
        )
    return job.dataset


def _typed(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _want(said: Want, before: Want) -> Want:
    """What was said holds, the rest is as it was. Another provider or GPU takes the place of the old offer's."""
    usual = Want()
    changed = {
        one.name: getattr(said, one.name)
        for one in fields(Want)
        if getattr(said, one.name) != getattr(usual, one.name)
    }
    return replace(before, **{"avoid": frozenset(), "lifetime": None, **changed})
