"""A stranger's archive to a folder, without trusting a word of it.

Everything is counted while it is unpacked: an archive that would fill the disk is left as soon as that shows. What is
not a plain file (a link, a device) and what names a place outside the folder is refused, not repaired.
"""

from __future__ import annotations

import contextlib
import errno
import gzip
import os
import shutil
import stat
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, cast

from bot.domain.errors import Refused
from bot.domain.filenames import clean, shown

MOST_FILES = 100_000
MOST_BYTES = 20_000_000_000
"""20 GB in decimal units."""
RATIO = 100
"""An archive that grows by more than this is a bomb; pictures hardly grow at all, text by about ten."""
_FREE = 50_000_000
"""So many bytes may come out of the smallest archive."""
_AT_ONCE = 16 * 1024 * 1024
"""Bytes that an archive may have us read in one go: its list of files, or one long name."""
_CHUNK = 1 << 20
_DEEPEST = 8
_JUNK = ("__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini")
_HELP = "Attach a zip, tar or tar.gz with the images and their captions."
_BOMB = "Lastcall unpacks up to {files} files and {size} GB, and nothing that grows {ratio} times."


def inbox(data: Path) -> Path:
    """Where data sets lie that came with a message, a folder each."""
    return data / "inbox"


@dataclass(frozen=True, slots=True)
class Room:
    """How much may be unpacked."""

    files: int = MOST_FILES
    bytes: int = MOST_BYTES

    @property
    def help(self) -> str:
        """What would be accepted."""
        return _BOMB.format(files=f"{self.files:,}", size=f"{self.bytes / 1e9:g}", ratio=RATIO)


class _TooMuch(Exception):
    """It would not fit; the text is the end of a sentence."""


def unpack(archive: Path, dest: Path, *, name: str, room: Room = Room()) -> None:
    """Unpack into ``dest``, which must not exist and is there only when all of it is. ``name`` is what the archive is
    called in what is said. A single top folder is left out. Raises ``Refused`` with one sentence."""
    dest.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=".part-", dir=dest.parent))
    try:
        with _told(name, room):
            _fill(archive, _Filling(part / "all", archive.stat().st_size, room), name)
        _top(part / "all").rename(dest)
    finally:
        shutil.rmtree(part, ignore_errors=True)


@contextlib.contextmanager
def _told(name: str, room: Room) -> Iterator[None]:
    """What can go wrong with a stranger's archive, as sentences."""
    try:
        yield
    except _TooMuch as error:
        raise Refused(f"{name} {error}; it was not unpacked.", help=room.help) from None
    except (EOFError, zlib.error, gzip.BadGzipFile, tarfile.TarError, zipfile.BadZipFile):
        raise Refused(
            f"{name} is cut off or damaged.", help="Pack it anew and attach it once more."
        ) from None
    except (NotImplementedError, RuntimeError, ValueError, OverflowError):
        raise Refused(f"{name} cannot be unpacked.", help=_HELP) from None
    except OSError as error:
        raise no_room(name, error) from None


