"""Files that are there whole or not at all, and the LoRA file in its usual layout."""

import errno
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save
from tiny_model import BASE_MODEL_VERSION
from tiny_training import NumericsError, Training

PART = ".part"
# A quota or a file size limit is a full disk to whoever reads the log.
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class OutputError(Exception):
    """A file could not be written; nothing half-written is left. The message is one sentence."""


def output_error(path: Path, error: OSError) -> OutputError:
    reason = error.strerror or str(error)
    if error.errno in FULL and error.errno != errno.ENOSPC:
        reason = f"{os.strerror(errno.ENOSPC)} ({reason})"
    return OutputError(f"cannot write {path}: {reason}")


def sync_folder(folder: Path) -> None:
    """Make renames within `folder` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_synced(path: Path, content: bytes) -> None:
    with open(path, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def write_whole(path: Path, content: bytes) -> None:
    """Write by another name, then rename. Raises OutputError, leaving the old file as it was."""
    # One fixed name for each target: what a killed run left behind is overwritten, not kept.
    part = path.with_name(f".{path.name}{PART}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_synced(part, content)
        part.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise output_error(path, error) from error


def write_folder(folder: Path, files: Mapping[str, Callable[[], bytes]]) -> None:
    """Like `write_whole`, for a folder of files. An older folder of the name is replaced."""
    part = folder.with_name(f".{folder.name}{PART}")
    try:
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        for name, content in files.items():
            write_synced(part / name, content())
        sync_folder(part)
        if folder.exists():
            # A folder cannot be renamed over another one that has files.
            old = folder.with_name(f".{folder.name}.old{PART}")
            shutil.rmtree(old, ignore_errors=True)
            folder.rename(old)
            part.rename(folder)
            shutil.rmtree(old, ignore_errors=True)
        else:
            part.rename(folder)
        sync_folder(folder.parent)
    except OSError as error:
        shutil.rmtree(part, ignore_errors=True)
        raise output_error(folder, error) from error


def lora_tensors(training: Training) -> dict[str, NDArray[np.float16]]:
    """The adapters by the usual names: down [rank, in], up [out, rank], alpha a scalar.

    Raises NumericsError when a weight does not fit into float16.
    """
    tensors: dict[str, NDArray[np.float16]] = {}
    alpha = np.array(training.config.alpha, dtype=np.float16)
    with np.errstate(all="ignore"):
        for name, adapter in training.model.adapters():
            prefix = f"lora_unet_{name}"
            tensors[f"{prefix}.lora_down.weight"] = adapter.down.astype(np.float16)
            tensors[f"{prefix}.lora_up.weight"] = adapter.up.astype(np.float16)
            tensors[f"{prefix}.alpha"] = alpha
    for key, tensor in tensors.items():
        if not np.isfinite(tensor).all():
            raise NumericsError(
                f"{key} became too large for a LoRA file at step {training.step}; lower the learning rate"
            )
    return tensors


def lora_file(training: Training, *, base_loss: float) -> bytes:
    """The .safetensors file for the adapters as they are now. Raises NumericsError."""
    config = training.config
    metadata = {
        "ss_network_module": "networks.lora",
        "ss_base_model_version": BASE_MODEL_VERSION,
        "ss_sd_model_name": BASE_MODEL_VERSION,
        "ss_output_name": config.output_name,
        "ss_network_dim": config.rank,
        "ss_network_alpha": config.alpha,
        "ss_steps": training.step,
        "ss_max_train_steps": config.steps,
        "ss_epoch": training.epoch,
        "ss_learning_rate": config.learning_rate,
        "ss_lr_scheduler": "cosine",
        "ss_optimizer": "Adam",
        "ss_total_batch_size": config.batch_size,
        "ss_seed": config.seed,
        "ss_resolution": f"({config.resolution}, {config.resolution})",
        "ss_num_train_images": len(training.data.texts),
        "ss_loss": f"{training.average_loss:.6f}",
        "ss_eval_loss_base": f"{base_loss:.6f}",
        "ss_eval_loss": f"{training.evaluate():.6f}",
    }
    return save(lora_tensors(training), {key: str(value) for key, value in metadata.items()})


def loss_table(training: Training) -> bytes:
    """loss.csv: one line for every step since the first, also after a resume."""
    lines = [f"{i},{loss:.6f}" for i, loss in enumerate(training.losses, start=1)]
    return "\n".join(["step,loss", *lines, ""]).encode()
