"""A data set on the bot's side: what belongs to it, its digest, and gate 1 (before anything is rented).

The layout is one flat folder of images, each with a UTF-8 ``.txt`` of the same stem. A symlink that leaves
the folder is refused, never followed; files of other kinds are left at home.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from bot.domain.errors import Refused
from bot.domain.recipe import Dataset

MOST_CAPTION_BYTES = 64 * 1024
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Piece:
    """One file that will travel."""

    path: Path
    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Survey:
    """A data set that passed gate 1."""

    folder: Path
    pieces: tuple[Piece, ...]
    images: int
    warnings: tuple[str, ...]

    @property
    def bytes(self) -> int:
        """Size of all that travels."""
        return sum(piece.bytes for piece in self.pieces)

    @property
    def sha256(self) -> str:
        """Digest over the sorted (name, size, digest) of the pieces."""
        digest = hashlib.sha256()
        for piece in sorted(self.pieces, key=lambda one: os.fsencode(one.name)):
            digest.update(b"%b\0%d\0%b\n" % (os.fsencode(piece.name), piece.bytes, piece.sha256.encode()))
        return digest.hexdigest()


def survey(folder: Path, rules: Dataset) -> Survey:
    """Look at every file. Raises ``Refused`` with one sentence that names the file and what to do."""
    names = _names(folder)
    root = folder.resolve()
    files = [_inside(root, folder / name) for name in names if _travels(name, rules)]
    present = [path for path in files if path is not None]
    images = [path for path in present if _suffix(path.name) in rules.image_types]
    _count(folder, images, rules)
    captions = {path.name: path for path in present if _suffix(path.name) == "txt"}
    missing = [path.name for path in images if f"{_stem(path.name)}.txt" not in captions]
    if missing:
        raise Refused(
            f"{len(missing)} of {len(images)} images have no caption: {_listed(missing)}.",
            help="Put a .txt with the caption beside each image, with the same name.",
        )
    _stems(images)
    used = [captions[f"{_stem(path.name)}.txt"] for path in images]
    warnings = _images(images, rules)
    _captions(used)
    pieces = tuple(_piece(path) for path in [*images, *used])
    warnings += _twins(pieces, rules)
    return Survey(folder, pieces, len(images), tuple(warnings))


def _names(folder: Path) -> list[str]:
    try:
        names = sorted(each.name for each in folder.iterdir())
    except FileNotFoundError:
        raise Refused(f"There is no folder {quoted(folder)}.", help="Check the path after 'data'.") from None
    except NotADirectoryError:
        raise Refused(
            f"{quoted(folder)} is no folder.", help="Name the folder that holds the images."
        ) from None
    except PermissionError:
        raise Refused(
            f"{quoted(folder)} may not be read by Lastcall.", help="Change its permissions."
        ) from None
    except (OSError, ValueError) as error:
        raise Refused(f"{quoted(folder)} cannot be read: {getattr(error, 'strerror', error)}.") from None
    for name in (str(folder), *names):
        if not _is_utf8(name):
            # Trainers write names into their logs and caches, and most of them break on such a one.
            raise Refused(f"The name {quoted(name)} is not UTF-8.", help="Rename it.")
    return names


def _is_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _suffix(name: str) -> str:
    return name.rpartition(".")[2].lower() if "." in name else ""


def _stem(name: str) -> str:
    return name.rpartition(".")[0]


def _travels(name: str, rules: Dataset) -> bool:
    return not name.startswith(".") and _suffix(name) in (*rules.image_types, "txt")


def _inside(root: Path, path: Path) -> Path | None:
    try:
        real = path.resolve(strict=True)
    except (OSError, RuntimeError):
        raise Refused(
            f"{quoted(path.name)} is a link that leads nowhere.", help="Remove it or mend it."
        ) from None
    if not real.is_relative_to(root):
        raise Refused(
            f"{quoted(path.name)} is a link that leaves the folder.",
            help="Copy the file into the folder instead.",
        )
    return path if real.is_file() else None


def _count(folder: Path, images: Sequence[Path], rules: Dataset) -> None:
    if not images:
        kinds = ", ".join(rules.image_types)
        raise Refused(f"{quoted(folder)} holds no images.", help=f"Put {kinds} files with captions into it.")
    if not rules.min_images <= len(images) <= rules.max_images:
        raise Refused(
            f"{quoted(folder)} holds {len(images)} images; this recipe takes {rules.min_images} to "
            f"{rules.max_images}."
        )


def _stems(images: Sequence[Path]) -> None:
    seen: dict[str, str] = {}
    for path in images:
        other = seen.setdefault(_stem(path.name).casefold(), path.name)
        if other != path.name:
            raise Refused(
                f"{quoted(other)} and {quoted(path.name)} would share one caption.",
                help="Rename one of them.",
            )


def _images(images: Sequence[Path], rules: Dataset) -> list[str]:
    small: list[str] = []
    for path in images:
        try:
            with Image.open(path) as image:
                image.load()
                if min(image.size) < rules.min_side:
                    small.append(path.name)
        except Image.DecompressionBombError:
            raise Refused(
                f"{quoted(path.name)} is larger than 178 megapixels.", help="Scale it down."
            ) from None
        except (PermissionError, FileNotFoundError) as error:
            raise _unread(path, error) from None
        except (UnidentifiedImageError, OSError, SyntaxError, ValueError):
            raise Refused(
                f"{quoted(path.name)} is no image that can be read.", help="Replace or remove it."
            ) from None
    if not small:
        return []
    return [f"{len(small)} images are smaller than {rules.min_side} pixels: {_listed(small)}."]


def _captions(captions: Sequence[Path]) -> None:
    for path in captions:
        try:
            with path.open("rb") as file:
                raw = file.read(MOST_CAPTION_BYTES + 1)
            if len(raw) > MOST_CAPTION_BYTES:
                raise Refused(f"{quoted(path.name)} is longer than 64 KiB; that is no caption.")
            text = raw.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise Refused(f"{quoted(path.name)} is not UTF-8 text.", help="Save it as UTF-8.") from None
        except OSError as error:
            raise _unread(path, error) from None
        if not text.strip():
            raise Refused(f"{quoted(path.name)} is empty.", help="Write what the image shows.")


def _unread(path: Path, error: OSError) -> Refused:
    if isinstance(error, PermissionError):
        return Refused(f"{quoted(path.name)} may not be read by Lastcall.", help="Change its permissions.")
    return Refused(
        f"{quoted(path.name)} cannot be read: {error.strerror}.", help="Is it being changed just now?"
    )


def _twins(pieces: Sequence[Piece], rules: Dataset) -> list[str]:
    first: dict[str, str] = {}
    twins = [
        piece.name
        for piece in pieces
        if _suffix(piece.name) in rules.image_types
        and first.setdefault(piece.sha256, piece.name) != piece.name
    ]
    return [f"{len(twins)} images are there twice: {_listed(twins)}."] if twins else []


def _piece(path: Path) -> Piece:
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            return Piece(path, path.name, file.tell(), digest)
    except OSError as error:
        raise _unread(path, error) from None


def quoted(name: Path | str) -> str:
    """As the sentences here write a name: safe to show, and cut."""
    text = str(name).encode("utf-8", "replace").decode()
    return "'" + "".join(mark if mark.isprintable() else "?" for mark in text)[:120] + "'"


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(quoted(name) for name in names[:_SHOWN])
    return shown + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
