"""Vast.ai for the provider contract: the real adapter over the simulated vendor."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.contracts import provider_fixtures
from tests.support.face_line import FaceLine
from tests.support.vast import RTX, VastStage, vast_host
from tests.support.worlds import SECOND


@asynccontextmanager
async def simulated_vast(folder: Path) -> AsyncIterator[provider_fixtures.Stand]:
    """One RTX 3090 at one host."""
    stage = VastStage(vast_host())
    yield provider_fixtures.Stand(
        stage.provider,
        stage.another,
        FaceLine(stage.face, stage.line),
        RTX,
        step=lambda: stage.clock.advance(30 * SECOND),
    )
