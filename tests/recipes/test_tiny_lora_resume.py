"""Stopping, dying and going on: nothing that was saved is lost, and nothing half-saved is believed."""

import json
import re
import shutil
import signal
import subprocess
from pathlib import Path
from typing import IO

import numpy as np
import pytest
from safetensors.numpy import load_file

from tests.recipes.tiny_lora_doors import (
    STEPS,
    Finished,
    Trainer,
    leftovers,
    read_header,
    run,
)


def read_until(stream: IO[bytes] | None, pattern: bytes) -> bytes:
    """Read what a running trainer writes until it matches; fails when it ends before."""
    assert stream is not None
    seen = b""
    while not re.search(pattern, seen):
        piece = stream.read(1)
        assert piece, f"ended without {pattern!r}: {seen!r}"
        seen += piece
    return seen


def start(command: list[str]) -> "subprocess.Popen[bytes]":
    """Start a trainer whose output is read as it comes, both streams in one."""
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def assert_same_lora(one: Path, other: Path) -> None:
    """Bit by bit."""
    left, right = load_file(one), load_file(other)
    assert left.keys() == right.keys()
    for key, tensor in left.items():
        assert np.array_equal(tensor, right[key]), key


def test_a_resumed_run_ends_as_an_uninterrupted_one(finished: Finished, trainer: Trainer) -> None:
    """From the state of step 80, in a fresh folder: the same tensors and the same loss.csv, bit by bit."""
    state = finished.trainer.output / "cats-step00000080-state"
    resumed = trainer.run("--resume", state, steps=STEPS)
    assert resumed.returncode == 0
    assert_same_lora(trainer.output / "cats.safetensors", finished.lora)
    csv = finished.trainer.output / "loss.csv"
    assert (trainer.output / "loss.csv").read_text() == csv.read_text()


def test_the_bar_of_a_resumed_run_is_absolute(finished: Finished, trainer: Trainer) -> None:
    """It begins at the state's step, so that n of total means the same as before."""
    resumed = trainer.run("--resume", finished.trainer.output / "cats-step00000080-state", steps=STEPS)
    bars = re.findall(r"steps:[^|]*\|[^|]*\| (\d+)/(\d+)", resumed.stderr)
    assert bars[0] == ("80", str(STEPS))
    assert bars[-1] == (str(STEPS), str(STEPS))
    assert "at step 80" in resumed.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_saves_and_the_rest_can_follow(
    finished: Finished, trainer: Trainer, number: signal.Signals
) -> None:
    """Stopped in mid-run, it saves the step it reached, ends with 128 + signal, and goes on to the same end."""
    with start(trainer.command(steps=STEPS, save_every=100_000)) as running:
        read_until(running.stdout, rb"steps: [^\r]*\| [1-9]\d*/")
        running.send_signal(number)
        rest = running.communicate(timeout=60)[0].decode()
    assert running.returncode == 128 + number
    (state,) = trainer.output.glob("*-state")
    step = json.loads((state / "train_state.json").read_text())["current_step"]
    assert 0 < step < STEPS
    assert f"stopped by {number.name}; resume from the state of step {step}" in rest
    assert read_header(trainer.output / f"cats-step{step:08d}.safetensors")
    assert not (trainer.output / "cats.safetensors").exists()
    assert trainer.run("--resume", state, steps=STEPS).returncode == 0
    assert_same_lora(trainer.output / "cats.safetensors", finished.lora)


def test_a_killed_run_leaves_nothing_that_only_looks_whole(trainer: Trainer) -> None:
    """SIGKILL amid saves: every visible file is complete, and the newest state resumes and tidies up."""
    with start(trainer.command(steps=100_000, save_every=1)) as running:
        read_until(running.stdout, rb"(?s)(saving checkpoint.*){7}")
        running.kill()
        running.communicate(timeout=60)
    assert running.returncode == -signal.SIGKILL
    visible = [p for p in trainer.output.rglob("*.safetensors") if "/." not in str(p)]
    assert len(visible) >= 6
    for path in visible:
        assert read_header(path)
    state = max(trainer.output.glob("cats-*-state"))
    step = json.loads((state / "train_state.json").read_text())["current_step"]
    assert trainer.run("--resume", state, steps=step + 2, save_every=1).returncode == 0
    assert leftovers(trainer.output) == []


def test_a_state_of_the_last_step_only_needs_its_lora_written(finished: Finished, trainer: Trainer) -> None:
    """Resuming a run that was complete takes no step more and gives the same LoRA."""
    state = finished.trainer.output / f"cats-step{STEPS:08d}-state"
    assert trainer.run("--resume", state, steps=STEPS).returncode == 0
    assert_same_lora(trainer.output / "cats.safetensors", finished.lora)


def damaged_by(change: str, state: Path) -> None:
    """Spoil a copy of a state in one way."""
    weights = state / "lora.safetensors"
    if change == "cut tensors":
        weights.write_bytes(weights.read_bytes()[:-1])
    elif change == "missing file":
        (state / "optimizer.safetensors").unlink()
    elif change == "broken text":
        (state / "trainer.json").write_text('{"format": 1, "fixed": []}')
    elif change == "another step":
        (state / "train_state.json").write_text('{"current_epoch": 1, "current_step": 7}')
    else:
        shutil.rmtree(state)


@pytest.mark.parametrize(
    "change", ["cut tensors", "missing file", "broken text", "another step", "missing folder"]
)
def test_a_damaged_state_is_refused(finished: Finished, trainer: Trainer, change: str) -> None:
    """One sentence and 2, instead of training on from something else than was saved."""
    state = trainer.folder / "state"
    shutil.copytree(finished.trainer.output / "cats-step00000080-state", state)
    damaged_by(change, state)
    refused = trainer.run("--resume", state, steps=STEPS)
    assert refused.returncode == 2
    assert str(state) in refused.stderr.splitlines()[-1]
    assert "Traceback" not in refused.stderr
    assert not list(trainer.output.iterdir())


@pytest.mark.parametrize("change", [{"rank": 8}, {"seed": 1}])
def test_a_state_of_another_configuration_is_refused(
    finished: Finished, trainer: Trainer, change: dict[str, int]
) -> None:
    """A value that would make other numbers of the same state is named, old and new."""
    state = finished.trainer.output / "cats-step00000080-state"
    refused = trainer.run("--resume", state, steps=STEPS, **change)
    (name, value) = next(iter(change.items()))
    assert refused.returncode == 2
    assert re.search(rf"made with {name} \d+, the configuration says {value}$", refused.stderr.strip())


def test_a_state_of_other_pictures_is_refused(finished: Finished, trainer: Trainer) -> None:
    """Going on with other data under the same name would be neither the one run nor the other."""
    data = trainer.folder / "changed"
    shutil.copytree(trainer.data, data)
    (data / "cat_000.txt").write_text("ohwx dog")
    other = Trainer(data, trainer.folder / "other")
    refused = run(other.command("--resume", finished.trainer.output / "cats-step00000080-state", steps=STEPS))
    assert refused.returncode == 2
    assert "other images or captions" in refused.stderr
