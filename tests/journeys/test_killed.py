"""``kill -9`` in every step, and another process that goes on: nothing twice, nothing lost, nothing left running."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.rental import Step
from tests.journeys.closing import assert_nothing_left, assert_nothing_twice, assert_results_whole
from tests.journeys.house import LIMIT, TRAIN, House, side_by_side
from tests.support.waiting import wait_until

AT_ONCE = 4
LONG = f"{TRAIN.removesuffix('steps=60')} steps=150"

Row = dict[str, Any]

IN_STEP: dict[Step, Callable[[Row], bool]] = {
    Step.CHOOSE: lambda row: not row["quoted_at"],
    Step.SPIN_UP: lambda row: bool(row["tried_at"]) and not row["running_at"],
    Step.VALIDATE: lambda row: bool(row["running_at"]) and not row["ready_at"],
    Step.DEPLOY_TOOLS: lambda row: bool(row["ready_at"]) and not row["tools"],
    Step.TRANSFER_DATASET: lambda row: bool(row["tools"]) and not row["dataset_at"],
    Step.TRAIN: lambda row: (
        bool(row["unit_at"]) and '"step": 0' not in row["progress"] and not row["trained_at"]
    ),
    Step.PULL_RESULTS: lambda row: bool(row["trained_at"]) and not row["pulled_at"],
    Step.TEAR_DOWN: lambda row: bool(row["destroy_asked_at"]) and not row["closed_at"],
}


async def kill_in(house: House, process: subprocess.Popen[str], step: Step) -> None:
    """Look until the rental stands in that step, then end the process without a word."""

    def there() -> bool:
        row = house.rental()
        return bool(row) and (IN_STEP[step](row) or bool(row["closed_at"]))

    await wait_until(there, LIMIT)
    process.send_signal(signal.SIGKILL)
    await house.ended(process)
    assert not house.rental()["closed_at"], f"{step.value} was over too soon to be killed in"


async def killed_and_taken_over(house: House, step: Step) -> None:
    """The whole journey."""
    first = house.start("chat", "-c", LONG if step is Step.TRAIN else TRAIN, "--wait")
    await kill_in(house, first, step)
    second = house.start("chat")
    rental = await house.closed()
    await house.all_said()
    assert second.stdin is not None
    second.stdin.close()
    assert await house.ended(second) == 0
    assert rental["ending"] == "done"
    assert house.output(second).count("Done: results are at home, nothing is left running.") == 1
    assert house.errors(second) == ""
    assert_results_whole(house)
    # A launch whose answer was lost may have had no effect: then there is a second one, after that is proven.
    assert_nothing_twice(house, attempts=2 if step is Step.SPIN_UP else 1)
    assert_nothing_left(house)


@pytest.mark.timeout(240)
async def test_killed_in_any_step_the_next_process_goes_on(
    houses: Callable[..., House], subtests: pytest.Subtests
) -> None:
    """The one that comes next works at once, closes the rental and says what the dead one could not say."""
    journeys = [killed_and_taken_over(houses(step.name.lower()), step) for step in Step]
    outcomes = await side_by_side(journeys, AT_ONCE)
    for step, outcome in zip(Step, outcomes, strict=True):
        with subtests.test(step.value):
            if outcome is not None:
                raise outcome


async def test_a_server_that_is_stopped_lets_the_training_go_on(house: House) -> None:
    """SIGTERM: it leaves in order and at once; the trainer does not notice, and the next server finds it again."""
    first = house.start("serve")
    code, _, _ = await house.run("chat", "-c", LONG)
    assert code == 0
    await wait_until(lambda: bool(house.rental()) and IN_STEP[Step.TRAIN](house.rental()), LIMIT)
    first.send_signal(signal.SIGTERM)
    assert await house.ended(first, timedelta(seconds=10)) == 0
    assert "Traceback" not in house.errors(first)
    assert house.running() or house.rental()["progress"]
    assert house.rows("SELECT name FROM leases WHERE name LIKE 'engine:%'") == []
    second = house.start("serve")
    assert (await house.closed())["ending"] == "done"
    second.send_signal(signal.SIGINT)
    assert await house.ended(second, timedelta(seconds=10)) == 0
    assert_results_whole(house)
    assert len(house.rows("SELECT 1 FROM journal WHERE text LIKE 'started tiny%'")) == 1
    assert_nothing_left(house)


async def test_a_terminal_takes_over_when_the_server_is_killed(house: House) -> None:
    """Beside a server the terminal only looks on and shows its cards; when the server is gone, it does the work."""
    server = house.start("serve")
    await wait_until(lambda: bool(house.rows("SELECT 1 FROM leases WHERE name LIKE 'engine:%'")), LIMIT)
    terminal = house.start("chat", "-c", LONG, "--wait")
    await wait_until(lambda: bool(house.rental()) and IN_STEP[Step.TRAIN](house.rental()), LIMIT)
    engines = house.rows("SELECT name FROM leases WHERE name LIKE 'engine:%'")
    assert [f"/{server.pid}" in one["name"] for one in engines] == [True]
    assert "training" in house.output(terminal) or "deploying" in house.output(terminal)
    server.send_signal(signal.SIGKILL)
    assert await house.ended(terminal) == 0
    assert "Done: results are at home" in house.output(terminal)
    assert_nothing_twice(house)
    assert_nothing_left(house)
