"""A house for each test, empty at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.journeys.house import House


@pytest.fixture
def houses(tmp_path: Path) -> Iterator[Callable[..., House]]:
    """Makes houses: ``houses("name", LASTCALL_LOCAL_SHELL="process")``."""
    made: list[House] = []

    def make(name: str = "house", **settings: str) -> House:
        folder = tmp_path / name
        folder.mkdir()
        made.append(House(folder, {"LASTCALL_LOCAL_SHELL": "process", **settings}))
        return made[-1]

    yield make
    for house in made:
        house.close()


@pytest.fixture
def house(houses: Callable[..., House]) -> House:
    """One, whose machines are entered as processes: the fastest way."""
    return houses()
