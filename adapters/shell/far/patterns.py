"""Which files of a folder fit a pattern; nothing outside the machine's folder ever does."""

from __future__ import annotations

import fnmatch
import os
from typing import Dict, Iterator, List, Sequence, Tuple

from adapters.shell.far.files import HIDDEN
from adapters.shell.far.words import Trouble, folder_in, is_within, parts_of, show


def find(root: str, source: str, patterns: Sequence[str]) -> List[Tuple[str, int]]:
    """Name and size of every file in folder ``source`` that fits one of the glob patterns (``**`` is any depth).
    A link is followed inside ``root``; one that leads out is left out, or refused when it was named outright."""
    folder = folder_in(root, source)
    if not os.path.isdir(folder):
        raise Trouble("there is no folder %s" % show(source), "missing")
    found: Dict[str, int] = {}
    for pattern in patterns:
        outright = not any(sign in pattern for sign in "*?[")
        for name in _match(folder, "", parts_of(pattern)):
            path = os.path.join(folder, name)
            if not os.path.isfile(path):
                continue
            if is_within(root, path):
                found[name] = os.path.getsize(path)
            elif outright:
                raise Trouble("%s leads out of the machine's folder and is refused" % show(name))
    return sorted(found.items())


def _match(folder: str, at: str, pattern: List[str]) -> Iterator[str]:
    if not pattern:
        yield at
        return
    first, rest = pattern[0], pattern[1:]
    if first == "**":
        if rest:
            yield from _match(folder, at, rest)
        for entry in _entries(folder, at):
            below = os.path.join(at, entry.name)
            if entry.is_dir(follow_symlinks=False):
                yield from _match(folder, below, pattern)
            elif not rest:
                yield below
    elif not any(sign in first for sign in "*?["):
        if os.path.lexists(os.path.join(folder, at, first)):
            yield from _match(folder, os.path.join(at, first), rest)
    else:
        for entry in _entries(folder, at):
            if fnmatch.fnmatchcase(entry.name, first):
                yield from _match(folder, os.path.join(at, entry.name), rest)


def _entries(folder: str, at: str) -> List["os.DirEntry[str]"]:
    path = os.path.join(folder, at)
    if not os.path.isdir(path):
        return []
    with os.scandir(path) as entries:
        return [entry for entry in entries if entry.name != HIDDEN]
