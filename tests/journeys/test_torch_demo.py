"""The recipe with torch, from one line to the closed tab. Skipped where torch is not installed."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from tests.journeys.closing import assert_nothing_left, assert_results_whole
from tests.journeys.house import House


@pytest.mark.skipif(
    not (importlib.util.find_spec("torch") and importlib.util.find_spec("peft")),
    reason="torch and peft are not installed (extra torch-demo)",
)
@pytest.mark.timeout(300)
async def test_a_lora_by_torch_comes_home_and_its_loss_fell(house: House) -> None:
    """Rented, trained by peft on the CPU, pulled with its digest, closed; the file holds numbers."""
    line = "train tiny-diffusion-lora quick on local steps=120"
    code, output, errors = await house.run("chat", "-c", line, "--wait", "--json")
    assert (code, errors) == (0, ""), output
    last = json.loads(output.splitlines()[-1])["data"]
    assert (last["state"], last["success"], last["results"]) == ("closed", True, house.results())
    files = {Path(one["name"]).suffix: Path(one["path"]) for one in house.results()}
    weights = load_file(files[".safetensors"])
    assert weights and all(np.isfinite(one).all() for one in weights.values())
    assert any(one.any() for name, one in weights.items() if "lora_B" in name)
    losses = [float(row.split(",")[1]) for row in files[".csv"].read_text().splitlines()[1:]]
    assert len(losses) == 120 and np.mean(losses[-10:]) < 0.7 * np.mean(losses[:10])
    assert_results_whole(house)
    assert_nothing_left(house)
