"""Train: start one detached unit, then only look: progress, stall, numerics, the end. Success is judged by the
last step that was reached; the file itself is judged when it is pulled."""

from __future__ import annotations

import asyncio
import re
import tempfile
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from bot.domain.clocktime import short
from bot.domain.errors import ShellError
from bot.domain.fitting import smaller
from bot.domain.progress import follow, lines_of
from bot.domain.recipe import Recipe, fill
from bot.domain.rental import Blame, Done, Fail, Job, Outcome, Progress, Wait
from bot.lifecycle.hands import Pass
from bot.lifecycle.rendering import command, written
from bot.lifecycle.steps.common import access_of, far_trouble, job_of, names, recipe_of, secrets_of
from bot.ports import Parcel, UnitJob, UnitLook, UnitState
from bot.store.rows import Entry

_GAP = timedelta(seconds=45)
_WATCHED = timedelta(seconds=1)
"""A look this often while the run is short; longer runs are looked at less often."""
_TAIL = 64 * 1024
"""So much of the log's end is searched for known errors, bytes."""
_LIMIT_PASSED = 124
"""How a unit ends whose time limit passed (as ``timeout`` has it)."""


async def run(turn: Pass) -> Outcome:
    """Facts: the attempt's unit; progress; trained_at."""
    attempt = turn.rental.attempt
    assert attempt is not None
    try:
        if attempt.unit is None:
            return await _start(turn)
        look = await turn.hands.shell.look(access_of(turn), attempt.unit, offset=turn.rental.progress.offset)
        # What went wrong may have been said in an earlier look than the end.
        tail = await _tail(turn, attempt.unit, look.size) if _is_over(look) else b""
    except ShellError as error:
        return far_trouble(turn, error)
    return _judge(turn, look, tail)


def _is_over(look: UnitLook) -> bool:
    return look.state in (UnitState.EXITED, UnitState.KILLED) and look.offset >= look.size


async def _tail(turn: Pass, unit: str, size: int) -> bytes:
    return (await turn.hands.shell.look(access_of(turn), unit, offset=max(0, size - _TAIL))).log


async def _start(turn: Pass) -> Outcome:
    recipe, job, attempt = recipe_of(turn), job_of(turn), turn.rental.attempt
    assert job is not None
    assert attempt is not None
    assert recipe.run is not None
    with tempfile.TemporaryDirectory() as folder:
        parcels = await asyncio.to_thread(_render, Path(folder), recipe, names(turn), job)
        await turn.hands.shell.send(access_of(turn), parcels, ".")
    unit = f"train-{attempt.number}"
    environment = {name: fill(value, names(turn)) for name, value in recipe.environment.env.items()}
    unit_job = UnitJob(
        command(recipe, names(turn), job),
        recipe.run.cwd,
        env=environment,
        secrets=secrets_of(turn),
        limit=job.train_limit,
    )
    await turn.hands.shell.start(access_of(turn), unit, unit_job)
    turn.entries.append(Entry("train", f"started {job.recipe} {job.preset}: {job.steps} steps"))
    progress = Progress(total=job.steps, stage="starting", moved_at=turn.now)
    return Wait(turn.now + _WATCHED, "training", {"progress": progress}, {"unit": unit, "unit_at": turn.now})


def _render(folder: Path, recipe: Recipe, values: dict[str, str], job: Job) -> list[Parcel]:
    parcels = []
    for number, render in enumerate(recipe.render):
        path = folder / str(number)
        path.write_bytes(written(render, values, job))
        parcels.append(Parcel(path, render.path))
    return parcels


