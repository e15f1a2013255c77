"""The tiny denoiser: a frozen, deterministic base with low-rank adapters, by hand in numpy.

Pictures become *latents* by a fixed orthonormal cosine transform. A frozen network of
fixed random weights sees the noisy latent, the noise level and the caption, and says
which picture it expects. The prediction of the noise is then Bayes' rule for a picture
that differs from the expected one by ordinary 1/f detail. So the untrained base already
knows what pictures are like in general (it dreams coloured clouds), and adapters teach
its network what *these* look like, as low-rank changes of the frozen layers:

    W' = W + (alpha / rank) * up @ down        up: [out, rank], down: [rank, in]

All arrays are float32; a row is one example.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

BASE_MODEL_VERSION = "tiny-denoiser"
BASE_SEED = 20240229  # the base model *is* this number: another one is another base
WIDTH = 384
TIME_WIDTH = 64
CAPTION_WIDTH = 256
BLOCKS = 2
# Variances of pixels in [-1, 1]: how far a picture may lie from the expected one, and how
# far the expected one may lie from plain grey. The first is small, as a base is worth
# adapting only if it believes what its network says.
DETAIL_VARIANCE = 0.05
PICTURE_VARIANCE = 0.3
UNTRAINED_GAIN = 0.3  # how sure of its random expectations the untrained network is
EPSILON, HALF, ONE = np.float32(1e-6), np.float32(0.5), np.float32(1)


def cosine_matrix(size: int) -> Array:
    """The orthonormal DCT-II matrix, [size, size]; its transpose is its inverse."""
    k, n = np.meshgrid(np.arange(size), np.arange(size), indexing="ij")
    matrix = np.cos(np.pi * (n + 0.5) * k / size) * np.sqrt(2 / size)
    matrix[0] /= np.sqrt(2)
    return np.asarray(matrix, dtype=np.float32)


def encode(pixels: Array) -> Array:
    """[batch, size, size, 3] in [-1, 1] -> latents [batch, size * size * 3]."""
    basis = cosine_matrix(pixels.shape[1])
    spectrum = np.einsum("ky,byxc,lx->bklc", basis, pixels, basis, optimize=True)
    return np.ascontiguousarray(spectrum.reshape(len(pixels), -1), dtype=np.float32)


def decode(latents: Array, size: int) -> Array:
    """The inverse of `encode`."""
    basis = cosine_matrix(size)
    spectrum = latents.reshape(len(latents), size, size, 3)
    pixels = np.einsum("ky,bklc,lx->byxc", basis, spectrum, basis, optimize=True)
    return np.ascontiguousarray(pixels, dtype=np.float32)


def embed_caption(caption: str) -> Array:
    """A caption as [CAPTION_WIDTH]: fixed random vectors of its words and word pairs.

    Pairs keep *orange cat on blue* apart from *blue cat on orange*. Case, punctuation
    and repeated words do not count.
    """
    clean = "".join(c if c.isalnum() else " " for c in caption.casefold())
    words = clean.split()
    tokens = {*words, *(" ".join(pair) for pair in pairwise(words))}
    total = np.zeros(CAPTION_WIDTH, dtype=np.float64)
    for token in sorted(tokens):
        digest = hashlib.blake2b(token.encode("utf-8", "surrogatepass"), digest_size=4).digest()
        # RandomState, because numpy promises that its stream never changes.
        total += np.random.RandomState(int.from_bytes(digest, "big")).standard_normal(CAPTION_WIDTH)
    return np.asarray(total / np.sqrt(max(1, len(tokens))), dtype=np.float32)


def embed_time(times: Array) -> Array:
    """Noise times in (0, 1), [batch] -> [batch, TIME_WIDTH] of unit variance."""
    frequencies = np.exp(np.linspace(0, np.log(64), TIME_WIDTH // 2)).astype(np.float32)
    angles = times[:, None] * frequencies[None] * np.float32(np.pi)
    waves = np.concatenate([np.sin(angles), np.cos(angles)], axis=1)
    return np.asarray(waves * np.float32(np.sqrt(2)), dtype=np.float32)


def signal_and_noise(times: Array) -> tuple[Array, Array]:
    """The shares (a, s), each [batch, 1], in noisy = a * latent + s * noise; a² + s² = 1."""
    angle = times[:, None] * np.float32(np.pi / 2)
    return np.cos(angle), np.sin(angle)


@dataclass(slots=True)
class Adapter:
    """The trained change of one layer. `up` starts at zero, so training starts at the base."""

    down: Array  # [rank, in]
    up: Array  # [out, rank]
    scale: np.float32  # alpha / rank


class Linear:
    """y = x W^T + scale * x down^T up^T, with the gradients of down and up."""

    def __init__(self, weight: Array) -> None:
        self.freeze(weight)
        self.adapter: Adapter | None = None
        self.down_gradient: Array = np.zeros(0, dtype=np.float32)
        self.up_gradient: Array = np.zeros(0, dtype=np.float32)
        self._x: Array = np.zeros(0, dtype=np.float32)
        self._low: Array = np.zeros(0, dtype=np.float32)

    def freeze(self, weight: Array) -> None:
        """Use this as the base weight, [out, in]."""
        self.weight = weight
        # Laid out a second time, since reading the first across its rows takes twice as long.
        self._across = np.ascontiguousarray(weight.T)

    def forward(self, x: Array) -> Array:
        """The layer's outputs, [batch, out]; keeps what `backward` needs."""
        y: Array = x @ self._across
        if self.adapter is not None:
            self._x, self._low = x, x @ self.adapter.down.T
            y += (self._low @ self.adapter.up.T) * self.adapter.scale
        return y

    def backward(self, dy: Array, *, to_input: bool = True) -> Array:
        """Set the adapter's gradients from dy, [batch, out]; returns dx (empty if not wanted)."""
        assert self.adapter is not None, "only an adapted layer is trained"
        dlow: Array = (dy @ self.adapter.up) * self.adapter.scale
        self.up_gradient = (dy.T @ self._low) * self.adapter.scale
        self.down_gradient = dlow.T @ self._x
        if not to_input:
            return np.zeros(0, dtype=np.float32)
        return dy @ self.weight + dlow @ self.adapter.down


