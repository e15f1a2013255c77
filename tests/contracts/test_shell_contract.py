"""What every shell promises (``bot.ports.Shell``), whether it speaks to this computer or over SSH to two servers.

The SSH hosts of these tests print a banner before every command, as some rented ones do.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.errors import FarSideFailed, TooSlow
from bot.ports import FileDigest, Parcel, UnitJob, UnitLook, UnitState
from tests.support.waiting import is_alive, wait_until
from tests.support.ways import KINDS, Way, open_way

SOON = timedelta(seconds=20)
ODD_NAMES = (
    "two words.txt",
    'it\'s "quoted".txt',
    "-rf",
    "new\nline",
    "tab\there",
    "ünïcödé ✓ 中文.png",
    "$HOME `id` $(id) ; & | > <",
    "back\\slash",
    "*?[x]",
    "trailing ",
    "..dots..",
    "deep/er/and deeper/#1",
    ".hidden",
)


@pytest.fixture(params=KINDS)
async def way(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Way]:
    async with open_way(request.param, tmp_path) as opened:
        yield opened


def write(folder: Path, files: dict[str, bytes]) -> list[Parcel]:
    """Files of these names and contents, as parcels."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return [Parcel(folder / name, name) for name in files]


def files_below(folder: Path) -> dict[str, bytes]:
    """Everything that is in a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() or path.is_symlink()
    }


def digest(name: str, content: bytes) -> FileDigest:
    return FileDigest(name, len(content), hashlib.sha256(content).hexdigest())


async def ended(way: Way, unit: str) -> UnitLook:
    """The first look at a unit that is not running."""

    async def look() -> UnitLook | None:
        seen = await way.shell.look(way.access, unit)
        return seen if seen.state is not UnitState.RUNNING else None

    seen = await wait_until(look, SOON)
    assert seen is not None
    return seen


class TestPin:
    """``pin``: first contact."""

    async def test_the_access_comes_back_usable(self, way: Way):
        """What ``pin`` returns leads to the same machine, and pinning it again changes nothing."""
        pinned = await way.shell.pin(way.access)
        assert await way.shell.pin(pinned) == pinned
        assert (await way.shell.run(pinned, ["true"], limit=SOON)).exit_code == 0


class TestRun:
    """``run``: one command to its end."""

    async def test_output_and_exit_code_come_apart_and_whole(self, way: Way):
        """stdout without the banner, stderr by itself, the code as it was."""
        ran = await way.shell.run(
            way.access, ["sh", "-c", r"printf 'out\0\377'; printf err >&2; exit 7"], limit=SOON
        )
        assert (ran.exit_code, ran.stdout, ran.stderr) == (7, b"out\0\xff", b"err")

    async def test_stdin_arrives_byte_for_byte(self, way: Way):
        """Half a megabyte of every byte there is goes in and comes out; then stdin ends."""
        sent = bytes(range(256)) * 2048
        ran = await way.shell.run(way.access, ["cat"], limit=SOON, stdin=sent)
        assert ran.stdout == sent

    async def test_nothing_is_interpreted_by_a_shell(self, way: Way):
        """Every argument arrives as it was given, empty ones included."""
        argv = ["python3", "-c", "import json, sys; print(json.dumps(sys.argv[1:]))", "", *ODD_NAMES]
        ran = await way.shell.run(way.access, argv, limit=SOON)
        assert json.loads(ran.stdout) == argv[3:]

    async def test_a_command_finds_its_own_path_environment_and_folder(self, way: Way):
        """Our folders come first in PATH and the usual ones are there; the access's environment and folder are set;
        there is no terminal."""
        script = "pwd; echo $PATH; echo $LASTCALL_MACHINE; tty"
        access = replace(way.access, path_prepend=("/venv/main/bin", "/with space"))
        ran = await way.shell.run(access, ["sh", "-c", script], limit=SOON)
        folder, path, label, terminal = ran.stdout.decode().splitlines()
        assert folder == str(way.folder)
        assert path.startswith("/venv/main/bin:/with space:")
        assert path.endswith(":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        assert (label, terminal) == ("lc-test", "not a tty")

    async def test_a_missing_program_is_exit_code_127(self, way: Way):
        """As in any shell, so that "there is no nvidia-smi" is an answer and not an error."""
        ran = await way.shell.run(way.access, ["no-such-program"], limit=SOON)
        assert (ran.exit_code, ran.stderr) == (127, b"no-such-program: No such file or directory\n")

    async def test_death_by_a_signal_is_128_and_its_number(self, way: Way):
        """The usual sign of a process that ran out of memory is 137."""
        assert (await way.shell.run(way.access, ["sh", "-c", "kill -9 $$"], limit=SOON)).exit_code == 137

    async def test_what_takes_too_long_is_stopped_with_its_children(self, way: Way):
        """``TooSlow`` after the limit, and on the machine nothing of it is left."""
        script = "sleep 600 & echo $! > child; echo $$ > parent; wait"
        with pytest.raises(TooSlow, match="did not end within 1 s"):
            await way.shell.run(way.access, ["sh", "-c", script], limit=timedelta(seconds=1))
        for name in ("child", "parent"):
            assert not is_alive(int((way.folder / name).read_text()))

    async def test_what_writes_too_much_is_stopped(self, way: Way):
        """A flood of output fills neither the line nor our memory."""
        with pytest.raises(TooSlow, match="more than 1 MiB"):
            await way.shell.run(way.access, ["sh", "-c", "echo $$ > pid; exec yes"], limit=SOON)
        assert not is_alive(int((way.folder / "pid").read_text()))

    async def test_a_megabyte_is_not_too_much(self, way: Way):
        """Output up to the limit comes whole."""
        ran = await way.shell.run(way.access, ["head", "-c", str(1 << 20), "/dev/zero"], limit=SOON)
        assert ran.stdout == bytes(1 << 20)

    async def test_what_is_left_in_the_background_ends_with_the_command(self, way: Way):
        """Only units go on alone; and a command that leaves its output open does not keep us waiting."""
        ran = await way.shell.run(way.access, ["sh", "-c", "sleep 600 & echo $!"], limit=SOON)
        await wait_until(lambda: not is_alive(int(ran.stdout)), SOON)

    async def test_a_command_that_nobody_waits_for_is_stopped(self, way: Way):
        """A cancelled call does not leave its command behind."""
        script = "echo $$ > pid.new; mv pid.new pid; exec sleep 600"
        call = asyncio.create_task(way.shell.run(way.access, ["sh", "-c", script], limit=SOON))
        await wait_until((way.folder / "pid").exists, SOON)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await wait_until(lambda: not is_alive(int((way.folder / "pid").read_text())), SOON)

    async def test_many_at_once_do_not_disturb_each_other(self, way: Way):
        """More commands at once than a server allows on one connection."""
        calls = (way.shell.run(way.access, ["echo", str(number)], limit=SOON) for number in range(12))
        done = await asyncio.gather(*calls)
        assert [ran.stdout for ran in done] == [b"%d\n" % number for number in range(12)]


class TestUnits:
    """``start``, ``look``, ``stop``: what runs on when every connection is gone."""

    async def test_what_was_never_started_is_absent(self, way: Way):
        """And stopping it is no error."""
        assert await way.shell.look(way.access, "train-1") == UnitLook(UnitState.ABSENT)
        await way.shell.stop(way.access, "train-1", grace=timedelta(0))

    @pytest.mark.parametrize(("script", "code"), [("exit 0", 0), ("exit 3", 3), ("kill -9 $$", 137)])
    async def test_the_end_is_told_with_its_exit_code(self, way: Way, script: str, code: int):
        """A unit that ended by itself, with or without success, or by a signal."""
        await way.shell.start(way.access, "u", UnitJob(("sh", "-c", script)))
        seen = await ended(way, "u")
        assert (seen.state, seen.exit_code) == (UnitState.EXITED, code)

    async def test_a_program_that_is_not_there_is_an_ended_unit(self, way: Way):
        """Its log says so."""
        await way.shell.start(way.access, "u", UnitJob(("no-such-program",)))
        seen = await ended(way, "u")
        assert (seen.exit_code, seen.log) == (127, b"no-such-program: No such file or directory\n")

    async def test_the_log_is_read_by_offset_and_nothing_twice(self, way: Way):
        """stdout and stderr in one log; each look goes on where the last one ended."""
        script = "echo one; echo two >&2; until [ -e go ]; do sleep 0.02; done; echo three"
        await way.shell.start(way.access, "u", UnitJob(("sh", "-c", script)))

        async def first_lines() -> UnitLook | None:
            seen = await way.shell.look(way.access, "u")
            return seen if seen.size == 8 else None

        seen = await wait_until(first_lines, SOON)
        assert seen == UnitLook(UnitState.RUNNING, None, b"one\ntwo\n", 8, 8)
        (way.folder / "go").touch()
        await ended(way, "u")
        assert await way.shell.look(way.access, "u", offset=8) == UnitLook(
            UnitState.EXITED, 0, b"three\n", 14, 14
        )

    async def test_a_long_log_comes_in_pieces(self, way: Way):
        """At most 256 KiB a look; the offsets join without a gap."""
        await way.shell.start(way.access, "u", UnitJob(("sh", "-c", "seq 1 100000")))
        size = (await ended(way, "u")).size
        log, looks = b"", 0
        while len(log) < size:
            seen = await way.shell.look(way.access, "u", offset=len(log))
            log, looks = log + seen.log, looks + 1
        assert log == b"".join(b"%d\n" % number for number in range(1, 100001))
        assert looks == -(-size // (256 * 1024))

    async def test_a_second_start_finds_the_first(self, way: Way):
        """Whether the unit still runs or has ended, it is started once."""
        job = UnitJob(("sh", "-c", "echo started; until [ -e go ]; do sleep 0.02; done"))
        await way.shell.start(way.access, "u", job)
        await way.shell.start(way.access, "u", job)
        (way.folder / "go").touch()
        await ended(way, "u")
        await way.shell.start(way.access, "u", job)
        assert (await way.shell.look(way.access, "u")).log == b"started\n"

    async def test_a_unit_has_its_folder_environment_and_secrets(self, way: Way):
        """The machine's label is inherited, the job's own variables are set, stdin is empty, cores are not kept."""
        (way.folder / "sub folder").mkdir()
        script = "pwd; echo $LASTCALL_MACHINE $COLOR ${#TOKEN}; cat; ulimit -c"
        job = UnitJob(
            ("sh", "-c", script), cwd="sub folder", env={"COLOR": "red"}, secrets={"TOKEN": "s3cret"}
        )
        await way.shell.start(way.access, "u", job)
        assert (await ended(way, "u")).log.decode().splitlines() == [
            f"{way.folder}/sub folder",
            "lc-test red 6",
            "0",
        ]

    async def test_secrets_are_in_no_file_and_no_command_line(self, way: Way):
        """Only the unit's own memory has them, and its children's."""
        job = UnitJob(("sh", "-c", "until [ -e go ]; do sleep 0.02; done"), secrets={"TOKEN": "s3cret-value"})
        await way.shell.start(way.access, "u", job)
        lines = await asyncio.create_subprocess_exec("ps", "-eww", "-o", "args", stdout=-1)
        listed, _ = await lines.communicate()
        assert b"s3cret-value" not in listed
        assert not [name for name, content in files_below(way.folder).items() if b"s3cret-value" in content]
        (way.folder / "go").touch()
        await ended(way, "u")

    async def test_stopping_is_term_first(self, way: Way):
        """A unit that listens ends as it likes, and its own exit code is kept."""
        script = (
            "import signal, sys; signal.signal(signal.SIGTERM, lambda *_: (print('bye'), sys.exit(5)));"
            "print('up', flush=True); signal.pause()"
        )
        await way.shell.start(way.access, "u", UnitJob(("python3", "-c", script)))
        await wait_until(lambda: (way.folder / "units/u/log").read_bytes() == b"up\n", SOON)
        await way.shell.stop(way.access, "u", grace=timedelta(seconds=30))
        seen = await ended(way, "u")
        assert (seen.exit_code, seen.log) == (5, b"up\nbye\n")
        await way.shell.stop(way.access, "u", grace=timedelta(0))

    async def test_stopping_ends_with_kill(self, way: Way):
        """A whole group that ignores TERM, and a child that left the group, are killed after the grace."""
        script = (
            "trap '' TERM; (while :; do sleep 1; done) & echo $! > child;"
            "setsid sleep 600 & echo $! > runaway; echo up; while :; do sleep 1; done"
        )
        await way.shell.start(way.access, "u", UnitJob(("sh", "-c", script)))
        await wait_until(lambda: (way.folder / "units/u/log").read_bytes() == b"up\n", SOON)
        await way.shell.stop(way.access, "u", grace=timedelta(seconds=0.3))
        assert (await ended(way, "u")).exit_code == 137
        for name in ("child", "runaway"):
            assert not is_alive(int((way.folder / name).read_text()))

    async def test_a_unit_is_ended_at_its_own_limit(self, way: Way):
        """By its supervisor, with nobody connected; 124 whatever it says itself."""
        script = "trap 'exit 0' TERM; while :; do sleep 0.05; done"
        await way.shell.start(way.access, "u", UnitJob(("sh", "-c", script), limit=timedelta(seconds=0.3)))
        seen = await ended(way, "u")
        assert (seen.state, seen.exit_code) == (UnitState.EXITED, 124)

    @pytest.mark.parametrize("unit", ["../u", "a/b", "", "-u", "a b"])
    async def test_a_unit_name_that_could_leave_is_refused(self, way: Way, unit: str):
        """Names of units are plain."""
        with pytest.raises(FarSideFailed, match="refused"):
            await way.shell.start(way.access, unit, UnitJob(("true",)))

    async def test_a_unit_needs_its_folder(self, way: Way):
        """A folder that is not there, or not the machine's, is said before anything is started."""
        with pytest.raises(FarSideFailed) as missing:
            await way.shell.start(way.access, "u", UnitJob(("true",), cwd="nowhere"))
        assert missing.value.kind == "missing"
        with pytest.raises(FarSideFailed, match="refused"):
            await way.shell.start(way.access, "u", UnitJob(("true",), cwd="../.."))
        assert (await way.shell.look(way.access, "u")).state is UnitState.ABSENT


