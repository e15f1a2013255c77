"""Pull results: bring them home, prove every digest, judge the final file by its own header.

On the way down (goal GONE) this is salvage: stop the trainer gently, take what there is, at most a few tries.
"""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from bot.domain.errors import FarSideFailed, HostKeyChanged, ShellError
from bot.domain.recipe import Recipe
from bot.domain.rental import Blame, Done, Fail, Goal, Outcome, ResultFile, Wait
from bot.domain.safetensors import fault_of
from bot.lifecycle.curve import draw_curve
from bot.lifecycle.hands import Pass
from bot.lifecycle.manifest import write_manifest
from bot.lifecycle.steps.common import access_of, cut, filled, moved, names, recipe_of
from bot.ports import FileDigest, UnitState
from bot.store.rows import Entry

_AGAIN = timedelta(seconds=2)
_STOPPING = "stopping"
"""Stage of a training that was asked to end."""
_DEAF = timedelta(seconds=15)
"""After its grace, a unit that is still there this much later is not waited for."""


async def run(turn: Pass) -> Outcome:
    """Facts: results, pulled_at."""
    salvaging = turn.rental.goal is Goal.GONE
    recipe = recipe_of(turn)
    assert recipe.outputs is not None
    try:
        if salvaging and (waiting := await _stop(turn, recipe)):
            return waiting
        patterns = recipe.outputs.salvage if salvaging and recipe.outputs.salvage else recipe.outputs.patterns
        dest = turn.hands.results / turn.rental.id
        found = await turn.hands.shell.fetch(
            access_of(turn), filled(patterns, names(turn)), recipe.outputs.folder, dest
        )
        await _fetch_log(turn, dest)
    except ShellError as error:
        return _not_yet(turn, error, salvaging)
    return await _keep(turn, recipe, found, dest, salvaging)


async def _stop(turn: Pass, recipe: Recipe) -> Outcome | None:
    attempt = turn.rental.attempt
    assert attempt is not None
    assert attempt.unit is not None
    shell, access, progress = turn.hands.shell, access_of(turn), turn.rental.progress
    look = await shell.look(access, attempt.unit, offset=progress.offset)
    if look.state is not UnitState.RUNNING:
        return None
    grace = timedelta(seconds=recipe.run.stop_grace_s if recipe.run else 10)
    if progress.stage != _STOPPING:
        # Asked once: a second TERM would tear a trainer out of its saving.
        await shell.stop(access, attempt.unit, grace=grace)
        asked = {"progress": replace(progress, stage=_STOPPING, moved_at=turn.now)}
        return Wait(turn.now + _AGAIN, "asked the training to save and stop", asked)
    if progress.moved_at is not None and turn.now > progress.moved_at + grace + _DEAF:
        return None  # it does not end: what lies there now is what there is
    return Wait(turn.now + _AGAIN, "waiting for the training to save and stop")


async def _fetch_log(turn: Pass, dest: Path) -> None:
    """The trainer's own words, kept beside the results as ``train.log``."""
    attempt = turn.rental.attempt
    assert attempt is not None
    hidden = dest / ".unit"
    try:
        await turn.hands.shell.fetch(access_of(turn), ["log"], f"units/{attempt.unit}", hidden)
    except FarSideFailed as error:
        if error.kind != "missing":
            raise
        return
    if (hidden / "log").exists():
        os.replace(hidden / "log", dest / "train.log")
        hidden.rmdir()


def _not_yet(turn: Pass, error: ShellError, salvaging: bool) -> Outcome:
    if salvaging:
        tries = {"salvage_tries": turn.rental.salvage_tries + 1}
        return Wait(turn.now + _AGAIN, f"salvage: {error.reason}", tries, stumble=True)
    if isinstance(error, FarSideFailed):
        note = f"results cannot be pulled: {error.reason}"
        return Wait(turn.now + timedelta(seconds=20), note, stumble=True)
    if isinstance(error, HostKeyChanged):
        return cut(turn, error, timedelta(seconds=3))
    # What was paid for lies there, finished: a bad line is waited out until the hard end, never a reason to destroy it.
    slow = min(timedelta(seconds=3) * (1 << min(4, turn.rental.stumbles)), timedelta(seconds=30))
    return Wait(turn.now + slow, error.reason, stumble=True)


async def _keep(
    turn: Pass, recipe: Recipe, found: tuple[FileDigest, ...], dest: Path, salvaging: bool
) -> Outcome:
    assert recipe.outputs is not None
    results = tuple(ResultFile(str(dest / one.name), one.name, one.bytes, one.sha256) for one in found)
    final = filled((recipe.outputs.final,), names(turn))[0]
    fault = (
        await asyncio.to_thread(fault_of, dest / final)
        if final in {one.name for one in found}
        else "it is missing"
    )
    if fault and not salvaging:
        turn.entries.append(Entry("pull", f"final file {final}: {fault}"))
        facts: dict[str, Any] = {"results": results}
        return Fail(f"the training left no usable {final}: {fault}", Blame.JOB, facts=facts)
    try:
        extra = await asyncio.to_thread(_own_files, turn, dest, results)
    except OSError as error:
        note = f"results cannot be kept here: {error.strerror}"
        tries = {"salvage_tries": turn.rental.salvage_tries + 1} if salvaging else {}
        return Wait(turn.now + timedelta(seconds=10), note, tries, stumble=True)
    said = f"{len(found)} files at home, digests equal" if found else "there was nothing to pull"
    facts = {"results": (*results, *extra), "pulled_at": turn.now}
    return Done(facts, {"traffic_bytes": moved(turn, found)}, said=said)


def _own_files(turn: Pass, dest: Path, results: tuple[ResultFile, ...]) -> tuple[ResultFile, ...]:
    dest.mkdir(parents=True, exist_ok=True)
    curve = draw_curve(turn.rental.progress.losses, dest / "loss.png", turn.rental.output_name)
    return write_manifest(turn.rental, recipe_of(turn), dest, results, curve, turn.now)
