"""The doors of the tiny-lora recipe: its scripts as processes, its files as a reader sees them."""

import json
import os
import struct
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

RECIPE = Path(__file__).parents[2] / "recipes" / "tiny_lora"
STEPS, SAVE_EVERY = 120, 40


@dataclass
class Trainer:
    """Runs the trainer on `data`, writing below `folder`."""

    data: Path
    folder: Path
    defaults: dict[str, Any] = field(
        default_factory=lambda: {"output_name": "cats", "steps": 3, "save_every": SAVE_EVERY}
    )

    @property
    def output(self) -> Path:
        return self.folder / "out"

    def command(self, *extra: str | Path, **config: Any) -> list[str]:
        """Write the configuration; returns the command line that reads it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / "config.json"
        places = {"data_dir": str(self.data), "output_dir": str(self.output)}
        path.write_text(json.dumps({**self.defaults, **places, **config}))
        return self.command_for(path, *extra)

    @staticmethod
    def command_for(config: Path, *extra: str | Path) -> list[str]:
        script = str(RECIPE / "train.py")
        return [sys.executable, script, "--config", str(config), *map(str, extra)]

    def run(self, *extra: str | Path, **config: Any) -> "subprocess.CompletedProcess[str]":
        """Run to the end with these changes to the configuration."""
        return run(self.command(*extra, **config))


def run(command: list[str], **options: Any) -> "subprocess.CompletedProcess[str]":
    """Run to the end; carriage returns stay as they were written."""
    done = subprocess.run(command, capture_output=True, timeout=60, check=False, **options)
    out, err = (os.fsdecode(stream) for stream in (done.stdout, done.stderr))
    return subprocess.CompletedProcess(command, done.returncode, out, err)


def draw_cats(folder: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    """Run make_dataset.py."""
    return run([sys.executable, str(RECIPE / "make_dataset.py"), str(folder), *options])


def read_header(path: Path) -> dict[str, Any]:
    """The header of a complete .safetensors file; fails when a byte is missing or too many."""
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header: dict[str, Any] = json.loads(content[8 : 8 + length])
    ends = [value["data_offsets"][1] for key, value in header.items() if key != "__metadata__"]
    assert max(ends) + 8 + length == len(content), f"{path} is cut"
    return header


def leftovers(folder: Path) -> list[Path]:
    """Files under the names that only unfinished writing uses."""
    return [path for path in folder.rglob("*") if path.name.startswith(".")]


@dataclass(frozen=True)
class Finished:
    """One uninterrupted run of STEPS steps, to be read only."""

    trainer: Trainer
    stdout: str
    stderr: str

    @property
    def lora(self) -> Path:
        return self.trainer.output / "cats.safetensors"