class TestTransfer:
    """``send`` and ``fetch``: files with digests."""

    async def test_names_of_every_kind_go_there_and_back(self, way: Way, tmp_path: Path):
        """Spaces, quotes, newlines, dashes, other scripts, folders: the same bytes under the same names."""
        files = {name: name.encode() * 100 for name in ODD_NAMES} | {"empty": b""}
        sent = await way.shell.send(way.access, write(tmp_path / "here", files), "data set/1")
        assert sent == tuple(digest(name, content) for name, content in files.items())
        assert files_below(way.folder / "data set/1") == files
        got = await way.shell.fetch(way.access, ["**"], "data set/1", tmp_path / "back")
        assert sorted(got, key=str) == sorted(sent, key=str)
        assert files_below(tmp_path / "back") == files

    async def test_bytes_that_are_no_text_may_be_in_names(self, way: Way, tmp_path: Path):
        """A name that is not UTF-8 keeps its bytes."""
        name = os.fsdecode(b"caf\xe9.txt")
        await way.shell.send(way.access, write(tmp_path / "here", {name: b"x"}), ".")
        assert (way.folder / name).read_bytes() == b"x"
        await way.shell.fetch(way.access, ["caf*"], ".", tmp_path / "back")
        assert files_below(tmp_path / "back") == {name: b"x"}

    async def test_what_is_there_already_is_skipped(self, way: Way, tmp_path: Path):
        """The same digest is not sent again; the same size with other bytes is."""
        parcels = write(tmp_path / "here", {"same": b"12345", "changed": b"12345"})
        await way.shell.send(way.access, parcels, "d")
        before = {name: (way.folder / "d" / name).stat().st_ino for name in ("same", "changed")}
        (way.folder / "d/changed").write_bytes(b"54321")
        digests = await way.shell.send(way.access, parcels, "d")
        assert digests == (digest("same", b"12345"), digest("changed", b"12345"))
        assert (way.folder / "d/same").stat().st_ino == before["same"]
        assert (way.folder / "d/changed").read_bytes() == b"12345"

    async def test_what_is_here_already_is_not_fetched(self, way: Way, tmp_path: Path):
        """The same, the other way round."""
        write(way.folder, {"out/same": b"12345", "out/changed": b"12345"})
        await way.shell.fetch(way.access, ["*"], "out", tmp_path / "back")
        inode = (tmp_path / "back/same").stat().st_ino
        (tmp_path / "back/changed").write_bytes(b"54321")
        await way.shell.fetch(way.access, ["*"], "out", tmp_path / "back")
        assert (tmp_path / "back/same").stat().st_ino == inode
        assert (tmp_path / "back/changed").read_bytes() == b"12345"

    async def test_progress_runs_to_the_end(self, way: Way, tmp_path: Path):
        """Bytes done never fall and end at the total, skipped files included."""
        files = {"a": bytes(700_000), "b": bytes(1_000)}
        for parcels in (write(tmp_path / "here", files)[1:], write(tmp_path / "here", files)):
            told: list[tuple[int, int]] = []
            await way.shell.send(
                way.access, parcels, "d", progress=lambda *both, told=told: told.append(both)
            )
            total = sum(len(files[parcel.name]) for parcel in parcels)
            assert told == sorted(told)
            assert told[-1] == (total, total)
        told = []
        await way.shell.fetch(way.access, ["*"], "d", tmp_path / "back", progress=lambda *b: told.append(b))
        assert told == sorted(told)
        assert told[-1] == (701_000, 701_000)

    async def test_three_thousand_small_files(self, way: Way, tmp_path: Path):
        """A data set with captions, there and back, in one stream each."""
        files = {f"{n % 7}/{n:04}.txt": b"a photo of sks, number %d" % n for n in range(3000)}
        assert len(await way.shell.send(way.access, write(tmp_path / "here", files), "set")) == 3000
        assert files_below(way.folder / "set") == files
        assert len(await way.shell.fetch(way.access, ["**"], "set", tmp_path / "back")) == 3000
        assert files_below(tmp_path / "back") == files

    async def test_patterns_choose(self, way: Way, tmp_path: Path):
        """``*`` within a folder, ``**`` through all, plain names; what fits twice comes once, no match is nothing."""
        write(way.folder, {f"out/{name}": b"x" for name in ("a.log", "b.bin", "s/c.bin", "s/t/d.bin")})

        async def names(*patterns: str) -> set[str]:
            shutil.rmtree(tmp_path / "back", ignore_errors=True)
            got = await way.shell.fetch(way.access, patterns, "out", tmp_path / "back")
            assert {file.name for file in got} == files_below(tmp_path / "back").keys()
            return {file.name for file in got}

        assert await names("*.bin") == {"b.bin"}
        assert await names("**/*.bin", "b.bin") == {"b.bin", "s/c.bin", "s/t/d.bin"}
        assert await names("s/**") == {"s/c.bin", "s/t/d.bin"}
        assert await names("*/*.bin", "a.log") == {"s/c.bin", "a.log"}
        assert await names("nothing*", "none", "s") == set()

    async def test_a_folder_that_is_not_there_is_said(self, way: Way, tmp_path: Path):
        """So is a file of ours that is not there."""
        with pytest.raises(FarSideFailed) as far:
            await way.shell.fetch(way.access, ["*"], "nowhere", tmp_path / "back")
        with pytest.raises(FarSideFailed) as near:
            await way.shell.send(way.access, [Parcel(tmp_path / "nothing", "n")], "d")
        assert (far.value.kind, near.value.kind) == ("missing", "missing")

    @pytest.mark.parametrize("name", ["../out", "/etc/out", "a/../../out", "a\0b", "", "."])
    async def test_a_name_that_would_leave_is_refused(self, way: Way, tmp_path: Path, name: str):
        """As a file's name, as a destination, as a pattern."""
        [parcel] = write(tmp_path / "here", {"x": b"x"})
        with pytest.raises(FarSideFailed):
            await way.shell.send(way.access, [Parcel(parcel.source, name)], "d")
        if name not in {"", "."}:
            with pytest.raises(FarSideFailed, match="refused"):
                await way.shell.send(way.access, [parcel], name)
            with pytest.raises(FarSideFailed, match="refused"):
                await way.shell.fetch(way.access, [name], ".", tmp_path / "back")
        assert "out" not in {path.rpartition("/")[2] for path in files_below(tmp_path)}

    async def test_links_that_lead_out_are_not_followed(self, way: Way, tmp_path: Path):
        """Nothing is written through them, and nothing is read; links inside are what they point to."""
        outside = tmp_path / "outside"
        write(outside, {"secret": b"secret"})
        write(way.folder, {"out/real": b"real"})
        (way.folder / "away").symlink_to(outside)
        (way.folder / "out/leak").symlink_to(outside / "secret")
        (way.folder / "out/inner").symlink_to(way.folder / "out/real")
        [parcel] = write(tmp_path / "here", {"x": b"x"})
        for dest, name in (("away", "x"), (".", "away/x")):
            with pytest.raises(FarSideFailed, match="leads out"):
                await way.shell.send(way.access, [Parcel(parcel.source, name)], dest)
        got = await way.shell.fetch(way.access, ["**"], "out", tmp_path / "back")
        assert {file.name for file in got} == {"real", "inner"}
        for source, pattern in (("out", "leak"), (".", "away/secret")):
            with pytest.raises(FarSideFailed, match="leads out"):
                await way.shell.fetch(way.access, [pattern], source, tmp_path / "back")
        assert files_below(outside) == {"secret": b"secret"}

    async def test_a_link_in_a_files_place_is_replaced(self, way: Way, tmp_path: Path):
        """Sending over a link does not write through it."""
        write(tmp_path, {"victim": b"keep"})
        (way.folder / "x").symlink_to(tmp_path / "victim")
        await way.shell.send(way.access, write(tmp_path / "here", {"x": b"new!"}), ".")
        assert ((tmp_path / "victim").read_bytes(), (way.folder / "x").is_symlink()) == (b"keep", False)

    async def test_a_folder_in_a_files_place_is_said(self, way: Way, tmp_path: Path):
        """It is not removed for us."""
        (way.folder / "x").mkdir()
        with pytest.raises(FarSideFailed) as failed:
            await way.shell.send(way.access, write(tmp_path / "here", {"x": b"x"}), ".")
        assert failed.value.kind == "exists"

    async def test_nothing_to_send_is_nothing(self, way: Way, tmp_path: Path):
        """An empty list is success, and so is an empty folder."""
        assert await way.shell.send(way.access, [], "d") == ()
        assert await way.shell.fetch(way.access, ["**"], "d", tmp_path / "back") == ()
