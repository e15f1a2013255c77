"""Train a LoRA on a small diffusion model with torch and peft, on the CPU, without a download.

    python train.py --config CONFIG.json [--resume STATE.pt]
    python train.py --check LORA.safetensors --config CONFIG.json

The base is a small attention U-Net with weights drawn from a fixed seed: the same on every machine. Stages and the bar
go to stderr, saved files to stdout. Written to output_dir, each file whole or not at all:

    NAME-step00000040.safetensors    a checkpoint, every save_every steps
    NAME-step00000040-state.pt       to resume from (newest two)
    NAME.safetensors                 the LoRA, by peft's names; its metadata says rank, alpha and base
    loss.csv                         the loss of every step

``--check`` loads the file into a fresh base and prints what it changes as JSON. Exit codes: 0 done; 2 wrong arguments
or configuration; 3 wrong data; 4 the loss is no number; 5 an output could not be written; 143 stopped after saving.
"""

import argparse
import json
import math
import os
import signal
import sys
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from peft import LoraConfig, PeftModel, get_peft_model, get_peft_model_state_dict, set_peft_model_state_dict
from PIL import Image
from safetensors.torch import load_file, save
from small_model import BASE, base_model, caption_vector
from torch.nn.functional import mse_loss
from tqdm import tqdm

SHARE_OF_NOISE = (0.02, 0.98)
KEPT = 2
NEEDED = {"data_dir", "output_dir", "output_name", "steps", "rank", "alpha", "learning_rate", "batch_size", "seed",
          "save_every"}  # fmt: skip


