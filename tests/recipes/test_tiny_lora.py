"""What a tiny-lora run makes: a loss that falls, a true LoRA, and files and lines as the big trainers'."""

import json
import re
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file

from tests.recipes.tiny_lora_doors import RECIPE, SAVE_EVERY, STEPS, Finished, Trainer, leftovers, read_header

# The one expression that reads the bars of all five big trainers.
BAR = re.compile(
    r"(?:(?P<description>[^:\r\n]+):\s+)?(?P<percent>\d+)%\|[^|]*\|\s*(?P<n>\d+)/(?P<total>\d+)\s*"
    r"\[(?P<elapsed>[\d:]+)<(?P<eta>[\d:]+|\?),\s*(?P<rate>[\d.]+|\?)\s*(?P<unit>s/it|it/s)"
    r"(?:,\s*(?P<postfix>[^\]]*))?\]"
)
LOSS = re.compile(r"(?:avr_loss|step_loss|smooth loss|loss)\s*[=:]\s*(?P<loss>[\d.e+-]+|nan|inf)")
RESULT = re.compile(
    r"evaluation loss: (?P<before>[\d.]+) before, (?P<after>[\d.]+) after "
    r"\([\d.]+ times lower\), (?P<exchanged>[\d.]+) with exchanged captions"
)

# A reader of its own: adds the file's product to the frozen weights of the base and measures again.
MERGE = """
import json, sys
from pathlib import Path
import numpy as np
from safetensors.numpy import load_file
from tiny_config import load_config
from tiny_data import find_images, load_data
from tiny_model import Denoiser
from tiny_training import Training

config = load_config(sys.argv[1])
model = Denoiser(config.resolution)
training = Training(config, load_data(find_images(Path(config.data_dir)), config.resolution), model)
lora = {key: value.astype(np.float32) for key, value in load_file(sys.argv[2]).items()}
with model.without_adapters():
    before = training.evaluate()
    for name, layer in model.layers.items():
        up, down = lora[f"lora_unet_{name}.lora_up.weight"], lora[f"lora_unet_{name}.lora_down.weight"]
        layer.freeze(layer.weight + lora[f"lora_unet_{name}.alpha"] / len(down) * (up @ down))
    print(json.dumps([before, training.evaluate()]))
"""


def result(stdout: str) -> tuple[float, float, float]:
    """The evaluation loss before, after, and after with exchanged captions."""
    found = RESULT.search(stdout)
    assert found is not None, stdout
    return float(found["before"]), float(found["after"]), float(found["exchanged"])


def same_tensors(one: Path, other: Path) -> bool:
    """True when two LoRA files hold the same numbers, bit by bit."""
    left, right = load_file(one), load_file(other)
    return left.keys() == right.keys() and all(np.array_equal(left[key], right[key]) for key in left)


def test_the_loss_on_fixed_noise_falls_clearly(finished: Finished) -> None:
    """On noise that training never drew, the loss more than halves in 120 steps."""
    before, after, _ = result(finished.stdout)
    assert after < before / 2


def test_the_loss_of_the_steps_falls_too(finished: Finished) -> None:
    """loss.csv has a line for every step, and its end lies well below its beginning."""
    lines = (finished.trainer.output / "loss.csv").read_text().splitlines()
    assert lines[0] == "step,loss"
    rows = [line.split(",") for line in lines[1:]]
    assert [int(step) for step, _ in rows] == list(range(1, STEPS + 1))
    losses = [float(loss) for _, loss in rows]
    assert np.mean(losses[-20:]) < 0.6 * np.mean(losses[:10])


def test_the_file_has_the_usual_keys_shapes_and_metadata(finished: Finished) -> None:
    """Every layer has lora_down [rank, in], lora_up [out, rank] and a scalar alpha; the ss_ keys tell the run."""
    tensors = load_file(finished.lora)
    modules = {key.split(".")[0] for key in tensors}
    assert len(modules) == 10
    assert all(module.startswith("lora_unet_") for module in modules)
    for module in modules:
        down, up = tensors[f"{module}.lora_down.weight"], tensors[f"{module}.lora_up.weight"]
        assert (down.shape[0], up.shape[1]) == (16, 16)
        assert {str(down.dtype), str(up.dtype)} == {"float16"}
        assert tensors[f"{module}.alpha"].shape == ()
        assert float(tensors[f"{module}.alpha"]) == 16
    assert tensors["lora_unet_input_proj.lora_down.weight"].shape == (16, 32 * 32 * 3)
    about = read_header(finished.lora)["__metadata__"]
    assert all(isinstance(value, str) for value in about.values())
    assert about["ss_base_model_version"] == "tiny-denoiser"
    assert (about["ss_network_dim"], about["ss_network_alpha"]) == ("16", "16.0")
    assert (about["ss_steps"], about["ss_output_name"]) == (str(STEPS), "cats")
    assert float(about["ss_eval_loss"]) < float(about["ss_eval_loss_base"])


