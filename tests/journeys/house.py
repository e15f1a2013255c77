"""A data folder of its own, the processes on it, and what its database says to who only looks."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import psutil

from tests.support.waiting import wait_until

LASTCALL = (sys.executable, "-m", "bot")
LIMIT = timedelta(seconds=100)
"""For what takes seconds on an idle computer."""
TRAIN = "/gpu train tiny-lora quick on local steps=60"


@dataclass
class House:
    """Processes of one deployment. Every one that was started is ended by ``close``."""

    folder: Path
    settings: dict[str, str] = field(default_factory=dict)
    started: list[subprocess.Popen[str]] = field(default_factory=list)
    inside: str = ""
    """Folder of the data folder in which the demo keeps its own."""
    most_machines: int = 0
    """The most machine folders that were ever seen at once."""

    @property
    def data(self) -> Path:
        return self.folder / "data" / self.inside

    def env(self) -> dict[str, str]:
        bare = {name: value for name, value in os.environ.items() if not name.startswith("LASTCALL_")}
        root = str(Path(__file__).parents[2])
        return {**bare, "PYTHONPATH": root, "LASTCALL_DATA_DIR": str(self.folder / "data"), **self.settings}

    def start(self, *words: str) -> subprocess.Popen[str]:
        """In a session of its own, as from another terminal."""
        name = f"out{len(self.started)}"
        with (self.folder / name).open("w") as out, (self.folder / f"{name}.err").open("w") as err:
            process = subprocess.Popen(
                [*LASTCALL, *words],
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=err,
                text=True,
                env=self.env(),
                cwd=self.folder,
                start_new_session=True,
            )
        self.started.append(process)
        return process

    def output(self, process: subprocess.Popen[str]) -> str:
        """All it has printed so far."""
        return (self.folder / f"out{self.started.index(process)}").read_text()

    def errors(self, process: subprocess.Popen[str]) -> str:
        """All it has complained about so far."""
        return (self.folder / f"out{self.started.index(process)}.err").read_text()

    async def ended(self, process: subprocess.Popen[str], within: timedelta = LIMIT) -> int:
        """Its exit code."""
        await wait_until(lambda: process.poll() is not None, within)
        return int(process.returncode)

    async def run(self, *words: str) -> tuple[int, str, str]:
        """To the end, with nothing to read: exit code, output, errors."""
        process = self.start(*words)
        assert process.stdin is not None
        process.stdin.close()
        code = await self.ended(process)
        return code, self.output(process), self.errors(process)

    def rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        """Read only, and as things are now; none while there is no database yet."""
        file = self.data / "lastcall.db"
        if not file.exists():
            return []
        try:
            with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=10)) as connection:
                connection.row_factory = sqlite3.Row
                return [dict(row) for row in connection.execute(query, values)]
        except sqlite3.OperationalError as error:
            if "no such table" in str(error):
                return []
            raise

    def rental(self) -> dict[str, Any]:
        """The newest rental with its newest attempt; empty before there is one."""
        self.most_machines = max(self.most_machines, len(self.machines()))
        query = """SELECT rentals.*, attempts.* FROM rentals LEFT JOIN attempts ON attempts.rental = rentals.id
                   ORDER BY rentals.created_at DESC, attempts.number DESC LIMIT 1"""
        return next(iter(self.rows(query)), {})

    async def closed(self, within: timedelta = LIMIT) -> dict[str, Any]:
        """The rental when it is proven closed."""

        def look() -> dict[str, Any]:
            rental = self.rental()
            return rental if rental.get("closed_at") else {}

        return await wait_until(look, within)

    async def all_said(self) -> None:
        """Nothing waits to be said."""
        await wait_until(lambda: not self.rows("SELECT 1 FROM outbox WHERE due_at IS NOT NULL"), LIMIT)

    def machines(self) -> list[str]:
        """Folders of machines."""
        folder = self.data / "machines"
        return sorted(one.name for one in folder.iterdir()) if folder.is_dir() else []

    def running(self) -> list[str]:
        """Processes that belong to one of our machines."""
        labels = {row["label"] for row in self.rows("SELECT label FROM attempts")}
        return [one for one in map(_machine_of, psutil.process_iter()) if one in labels]

    def results(self) -> list[dict[str, Any]]:
        """What the store says was brought home."""
        found: list[dict[str, Any]] = json.loads(self.rental()["results"])
        return found

    def close(self) -> None:
        """End whatever was left, the machines' processes too."""
        for process in self.started:
            if process.stdin and not process.stdin.closed:
                process.stdin.close()
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        labels = {row["label"] for row in self.rows("SELECT label FROM attempts")}
        for process in psutil.process_iter():  # type: ignore[assignment]
            if _machine_of(process) in labels:  # type: ignore[arg-type]
                process.kill()


def _machine_of(process: psutil.Process) -> str:
    try:
        return process.environ().get("LASTCALL_MACHINE", "")
    except (psutil.Error, OSError):
        return ""


async def side_by_side(many: list[Any], at_once: int) -> list[Any]:
    """Their answers or what they raised, with so many under way at a time."""
    gate = asyncio.Semaphore(at_once)

    async def one(work: Any) -> Any:
        async with gate:
            return await work

    return await asyncio.gather(*(one(work) for work in many), return_exceptions=True)
