"""Detached units under fire: cut lines, killed bots, killed supervisors, reused pids, full disks."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.shell import ProcessShell
from bot.domain.market import Access
from bot.ports import UnitJob, UnitLook, UnitState
from tests.support.disks import small_disk
from tests.support.sshd import private_text
from tests.support.waiting import is_alive, wait_until
from tests.support.ways import KINDS, Way, open_way

SOON = timedelta(seconds=20)
FOREVER = UnitJob(("sleep", "600"))


@pytest.fixture
async def way(tmp_path: Path) -> AsyncIterator[Way]:
    """A machine that is this computer; its units are ended with the test."""
    async with open_way("process", tmp_path) as opened:
        yield opened
        for file in opened.folder.glob("units/*/pid"):
            await opened.shell.stop(opened.access, file.parent.name, grace=timedelta(0))


@pytest.fixture
def full_soon(tmp_path: Path) -> Iterator[Path]:
    """A disk of one MiB."""
    with small_disk(tmp_path / "disk") as folder:
        yield folder


def who(way: Way, unit: str = "u") -> dict[str, Any]:
    """What the unit's pid file says."""
    leader: dict[str, Any] = json.loads((way.folder / "units" / unit / "pid").read_text())
    return leader


def claim(way: Way, **other: Any) -> None:
    """Write something else into the unit's pid file."""
    (way.folder / "units/u/pid").write_text(json.dumps({**who(way), **other}))


async def until(way: Way, state: UnitState, unit: str = "u") -> UnitLook:
    async def is_so() -> UnitLook | None:
        seen = await way.shell.look(way.access, unit)
        return seen if seen.state is state else None

    seen = await wait_until(is_so, SOON)
    assert seen is not None
    return seen


class TestSurvival:
    """A unit outlives whoever started it, and is found again."""

    @pytest.mark.parametrize("kind", KINDS)
    async def test_a_unit_outlives_its_connection_and_its_bot(self, kind: str, tmp_path: Path):
        """The bot is killed with -9, then its connections are cut. The unit goes on; a new bot finds it under its
        name, starts nothing twice, and reads on from where the old one was: no line is lost or read twice."""
        async with open_way(kind, tmp_path) as way:
            script = "n=0; until [ -e go ]; do n=$((n+1)); echo $n; sleep 0.01; done; echo end; exit 4"
            bot = await self.start_bot(way, ["sh", "-c", script], tmp_path / "copy")
            assert bot.stdout
            while int(await asyncio.wait_for(bot.stdout.readline(), 30)) < 50:
                pass
            bot.kill()
            await bot.wait()
            if way.host is not None:
                way.host.cut_connections()

            read = (tmp_path / "copy").read_bytes()
            await way.shell.start(way.access, "train", UnitJob(("sh", "-c", "echo twice")))
            seen = await way.shell.look(way.access, "train", offset=len(read))
            assert seen.state is UnitState.RUNNING

            async def has_grown() -> bool:
                return (await way.shell.look(way.access, "train", offset=seen.offset)).size > seen.size

            await wait_until(has_grown, SOON)
            (way.folder / "go").touch()
            last = await until(way, UnitState.EXITED, "train")
            assert last.exit_code == 4
            rest = (await way.shell.look(way.access, "train", offset=seen.offset)).log
            lines = (read + seen.log + rest).decode().splitlines()
            assert lines == [*map(str, range(1, len(lines))), "end"]

    async def start_bot(self, way: Way, argv: list[str], copy: Path) -> asyncio.subprocess.Process:
        told = {
            "access": dataclasses.asdict(way.access),
            "key": private_text(way.host.client_key) if way.host else "",
            "unit": "train",
            "argv": argv,
            "copy": str(copy),
        }
        bot = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.support.unit_bot", stdin=-1, stdout=-1
        )
        assert bot.stdin
        bot.stdin.write(json.dumps(told).encode() + b"\n")
        return bot


