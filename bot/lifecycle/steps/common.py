"""What several steps share: the way in, the recipe, filled-in commands, and patience with a bad line."""

from __future__ import annotations

from datetime import timedelta

from bot.domain.errors import HostKeyChanged, ShellError
from bot.domain.market import Access
from bot.domain.recipe import Recipe, fill
from bot.domain.rental import Blame, Fail, Outcome, Wait
from bot.lifecycle.hands import Pass


def access_of(turn: Pass) -> Access:
    """The current attempt's access."""
    attempt = turn.rental.attempt
    assert attempt is not None
    assert attempt.access is not None
    return attempt.access


def recipe_of(turn: Pass) -> Recipe:
    """The recipe as it stands in the folder now. Raises ``KeyError`` when it was removed."""
    job = turn.rental.job
    assert job is not None
    return turn.hands.recipes[job.recipe].recipe


def output_name(turn: Pass) -> str:
    """Name of the output, one per rental: ``tiny-lora-k7m2qd``."""
    job = turn.rental.job
    assert job is not None
    return f"{job.recipe}-{turn.rental.id}"


def names(turn: Pass, python: str | None = None) -> dict[str, str]:
    """What ``{...}`` in a recipe stands for on this machine."""
    access = access_of(turn)
    attempt = turn.rental.attempt
    chosen = python or ((attempt.tools or {}).get("python") if attempt else None) or access.python
    values = {
        "workdir": access.workdir,
        "host_python": access.python,
        "python": chosen,
        "name": output_name(turn),
    }
    job = turn.rental.job
    if job is not None:
        values |= {"steps": str(job.steps), "save_every": str(max(1, job.steps // 5))}
    return values


def filled(argv: tuple[str, ...], values: dict[str, str]) -> tuple[str, ...]:
    """An argv with its ``{...}`` replaced."""
    return tuple(fill(word, values) for word in argv)


def cut(turn: Pass, error: ShellError, again: timedelta) -> Outcome:
    """The line was cut or slow: try again, longer each time, and give the machine up in the end."""
    if isinstance(error, HostKeyChanged):
        return Fail(
            error.reason, Blame.HOST, fix="Somebody else answers at this address; nothing was sent to it."
        )
    attempt = turn.rental.attempt
    last_good = turn.rental.progress.moved_at or (attempt.running_at if attempt else None) or turn.now
    patience = turn.hands.limits.unreachable
    if turn.rental.stumbles >= 5 and turn.now - last_good > patience:
        return Fail(f"the machine cannot be reached any more: {error.reason}", Blame.HOST)
    slow = min(again * (1 << min(4, turn.rental.stumbles)), timedelta(seconds=30))
    return Wait(turn.now + slow, error.reason, stumble=True)