def normalise(x: Array) -> tuple[Array, Array]:
    """Rows of unit mean square, and the factor [batch, 1] that made them so."""
    factor: Array = ONE / np.sqrt(np.mean(x * x, axis=1, keepdims=True) + EPSILON)
    return x * factor, factor


def normalise_backward(dy: Array, y: Array, factor: Array) -> Array:
    return np.asarray((dy - y * np.mean(dy * y, axis=1, keepdims=True)) * factor)


def silu(x: Array) -> tuple[Array, Array]:
    """x * sigmoid(x) and its slope."""
    gate = HALF * (ONE + np.tanh(HALF * x))
    return x * gate, gate * (ONE + x * (ONE - gate))


class Block:
    """h + fc2(silu(fc1(|h|) * (1 + film(context)))): the caption and time turn features up."""

    def __init__(self, fc1: Linear, film: Linear, fc2: Linear) -> None:
        self.fc1, self.film, self.fc2 = fc1, film, fc2
        self._saved: tuple[Array, ...] = ()

    def forward(self, h: Array, context: Array) -> Array:
        y, factor = normalise(h)
        features, gain = self.fc1.forward(y), 1 + self.film.forward(context)
        active, slope = silu(features * gain)
        self._saved = (y, factor, features, gain, slope)
        return h + self.fc2.forward(active)

    def backward(self, dh: Array) -> tuple[Array, Array]:
        """Gradients of the inputs: (dh, dcontext)."""
        y, factor, features, gain, slope = self._saved
        inner = self.fc2.backward(dh) * slope
        dcontext = self.film.backward(inner * features)
        dy = self.fc1.backward(inner * gain)
        return dh + normalise_backward(dy, y, factor), dcontext


