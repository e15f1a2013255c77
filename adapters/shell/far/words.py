"""What every part of the far side shares: its one error, talk on stdin and stdout, and names that stay inside."""

from __future__ import annotations

import errno
import json
import os
import signal
import struct
import time
from typing import IO, Any, Dict, Iterator, List

CHUNK = 256 * 1024
"""Bytes that are held at once of anything that streams."""
CHUNK_HEAD = struct.Struct(">I")

DISK_FULL = (errno.ENOSPC, errno.EDQUOT)
MISSING = (errno.ENOENT, errno.ENOTDIR)
IN_THE_WAY = (errno.EEXIST, errno.EISDIR, errno.ENOTEMPTY)


class Trouble(Exception):
    """A failure that the other side shall hear of; ``kind`` is one of ``FarSideFailed``'s, or ``too_slow``."""

    def __init__(self, reason: str, kind: str = "other") -> None:
        super().__init__(reason)
        self.reason = reason
        self.kind = kind


class Gone(Exception):
    """The other side hung up: nobody is left to tell."""


def _hang_up(number: int, frame: object) -> None:
    raise Gone


def trouble_of(error: OSError) -> Trouble:
    """An operating system's error in our words."""
    said = error.strerror or str(error)
    reason = "%s: %s" % (said, show(error.filename)) if isinstance(error.filename, str) else said
    if error.errno in DISK_FULL:
        return Trouble("the disk is full", "disk_full")
    if error.errno in MISSING:
        return Trouble(reason, "missing")
    if error.errno in IN_THE_WAY:
        return Trouble(reason, "exists")
    return Trouble(reason)


def show(name: str) -> str:
    """A name as it may stand in a sentence: any bytes are allowed in names, not in sentences."""
    return json.dumps(name) if not name.isprintable() else name


class Talk:
    """JSON lines both ways; bodies are chunks with their length in front, ended by an empty one."""

    def __init__(self, hear: IO[bytes], say: IO[bytes]) -> None:
        self._in = hear
        self._out = say
        self._ticked = time.monotonic()
        self._patience = 0

    def word(self, word: Dict[str, Any]) -> None:
        """Say it when there is more to say."""
        self._out.write(json.dumps(word).encode("ascii") + b"\n")

    def say(self, word: Dict[str, Any]) -> None:
        """Say it now."""
        self.word(word)
        self._out.flush()

    def expect(self, seconds: int) -> None:
        """From now on, take a silence of ``seconds`` for a hang-up: a line that was lost without a word (a router that
        forgot it) is not noticed by the SSH server for hours, and what it holds must not be held so long."""
        signal.signal(signal.SIGALRM, _hang_up)
        self._patience = seconds

    def hear(self) -> Dict[str, Any]:
        signal.alarm(self._patience)
        line = self._in.readline()
        signal.alarm(0)
        if not line.endswith(b"\n"):
            raise Gone
        word: Dict[str, Any] = json.loads(line)
        return word

    def take(self, count: int) -> bytes:
        signal.alarm(self._patience)
        data = self._in.read(count)
        signal.alarm(0)
        if len(data) < count:
            raise Gone
        return data

    def wait_hangup(self) -> None:
        """Return when the other side is gone; what it still says is thrown away."""
        while self._in.read(CHUNK):
            pass

    def raw(self, data: bytes) -> None:
        self._out.write(data)

    def tick(self) -> None:
        """A sign of life, at most one a second, during work that is silent for long."""
        if time.monotonic() - self._ticked >= 1:
            self._ticked = time.monotonic()
            self.say({"tick": True})

    def chunk(self, data: bytes) -> None:
        self._out.write(CHUNK_HEAD.pack(len(data)))
        self._out.write(data)

    def body(self) -> Iterator[bytes]:
        while True:
            (count,) = CHUNK_HEAD.unpack(self.take(CHUNK_HEAD.size))
            if not count:
                return
            yield self.take(count)


def parts_of(name: str) -> List[str]:
    """The parts of a relative name. Raises ``Trouble`` for what could leave its folder; all else is allowed."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if name.startswith("/") or ".." in parts or "\0" in name:
        raise Trouble("the name %s is refused: names are relative and without .." % show(name))
    return parts


def is_within(root: str, path: str) -> bool:
    """Whether ``path``, with every link followed, is ``root`` or below it."""
    base, real = os.path.realpath(root), os.path.realpath(path)
    return real == base or real.startswith(base.rstrip("/") + "/")


def folder_in(root: str, name: str) -> str:
    """The folder ``name`` of ``root``, whether it is there or not; refused when a link leads out of ``root``."""
    path = os.path.join(root, *parts_of(name))
    if not is_within(root, path):
        raise Trouble("%s leads out of the machine's folder and is refused" % show(name))
    return path


def write_whole(path: str, text: str) -> None:
    """Write a small file so that a reader sees all of it or nothing; only its owner may read it."""
    half = "%s.%d.new" % (path, os.getpid())
    handle = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(handle, text.encode("utf-8", "surrogateescape"))
        os.fsync(handle)
    finally:
        os.close(handle)
    os.replace(half, path)
