"""What several steps share: the way in, the recipe, filled-in commands, and patience with a bad line."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from bot.domain.errors import FarSideFailed, HostKeyChanged, Refused, ShellError
from bot.domain.fitting import fitted, said
from bot.domain.market import Access
from bot.domain.recipe import Recipe, fill
from bot.domain.rental import Blame, Fail, Job, Outcome, Wait
from bot.lifecycle.hands import Pass
from bot.ports import FileDigest
from bot.recipes import BrokenRecipe, RecipeFile, asked_for

_SLOWEST = timedelta(seconds=30)
"""Between two tries on a bad line; so many of them in a row measure how long it has been bad."""


def access_of(turn: Pass) -> Access:
    """The current attempt's access."""
    attempt = turn.rental.attempt
    assert attempt is not None
    assert attempt.access is not None
    return attempt.access


def recipe_of(turn: Pass) -> Recipe:
    """The recipe as it was asked for. Raises ``Refused`` when it cannot be had any more."""
    return recipe_file_of(turn).recipe


def recipe_file_of(turn: Pass) -> RecipeFile:
    """The same with where its files are. Raises ``Refused``."""
    job = turn.rental.job
    assert job is not None
    try:
        return asked_for(job, turn.hands.recipes)
    except BrokenRecipe as error:
        raise Refused(str(error).rstrip("."), help="Put it back, or ask again.") from None


def names(turn: Pass, python: str | None = None) -> dict[str, str]:
    """What ``{...}`` in a recipe stands for on this machine."""
    access = access_of(turn)
    attempt = turn.rental.attempt
    chosen = python or ((attempt.tools or {}).get("python") if attempt else None) or access.python
    values = {
        "workdir": access.workdir,
        "host_python": access.python,
        "python": chosen,
        "name": turn.rental.output_name,
    }
    job = job_of(turn)
    if job is not None:
        values |= {"steps": str(job.steps), "save_every": str(max(1, job.steps // 5))}
        values |= {f"input:{name}": said(value) for name, value in job.inputs.items()}
    return values


def job_of(turn: Pass) -> Job | None:
    """The job as it runs on the attempt's card: steps and inputs follow it where the person left them open."""
    job, attempt = turn.rental.job, turn.rental.attempt
    if job is None or attempt is None:
        return job
    offer = attempt.offer
    return fitted(recipe_of(turn), job, offer.gpu, 0 if offer.cpu_only else offer.vram_gb)


def secrets_of(turn: Pass) -> dict[str, str]:
    """The variables that the recipe names, as Lastcall has them; one that is not set is not passed on."""
    wanted = recipe_of(turn).environment.secrets
    return {name: turn.hands.secrets[name] for name in wanted if turn.hands.secrets.get(name)}


def moved(turn: Pass, files: Iterable[FileDigest]) -> int:
    """The attempt's traffic so far with these files, bytes: some vendors bill it."""
    attempt = turn.rental.attempt
    return (attempt.traffic_bytes if attempt else 0) + sum(one.bytes for one in files)


def filled(argv: tuple[str, ...], values: dict[str, str]) -> tuple[str, ...]:
    """An argv with its ``{...}`` replaced."""
    return tuple(fill(word, values) for word in argv)


def cut(turn: Pass, error: ShellError, again: timedelta) -> Outcome:
    """The line was cut or slow: try again, longer each time, and give the machine up in the end."""
    if isinstance(error, HostKeyChanged):
        return Fail(
            error.reason, Blame.HOST, fix="Somebody else answers at this address; nothing was sent to it."
        )
    if turn.rental.stumbles * _SLOWEST >= turn.hands.limits.unreachable:
        return Fail(f"the machine cannot be reached any more: {error.reason}", Blame.HOST)
    slow = min(again * (1 << min(4, turn.rental.stumbles)), _SLOWEST)
    return Wait(turn.now + slow, error.reason, stumble=True)


def pace(waited: timedelta) -> timedelta:
    """How long until the next look at something that may be so any moment: less often the longer it takes."""
    return min(max(timedelta(seconds=2), waited / 20), timedelta(seconds=15))


def far_trouble(turn: Pass, error: ShellError) -> Outcome:
    """A shell's error on the way up: a full disk condemns the machine, anything else is a bad line."""
    if isinstance(error, FarSideFailed) and error.kind == "disk_full":
        return Fail(
            f"the machine's disk is full: {error.reason}", Blame.HOST, fix="Ask for more disk: disk 80GB."
        )
    return cut(turn, error, timedelta(seconds=3))
