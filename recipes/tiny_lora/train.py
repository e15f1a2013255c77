"""Train a tiny LoRA on a folder of captioned images, without a GPU.

    python train.py --config CONFIG.json [--resume STATE_DIR]

Stages and the progress bar go to stderr, saved files and results to stdout, in the
manner of the big trainers. Written to output_dir, each file whole or not at all:

    NAME-step00000100.safetensors    a checkpoint, every save_every steps
    NAME-step00000100-state/         to resume from; the newest two are kept
    NAME.safetensors                 the LoRA
    samples/NAME-step00000100.png    what the model draws by then
    loss.csv                         the loss of every step

Exit codes: 0 done; 2 wrong arguments, configuration or state; 3 wrong data;
4 the loss is not finite; 5 an output could not be written (such as a full disk);
130 and 143 stopped by SIGINT or SIGTERM, after saving a checkpoint and its state.
"""

import argparse
import contextlib
import io
import os
import signal
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import FrameType

# Before numpy is loaded, which reads it once. The matrices are small: a second thread saves a
# third of the time on idle cores, but costs ten times as much when it has to wait for a busy
# one. And the sums of another number of threads differ in their last bits; one repeats exactly.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from tiny_config import Config, ConfigError, load_config
from tiny_data import DataError, DataSet, find_images, load_data
from tiny_files import OutputError, lora_file, loss_table, output_error, write_whole
from tiny_model import Denoiser
from tiny_samples import contact_sheet
from tiny_state import StateError, load_state, save_state
from tiny_training import NumericsError, Training
from tqdm import tqdm

EXIT_CODES: dict[type[Exception], int] = {
    ConfigError: 2,
    StateError: 2,
    DataError: 3,
    NumericsError: 4,
    OutputError: 5,
}


class Stopped(Exception):
    """A signal asked to stop, and what could be saved is saved."""


class StopRequest:
    """Remembers the first SIGTERM or SIGINT, so that a step or a save is never cut."""

    def __init__(self) -> None:
        self.signal: int | None = None
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._remember)

    def _remember(self, number: int, frame: FrameType | None) -> None:
        if self.signal is None:
            self.signal = number

    def check(self) -> None:
        if self.signal is not None:
            raise Stopped


def printable(text: object) -> str:
    """`text` on one line: a newline in a name must not look like a line of the log."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(text))


def log(message: str) -> None:
    print(printable(message), file=sys.stderr, flush=True)


class Run:
    """One run of the trainer over its files."""

    def __init__(self, config: Config, stop: StopRequest) -> None:
        self.config, self.stop = config, stop
        self.output = Path(config.output_dir)
        self.saved_step = 0
        self.base_loss = 0.0

    def prepare(self, resume: Path | None) -> Training:
        """Everything before the first step. Raises the errors of EXIT_CODES, or Stopped."""
        try:
            self.output.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise output_error(self.output, error) from error
        data = self._read_data()
        log("loading base model")
        training = Training(self.config, data, Denoiser(self.config.resolution))
        with training.model.without_adapters():
            self.base_loss = training.evaluate()
        if resume is not None:
            load_state(training, resume)
            self.saved_step = training.step
            log(f"resumed from {resume} at step {training.step}")
        return training

    def _read_data(self) -> DataSet:
        images = find_images(Path(self.config.data_dir))
        log(f"caching latents of {len(images)} images")
        with tqdm(images) as bar:
            return load_data(self._until_stopped(bar), self.config.resolution)

    def _until_stopped(self, images: Iterable[Path]) -> Iterator[Path]:
        for image in images:
            self.stop.check()
            yield image

    def train(self, training: Training) -> None:
        """Take the steps that are left, saving as configured; on a signal, save and raise."""
        log(f"training starts: {self.config.steps} steps, {len(training.data.texts)} images")
        steps = self.config.steps
        with tqdm(total=steps, initial=training.step, desc="steps", smoothing=0) as bar:
            while training.step < steps:
                if self.stop.signal is not None:
                    self._save_for_resume(training)
                    raise Stopped
                training.advance()
                # Without a refresh of its own, so that TQDM_MININTERVAL is obeyed.
                bar.set_postfix(avr_loss=training.average_loss, refresh=False)
                bar.update()
                if training.step % self.config.save_every == 0:
                    self._save_for_resume(training)

    def finish(self, training: Training) -> None:
        """Write the LoRA, the last samples and the result."""
        self._write_lora(training, self.output / f"{self.config.output_name}.safetensors")
        print("model saved.")
        log("drawing samples")
        self._write_samples(training)
        write_whole(self.output / "loss.csv", loss_table(training))
        after, exchanged = training.evaluate(), training.evaluate(caption_shift=1)
        print(
            f"evaluation loss: {self.base_loss:.4f} before, {after:.4f} after "
            f"({self.base_loss / after:.1f} times lower), {exchanged:.4f} with exchanged captions"
        )

    def _save_for_resume(self, training: Training) -> None:
        """A checkpoint and its state; nothing when this step is saved already."""
        if training.step == self.saved_step:
            return
        stem = f"{self.config.output_name}-step{training.step:08d}"
        self._write_lora(training, self.output / f"{stem}.safetensors")
        state = save_state(training, self.output)
        print(f"saved state: {printable(state)}")
        self._write_samples(training)
        write_whole(self.output / "loss.csv", loss_table(training))
        self.saved_step = training.step

    def _write_lora(self, training: Training, path: Path) -> None:
        # On a line of its own, though the bar on stderr may have left the cursor in one.
        print(f"\nsaving checkpoint: {printable(path)}")
        write_whole(path, lora_file(training, base_loss=self.base_loss))

    def _write_samples(self, training: Training) -> None:
        name = f"{self.config.output_name}-step{training.step:08d}.png"
        write_whole(self.output / "samples" / name, contact_sheet(training))


def stopped(run: Run, number: int) -> int:
    """Say what a stop leaves behind; returns the shell's exit code for the signal."""
    name = signal.Signals(number).name
    if run.saved_step:
        log(f"stopped by {name}; resume from the state of step {run.saved_step}")
    else:
        log(f"stopped by {name} before the first step; nothing to save")
    return 128 + number


def train(config_path: str, resume: Path | None) -> int:
    """One whole run; returns the exit code. Never raises the errors of EXIT_CODES."""
    stop = StopRequest()
    try:
        run = Run(load_config(config_path), stop)
        try:
            training = run.prepare(resume)
            run.train(training)
            run.finish(training)
        except Stopped:
            return stopped(run, stop.signal or signal.SIGTERM)
    except tuple(EXIT_CODES) as error:
        log(f"error: {error}")
        return EXIT_CODES[type(error)]
    return 0


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description="Train a tiny LoRA without a GPU.")
    parser.add_argument("--config", required=True, metavar="CONFIG.json")
    parser.add_argument("--resume", type=Path, metavar="STATE_DIR")
    options = parser.parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # Whole lines at once and always UTF-8: a follower reads this through a file.
            stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)
    try:
        return train(options.config, options.resume)
    except OSError as error:
        # Only the log itself is left to fail: its reader is gone, or its disk is full.
        abandon_log(f"error: cannot write the log: {error.strerror}")
        return EXIT_CODES[OutputError]


def abandon_log(last_words: str) -> None:
    """Try to say `last_words`; then let what is still unwritten go, or Python's exit fails."""
    with contextlib.suppress(OSError):
        log(last_words)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(nowhere, stream.fileno())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