class Denoiser:
    """Predicts the noise in noisy latents of pictures of `size` x `size` pixels."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.latent_width = size * size * 3
        self.layers: dict[str, Linear] = {}
        self._stream = np.random.RandomState(BASE_SEED)
        self._time = self._layer("time_embed_proj", WIDTH, TIME_WIDTH)
        self._caption = self._layer("caption_embed_proj", WIDTH, CAPTION_WIDTH)
        self._blocks = [
            Block(
                self._layer(f"middle_blocks_{i}_ff_in", WIDTH, WIDTH),
                self._layer(f"middle_blocks_{i}_film", WIDTH, WIDTH),
                self._layer(f"middle_blocks_{i}_ff_out", WIDTH, WIDTH),
            )
            for i in range(BLOCKS)
        ]
        self._in = self._layer("input_proj", WIDTH, self.latent_width)
        self._out = self._layer("output_proj", self.latent_width, WIDTH, UNTRAINED_GAIN)
        spectrum = self._picture_spectrum()
        self._detail = np.float32(DETAIL_VARIANCE) * spectrum
        self._reach = np.sqrt(np.float32(PICTURE_VARIANCE) * spectrum)
        self._saved: tuple[Array, ...] = ()

    def _layer(self, name: str, width_out: int, width_in: int, gain: float = 1.0) -> Linear:
        weight = self._stream.standard_normal((width_out, width_in)) * (gain / np.sqrt(width_in))
        self.layers[name] = Linear(weight.astype(np.float32))
        return self.layers[name]

    def _picture_spectrum(self) -> Array:
        """The 1/f power of each latent value, [latent_width]; its mean is 1."""
        k = np.arange(self.size)
        power = 1 / (1 + k[:, None] ** 2 + k[None, :] ** 2) ** 1.25
        power *= self.size**2 / power.sum()
        return np.asarray(np.repeat(power.reshape(-1), 3), dtype=np.float32)

    def add_adapters(self, rank: int, alpha: float, rng: np.random.Generator) -> None:
        """Give every layer a fresh adapter: `down` random, `up` zero."""
        for layer in self.layers.values():
            width_out, width_in = layer.weight.shape
            down = rng.standard_normal((rank, width_in), dtype=np.float32)
            layer.adapter = Adapter(
                down=down / np.float32(np.sqrt(width_in)),
                up=np.zeros((width_out, rank), dtype=np.float32),
                scale=np.float32(alpha / rank),
            )

    @contextmanager
    def without_adapters(self) -> Iterator[None]:
        """Within this, the model is the base."""
        kept = {layer: layer.adapter for layer in self.layers.values()}
        try:
            for layer in kept:
                layer.adapter = None
            yield
        finally:
            for layer, adapter in kept.items():
                layer.adapter = adapter

    def adapters(self) -> Iterator[tuple[str, Adapter]]:
        for name, layer in self.layers.items():
            if layer.adapter is not None:
                yield name, layer.adapter

    def predict(self, noisy: Array, times: Array, captions: Array) -> Array:
        """The noise in `noisy` [batch, latent_width], from times [batch] and captions."""
        a, s = signal_and_noise(times)
        total = a * a * self._detail + s * s
        context, context_factor = normalise(
            self._time.forward(embed_time(times)) + self._caption.forward(captions)
        )
        h = self._in.forward(noisy / np.sqrt(total)) + context
        for block in self._blocks:
            h = block.forward(h, context)
        y, factor = normalise(h)
        weight = a * self._reach  # [batch, latent_width], what one unit of output stands for
        self._saved = (weight * (s / total), context, context_factor, y, factor)
        return np.asarray((noisy - weight * self._out.forward(y)) * (s / total))

    def backward(self, dprediction: Array) -> None:
        """Set every adapter's gradients, for the batch of the last `predict`."""
        weight, context, context_factor, y, factor = self._saved
        dh = normalise_backward(self._out.backward(-dprediction * weight), y, factor)
        dcontext = np.zeros_like(context)
        for block in reversed(self._blocks):
            dh, share = block.backward(dh)
            dcontext += share
        self._in.backward(dh, to_input=False)
        dcontext = normalise_backward(dcontext + dh, context, context_factor)
        self._time.backward(dcontext, to_input=False)
        self._caption.backward(dcontext, to_input=False)
