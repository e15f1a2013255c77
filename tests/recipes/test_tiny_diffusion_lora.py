"""A LoRA by torch and peft on a small diffusion model: the loss falls, the file loads again and changes the model.

Skipped where torch or peft is not installed (extra ``torch-demo``); nothing else needs them."""

from __future__ import annotations

import importlib.util
import json
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.recipes.rendered import SHIPPED, rendered
from tests.recipes.tiny_lora_doors import read_header

pytestmark = [
    pytest.mark.skipif(
        not (importlib.util.find_spec("torch") and importlib.util.find_spec("peft")),
        reason="torch and peft are not installed (extra torch-demo)",
    ),
    pytest.mark.timeout(300),  # importing torch and peft alone takes ten seconds on a busy core
]

SCRIPT = Path(__file__).parents[2] / "recipes" / "tiny_diffusion_lora" / "train.py"


@dataclass(frozen=True)
class Trainer:
    """The recipe's own configuration, as it is rendered, in a folder."""

    data: Path
    folder: Path

    def config(self, name: str = "run", **changed: Any) -> Path:
        values = rendered(SHIPPED["tiny-diffusion-lora"].recipe, "quick", None, 0).files["config.json"]
        places = {"data_dir": str(self.data), "output_dir": str(self.folder / name), "output_name": "cats"}
        path = self.folder / f"{name}.json"
        path.write_text(json.dumps({**values, **places, "steps": 80, "save_every": 40, **changed}))
        return path

    def command(self, config: Path, *more: str) -> list[str]:
        return [sys.executable, str(SCRIPT), "--config", str(config), *more]

    def run(self, config: Path, *more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(self.command(config, *more), capture_output=True, text=True, timeout=200)


@pytest.fixture(scope="module")
def trained(cats: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Trainer, str]:
    """One whole run, to be read only."""
    trainer = Trainer(cats, tmp_path_factory.mktemp("torch"))
    done = trainer.run(trainer.config())
    assert done.returncode == 0, done.stderr
    return trainer, done.stdout


def test_the_loss_falls(trained: tuple[Trainer, str]):
    """Step by step, and on noise that training never drew."""
    trainer, said = trained
    rows = (trainer.folder / "run" / "loss.csv").read_text().splitlines()[1:]
    losses = [float(row.split(",")[1]) for row in rows]
    assert len(losses) == 80 and np.mean(losses[-10:]) < 0.7 * np.mean(losses[:10])
    before, after = (float(word) for word in said.split("evaluation loss: ")[1].split()[0:3:2])
    assert after < 0.7 * before


def test_the_file_loads_again_and_changes_the_models_output(trained: tuple[Trainer, str]):
    """A fresh base with the file guesses the noise as well as the one that was trained; without it, as before."""
    trainer, said = trained
    config = trainer.folder / "run.json"
    done = trainer.run(config, "--check", str(trainer.folder / "run" / "cats.safetensors"))
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    told = float(said.split("evaluation loss: ")[1].split()[2])
    assert found["after"] == pytest.approx(told, abs=2e-4) and found["after"] < 0.7 * found["before"]
    assert found["moved"] > 0.01 and found["base_kept"] is True


def test_the_file_is_a_lora_of_low_rank(trained: tuple[Trainer, str]):
    """Pairs of peft's names, rank 16, on all that the base attends with; its metadata says what it belongs to."""
    head = read_header(trained[0].folder / "run" / "cats.safetensors")
    assert head["__metadata__"] == {"base": "small-unet-1", "rank": "16", "alpha": "16"}
    downs = {name: one["shape"] for name, one in head.items() if "lora_A" in name}
    assert len(downs) == 14 and all(shape[0] == 16 for shape in downs.values())
    assert all(name.replace("lora_A", "lora_B") in head for name in downs)
    assert any("to_q" in name for name in downs) and any("leave" in name for name in downs)


def test_a_run_that_is_stopped_goes_on_from_its_state_to_the_same_numbers(cats: Path, tmp_path: Path):
    """TERM saves; the recipe's own resume words go on; the losses are those of a run that nobody stopped."""
    trainer = Trainer(cats, tmp_path)
    config = trainer.config("cut", steps=4000, save_every=2000)
    with subprocess.Popen(
        trainer.command(config), stderr=subprocess.PIPE, stdout=subprocess.DEVNULL
    ) as running:
        wait_for(running, b"/4000 [")
        running.send_signal(signal.SIGTERM)
        assert running.wait(60) == 143
    (state,) = (tmp_path / "cut").glob("cats-step*-state.pt")
    stopped = len((tmp_path / "cut" / "loss.csv").read_text().splitlines()) - 1
    recipe = SHIPPED["tiny-diffusion-lora"].recipe
    words = [word.replace("{state}", str(state)) for word in recipe.resume.argv]
    config = trainer.config("cut", steps=stopped + 10)
    assert trainer.run(config, *words).returncode == 0
    assert trainer.run(trainer.config("whole", steps=stopped + 10)).returncode == 0
    assert (tmp_path / "cut" / "loss.csv").read_text() == (tmp_path / "whole" / "loss.csv").read_text()


def wait_for(running: subprocess.Popen[bytes], word: bytes) -> None:
    """Read its log until the training bar counts."""
    assert running.stderr is not None
    heard, end = b"", time.monotonic() + 100
    while word not in heard or heard.count(b"/4000 [") < 3:
        assert time.monotonic() < end, heard
        heard += running.stderr.read1(4096)


@pytest.mark.parametrize(
    ("changed", "code", "said"),
    [
        ({"data_dir": "/nowhere-at-all"}, 3, "no images in the data folder"),
        ({"learning_rate": 1e30}, 4, "lower the learning rate"),
        ({"colour": 1}, 2, "configuration keys differ: ['colour']"),
    ],
)
def test_what_cannot_be_trained_ends_with_a_sentence_and_a_code(
    cats: Path, tmp_path: Path, changed: dict[str, Any], code: int, said: str
):
    """Which the recipe's error rules read."""
    trainer = Trainer(cats, tmp_path)
    done = trainer.run(trainer.config(**changed))
    assert done.returncode == code and said in done.stderr