class TestTruthTable:
    """What the unit's files and processes mean, when they tell different things."""

    async def test_killed_with_its_supervisor(self, way: Way):
        """No exit file and nobody alive: killed, and its log is still there to read. It is not started again."""
        await way.shell.start(way.access, "u", UnitJob(("sh", "-c", "echo up; exec sleep 600")))
        await wait_until(lambda: (way.folder / "units/u/log").read_bytes() == b"up\n", SOON)
        for process in ("supervisor", "pid"):
            os.kill(who(way)[process], signal.SIGKILL)
        seen = await until(way, UnitState.KILLED)
        assert (seen.exit_code, seen.log) == (None, b"up\n")
        await way.shell.start(way.access, "u", FOREVER)
        assert (await way.shell.look(way.access, "u")).state is UnitState.KILLED

    async def test_only_the_supervisor_killed(self, way: Way):
        """The training itself goes on, which is what counts; its exit code will not be known. It can be stopped."""
        await way.shell.start(way.access, "u", FOREVER)
        os.kill(who(way)["supervisor"], signal.SIGKILL)
        await wait_until(lambda: not is_alive(who(way)["supervisor"]), SOON)
        assert (await way.shell.look(way.access, "u")).state is UnitState.RUNNING
        await way.shell.stop(way.access, "u", grace=timedelta(seconds=10))
        await until(way, UnitState.KILLED)

    async def test_only_the_unit_killed(self, way: Way):
        """As the kernel does when memory runs out: the supervisor tells it as 137."""
        await way.shell.start(way.access, "u", FOREVER)
        os.kill(who(way)["pid"], signal.SIGKILL)
        assert (await until(way, UnitState.EXITED)).exit_code == 137

    async def test_a_reused_pid_is_not_the_unit(self, way: Way):
        """Another process has the number now: the unit is killed, and stopping it does not touch the stranger."""
        stranger = await asyncio.create_subprocess_exec("sleep", "600")
        await way.shell.start(way.access, "u", FOREVER)
        leader = who(way)
        for process in ("supervisor", "pid"):
            os.kill(leader[process], signal.SIGKILL)
        claim(way, pid=stranger.pid, mark="0123456789abcdef")
        await until(way, UnitState.KILLED)
        await way.shell.stop(way.access, "u", grace=timedelta(0))
        assert stranger.returncode is None
        stranger.kill()
        await stranger.wait()

    async def test_a_reboot_ends_everything(self, way: Way):
        """After it, even the same pid with the same start time is somebody else."""
        await way.shell.start(way.access, "u", FOREVER)
        leader = who(way)
        os.kill(leader["supervisor"], signal.SIGKILL)
        claim(way, boot="another boot")
        await until(way, UnitState.KILLED)
        os.kill(leader["pid"], signal.SIGKILL)

    async def test_a_start_that_was_cut_down_is_begun_anew(self, way: Way):
        """A folder without a process that was written down is nothing yet: absent, and free to be started."""
        folder = way.folder / "units/u"
        folder.mkdir(parents=True)
        (folder / "job.json").write_text("{")
        (folder / "lock").touch()
        assert (await way.shell.look(way.access, "u")).state is UnitState.ABSENT
        await way.shell.start(way.access, "u", UnitJob(("echo", "hello")))
        assert (await until(way, UnitState.EXITED)).log == b"hello\n"

    async def test_what_outlives_the_first_process_is_ended(self, way: Way):
        """Workers that are left behind hold the GPU: the unit has ended when they have, its code is the first's."""
        script = "sleep 600 & echo $! > left; setsid sleep 600 & echo $! > gone; exit 6"
        await way.shell.start(way.access, "u", UnitJob(("sh", "-c", script)))
        assert (await until(way, UnitState.EXITED)).exit_code == 6
        for name in ("left", "gone"):
            assert not is_alive(int((way.folder / name).read_text()))

    async def test_leftovers_of_a_killed_unit_can_be_stopped(self, way: Way):
        """Supervisor and first process are gone, a worker lives: the unit is killed, and ``stop`` ends the worker."""
        script = "sleep 600 & echo $! > left.new; mv left.new left; wait"
        await way.shell.start(way.access, "u", UnitJob(("sh", "-c", script)))
        await wait_until((way.folder / "left").exists, SOON)
        for process in ("supervisor", "pid"):
            os.kill(who(way)[process], signal.SIGKILL)
        await until(way, UnitState.KILLED)
        await way.shell.stop(way.access, "u", grace=timedelta(seconds=10))
        await wait_until(lambda: not is_alive(int((way.folder / "left").read_text())), SOON)

    async def test_a_sweep_of_term_still_leaves_an_exit_code(self, way: Way):
        """Teardown on this computer says TERM to all that carries our label, supervisors included."""
        await way.shell.start(way.access, "u", FOREVER)
        os.kill(who(way)["supervisor"], signal.SIGTERM)
        assert (await until(way, UnitState.EXITED)).exit_code == 143


class TestRaces:
    """Two bots may hold the same thought."""

    async def test_ten_starts_at_once_are_one_start(self, way: Way):
        """All succeed, one starts it; each has returned only when the unit is there."""
        job = UnitJob(("sh", "-c", "echo started; exec sleep 600"))

        async def start_and_look() -> UnitState:
            await way.shell.start(way.access, "u", job)
            return (await way.shell.look(way.access, "u")).state

        states = await asyncio.gather(*(start_and_look() for _ in range(10)))
        assert states == [UnitState.RUNNING] * 10
        await wait_until(lambda: (way.folder / "units/u/log").stat().st_size, SOON)
        assert (await way.shell.look(way.access, "u")).log == b"started\n"

    async def test_stop_right_after_start(self, way: Way):
        """There is no moment in which a started unit cannot be stopped."""
        for number in range(5):
            await way.shell.start(way.access, f"u{number}", FOREVER)
            await way.shell.stop(way.access, f"u{number}", grace=timedelta(seconds=10))
            assert (await until(way, UnitState.EXITED, f"u{number}")).exit_code == 143


class TestFullDisk:
    """The usual end of a training that saves too often."""

    async def test_the_exit_code_is_told_all_the_same(self, full_soon: Path):
        """The unit fills the disk to the last byte and fails; that it ended, and how, can still be read."""
        shell, access = ProcessShell(), Access("process", str(full_soon))
        script = "cat /dev/zero > weights; echo failed; exit 9"
        await shell.start(access, "u", UnitJob(("sh", "-c", script)))

        async def look() -> UnitLook | None:
            seen = await shell.look(access, "u")
            return seen if seen.state is not UnitState.RUNNING else None

        seen = await wait_until(look, SOON)
        assert seen == UnitLook(UnitState.EXITED, 9, seen.log if seen else b"", seen.size if seen else 0)

    async def test_a_start_without_room_says_so(self, full_soon: Path):
        """The disk is named as the reason, and nothing is left running."""
        with contextlib.suppress(OSError):
            (full_soon / "filler").write_bytes(bytes(4 << 20))
        shell, access = ProcessShell(), Access("process", str(full_soon))
        with pytest.raises(Exception, match="disk") as failed:
            await shell.start(access, "u", FOREVER)
        assert getattr(failed.value, "kind", "") == "disk_full"