def test_the_adapters_are_low_rank_and_not_zero(finished: Finished) -> None:
    """The change of each layer has a rank of 16 at the most, and there is a change in each."""
    tensors = load_file(finished.lora)
    for key, down in tensors.items():
        if key.endswith(".lora_down.weight"):
            up = tensors[key.replace("lora_down", "lora_up")].astype(np.float64)
            singular = np.linalg.svd(up @ down[:, :600].astype(np.float64), compute_uv=False)
            assert singular[0] > 0.01, key
            assert np.all(singular[16:] < 1e-9 * singular[0]), key


def test_the_file_alone_turns_the_base_into_the_trained_model(finished: Finished) -> None:
    """A reader that merges W + alpha / rank * up @ down into the base measures the loss the log reported."""
    command = [sys.executable, "-c", MERGE, str(finished.trainer.folder / "config.json"), str(finished.lora)]
    done = subprocess.run(command, cwd=RECIPE, capture_output=True, check=True, timeout=60)
    before, after, _ = result(finished.stdout)
    assert json.loads(done.stdout) == [pytest.approx(before, abs=2e-4), pytest.approx(after, abs=1e-3)]


def test_samples_come_to_look_like_the_data(finished: Finished) -> None:
    """On the contact sheet, pictures drawn with the LoRA are nearer to the data than those of the base."""
    with Image.open(finished.trainer.output / "samples" / f"cats-step{STEPS:08d}.png") as image:
        sheet = np.asarray(image.convert("RGB"), dtype=np.float64)
    data, base, tuned = (sheet[6 + row * 134 : 134 + row * 134, 44:842] for row in range(3))
    assert np.mean((tuned - data) ** 2) < 0.7 * np.mean((base - data) ** 2)


def test_every_checkpoint_is_a_complete_file(finished: Finished) -> None:
    """Checkpoints come every 40 steps under the usual names, whole by their headers, and nothing else is left."""
    output = finished.trainer.output
    names = {f"cats-step{step:08d}.safetensors" for step in range(SAVE_EVERY, STEPS + 1, SAVE_EVERY)}
    assert {path.name for path in output.glob("*.safetensors")} == {"cats.safetensors", *names}
    for path in output.rglob("*.safetensors"):
        assert read_header(path)
    assert not same_tensors(output / "cats-step00000040.safetensors", finished.lora)
    assert same_tensors(output / "cats-step00000120.safetensors", finished.lora)
    assert leftovers(output) == []


