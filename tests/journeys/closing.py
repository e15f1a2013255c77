"""What must be so when a rental of a journey is over, however it got there."""

from __future__ import annotations

import hashlib
from pathlib import Path

from tests.journeys.house import House


def assert_nothing_left(house: House) -> None:
    """No process, no folder, no lock, no key, no intent without its end."""
    assert house.running() == []
    assert house.machines() == []
    locks = (house.data / "locks").glob("*")
    assert [one.name for one in locks if one.is_file() and one.stat().st_size] == []
    assert house.rows("SELECT ref FROM secrets") == []
    assert house.rows("SELECT label FROM attempts WHERE gone_at IS NULL") == []
    assert house.most_machines <= 1


def assert_nothing_twice(house: House, *, attempts: int = 1) -> None:
    """One machine, one training, every message said once and in its last version. ``attempts``: how many launches
    may have been tried, one after the other; only one had a training."""
    assert len(house.rows("SELECT label FROM attempts")) <= attempts
    assert len(house.rows("SELECT label FROM attempts WHERE unit IS NOT NULL")) == 1
    starts = house.rows("SELECT text FROM journal WHERE kind = 'train' AND text LIKE 'started%'")
    assert len(starts) == 1
    said = house.rows("SELECT key, version, said, dropped FROM outbox")
    assert [one["key"] for one in said if one["said"] != one["version"] or one["dropped"]] == []
    assert len({one["key"] for one in said}) == len(said)


def assert_results_whole(house: House) -> None:
    """Every file that was brought home is what the machine said it is."""
    results = house.results()
    assert [one["name"] for one in results if one["name"].endswith(".safetensors")]
    for one in results:
        assert hashlib.sha256(Path(one["path"]).read_bytes()).hexdigest() == one["sha256"], one["name"]
