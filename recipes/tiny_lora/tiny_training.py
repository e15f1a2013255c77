"""The optimisation: which examples, which noise, one Adam step, and how good it is by now."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tiny_config import Config
from tiny_data import DataSet
from tiny_model import Array, Denoiser, signal_and_noise

FIRST_TIME, LAST_TIME = 0.02, 0.98  # of noise; 0 would be a clean picture, 1 pure noise
WARM_UP_STEPS = 20
FINAL_RATE = 0.1  # of learning_rate, at the end of the cosine
BETA_1, BETA_2 = 0.9, 0.99
AVERAGED_STEPS = 50
EVALUATION_ROWS = 96
EVALUATION_SEED = 9_000_001


Rows = list[int] | NDArray[np.intp]  # indices into the data set


class NumericsError(Exception):
    """The loss or a weight is no longer a number; the message is one sentence."""


@dataclass(slots=True)
class Moments:
    """Adam's running means of one tensor's gradient and of its square."""

    first: Array
    second: Array


class Training:
    """One run in memory. Its whole future follows from what `tiny_state` saves of it."""

    def __init__(self, config: Config, data: DataSet, model: Denoiser) -> None:
        self.config, self.data, self.model = config, data, model
        self.step = 0
        self.losses: list[float] = []  # one a step, from the first step on
        self.rng = np.random.Generator(np.random.PCG64(config.seed))
        self.queue: list[int] = []  # images still to come in this epoch
        model.add_adapters(config.rank, config.alpha, self.rng)
        self.parameters: dict[str, Array] = {}
        for name, adapter in model.adapters():
            self.parameters[f"{name}.lora_down"] = adapter.down
            self.parameters[f"{name}.lora_up"] = adapter.up
        self.moments = {
            name: Moments(np.zeros_like(value), np.zeros_like(value))
            for name, value in self.parameters.items()
        }

    @property
    def epoch(self) -> int:
        """Epochs begun, counted from 1."""
        return max(0, self.step * self.config.batch_size - 1) // len(self.data.latents) + 1

    @property
    def average_loss(self) -> float:
        """The mean loss of the last AVERAGED_STEPS steps."""
        recent = self.losses[-AVERAGED_STEPS:]
        return math.fsum(recent) / len(recent) if recent else math.nan

    def advance(self) -> None:
        """One step. Raises NumericsError when the loss is not finite, changing no weight."""
        rows = self._next_images()
        times = self.rng.uniform(FIRST_TIME, LAST_TIME, len(rows)).astype(np.float32)
        noise = self.rng.standard_normal((len(rows), self.model.latent_width), dtype=np.float32)
        with np.errstate(all="ignore"):
            error = self._error(rows, rows, times, noise)
            loss = float(np.mean(error * error))
            if not math.isfinite(loss):
                raise NumericsError(
                    f"the loss became {loss} at step {self.step + 1}; lower the learning rate"
                )
            self.model.backward(error * np.float32(2 / error.size))
            self._adam()
        self.step += 1
        self.losses.append(loss)

    def evaluate(self, *, caption_shift: int = 0) -> float:
        """The mean loss over fixed images, noise and times that training never draws.

        With `caption_shift`, each image gets the caption of the one so many places on.
        """
        fixed = np.random.RandomState(EVALUATION_SEED)
        images = len(self.data.latents)
        rows = np.arange(EVALUATION_ROWS) % images
        span = (np.arange(EVALUATION_ROWS) + 0.5) / EVALUATION_ROWS
        times = FIRST_TIME + (LAST_TIME - FIRST_TIME) * fixed.permutation(span)
        noise = fixed.standard_normal((EVALUATION_ROWS, self.model.latent_width))
        with np.errstate(all="ignore"):
            error = self._error(
                rows,
                (rows + caption_shift) % images,
                times.astype(np.float32),
                noise.astype(np.float32),
            )
            return float(np.mean(error * error))

    def _error(self, rows: Rows, captions: Rows, times: Array, noise: Array) -> Array:
        a, s = signal_and_noise(times)
        noisy = a * self.data.latents[rows] + s * noise
        embedded = self.data.captions[captions]
        return self.model.predict(noisy, times, embedded) - noise

    def _next_images(self) -> list[int]:
        rows: list[int] = []
        while len(rows) < self.config.batch_size:
            if not self.queue:
                self.queue = [int(i) for i in self.rng.permutation(len(self.data.latents))]
            rows.append(self.queue.pop())
        return rows

    def _learning_rate(self) -> float:
        """Of the step under way: a short warm-up, then half a cosine down to FINAL_RATE."""
        done = min(1.0, self.step / self.config.steps)
        fall = FINAL_RATE + (1 - FINAL_RATE) * 0.5 * (1 + math.cos(math.pi * done))
        return self.config.learning_rate * fall * min(1.0, (self.step + 1) / WARM_UP_STEPS)

    def _adam(self) -> None:
        count, rate = self.step + 1, self._learning_rate()
        size = np.float32(rate / (1 - BETA_1**count))
        correction = np.float32(1 / (1 - BETA_2**count))
        for name, layer in self.model.layers.items():
            gradients = {"lora_down": layer.down_gradient, "lora_up": layer.up_gradient}
            for part, gradient in gradients.items():
                moments = self.moments[f"{name}.{part}"]
                moments.first += np.float32(1 - BETA_1) * (gradient - moments.first)
                moments.second += np.float32(1 - BETA_2) * (gradient * gradient - moments.second)
                spread = np.sqrt(moments.second * correction) + np.float32(1e-8)
                self.parameters[f"{name}.{part}"] -= size * moments.first / spread