class Trouble(Exception):
    """One sentence and an exit code."""

    def __init__(self, code: int, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


def log(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def read_config(path: str) -> dict:
    try:
        config = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Trouble(2, f"the configuration cannot be read: {error}") from error
    if set(config) != NEEDED:
        raise Trouble(2, f"configuration keys differ: {sorted(set(config) ^ NEEDED)}")
    return config


def read_data(folder: Path) -> tuple[torch.Tensor, torch.Tensor]:
    """Images [n, 3, side, side] in -1..1 and one caption vector each."""
    there = folder.iterdir() if folder.is_dir() else ()
    names = sorted(one for one in there if one.suffix.lower() in {".png", ".jpg", ".jpeg", ".webp"})
    if not names:
        raise Trouble(3, "no images in the data folder")
    pictures, captions = [], []
    log("caching latents")
    for name in tqdm(names):
        try:
            with Image.open(name) as image:
                small = image.convert("RGB").resize((BASE["side"], BASE["side"]))
            text = name.with_suffix(".txt").read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            raise Trouble(3, f"cannot read image or caption of {name.name}: {error}") from error
        pictures.append(
            torch.from_numpy(np.asarray(small, dtype="float32").copy()).permute(2, 0, 1) / 127.5 - 1
        )
        captions.append(caption_vector(text))
    return torch.stack(pictures), torch.stack(captions)


def adapted(rank: int, alpha: float) -> PeftModel:
    """The base with trainable adapters on its attention and its ends."""
    torch.manual_seed(0)
    targets = ["to_q", "to_k", "to_v", "to_out", "enter", "leave", "grow", "shrink"]
    return get_peft_model(base_model(), LoraConfig(r=rank, lora_alpha=alpha, target_modules=targets))


def lora_bytes(model: PeftModel, config: dict) -> bytes:
    tensors = {name: one.detach().contiguous() for name, one in get_peft_model_state_dict(model).items()}
    if not all(torch.isfinite(one).all() for one in tensors.values()):
        raise Trouble(4, "a weight is no number any more; lower the learning rate")
    about = {"base": BASE["name"], "rank": config["rank"], "alpha": config["alpha"]}
    return save(tensors, {name: str(value) for name, value in about.items()})


def write_whole(path: Path, content: bytes) -> None:
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(content)
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise Trouble(5, f"cannot write {path.name}: {error.strerror}") from error


class Run:
    """One run over its files."""

    def __init__(self, config: dict) -> None:
        self.config, self.output = config, Path(config["output_dir"])
        self.stopped = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        self.pictures, self.captions = read_data(Path(config["data_dir"]))
        log("loading base model")
        self.model = adapted(config["rank"], config["alpha"])
        free = [one for one in self.model.parameters() if one.requires_grad]
        self.optimizer = torch.optim.AdamW(free, lr=config["learning_rate"])
        self.chance = torch.Generator().manual_seed(config["seed"])
        self.losses: list[float] = []

    def _stop(self, *_: object) -> None:
        self.stopped = True

    def resume(self, state: Path) -> None:
        try:
            kept = torch.load(state, weights_only=True)
            self.model.load_state_dict(kept["lora"], strict=False)
            self.optimizer.load_state_dict(kept["optimizer"])
            self.chance.set_state(kept["chance"])
            self.losses = list(kept["losses"])
        except (OSError, RuntimeError, KeyError, ValueError) as error:
            raise Trouble(2, f"the state cannot be resumed from: {error}") from error
        log(f"resumed at step {len(self.losses)}")

    def step(self) -> None:
        rows = torch.randint(len(self.pictures), (self.config["batch_size"],), generator=self.chance)
        loss = self.loss(rows, self.chance)
        if not math.isfinite(loss.item()):
            raise Trouble(4, "the loss is no number any more; lower the learning rate")
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.losses.append(loss.item())

    def loss(self, rows: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
        """How far the noise that was guessed is from the noise that was added."""
        low, high = SHARE_OF_NOISE
        time = torch.rand(len(rows), generator=chance) * (high - low) + low
        noise = torch.randn(self.pictures[rows].shape, generator=chance)
        share = time[:, None, None, None]
        noisy = torch.cos(share * math.pi / 2) * self.pictures[rows] + torch.sin(share * math.pi / 2) * noise
        return mse_loss(self.model(noisy, time, self.captions[rows]), noise)

    def evaluate(self) -> float:
        """On noise that training never draws."""
        with torch.no_grad():
            fixed = torch.Generator().manual_seed(9_000_001)
            rows = torch.arange(64) % len(self.pictures)
            return self.loss(rows, fixed).item()

    def train(self) -> None:
        steps, every = self.config["steps"], self.config["save_every"]
        log(f"training starts: {steps} steps, {len(self.pictures)} images")
        with tqdm(total=steps, initial=len(self.losses), desc="steps", smoothing=0) as bar:
            while len(self.losses) < steps and not self.stopped:
                self.step()
                bar.set_postfix(avr_loss=sum(self.losses[-20:]) / len(self.losses[-20:]), refresh=False)
                bar.update()
                if len(self.losses) % every == 0 and len(self.losses) < steps:
                    self.save_step()

    def save_step(self) -> None:
        stem = f"{self.config['output_name']}-step{len(self.losses):08d}"
        self.save_lora(self.output / f"{stem}.safetensors")
        lora = {name: one for name, one in self.model.state_dict().items() if "lora_" in name}
        kept = {"lora": lora, "optimizer": self.optimizer.state_dict(), "chance": self.chance.get_state(),
                "losses": self.losses}  # fmt: skip
        part = self.output / f".{stem}.part"
        torch.save(kept, part)
        part.replace(self.output / f"{stem}-state.pt")
        for old in sorted(self.output.glob(f"{self.config['output_name']}-step*-state.pt"))[:-KEPT]:
            old.unlink()
        self.save_losses()

    def save_lora(self, path: Path) -> None:
        print(f"\nsaving checkpoint: {path}", flush=True)
        write_whole(path, lora_bytes(self.model, self.config))

    def save_losses(self) -> None:
        rows = (f"{number},{loss:.6f}" for number, loss in enumerate(self.losses, 1))
        write_whole(self.output / "loss.csv", "\n".join(["step,loss", *rows, ""]).encode())


def train(config: dict, resume: Path | None) -> int:
    run = Run(config)
    before = run.evaluate()
    if resume is not None:
        run.resume(resume)
    run.train()
    if run.stopped:
        run.save_step()
        log(f"stopped; resume from the state of step {len(run.losses)}")
        return 143
    run.save_lora(run.output / f"{config['output_name']}.safetensors")
    run.save_losses()
    print("model saved.")
    print(f"evaluation loss: {before:.4f} before, {run.evaluate():.4f} after", flush=True)
    return 0


def check(path: Path, config: dict) -> dict:
    """What the file alone does to a fresh base."""
    run = Run(config)
    before = run.evaluate()
    noisy, time, caption = torch.ones(1, 3, BASE["side"], BASE["side"]), torch.tensor([0.5]), run.captions[:1]
    with torch.no_grad():
        plain = run.model(noisy, time, caption)
        set_peft_model_state_dict(run.model, load_file(path))
        changed = run.model(noisy, time, caption)
        with run.model.disable_adapter():
            again = run.model(noisy, time, caption)
    moved = (changed - plain).abs().max().item()
    return {"before": before, "after": run.evaluate(), "moved": moved, "base_kept": torch.equal(plain, again)}


def main() -> int:
    parser = argparse.ArgumentParser(description="Train a LoRA on a small diffusion model, on the CPU.")
    parser.add_argument("--config", required=True)
    parser.add_argument("--resume", type=Path)
    parser.add_argument("--check", type=Path)
    said = parser.parse_args()
    torch.set_num_threads(1)
    try:
        config = read_config(said.config)
        if said.check:
            print(json.dumps(check(said.check, config)))
            return 0
        return train(config, said.resume)
    except Trouble as error:
        log(f"error: {error}")
        return error.code


if __name__ == "__main__":
    sys.exit(main())
