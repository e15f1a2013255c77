"""Moving real bytes between local files and a simulated machine's in-memory disk."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from bot.domain.errors import FarSideFailed
from bot.ports import FileDigest, Parcel, TransferProgress

Gate = Callable[[int], None]
"""Called with the number of files that have arrived, and with ``END``; raises to break the transfer there."""
END = sys.maxsize


def safe_name(name: str) -> str:
    """The name in its plain form; what would leave the workdir is refused."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\0" in name:
        raise FarSideFailed(f"{name!r} would leave the working folder")
    return str(path)


def joined(folder: str, name: str) -> str:
    """``name`` in ``folder``, both relative to the workdir."""
    inside = safe_name(name)
    return safe_name(f"{folder}/{inside}") if folder not in ("", ".") else inside


def matches(name: str, pattern: str) -> bool:
    """Shell globbing on whole paths: ``*`` stays within a folder, ``**`` does not."""
    return _match(name.split("/"), pattern.split("/"))


def send_files(
    disk: dict[str, bytes],
    parcels: Sequence[Parcel],
    dest: str,
    gate: Gate,
    progress: TransferProgress | None,
) -> tuple[FileDigest, ...]:
    """From local files to the disk."""
    loads = [(parcel.name, joined(dest, parcel.name), parcel.source.read_bytes()) for parcel in parcels]
    if len({target for _, target, _ in loads}) < len(loads):
        raise FarSideFailed("Two files were to be sent under one name.")
    total, done, digests = sum(len(content) for _, _, content in loads), 0, []
    for arrived, (name, target, content) in enumerate(loads):
        gate(arrived)
        if disk.get(target) != content:
            disk[target] = content
        digests.append(_verified(name, content, disk[target]))
        done += len(content)
        if progress:
            progress(done, total)
    gate(END)
    return tuple(digests)


def fetch_files(
    disk: dict[str, bytes],
    patterns: Sequence[str],
    source: str,
    dest: Path,
    gate: Gate,
    progress: TransferProgress | None,
) -> tuple[FileDigest, ...]:
    """From the disk to local files. No half file ever has its final name."""
    folder = safe_name(source or ".")
    prefix = "" if folder == "." else f"{folder}/"
    names = sorted(
        name[len(prefix) :]
        for name in disk
        if name.startswith(prefix) and any(matches(name[len(prefix) :], pattern) for pattern in patterns)
    )
    total, done, digests = sum(len(disk[prefix + name]) for name in names), 0, []
    for arrived, name in enumerate(names):
        gate(arrived)
        content, target = disk[prefix + name], dest / safe_name(name)
        if not (target.is_file() and target.read_bytes() == content):
            target.parent.mkdir(parents=True, exist_ok=True)
            half = target.with_name(target.name + ".part")
            half.write_bytes(content)
            half.replace(target)
        digests.append(_verified(name, content, target.read_bytes()))
        done += len(content)
        if progress:
            progress(done, total)
    gate(END)
    return tuple(digests)


def _verified(name: str, here: bytes, there: bytes) -> FileDigest:
    """The digest, computed on both sides."""
    ours, theirs = hashlib.sha256(here).hexdigest(), hashlib.sha256(there).hexdigest()
    if ours != theirs:
        raise FarSideFailed(f"{name} changed on the way", kind="corrupt")
    return FileDigest(name, len(here), ours)


def _match(names: Sequence[str], patterns: Sequence[str]) -> bool:
    if not patterns:
        return not names
    if patterns[0] == "**":
        return any(_match(names[skip:], patterns[1:]) for skip in range(len(names) + 1))
    return bool(names) and fnmatchcase(names[0], patterns[0]) and _match(names[1:], patterns[1:])
