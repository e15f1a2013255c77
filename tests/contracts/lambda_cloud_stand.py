"""Lambda for the provider contract: the real adapter over the simulated vendor."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from adapters.simulators.faces.lambda_cloud import lambda_host
from bot.domain.market import Want
from tests.contracts import provider_fixtures
from tests.support.face_line import FaceLine
from tests.support.lambda_cloud import A10, LambdaStage
from tests.support.worlds import SECOND


@asynccontextmanager
async def simulated_lambda(folder: Path) -> AsyncIterator[provider_fixtures.Stand]:
    """One A10 in one region."""
    stage = LambdaStage(lambda_host())
    yield provider_fixtures.Stand(
        stage.provider,
        stage.another,
        FaceLine(stage.face, stage.line),
        A10,
        impossible=Want(gpu="A10", count=64),
        step=lambda: stage.clock.advance(30 * SECOND),
    )
