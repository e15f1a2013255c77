"""What one process of Lastcall takes: idle, until the first word, for the demo."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[2]
SETTLE = 15.0
"""Seconds from the start until what a start costs is over."""


@contextmanager
def deployment() -> Iterator[tuple[Path, dict[str, str]]]:
    """A data folder of its own and the environment for it. Bytecode is kept: the second start is a warm one."""
    with tempfile.TemporaryDirectory(prefix="lastcall-bench-") as folder:
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("LASTCALL_") and name != "PYTHONDONTWRITEBYTECODE"
        }
        yield Path(folder), {**kept, "PYTHONPATH": str(ROOT), "LASTCALL_DATA_DIR": f"{folder}/data"}


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "bot", *words]


def idle(seconds: float) -> tuple[float, float, float]:
    """MiB resident, CPU seconds a minute of a server with nothing to do, and those of its children since the start:
    one look at this computer."""
    with deployment() as (folder, env):
        server = subprocess.Popen(command("serve"), env=env, cwd=folder, stderr=subprocess.DEVNULL)
        try:
            process = psutil.Process(server.pid)
            time.sleep(SETTLE)
            before, began = _cpu(process), time.monotonic()
            time.sleep(seconds)
            minutes = (time.monotonic() - began) / 60
            own = (_cpu(process) - before) / minutes
            times = process.cpu_times()
            return process.memory_info().rss / 2**20, own, times.children_user + times.children_system
        finally:
            server.terminate()
            server.wait(30)


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def until_first_word(runs: int) -> tuple[float, float]:
    """Seconds until the prompt is there, and a bare ``import asyncio, sqlalchemy`` beside it; the best of warm runs."""
    with deployment() as (folder, env):
        env["TERM"] = "xterm"
        words, bare = [], []
        for _ in range(runs + 1):
            words.append(_prompted(folder, env))
            began = time.monotonic()
            subprocess.run([sys.executable, "-c", "import asyncio, sqlalchemy"], env=env, check=True)
            bare.append(time.monotonic() - began)
        return min(words[1:]), min(bare[1:])


def _prompted(folder: Path, env: dict[str, str]) -> float:
    """On a real pseudo terminal, until the sign of the prompt was drawn."""
    ours, theirs = os.openpty()
    began = time.monotonic()
    chat = subprocess.Popen(
        command("chat"),
        env=env,
        cwd=folder,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    try:
        seen = b""
        while "›".encode() not in seen:
            seen += os.read(ours, 4096)
        return time.monotonic() - began
    finally:
        chat.kill()
        chat.wait()
        os.close(ours)


def first_reply(runs: int) -> float:
    """Seconds of a whole ``lastcall chat -c status``; the best of warm runs."""
    with deployment() as (folder, env):
        return min([_timed(folder, env, "chat", "-c", "status") for _ in range(runs + 1)][1:])


def demo() -> float:
    """Seconds from the command to the end of the demo without a terminal."""
    with deployment() as (folder, env):
        return _timed(folder, env, "demo")


def _timed(folder: Path, env: dict[str, str], *words: str) -> float:
    began = time.monotonic()
    subprocess.run(
        command(*words), env=env, cwd=folder, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    return time.monotonic() - began