def test_only_the_newest_two_states_are_kept(finished: Finished) -> None:
    """States are large; two are enough, and each says its step as sd-scripts does."""
    states = sorted(finished.trainer.output.glob("*-state"))
    assert [state.name for state in states] == ["cats-step00000080-state", "cats-step00000120-state"]
    told = json.loads((states[0] / "train_state.json").read_text())
    assert told == {"current_epoch": 80 * 16 // 12 + 1, "current_step": 80}


def test_one_expression_reads_the_progress(finished: Finished) -> None:
    """Split at carriage returns and newlines, the bar called "steps" counts up to the end with its loss."""
    lines = re.split(r"[\r\n]", finished.stderr)
    bars = [bar for line in lines if (bar := BAR.fullmatch(line.strip()))]
    steps = [bar for bar in bars if bar["description"] == "steps"]
    assert "\r" in finished.stderr
    assert len(steps) >= 3
    assert all(bar["total"] == str(STEPS) for bar in steps)
    assert all(int(one["n"]) <= int(two["n"]) for one, two in pairwise(steps))
    assert (steps[0]["n"], steps[-1]["n"], steps[-1]["percent"]) == ("0", str(STEPS), "100")
    loss = LOSS.search(steps[-1]["postfix"])
    assert loss is not None
    assert 0 < float(loss["loss"]) < 1
    caching = [bar for bar in bars if bar["description"] is None]
    assert caching, "latents are cached under a bar without a description"
    assert caching[-1]["n"] == caching[-1]["total"] == "12"


def test_stages_go_to_stderr_and_results_to_stdout(finished: Finished) -> None:
    """Stages appear in order; what was saved stands on lines of its own, with its path."""
    stages = ["caching latents", "loading base model", "training starts", "drawing samples"]
    places = [finished.stderr.index(stage) for stage in stages]
    assert places == sorted(places)
    lines = finished.stdout.splitlines()
    saved = [line for line in lines if line.startswith("saving checkpoint: ")]
    assert saved[0] == f"saving checkpoint: {finished.trainer.output / 'cats-step00000040.safetensors'}"
    assert saved[-1] == f"saving checkpoint: {finished.lora}"
    assert "model saved." in lines
    assert "%|" not in finished.stdout


def test_one_log_for_both_streams_keeps_lines_apart(trainer: Trainer) -> None:
    """With stdout and stderr in one file, no result is glued to the end of a bar."""
    with (trainer.folder / "log").open("wb") as log:
        subprocess.run(trainer.command(save_every=1), stdout=log, stderr=log, check=True, timeout=60)
    lines = re.split(r"[\r\n]", (trainer.folder / "log").read_text())
    for word in ("saving checkpoint:", "model saved.", "evaluation loss:"):
        assert all(line.startswith(word) for line in lines if word in line)
        assert any(line.startswith(word) for line in lines)


def test_captions_matter(finished: Finished, trainer: Trainer) -> None:
    """Exchanged at evaluation, captions cost; exchanged in the data, they make another LoRA."""
    _, after, exchanged = result(finished.stdout)
    assert exchanged > 1.3 * after
    shuffled = trainer.folder / "shuffled"
    shutil.copytree(trainer.data, shuffled)
    texts = sorted(shuffled.glob("*.txt"))
    for text, foreign in zip(texts, [*texts[1:], texts[0]], strict=True):
        text.write_bytes((trainer.data / foreign.name).read_bytes())
    other = Trainer(shuffled, trainer.folder / "other")
    assert (trainer.run().returncode, other.run().returncode) == (0, 0)
    assert not same_tensors(trainer.output / "cats.safetensors", other.output / "cats.safetensors")


def test_the_same_run_twice_gives_the_same_numbers(trainer: Trainer) -> None:
    """Same data and seed: the same tensors bit by bit; another seed: others."""
    again = Trainer(trainer.data, trainer.folder / "again")
    other = Trainer(trainer.data, trainer.folder / "other")
    assert [trainer.run().returncode, again.run().returncode, other.run(seed=1).returncode] == [0, 0, 0]
    assert same_tensors(trainer.output / "cats.safetensors", again.output / "cats.safetensors")
    assert not same_tensors(trainer.output / "cats.safetensors", other.output / "cats.safetensors")


def test_other_pictures_give_another_lora(trainer: Trainer) -> None:
    """One changed picture among twelve is enough, as all are learnt from."""
    changed = trainer.folder / "changed"
    shutil.copytree(trainer.data, changed)
    Image.new("RGB", (32, 32), "red").save(changed / "cat_003.png")
    other = Trainer(changed, trainer.folder / "other")
    assert (trainer.run().returncode, other.run().returncode) == (0, 0)
    assert not same_tensors(trainer.output / "cats.safetensors", other.output / "cats.safetensors")


def test_rank_alpha_and_resolution_are_obeyed(trainer: Trainer) -> None:
    """Another rank, alpha and resolution show in the shapes and scalars of the file."""
    assert trainer.run(rank=4, alpha=2, resolution=16, batch_size=1).returncode == 0
    tensors = load_file(trainer.output / "cats.safetensors")
    assert tensors["lora_unet_input_proj.lora_down.weight"].shape == (4, 16 * 16 * 3)
    assert tensors["lora_unet_output_proj.lora_up.weight"].shape == (16 * 16 * 3, 4)
    assert float(tensors["lora_unet_output_proj.alpha"]) == 2
