"""One line on the command line: a rental from the first word to the closed tab."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from tests.journeys.closing import assert_nothing_left, assert_nothing_twice, assert_results_whole
from tests.journeys.house import House

LINE = "/gpu train tiny-lora quick on local"


async def test_one_line_rents_trains_pulls_and_closes(houses: Callable[..., House]) -> None:
    """Exit 0; the last line names cost, duration, the result files with digests, and ``closed``. Over a real sshd
    where one can be started."""
    house = houses(LASTCALL_LOCAL_SHELL="auto")
    code, output, errors = await house.run("chat", "-c", LINE, "--wait", "--json")
    assert (code, errors) == (0, "")
    replies = [json.loads(line) for line in output.splitlines()]
    assert all(reply["kind"] in ("answer", "card") for reply in replies)
    last = replies[-1]["data"]
    assert last["state"] == "closed"
    assert last["success"] is True
    assert last["cost_usd"] == "0.000000"
    assert 0 < last["duration_s"] < 90
    assert last["results"] == house.results()
    assert_results_whole(house)
    assert_nothing_twice(house)
    assert_nothing_left(house)


async def test_what_was_trained_is_a_lora_and_the_loss_fell(house: House) -> None:
    """The file loads, has pairs of low rank with numbers in them, and the curve goes down."""
    code, _, _ = await house.run("chat", "-c", "train tiny-lora quick on local steps=120", "--wait")
    assert code == 0
    files = {Path(one["name"]).suffix: Path(one["path"]) for one in house.results()}
    weights = load_file(files[".safetensors"])
    downs = [name for name in weights if name.endswith("lora_down.weight")]
    assert downs
    for name in downs:
        down, up = weights[name], weights[name.replace("lora_down", "lora_up")]
        assert down.shape[0] == up.shape[1] < max(down.shape[1], up.shape[0])
        assert np.isfinite(down).all()
        assert np.isfinite(up).all()
        assert up.any()
    losses = [float(row.split(",")[1]) for row in files[".csv"].read_text().splitlines()[1:]]
    assert np.mean(losses[-10:]) < 0.8 * np.mean(losses[:10])


async def test_a_price_is_confirmed_by_yes_and_by_nothing_else(houses: Callable[..., House]) -> None:
    """Where electricity is paid for, one line without ``--yes`` rents nothing; with it, it confirms and goes on."""
    house = houses(LASTCALL_KWH_USD="0.3")
    line = "train tiny-lora quick on local steps=60"
    code, output, _ = await house.run("chat", "-c", line, "--wait")
    assert code == 1
    assert "Nothing is rented yet" in output
    assert house.rows("SELECT label FROM attempts") == []
    code, output, _ = await house.run("chat", "-c", f"confirm {house.rental()['id']}", "--wait", "--json")
    assert code == 0
    assert float(json.loads(output.splitlines()[-1])["data"]["cost_usd"]) > 0
    assert len(house.rows("SELECT label FROM attempts")) == 1
    assert_nothing_left(house)


async def test_yes_without_wait_confirms_before_it_leaves(houses: Callable[..., House]) -> None:
    """The price is waited for, confirmed, and the rest is left to whoever runs the engine; ``down all --wait`` then
    waits for all."""
    house = houses(LASTCALL_KWH_USD="0.3")
    code, _, errors = await house.run("chat", "-c", "up local cpu for 1h", "--yes")
    assert code == 0
    assert house.rental()["confirmed_at"]
    assert "nobody looks after it now" in errors
    code, _, _ = await house.run("chat", "-c", "down all", "--wait")
    assert code == 0
    assert house.rental()["closed_at"]
    assert_nothing_left(house)
