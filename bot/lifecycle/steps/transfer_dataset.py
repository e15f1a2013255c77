"""Transfer: the images and captions that were checked before renting, verified by digest on the machine."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bot.dataset import survey
from bot.domain.errors import Refused, ShellError
from bot.domain.rental import Blame, Done, Fail, Outcome
from bot.lifecycle.hands import Pass
from bot.lifecycle.steps.common import access_of, far_trouble, moved, recipe_of
from bot.ports import Parcel

FOLDER = "data"


async def run(turn: Pass) -> Outcome:
    """Fact of the attempt: dataset_at."""
    job = turn.rental.job
    assert job is not None
    try:
        found = await asyncio.to_thread(survey, Path(job.dataset), recipe_of(turn).dataset)
    except Refused as error:
        return Fail(f"the data set is not what it was: {error.sentence}", Blame.JOB, fix=error.help)
    if found.sha256 != job.dataset_sha256:
        return Fail(
            "the data set was changed after the training was asked for", Blame.JOB, fix="Ask for it again."
        )
    parcels = [Parcel(piece.path, piece.name) for piece in found.pieces]
    try:
        sent = await turn.hands.shell.send(access_of(turn), parcels, FOLDER)
    except ShellError as error:
        return far_trouble(turn, error)
    if {(one.name, one.sha256) for one in sent} != {(piece.name, piece.sha256) for piece in found.pieces}:
        return Fail("the data set changed while it was sent", Blame.JOB, fix="Ask for it again.")
    said = f"{found.images} images, {found.bytes:,} bytes on the machine, digests equal"
    return Done(attempt={"dataset_at": turn.now, "traffic_bytes": moved(turn, sent)}, said=said)
