"""``lastcall demo`` and what Ctrl-C does to it."""

from __future__ import annotations

import signal
from datetime import timedelta
from pathlib import Path

from bot.domain.rental import Step
from tests.journeys.closing import assert_nothing_left, assert_nothing_twice
from tests.journeys.house import LIMIT, House
from tests.journeys.test_killed import IN_STEP
from tests.support.waiting import wait_until


def is_picture(path: str) -> bool:
    return Path(path).read_bytes().startswith(b"\x89PNG")


async def test_the_demo_tells_every_step_once_and_in_order(house: House) -> None:
    """All eight, then the closing card, then where the results and the loss curve lie; exit 0 without a terminal."""
    code, output, errors = await house.run("demo")
    assert (code, errors) == (0, "")
    told = [line for line in output.splitlines() if "/8  " in line]
    numbers = [int(line.partition("/8")[0].split()[-1]) for line in told]
    assert sorted(set(numbers)) == list(range(1, 9))
    assert numbers == sorted(numbers)
    assert output.index("8/8") < output.index("Done: results are at home") < output.index("Where to look")
    assert is_picture(next(line for line in output.splitlines() if "loss curve" in line).split(maxsplit=2)[2])
    assert_nothing_twice(house)
    assert_nothing_left(house)


async def test_ctrl_c_in_the_demo_tears_down_before_it_leaves(house: House) -> None:
    """Exit 130, and nothing is left."""
    demo = house.start("demo")
    await wait_until(lambda: bool(house.rental()) and IN_STEP[Step.TRAIN](house.rental()), LIMIT)
    demo.send_signal(signal.SIGINT)
    assert await house.ended(demo) == 130
    output = house.output(demo)
    assert "Tearing down before leaving" in output
    assert output.index("Tearing down before leaving") < output.rindex("Torn down on request")
    assert "Traceback" not in house.errors(demo)
    assert house.rental()["closed_at"]
    assert_nothing_left(house)


async def test_a_second_ctrl_c_leaves_at_once_and_says_what_is_left(house: House) -> None:
    """Exit 130 within moments, the rental is named with what to type, and the next process ends it."""
    demo = house.start("demo")
    await wait_until(lambda: bool(house.rental()) and IN_STEP[Step.TRAIN](house.rental()), LIMIT)
    demo.send_signal(signal.SIGINT)
    await wait_until(lambda: "Tearing down before leaving" in house.output(demo), LIMIT)
    demo.send_signal(signal.SIGINT)
    assert await house.ended(demo, timedelta(seconds=5)) == 130
    rental = house.rental()
    said = house.errors(demo)
    assert f'lastcall chat -c "down {rental["id"]}" --wait' in said
    code, _, _ = await house.run("chat", "-c", f"down {rental['id']}", "--wait")
    assert code == 0
    assert house.rental()["closed_at"]
    assert_nothing_left(house)
