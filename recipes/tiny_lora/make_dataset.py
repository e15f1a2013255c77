"""Draw the small free data set: round cats with captions that say what is in each picture.

    python make_dataset.py OUT_DIR [--count 24] [--size 64] [--seed 7]

Writes cat_000.png + cat_000.txt and so on into OUT_DIR, together or not at all.
The same numbers give the same bytes (for one version of Pillow). The pictures are
in the public domain (CC0): nothing in them comes from anywhere else.

Exit codes: 0 written, or already there; 1 could not write; 2 wrong arguments.
"""

import argparse
import errno
import io
import os
import random
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw

Colour = tuple[int, int, int]

FURS: dict[str, Colour] = {
    "orange": (238, 142, 52),
    "grey": (148, 154, 166),
    "black": (52, 50, 60),
    "white": (246, 242, 234),
    "brown": (142, 94, 62),
    "pink": (244, 158, 184),
}
GROUNDS: dict[str, Colour] = {
    "blue": (86, 152, 224),
    "green": (112, 186, 108),
    "yellow": (250, 212, 92),
    "purple": (152, 110, 200),
    "red": (214, 84, 78),
    "teal": (58, 164, 160),
}
EYES: dict[str, Colour] = {
    "green": (120, 220, 110),
    "yellow": (255, 226, 92),
    "blue": (132, 204, 255),
}
EXTRAS = ("", "with stripes", "with a bow tie", "asleep", "with a hat")
# Drawn large and reduced, because Pillow's own shapes have hard, stepped edges.
OVERSAMPLE = 8
UNIT = 64.0  # every coordinate below is in 64ths of the picture


@dataclass(frozen=True, slots=True)
class Cat:
    """What one picture shows; the caption is made from the same fields."""

    fur: str
    ground: str
    eyes: str
    extra: str
    shift_x: float
    shift_y: float
    tilt: float

    def caption(self) -> str:
        parts = ["ohwx cat", self.fur, f"on a {self.ground} background"]
        if self.extra:
            parts.append(self.extra)
        if self.extra != "asleep":
            parts.append(f"{self.eyes} eyes")
        return ", ".join(parts)


