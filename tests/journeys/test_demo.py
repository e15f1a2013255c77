"""``lastcall demo`` and what Ctrl-C does to it."""

from __future__ import annotations

import signal
from datetime import timedelta
from pathlib import Path

from bot.domain.rental import Step
from tests.journeys.closing import assert_nothing_left
from tests.journeys.house import LIMIT, House
from tests.journeys.test_killed import IN_STEP
from tests.support.waiting import wait_until


def is_picture(path: str) -> bool:
    return Path(path).read_bytes().startswith(b"\x89PNG")


async def test_the_demo_tells_every_step_once_and_in_order(house: House) -> None:
    """All eight, then the closing card; then three simulated clouds with what may go wrong there; exit 0 without a
    terminal, and the vendors' own meters show nothing running."""
    house.inside = "demo"
    code, output, errors = await house.run("demo", "--play")
    assert (code, errors) == (0, "")
    first = output.partition("> /gpu train tiny-lora quick on vast")[0]
    told = [line for line in first.splitlines() if "/8  " in line]
    numbers = [int(line.partition("/8")[0].split()[-1]) for line in told]
    assert sorted(set(numbers)) == list(range(1, 9))
    assert numbers == sorted(numbers)
    assert first.index("8/8") < first.index("Done: results are at home")
    assert is_picture(next(line for line in output.splitlines() if "loss curve" in line).split(maxsplit=2)[2])
    assert_nothing_left(house)
    _assert_the_story(output)


def _assert_the_story(output: str) -> None:
    """What the clouds' part has to show, in its order; and the books of all three vendors at the end."""
    moments = (
        "SIMULATED",
        "no_such_ask",
        "gate 3, model: It is a RTX 3090, and a RTX 4090 was promised",
        "torn down in ",
        "The vendors' own meters: nothing is running",
    )
    places = [output.index(moment) for moment in moments]
    assert places == sorted(places)
    assert output.count("Done: results are at home") == 3
    books = [line.split() for line in output[places[-1] :].splitlines() if line.count("$") == 2]
    assert [(line[0], line[-3]) for line in books] == [("Vast.ai", "0"), ("RunPod", "0"), ("Lambda", "0")]
    for *_, invoice, counted in books:
        billed, ours = float(invoice.lstrip("$")), float(counted.lstrip("$"))
        assert abs(billed - ours) <= 0.05 * billed + 0.0005, (invoice, counted)


async def test_ctrl_c_in_the_demo_tears_down_before_it_leaves(house: House) -> None:
    """Exit 130, and nothing is left."""
    house.inside = "demo"
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
    house.inside = "demo"
    demo = house.start("demo")
    await wait_until(lambda: bool(house.rental()) and IN_STEP[Step.TRAIN](house.rental()), LIMIT)
    demo.send_signal(signal.SIGINT)
    await wait_until(lambda: "Tearing down before leaving" in house.output(demo), LIMIT)
    demo.send_signal(signal.SIGINT)
    assert await house.ended(demo, timedelta(seconds=5)) == 130
    rental = house.rental()
    said = house.errors(demo)
    assert f'LASTCALL_DATA_DIR={house.data} lastcall chat -c "down {rental["id"]}" --wait' in said
    house.settings["LASTCALL_DATA_DIR"] = str(house.data)
    code, _, _ = await house.run("chat", "-c", f"down {rental['id']}", "--wait")
    assert code == 0
    assert house.rental()["closed_at"]
    assert_nothing_left(house)
