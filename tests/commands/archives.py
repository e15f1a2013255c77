"""Archives for tests: honest ones, and what a stranger might send."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Mapping

from PIL import Image

BytesOf = Mapping[str, bytes]


def picture(shade: int) -> bytes:
    """A PNG of 32 pixels."""
    file = io.BytesIO()
    Image.new("RGB", (32, 32), (shade, 40, 90)).save(file, "PNG")
    return file.getvalue()


def pictures(folder: str = "", *, shade: int = 0) -> dict[str, bytes]:
    """Two images with their captions, by name."""
    found: dict[str, bytes] = {}
    for number in range(2):
        found[f"{folder}{number}.png"] = picture(shade + number)
        found[f"{folder}{number}.txt"] = b"a cat"
    return found


def zipped(files: BytesOf) -> bytes:
    """A zip of these."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return out.getvalue()


def zip_entry(name: str, content: bytes = b"x", *, mode: int = 0, way: int = zipfile.ZIP_STORED) -> bytes:
    """A zip of one entry with the Unix mode of a link or a device."""
    out = io.BytesIO()
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    with zipfile.ZipFile(out, "w", way) as packed:
        packed.writestr(info, content, compress_type=way)
    return out.getvalue()


def tarred(files: BytesOf, way: str = "") -> bytes:
    """A tar (``gz``: a tar.gz) of these."""
    return tar_of([(tarfile.TarInfo(name), content) for name, content in files.items()], way)


def tar_of(entries: list[tuple[tarfile.TarInfo, bytes]], way: str = "") -> bytes:
    """A tar of entries as they are."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") if way else tarfile.open(fileobj=out, mode="w") as packed:
        for info, content in entries:
            info.size = len(content)
            packed.addfile(info, io.BytesIO(content))
    return out.getvalue()
