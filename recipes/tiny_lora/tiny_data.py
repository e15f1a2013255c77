"""The data set of one run: a flat folder of images, each with a caption beside it."""

import hashlib
import io
import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps
from tiny_model import Array, embed_caption, encode

IMAGE_TYPES = (".png", ".jpg", ".jpeg", ".webp")
MAX_IMAGES = 5000  # all latents are kept in memory
# What Pillow raises on broken files, beside OSError.
BROKEN = (OSError, ValueError, SyntaxError, EOFError, struct.error, zlib.error, IndexError,
          KeyError, TypeError, OverflowError, Image.DecompressionBombError)  # fmt: skip


class DataError(Exception):
    """A human must repair the data set; the message is one sentence naming the file."""


@dataclass(frozen=True, slots=True)
class DataSet:
    """Everything the training needs, in the order of the file names."""

    latents: Array  # [images, resolution * resolution * 3]
    captions: Array  # [images, CAPTION_WIDTH]
    texts: list[str]
    digest: str  # changes with any byte of any image or caption


def find_images(folder: Path) -> list[Path]:
    """The image files, sorted by name. Raises DataError when they cannot be used as a set."""
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise DataError(f"cannot read the data folder {folder}: {error.strerror}") from error
    # Hidden files are other programs' own, such as macOS's "._cat.png".
    images = [e for e in entries if e.suffix.lower() in IMAGE_TYPES and not e.name.startswith(".")]
    if not images:
        raise DataError(f"no images (png, jpg, jpeg, webp) in {folder}")
    if len(images) > MAX_IMAGES:
        raise DataError(f"{len(images)} images in {folder}; the most is {MAX_IMAGES}")
    stems: dict[str, Path] = {}
    for image in images:
        twin = stems.setdefault(image.stem, image)
        if twin is not image:
            raise DataError(f"{twin.name} and {image.name} would share one caption file")
    return images


def read_caption(image: Path) -> str:
    """The caption of an image. Raises DataError when there is none that can be read."""
    path = image.with_suffix(".txt")
    try:
        caption = path.read_bytes().decode("utf-8-sig").strip()
    except FileNotFoundError as error:
        raise DataError(f"caption file not found: {path.name} for {image.name}") from error
    except OSError as error:
        raise DataError(f"cannot read caption {path.name}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise DataError(f"caption {path.name} is not UTF-8 text") from error
    if not caption:
        raise DataError(f"caption {path.name} is empty")
    return caption


def read_pixels(content: bytes, name: str, resolution: int) -> Array:
    """An image as [resolution, resolution, 3] in [-1, 1]: centre square, alpha over white."""
    try:
        with Image.open(io.BytesIO(content)) as image:
            upright = ImageOps.exif_transpose(image).convert("RGBA")
            square = ImageOps.fit(upright, (resolution, resolution), Image.Resampling.BOX)
    except BROKEN as error:
        raise DataError(f"cannot identify image file {name}: it is broken or no image") from error
    flat = Image.new("RGBA", square.size, "white")
    flat.alpha_composite(square)
    return np.asarray(flat.convert("RGB"), dtype=np.float32) / np.float32(127.5) - 1


def load_data(images: Iterable[Path], resolution: int) -> DataSet:
    """Read `images` and their captions. Raises DataError."""
    digest = hashlib.sha256()
    latents, captions, texts = [], [], []
    for path in images:
        text = read_caption(path)
        try:
            content = path.read_bytes()
        except OSError as error:
            raise DataError(f"cannot read image {path.name}: {error.strerror}") from error
        for part in (content, text.encode()):
            digest.update(hashlib.sha256(part).digest())
        latents.append(encode(read_pixels(content, path.name, resolution)[None]))
        captions.append(embed_caption(text))
        texts.append(text)
    return DataSet(np.concatenate(latents), np.stack(captions), texts, digest.hexdigest())
