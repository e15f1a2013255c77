"""One command, run to its end: within its time, within its output, and never longer than somebody listens."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import threading
import time
from typing import IO, Any, Dict, List

from adapters.shell.far.processes import wait_unreaped
from adapters.shell.far.words import CHUNK, Talk, Trouble, show

OUTPUT_LIMIT = 1024 * 1024
LEFTOVER_S = 0.5
"""How long output may still come after the command itself has ended."""


class _Output:
    """Collects both streams and counts them together."""

    def __init__(self, child: "subprocess.Popen[bytes]", events: "queue.Queue[str]") -> None:
        self._count = 0
        self._events = events
        self.texts: List[List[bytes]] = [[], []]
        streams = (child.stdout, child.stderr)
        self.threads = [_thread(self._read, stream, text) for stream, text in zip(streams, self.texts)]

    def _read(self, stream: IO[bytes], text: List[bytes]) -> None:
        while True:
            data = os.read(stream.fileno(), CHUNK)
            if not data:
                return
            self._count += len(data)
            if self._count > OUTPUT_LIMIT:
                self._events.put("flood")
                return
            text.append(data)

    def wait(self, seconds: float) -> bool:
        """Whether both streams came to their end."""
        deadline = time.monotonic() + seconds
        for thread in self.threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in self.threads)


def run(talk: Talk, asked: Dict[str, Any]) -> None:
    """Run ``argv``; what it leaves behind in its group is killed: only a unit may go on alone."""
    stdin = talk.take(asked["stdin"])
    argv = asked["argv"]
    try:
        child = subprocess.Popen(
            argv,
            cwd=asked["workdir"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        _answer(talk, 127 if isinstance(error, FileNotFoundError) else 126, b"", _not_run(argv[0], error))
        return
    events: "queue.Queue[str]" = queue.Queue()
    output = _Output(child, events)
    _thread(_feed, child, stdin)
    _thread(_tell_end, child.pid, events)
    _thread(_tell_hangup, talk, events)
    try:
        event = events.get(timeout=asked["limit"])
    except queue.Empty:
        event = "late"
    if event == "ended":
        output.wait(LEFTOVER_S)
    _kill_group(child.pid)
    code = child.wait()
    output.wait(LEFTOVER_S)
    if event == "late":
        raise Trouble(
            "%s did not end within %g s and was stopped" % (show(argv[0]), asked["limit"]), "too_slow"
        )
    if event == "flood" or "flood" in list(events.queue):
        raise Trouble("%s wrote more than 1 MiB and was stopped" % show(argv[0]), "too_slow")
    if event == "ended":
        _answer(talk, code if code >= 0 else 128 - code, b"".join(output.texts[0]), b"".join(output.texts[1]))


def _answer(talk: Talk, code: int, stdout: bytes, stderr: bytes) -> None:
    talk.say({"exit": code, "stdout": len(stdout), "stderr": len(stderr)})
    talk.raw(stdout + stderr)


def _not_run(program: str, error: OSError) -> bytes:
    return ("%s: %s\n" % (show(program), error.strerror)).encode("utf-8", "surrogateescape")


def _thread(work: Any, *args: Any) -> threading.Thread:
    thread = threading.Thread(target=work, args=args, daemon=True)
    thread.start()
    return thread


def _feed(child: "subprocess.Popen[bytes]", stdin: bytes) -> None:
    assert child.stdin is not None
    try:
        child.stdin.write(stdin)
        child.stdin.close()
    except OSError:
        pass  # It ended, or closed its stdin, without reading all: its right.


def _tell_end(pid: int, events: "queue.Queue[str]") -> None:
    wait_unreaped(pid)
    events.put("ended")


def _tell_hangup(talk: Talk, events: "queue.Queue[str]") -> None:
    # Nothing follows on stdin: it ends when the connection does, and then nobody can use the answer.
    talk.wait_hangup()
    events.put("hangup")


def _kill_group(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass
