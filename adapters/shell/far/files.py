"""Files as a transfer needs them: read with a digest, hidden until they are whole."""

from __future__ import annotations

import fcntl
import hashlib
import os
import stat
import threading
import time
from typing import Any, Callable, Dict, List, Optional, Sequence, Set, Tuple

from adapters.shell.far.words import CHUNK, Trouble, folder_in, is_within, parts_of, show

HIDDEN = ".incoming-lastcall"
LOCK_WAIT_S = 240.0
"""How long a transfer waits for another into the same folder. One whose connection was cut ends at once where the
cut was noticed, else when it has heard nothing for some minutes."""
SYNC_EVERY = 64 * 1024 * 1024
"""Bytes after which written data is pushed to the disk, so that the last push of a big file is short."""
SETTLE_FILES = 64
SETTLE_THREADS = 16

Tick = Callable[[], None]


class Source:
    """A file that is read once, from an offset, with its digest. It must keep the ``size`` it was announced with;
    what is appended meanwhile is not read."""

    def __init__(self, path: str, size: int, tick: Tick) -> None:
        self.hash = hashlib.sha256()
        self._left = size
        self._tick = tick
        self._name = show(os.path.basename(path))
        self._file = open(path, "rb")  # noqa: SIM115 - closed by ``close``

    def skip(self, count: int) -> str:
        """Read past the first ``count`` bytes; their digest."""
        while count:
            count -= len(self.chunk(min(CHUNK, count)))
            self._tick()
        return self.sha256()

    def chunk(self, most: int = CHUNK) -> bytes:
        """The next bytes; empty at the end."""
        data = self._file.read(min(most, self._left))
        if not data and self._left:
            raise Trouble("%s changed while it was read" % self._name, "corrupt")
        self._left -= len(data)
        self.hash.update(data)
        return data

    def sha256(self) -> str:
        return self.hash.hexdigest()

    def close(self) -> None:
        self._file.close()


def size_of(path: str) -> int:
    """The size of a regular file (links followed)."""
    found = os.stat(path)
    if not stat.S_ISREG(found.st_mode):
        raise Trouble("%s is not a file" % show(path), "missing")
    return found.st_size


class Inbox:
    """Where files arrive: in a hidden folder of the destination (the same disk), then by rename under their names.
    What a cut transfer left there is continued by the next, which is why only one may be at work."""

    def __init__(self, root: str, dest: str, tick: Tick) -> None:
        self._root = root
        self._tick = tick
        self.folder = folder_in(root, dest)
        self._hidden = os.path.join(self.folder, HIDDEN)
        self._good_parents: Set[str] = set()
        self._hashes: Dict[str, Any] = {}
        self._part: Optional[int] = None
        self._whole: List[Tuple[int, str, str]] = []
        self._unsettled = 0
        self._lock = self._claim()

    def _claim(self) -> int:
        path = os.path.join(self._hidden, "lock")
        deadline = time.monotonic() + LOCK_WAIT_S
        while True:
            os.makedirs(self._hidden, exist_ok=True)
            try:
                handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            except FileNotFoundError:
                continue
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                # Its owner removes the lock when it is done: what we hold must still be what has the name.
                if os.path.exists(path) and os.path.samestat(os.fstat(handle), os.stat(path)):
                    return handle
            except (BlockingIOError, FileNotFoundError):
                pass
            os.close(handle)
            if time.monotonic() > deadline:
                raise Trouble("another transfer into this folder is under way", "exists")
            time.sleep(0.05)
            self._tick()

    def path(self, name: str) -> str:
        """Where ``name`` belongs; refused when it would leave, whether by its words or through a link."""
        parts = parts_of(name)
        if not parts or parts[0] == HIDDEN:
            raise Trouble("the name %s is refused" % show(name))
        parent = os.path.join(self.folder, *parts[:-1])
        if parent not in self._good_parents and not is_within(self._root, parent):
            raise Trouble("%s leads out of its folder and is refused" % show(name))
        self._good_parents.add(parent)
        return os.path.join(parent, parts[-1])

    def _part_path(self, name: str) -> str:
        return os.path.join(self._hidden, hashlib.sha256(os.fsencode(name)).hexdigest()[:32])

    def have_all(self, files: Sequence[Tuple[str, int]]) -> List[Optional[Tuple[int, str]]]:
        """``have`` of each, after every name was found good."""
        for name, _ in files:
            self.path(name)
        return [self.have(name, size) for name, size in files]

    def have(self, name: str, size: int) -> Optional[Tuple[int, str]]:
        """How many first bytes of the file are here, and their digest. All of them: nothing need be sent."""
        for path, whole in ((self.path(name), True), (self._part_path(name), False)):
            try:
                found = os.lstat(path)
            except (FileNotFoundError, NotADirectoryError):
                continue
            here = found.st_size
            if stat.S_ISREG(found.st_mode) and (here == size if whole else 0 < here < size):
                source = Source(path, here, self._tick)
                try:
                    sha256 = source.skip(here)
                finally:
                    source.close()
                if not whole:
                    self._hashes[name] = source.hash
                return here, sha256
        return None

    def begin(self, name: str, offset: int) -> None:
        """Take the file's bytes from ``offset`` on, which is 0 or what ``have`` said of a part."""
        self._hash = self._hashes.pop(name) if offset else hashlib.sha256()
        flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        self._part = os.open(self._part_path(name), flags, 0o666)
        os.ftruncate(self._part, offset)
        os.lseek(self._part, offset, os.SEEK_SET)
        self._written = 0

    def write(self, data: bytes) -> None:
        assert self._part is not None
        view = memoryview(data)
        while view:
            view = view[os.write(self._part, view) :]
        self._hash.update(data)
        self._written += len(data)
        if self._written >= SYNC_EVERY:
            os.fsync(self._part)
            self._written = 0

    def finish(self, name: str, sha256: str) -> str:
        """Take the file for whole when its digest is ``sha256``, else throw it away and raise. It gets its name
        with the next ``settle``."""
        assert self._part is not None
        part, final = self._part_path(name), self.path(name)
        if self._hash.hexdigest() != sha256:
            os.unlink(part)
            raise Trouble("%s arrived with another digest than it was sent with" % show(name), "corrupt")
        self._whole.append((self._part, part, final))
        self._part = None
        self._unsettled += self._written
        if len(self._whole) >= SETTLE_FILES or self._unsettled >= SYNC_EVERY:
            self.settle()
        return sha256

    def settle(self) -> None:
        """Push whole files to the disk, then give them their names. A disk does many at once far sooner than singly."""
        whole, self._whole, self._unsettled = self._whole, [], 0
        _push_all([handle for handle, _, _ in whole])
        for _, part, final in whole:
            os.makedirs(os.path.dirname(final), exist_ok=True)
            os.replace(part, final)

    def close(self, *, done: bool = False) -> None:
        """Let go. What is whole gets its name; what is half stays for the next try, unless all is ``done``."""
        try:
            if self._part is not None:
                os.close(self._part)
                self._part = None
            self.settle()
            if done:
                for parent in self._good_parents | {self.folder}:
                    _push_folder(parent)
            self._tidy(done=done)
        finally:
            os.close(self._lock)

    def _tidy(self, *, done: bool) -> None:
        halves = [entry for entry in os.listdir(self._hidden) if entry != "lock"]
        if done:
            for entry in halves:
                os.unlink(os.path.join(self._hidden, entry))
        if done or not halves:
            os.unlink(os.path.join(self._hidden, "lock"))
            os.rmdir(self._hidden)


def _push_all(handles: List[int]) -> None:
    """``_push`` each, many at once. Raises the last error."""
    left, errors = list(handles), []

    def work() -> None:
        while True:
            try:
                _push(left.pop())
            except IndexError:
                return
            except OSError as error:
                errors.append(error)

    threads = [threading.Thread(target=work) for _ in handles[:SETTLE_THREADS]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[-1]


def _push(handle: int) -> None:
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _push_folder(path: str) -> None:
    if os.path.isdir(path):
        _push(os.open(path, os.O_RDONLY))