class Pen:
    """Shapes in 64ths of the picture, moved by the cat's own offset."""

    def __init__(self, image: Image.Image, shift_x: float, shift_y: float) -> None:
        self._draw = ImageDraw.Draw(image)
        self._k = image.width / UNIT
        self._dx, self._dy = shift_x, shift_y

    def _points(self, points: list[tuple[float, float]]) -> list[tuple[float, float]]:
        return [((x + self._dx) * self._k, (y + self._dy) * self._k) for x, y in points]

    def oval(self, x: float, y: float, rx: float, ry: float, colour: Colour) -> None:
        self._draw.ellipse(self._points([(x - rx, y - ry), (x + rx, y + ry)]), fill=colour)

    def shape(self, points: list[tuple[float, float]], colour: Colour) -> None:
        self._draw.polygon(self._points(points), fill=colour)

    def line(self, points: list[tuple[float, float]], width: float, colour: Colour) -> None:
        self._draw.line(self._points(points), fill=colour, width=round(width * self._k), joint="curve")

    def arc(
        self, x: float, y: float, r: float, sweep: tuple[int, int], *, width: float, colour: Colour
    ) -> None:
        box = self._points([(x - r, y - r), (x + r, y + r)])
        self._draw.arc(box, *sweep, fill=colour, width=round(width * self._k))


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """The colour `share` (0 to 1) of the way from one to the other."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def plan(count: int, seed: int) -> list[Cat]:
    """`count` cats; the colours take turns, so that each is as common as the others."""
    rng = random.Random(seed)
    furs, grounds = list(FURS), list(GROUNDS)
    rng.shuffle(furs)
    rng.shuffle(grounds)
    return [
        Cat(
            fur=furs[i % len(furs)],
            # One place further each round: no pair of colours returns before 36 cats.
            ground=grounds[(i + i // len(furs)) % len(grounds)],
            eyes=rng.choice(list(EYES)),
            extra=EXTRAS[i % len(EXTRAS)],
            shift_x=rng.uniform(-2, 2),
            shift_y=rng.uniform(-1.5, 1.5),
            tilt=rng.uniform(-1.5, 1.5),
        )
        for i in range(count)
    ]


def draw_body(pen: Pen, fur: Colour, line: Colour, tilt: float) -> None:
    """Tail, body, ears and head: the silhouette that all the cats share."""
    light, blush = mix(fur, (255, 255, 255), 0.45), (255, 150, 160)
    pen.arc(49, 48, 9.5, (255, 90), width=5.2, colour=line)
    pen.arc(49, 48, 8.8, (250, 92), width=3.6, colour=fur)
    pen.oval(32, 60, 19, 17, line)
    pen.oval(32, 60.4, 18, 16.2, fur)
    pen.oval(32, 62, 9, 11, light)
    for side in (-1, 1):
        tip = (32 + side * 17.5 + tilt, 7.5 + side * tilt)
        pen.shape([(32 + side * 20, 29), tip, (32 + side * 3.5, 18)], line)
        near, far = 32.0 + side * 5, 32 + side * 18.6
        pen.shape([(far, 27), (tip[0] - side * 0.6, tip[1] + 2), (near, 18.4)], fur)
        near, far = 32 + side * 8.5, 32 + side * 15.5
        pen.shape([(far, 22), (tip[0] - side * 2.2, tip[1] + 5.5), (near, 18)], blush)
    pen.oval(32, 31, 21.5, 17.5, line)
    pen.oval(32, 31, 20.5, 16.5, fur)
    pen.oval(27.6, 38.2, 5.4, 4.4, light)
    pen.oval(36.4, 38.2, 5.4, 4.4, light)


def draw_face(pen: Pen, cat: Cat, line: Colour) -> None:
    """Eyes (shut when asleep), nose, mouth, cheeks and whiskers."""
    dark = (40, 34, 44)
    blush = mix(FURS[cat.fur], (255, 110, 130), 0.5)
    whisker = (250, 250, 250) if cat.fur in ("black", "grey", "brown") else (96, 82, 84)
    for side in (-1, 1):
        x = 32 + side * 9.5
        if cat.extra == "asleep":
            pen.arc(x, 28.6, 4, (20, 160), width=1.4, colour=(250, 250, 250) if cat.fur == "black" else dark)
        else:
            pen.oval(x, 30, 4.9, 5.4, line)
            pen.oval(x, 30, 4.1, 4.7, EYES[cat.eyes])
            pen.oval(x, 30.2, 2.2, 4, dark)
            pen.oval(x + 1.2, 28.2, 1.2, 1.2, (255, 255, 255))
        pen.oval(32 + side * 15.5, 36.6, 2.9, 1.9, blush)
        pen.line([(32 + side * 12, 38), (32 + side * 23, 36.4)], 0.7, whisker)
        pen.line([(32 + side * 12, 39.6), (32 + side * 22.5, 41)], 0.7, whisker)
    pen.shape([(30, 34.8), (34, 34.8), (32, 37.2)], (232, 96, 118))
    pen.arc(30.3, 37.4, 1.9, (10, 170), width=0.9, colour=dark)
    pen.arc(33.7, 37.4, 1.9, (10, 170), width=0.9, colour=dark)


def draw_extra(pen: Pen, cat: Cat, line: Colour) -> None:
    """The one thing that sets this cat apart, as its caption says."""
    if cat.extra == "with stripes":
        stripe = mix(FURS[cat.fur], line, 0.75)
        for place, tall in ((26.5, 4.4), (32, 6.2), (37.5, 4.4)):
            pen.line([(place, 16), (place, 16 + tall)], 2.0, stripe)
        for side in (-1, 1):
            pen.line([(32 + side * 18, 54), (32 + side * 12.5, 55)], 1.8, stripe)
            pen.line([(32 + side * 18.5, 58.5), (32 + side * 12.5, 59.5)], 1.8, stripe)
    elif cat.extra == "with a bow tie":
        for side in (-1, 1):
            pen.shape([(32, 50), (32 + side * 9, 45.4), (32 + side * 9, 54.6)], (176, 30, 62))
        pen.oval(32, 50, 2.5, 2.9, (236, 70, 98))
    elif cat.extra == "with a hat":
        pen.shape([(23, 17), (41, 17), (32, 1)], (84, 60, 158))
        pen.line([(25.5, 13), (38.5, 13)], 2.2, (250, 214, 96))
        pen.oval(32, 2.6, 2.8, 2.8, (255, 250, 240))


def draw(cat: Cat, size: int) -> Image.Image:
    """The picture of one cat, `size` x `size` RGB."""
    ground = GROUNDS[cat.ground]
    big = Image.new("RGB", (size * OVERSAMPLE, size * OVERSAMPLE), ground)
    halo = Pen(big, 0, 0)
    halo.oval(32, 30, 29, 29, mix(ground, (255, 255, 255), 0.22))
    pen = Pen(big, cat.shift_x, cat.shift_y)
    # A black cat needs a lighter outline, the others a darker one, to keep its shape.
    line = (116, 112, 136) if cat.fur == "black" else mix(FURS[cat.fur], (40, 24, 40), 0.66)
    draw_body(pen, FURS[cat.fur], line, cat.tilt)
    draw_face(pen, cat, line)
    draw_extra(pen, cat, line)
    return big.resize((size, size), Image.Resampling.BOX)


def data_set(count: int, size: int, seed: int) -> dict[str, bytes]:
    """File name -> contents, for the whole data set."""
    files: dict[str, bytes] = {}
    for i, cat in enumerate(plan(count, seed)):
        png = io.BytesIO()
        draw(cat, size).save(png, format="PNG", optimize=True)
        files[f"cat_{i:03d}.png"] = png.getvalue()
        files[f"cat_{i:03d}.txt"] = f"{cat.caption()}\n".encode()
    return files


def is_complete(folder: Path, files: dict[str, bytes]) -> bool:
    """True when `folder` holds exactly these files with exactly these bytes."""
    if not folder.is_dir() or {entry.name for entry in folder.iterdir()} != set(files):
        return False
    return all((folder / name).read_bytes() == content for name, content in files.items())


def write_together(folder: Path, files: dict[str, bytes]) -> None:
    """Write all files beside `folder`, then rename; a reader never sees a part of them.

    Raises OSError, leaving nothing behind, also when `folder` exists and is not empty.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix=".cats-", dir=folder.parent))
    try:
        for name, content in files.items():
            with open(building / name, "xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        building.chmod(0o755)  # mkdtemp makes it private; a data set may be shared
        building.rename(folder)
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise


def whole_number(low: int, high: int) -> Callable[[str], int]:
    """An argparse type: a whole number from `low` to `high`."""

    def parse(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number from {low} to {high}")
        return int(text)

    return parse


def main(arguments: Sequence[str]) -> int:
    """Write the data set and say so; returns the exit code."""
    parser = argparse.ArgumentParser(description="Draw a small free data set of captioned cats.")
    parser.add_argument("out_dir", type=Path, metavar="OUT_DIR")
    parser.add_argument("--count", type=whole_number(1, 500), default=24, help="pictures (24)")
    parser.add_argument("--size", type=whole_number(16, 512), default=64, help="pixels a side (64)")
    parser.add_argument("--seed", type=whole_number(0, 2**32 - 1), default=7, help="which cats (7)")
    options = parser.parse_args(arguments)
    folder: Path = options.out_dir
    files = data_set(options.count, options.size, options.seed)
    done = f"{folder} is already complete: {options.count} pictures with captions"
    try:
        if is_complete(folder, files):
            print(done)
            return 0
        write_together(folder, files)
    except OSError as error:
        # Another process may have written the same set between our look and our rename.
        if folder.is_dir() and is_complete(folder, files):
            print(done)
            return 0
        reason = error.strerror or str(error)
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
            reason = "it holds other files, name a new folder"
        print(f"cannot write the data set to {folder}: {reason}", file=sys.stderr)
        return 1
    print(f"wrote {options.count} pictures with captions to {folder}")
    return 0


if __name__ == "__main__":
    # A path may hold bytes that are no text; printing it must not fail.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    sys.exit(main(sys.argv[1:]))