def no_room(name: str, error: OSError) -> Refused:
    """The sentence for a disk that does not take it."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Refused(
            f"There is no room for {name} on Lastcall's disk.",
            help="Attach less, or ask who runs Lastcall to make room.",
        )
    return Refused(f"{name} cannot be unpacked: {error.strerror or 'the disk does not take it'}.", help=_HELP)


def _fill(archive: Path, filling: _Filling, name: str) -> None:
    """By what it is, not by what it is called."""
    with archive.open("rb") as file:
        begin = file.read(512)
        file.seek(0)
        if begin[:4] in (b"PK\3\4", b"PK\5\6"):
            _zip(_Careful(file, filling), filling, name)
        elif begin[:2] == b"\x1f\x8b":
            with gzip.GzipFile(fileobj=file) as inner:
                _tar(_Careful(inner, filling, grows=True), filling, name)
        elif begin[257:262] == b"ustar":
            _tar(_Careful(file, filling), filling, name)
        else:
            raise Refused(f"{name} is no zip, tar or tar.gz.", help=_HELP)
    if not filling.files:
        raise Refused(f"{name} holds no files.", help=_HELP)


def _zip(file: _Careful, filling: _Filling, name: str) -> None:
    with zipfile.ZipFile(cast("IO[bytes]", file)) as packed:
        members = packed.infolist()
        if len(members) > filling.room.files:
            raise _TooMuch(f"holds {len(members):,} files")
        if sum(one.file_size for one in members) > filling.room.bytes:
            raise _TooMuch("is too large when it is unpacked")
        for one in members:
            kind = stat.S_IFMT(one.external_attr >> 16)
            if one.is_dir() or kind == stat.S_IFDIR:
                continue
            if kind not in (0, stat.S_IFREG):
                raise _no_file(name, one.filename)
            if one.flag_bits & 1:
                raise Refused(f"{name} has a password.", help="Pack it without one.")
            if one.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                # Others cannot be unpacked in small pieces, so that a bomb would fill the memory first.
                raise Refused(f"{name} is packed in an unusual way.", help="Pack it as a plain zip.")
            with packed.open(one) as source:
                filling.add(one.filename.replace("\\", "/"), source, name)


def _tar(file: _Careful, filling: _Filling, name: str) -> None:
    with tarfile.open(fileobj=cast("IO[bytes]", file), mode="r:") as packed:
        while (one := packed.next()) is not None:
            packed.members = []  # type: ignore[attr-defined] # a hundred thousand of them are not needed again
            if one.isdir():
                continue
            if not one.isreg() or one.issparse():
                raise _no_file(name, one.name)
            source = packed.extractfile(one)
            assert source is not None
            with source:
                filling.add(one.name, source, name)
    # The module takes the first header that makes no sense for the end; the true end is a block of zeros.
    if file.last != bytes(tarfile.BLOCKSIZE):
        raise tarfile.ReadError("no end")
    while file.read(_CHUNK):
        """To its checksum, where it has one."""


def _no_file(name: str, member: str) -> Refused:
    return Refused(
        f"{name} holds {shown(member)}, which is a link or a device.",
        help="Put the file itself into it.",
    )


class _Careful:
    """A file that gives no more at once than a list of files needs and, where it ``grows``, no more in all than the
    room: also what is only skipped has to be decompressed."""

    def __init__(self, inner: IO[bytes] | gzip.GzipFile, filling: _Filling, *, grows: bool = False) -> None:
        self.last = b""
        """What was read last."""
        self._inner = inner
        self._filling = filling
        self._grows = grows

    def read(self, size: int = -1) -> bytes:
        """At most ``_AT_ONCE``."""
        if size > _AT_ONCE:
            raise _TooMuch("has a list of files that is too long")
        found = self._inner.read(_AT_ONCE + 1 if size < 0 else size)
        if len(found) > _AT_ONCE:
            raise _TooMuch("has a list of files that is too long")
        self._check(self._inner.tell())
        self.last = found
        return found

    def seek(self, to: int, whence: int = 0) -> int:
        """Step by step where what lies between is decompressed, so that its growth shows on the way."""
        if self._grows and whence == 0:
            while to > (here := self._inner.tell()):
                if self._inner.seek(min(to, here + _AT_ONCE)) == here:
                    break  # its end
                self._check(self._inner.tell())
        return self._inner.seek(to, whence)

    def tell(self) -> int:
        """Where it stands."""
        return self._inner.tell()

    def seekable(self) -> bool:
        """It is a file on our disk."""
        return True

    def _check(self, position: int) -> None:
        if self._grows:
            self._filling.check(position)


@dataclass(slots=True)
class _Filling:
    """The folder that is being filled, and what was put into it."""

    folder: Path
    packed: int
    """Bytes of the archive."""
    room: Room
    files: int = 0
    written: int = 0
    seen: int = 0
    """Members, also those that are left out."""
    folders: set[Path] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.folder.mkdir(mode=0o700)

    def check(self, unpacked: int) -> None:
        """Raises ``_TooMuch`` when so many bytes are more than may come out."""
        if unpacked > self.room.bytes:
            raise _TooMuch("is too large when it is unpacked")
        if unpacked > _FREE and unpacked > RATIO * self.packed:
            raise _TooMuch(f"grows more than {RATIO} times")

    def add(self, member: str, source: IO[bytes], name: str) -> None:
        """One file, under a clean name that is not taken. Raises ``Refused`` for a place outside."""
        self.seen += 1
        if self.seen + len(self.folders) > self.room.files:
            raise _TooMuch(f"holds more than {self.room.files:,} files")
        if member.startswith("/") or ".." in member.split("/") or member[1:3] in (":/", ":\\"):
            raise Refused(
                f"{name} holds {shown(member)}, a place outside of it.", help="Pack the folder itself."
            )
        parts = [clean(part) for part in member.split("/") if part not in ("", ".")]
        if not parts or any(part in _JUNK or part.startswith("._") for part in parts):
            return
        if len(parts) > _DEEPEST:
            raise Refused(f"{name} has folders in folders, {len(parts)} deep.", help="Put the images in one.")
        folder = self.folder.joinpath(*parts[:-1])
        if folder not in self.folders:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.folders.add(folder)
        self._write(_free(folder, parts[-1]), source)

    def _write(self, path: Path, source: IO[bytes]) -> None:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            while chunk := source.read(_CHUNK):
                self.written += len(chunk)
                self.check(self.written)
                file.write(chunk)
        self.files += 1


def _free(folder: Path, name: str) -> Path:
    """The name, or the next one: ``cat (2).png``. A folder may hold many that were called the same."""
    stem, dot, suffix = name.rpartition(".")
    path, number = folder / name, 1
    while os.path.lexists(path):
        number += 1
        path = folder / (f"{stem} ({number}).{suffix}" if dot and stem else f"{name} ({number})")
    return path


def _top(folder: Path) -> Path:
    """Into a single folder, as long as there is nothing beside it."""
    while True:
        inside = list(folder.iterdir())
        if len(inside) != 1 or not inside[0].is_dir():
            return folder
        folder = inside[0]
