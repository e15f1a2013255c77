"""The state folder: everything a later run needs to go on as if nothing had happened."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save
from tiny_files import write_folder
from tiny_training import Training

FORMAT = 1
KEPT = 2
# A change of these would make other numbers of the same state.
FIXED = ("rank", "alpha", "batch_size", "seed", "resolution")


class StateError(Exception):
    """The state cannot be resumed from; the message is one sentence."""


def state_name(output_name: str, step: int) -> str:
    return f"{output_name}-step{step:08d}-state"


def save_state(training: Training, output: Path) -> Path:
    """Write the state of the present step, remove all but the newest. Raises OutputError."""
    folder = output / state_name(training.config.output_name, training.step)
    moments = {f"{n}.{k}": getattr(m, k) for n, m in training.moments.items()
               for k in ("first", "second")}  # fmt: skip
    losses = np.array(training.losses, dtype=np.float64)
    about = {
        "format": FORMAT,
        "fixed": {name: getattr(training.config, name) for name in FIXED},
        "data": training.data.digest,
        "rng": training.rng.bit_generator.state,
        "queue": training.queue,
    }
    progress = {"current_epoch": training.epoch, "current_step": training.step}
    write_folder(
        folder,
        {
            "lora.safetensors": lambda: save(training.parameters),
            "optimizer.safetensors": lambda: save({**moments, "losses": losses}),
            "trainer.json": lambda: json.dumps(about).encode(),
            "train_state.json": lambda: json.dumps(progress).encode(),
        },
    )
    _prune(output, training.config.output_name)
    return folder


def _prune(output: Path, name: str) -> None:
    """Keep the newest states. One that cannot be removed is only in the way, no failure."""
    pattern = re.compile(re.escape(name) + r"-step(\d{8})-state")
    states = [path for path in output.iterdir() if pattern.fullmatch(path.name)]
    for path in sorted(states, key=lambda path: path.name)[:-KEPT]:
        # By rename first, so that a reader never finds a state with files missing.
        doomed = path.with_name(f".{path.name}.old.part")
        shutil.rmtree(doomed, ignore_errors=True)
        try:
            path.rename(doomed)
        except OSError:
            continue
        shutil.rmtree(doomed, ignore_errors=True)


def load_state(training: Training, folder: Path) -> None:
    """Continue `training` from `folder`. Raises StateError; the training is then spoilt."""
    try:
        about = json.loads((folder / "trainer.json").read_bytes())
        progress = json.loads((folder / "train_state.json").read_bytes())
        if about["format"] != FORMAT:
            raise StateError(f"the state {folder} is of another version of this trainer")
        _check_same_run(training, about, folder)
        _restore_tensors(training, folder)
        training.rng.bit_generator.state = about["rng"]
        training.queue = [int(i) for i in about["queue"]]
        training.step = int(progress["current_step"])
    except OSError as error:
        raise StateError(f"cannot read the state {folder}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError, SafetensorError) as error:
        raise StateError(f"the state {folder} is damaged") from error
    images = len(training.data.texts)
    if len(training.losses) != training.step or any(not 0 <= i < images for i in training.queue):
        raise StateError(f"the state {folder} is damaged")


def _check_same_run(training: Training, about: dict[str, object], folder: Path) -> None:
    fixed = about["fixed"]
    if not isinstance(fixed, dict):
        raise TypeError("no table of fixed values")
    for name in FIXED:
        wanted = getattr(training.config, name)
        if fixed[name] != wanted:
            raise StateError(
                f"the state {folder} was made with {name} {fixed[name]}, the configuration says {wanted}"
            )
    if about["data"] != training.data.digest:
        raise StateError(f"the state {folder} was made with other images or captions")


def _restore_tensors(training: Training, folder: Path) -> None:
    """Copy in place, because the model's layers hold the same arrays."""
    weights = load((folder / "lora.safetensors").read_bytes())
    optimizer = load((folder / "optimizer.safetensors").read_bytes())
    for name, parameter in training.parameters.items():
        moments = training.moments[name]
        targets = (
            (parameter, weights[name]),
            (moments.first, optimizer[f"{name}.first"]),
            (moments.second, optimizer[f"{name}.second"]),
        )
        for target, source in targets:
            if target.shape != source.shape:
                raise ValueError(f"{name} has the shape {source.shape}")
            target[...] = source
    training.losses = [float(loss) for loss in optimizer["losses"]]
