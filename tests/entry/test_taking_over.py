"""A process that was killed on this computer is not waited for."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from adapters.process_mark import here
from bot.store import Store
from bot.store.held import let_go
from bot.store.rows import Entry
from bot.wiring import is_dead
from tests.support.rentals import START, a_rental

MINUTE = timedelta(minutes=1)
ROOT = Path(__file__).parents[2]
TELL = "from adapters.process_mark import here; print(here())"


@pytest.fixture
def dead() -> str:
    """The mark of a process that has ended just now."""
    told = subprocess.run([sys.executable, "-c", TELL], cwd=ROOT, capture_output=True, text=True, check=True)
    return told.stdout.strip()


def test_only_a_process_of_this_place_that_is_gone_is_dead(dead: str) -> None:
    """One that runs, one of another place, and a token without a mark are left alone; a pid that was given to
    somebody else is no sign of life."""
    place, pid, start = dead.split("/")
    _, mine, _ = here().split("/")
    assert is_dead(f"engine:{dead}:0a1b")
    assert is_dead(f"0a1b:{dead}")
    assert is_dead(f"0a1b:{place}/{mine}/{start}1")
    assert not is_dead(f"engine:{here()}:0a1b")
    assert not is_dead(f"engine:0123456789/{pid}/{start}:0a1b")
    assert not is_dead("engine:0a1b")
    assert not is_dead("0a1b")


async def test_claims_of_the_dead_are_let_go_and_those_of_the_living_kept(
    database_url: str, tmp_path: Path, dead: str
) -> None:
    """Each row goes to the next process as soon as it looks; a living one keeps its row."""
    store = await Store.open(database_url, lambda: b"", tmp_path)
    for number in range(2):
        await store.rentals.open(a_rental(id=f"r{number}aaaa"), key=uuid4().hex, entry=Entry("asked", "x"))
    tokens = (f"{uuid4().hex}:{dead}", f"{uuid4().hex}:{here()}")
    assert all(len(token) <= 64 for token in tokens)
    claims = [
        (await store.claims.due(now=START, until=START + MINUTE, token=token, limit=1))[0] for token in tokens
    ]
    assert await store.claims.due(now=START, until=START + MINUTE, token="c", limit=5) == []
    assert await let_go(store.engine, is_dead) == 1
    again = await store.claims.due(now=START, until=START + MINUTE, token="c", limit=5)
    assert [one.rental.id for one in again] == [claims[0].rental.id]
    assert await let_go(store.engine, is_dead) == 0
    await store.close()