def _judge(turn: Pass, look: UnitLook, tail: bytes) -> Outcome:
    recipe, rental, now = recipe_of(turn), turn.rental, turn.now
    lines, taken = lines_of(look.log, ended=_is_over(look))
    # A name may hold what means something in a pattern.
    bar = recipe.progress.description.replace("{name}", re.escape(rental.output_name))
    spec = recipe.progress.model_copy(update={"description": bar})
    progress = follow(_heard(rental.progress, look.size, now), lines, spec)
    progress = replace(progress, offset=progress.offset + taken)
    facts: dict[str, Any] = {"progress": progress}
    if look.state is UnitState.ABSENT:
        return Fail(
            "the training is not on the machine any more; it was replaced or wiped", Blame.HOST, facts=facts
        )
    if _is_over(look):
        return _ended(turn, look, progress, lines_of(tail, ended=True)[0])
    if look.state is not UnitState.RUNNING:
        return Wait(now, "reading the end of the log", facts)
    if progress.nan_lines >= recipe.progress.nan_lines:
        fix = "Take a smaller learning rate: lr=1e-4."
        return Fail(
            f"the loss is no number any more at step {progress.step}", Blame.JOB, fix=fix, facts=facts
        )
    quiet = now - (progress.moved_at or now)
    if quiet > timedelta(seconds=recipe.progress.stall_after_s):
        return Fail(f"the training hangs: no word from it for {short(quiet)}", Blame.JOB, facts=facts)
    return Wait(now + _pace(progress), "training", facts)


def _heard(progress: Progress, size: int, now: datetime) -> Progress:
    """Any byte is a sign of life; after a gap (a computer that slept, a bot that was away) silence is counted anew."""
    last = progress.looked_at
    alive = size > progress.size or (last is not None and not now - last <= _GAP)
    return replace(progress, size=size, looked_at=now, moved_at=now if alive else progress.moved_at)


def _pace(progress: Progress) -> timedelta:
    eta = progress.eta or timedelta(0)
    return min(max(_WATCHED, eta / 60), timedelta(seconds=15))


def _ended(turn: Pass, look: UnitLook, progress: Progress, lines: list[str]) -> Outcome:
    facts = {"progress": progress}
    reached = progress.total > 0 and progress.step >= progress.total - 1
    if reached:
        late = f" (it ended with exit {look.exit_code} after its last step)" if look.exit_code else ""
        loss = f", loss {progress.loss:.4g}" if progress.loss is not None else ""
        return Done({**facts, "trained_at": turn.now}, said=f"trained {progress.step} steps{loss}{late}")
    if look.exit_code == _LIMIT_PASSED:
        limit = short(turn.rental.job.train_limit) if turn.rental.job else "its time"
        return Fail(
            f"the training was stopped after {limit} at step {progress.step} of {progress.total}",
            Blame.JOB,
            fix="That is all the time its preset has: take fewer steps, a longer preset or a faster machine.",
            facts=facts,
        )
    problem = _known_error(turn, look.exit_code, lines)
    if problem is not None:
        return Fail(
            f"the training failed at step {progress.step}: {problem[0]}",
            Blame.JOB,
            fix=problem[1],
            facts=facts,
        )
    if look.state is UnitState.KILLED or look.exit_code in (137, -9):
        return Fail(
            "the training was killed from outside (out of memory, or the machine was restarted)",
            Blame.JOB,
            fix="Take a machine with more memory.",
            facts=facts,
        )
    said = f"the training ended with exit {look.exit_code} at step {progress.step} of {progress.total}"
    last = _last_words(lines)
    return Fail(said + (f": {last}" if last else ""), Blame.JOB, facts=facts)


def _known_error(turn: Pass, exit_code: int | None, lines: list[str]) -> tuple[str, str] | None:
    recipe, job = recipe_of(turn), job_of(turn)
    for rule in recipe.errors:
        line = next((one for one in lines if rule.match and re.search(rule.match, one, re.IGNORECASE)), None)
        if line is None and (rule.match or rule.exit is None or rule.exit != exit_code):
            continue
        said = rule.sentence.rstrip(".") + (f" ({_printable(line)[:200]})" if line is not None else "")
        rung = smaller(recipe, job.inputs) if job is not None and rule.kind == "memory" else ""
        return said, f"Ask again with {rung}, or for a card with more memory." if rung else rule.fix
    return None


def _last_words(lines: list[str]) -> str:
    bare = [line for line in lines if "|" not in line]
    return _printable(bare[-1].strip())[:200] if bare else ""


def _printable(text: str) -> str:
    return "".join(mark if mark.isprintable() else "?" for mark in text)
