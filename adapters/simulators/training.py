"""The default unit script: a LoRA training as sd-scripts shows it, and the tiny files it leaves."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import lru_cache
from typing import Any

from adapters.simulators.units import Beat, Play, UnitScript
from bot.ports import UnitJob


@dataclass(frozen=True, slots=True)
class Training:
    """A ``UnitScript``: ``steps`` over ``lasts``, then ``folder/name.safetensors`` if it ends well.

    An empty name or folder and no steps are taken from the trainer's JSON configuration on the machine
    (``output_name``, ``output_dir``, ``steps`` or ``max_train_steps``), else they are lora, out and 1600.
    ``checkpoints`` files ``name-stepNNNNNNNN.safetensors`` appear on the way. With an ``exit_code`` it ends after
    the part ``fails_after`` of its time, without a result.
    """

    name: str = ""
    lasts: timedelta = timedelta(minutes=20)
    steps: int = 0
    lines: int = 40
    checkpoints: int = 0
    folder: str = ""
    exit_code: int = 0
    fails_after: float = 1.0

    def __call__(self, unit: str, job: UnitJob, files: Mapping[str, bytes]) -> Play:
        """The same for every unit."""
        said = _configuration(files)
        steps = said.get("steps") or said.get("max_train_steps") or 1600
        return _played(
            replace(
                self,
                name=self.name or str(said.get("output_name", "lora")),
                steps=self.steps or int(steps),
                folder=self.folder or str(said.get("output_dir", "out")).rpartition("/")[2],
            )
        )


def instant_script(
    exit_code: int = 0, log: bytes = b"", files: Mapping[str, bytes] | None = None
) -> UnitScript:
    """A unit that ends as it starts."""
    play = Play([Beat(timedelta(0), log, files)], exit_code=exit_code)
    return lambda unit, job, on_machine: play


def default_script(unit: str, job: UnitJob, files: Mapping[str, bytes]) -> Play:
    """Units with ``train`` in the name train for 20 minutes; all others end at once, well."""
    return (_TRAIN if "train" in unit else _INSTANT)(unit, job, files)


def tiny_safetensors(seed: int = 0, steps: int = 0) -> bytes:
    """A valid safetensors file of one 2 by 2 tensor."""
    head = {
        "__metadata__": {"ss_steps": str(steps)},
        "lora_unet_mid.lora_down.weight": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]},
    }
    header = json.dumps(head, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)
    values = (0.1 * (seed + 1), -0.2, 0.3, -0.4)
    return struct.pack("<Q", len(header)) + header + struct.pack("<4f", *values)


def tqdm_line(step: int, total: int, elapsed: timedelta, loss: float) -> str:
    """``steps:  10%|█         | 160/1600 [02:10<19:30,  1.23it/s, avr_loss=0.123]``, without its return."""
    done = step / total
    bar = "█" * int(10 * done)
    seconds = elapsed.total_seconds()
    rate = step / seconds if seconds else 0.0
    speed = f"{rate:5.2f}it/s" if rate >= 1 else f"{1 / rate if rate else 0:5.2f}s/it"
    left = timedelta(seconds=(total - step) / rate) if rate else timedelta(0)
    return (
        f"steps: {100 * done:3.0f}%|{bar:<10}| {step}/{total} "
        f"[{_clock(elapsed)}<{_clock(left)}, {speed}, avr_loss={loss:.3g}]"
    )


def _configuration(files: Mapping[str, bytes]) -> Mapping[str, Any]:
    """The first JSON file in the workdir itself that names an output."""
    for name, content in files.items():
        if name.endswith(".json") and "/" not in name and b"output_name" in content:
            found: dict[str, Any] = json.loads(content)
            return found
    return {}


@lru_cache(maxsize=256)
def _played(plan: Training) -> Play:
    """Built once for each plan; a Play never changes."""
    ends = plan.lasts * plan.fails_after if plan.exit_code else plan.lasts
    beats = [Beat(timedelta(0), "running training / 学習開始\n".encode())]
    for line in range(1, plan.lines + 1):
        step, at = plan.steps * line // plan.lines, plan.lasts * line / plan.lines
        if at <= ends:
            text = tqdm_line(step, plan.steps, at, 0.05 + 0.1 * (1 - line / plan.lines))
            beats.append(Beat(at, b"\r" + text.encode()))
    for turn in range(1, plan.checkpoints + 1):
        part = turn / (plan.checkpoints + 1)
        step, at = int(plan.steps * part), plan.lasts * part
        if at <= ends:
            file = f"{plan.folder}/{plan.name}-step{step:08d}.safetensors"
            said = f"\nsaving checkpoint: {file}\n".encode()
            beats.append(Beat(at, said, {file: tiny_safetensors(turn, step)}))
    if plan.exit_code:
        beats.append(Beat(ends, b"\nRuntimeError: simulated failure\n"))
    else:
        file = f"{plan.folder}/{plan.name}.safetensors"
        beats.append(Beat(ends, b"\nmodel saved.\n", {file: tiny_safetensors(0, plan.steps)}))
    return Play(beats, lasts=ends, exit_code=plan.exit_code, folders=(plan.folder,))


def _clock(length: timedelta) -> str:
    """As tqdm writes it: ``02:10``, ``1:02:10``."""
    seconds = int(length.total_seconds())
    hours, minutes, rest = seconds // 3600, seconds // 60 % 60, seconds % 60
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes:02d}:{rest:02d}"


_TRAIN = Training()
_INSTANT = instant_script()
