"""Transfers under fire: cut lines and resumption, full disks, files that change, and far sides that lie."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from adapters.shell import transfer
from adapters.shell.conversation import Conversation
from adapters.shell.far.files import HIDDEN, Inbox
from adapters.shell.far.words import Trouble
from adapters.shell.ssh import WINDOW
from bot.domain.errors import FarSideFailed, Unreachable
from bot.ports import Parcel
from tests.support.disks import small_disk
from tests.support.waiting import wait_until
from tests.support.ways import SSH_KINDS, Way, open_way

SOON = timedelta(seconds=20)
BIG = WINDOW + (8 << 20)
CUT_AT = 8 << 20
CUT_EARLY = 4 << 20
"""For what comes to us: a whole window may be on its way already, and is still heard after the cut."""


@pytest.fixture(params=SSH_KINDS)
async def way(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Way]:
    async with open_way(request.param, tmp_path) as opened:
        yield opened


@pytest.fixture
async def local(tmp_path: Path) -> AsyncIterator[Way]:
    async with open_way("process", tmp_path) as opened:
        yield opened


@pytest.fixture
def full_soon(tmp_path: Path) -> Iterator[Path]:
    """A disk of one MiB."""
    with small_disk(tmp_path / "disk") as folder:
        yield folder


def fill(folder: Path) -> list[Parcel]:
    """Three files, the second one big."""
    folder.mkdir()
    contents = {"1-small": b"small", "2-big": os.urandom(BIG), "3-last": b"last"}
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return [Parcel(folder / name, name) for name in contents]


def parts(folder: Path) -> list[Path]:
    """Half files that wait to be continued."""
    return [path for path in folder.glob(f"{HIDDEN}/*") if path.name != "lock"]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@dataclass
class Meter:
    """Cuts the line once ``at`` bytes are done, and remembers what it was told."""

    way: Way | None = None
    at: int = CUT_AT
    told: list[int] = field(default_factory=list)

    def __call__(self, done: int, total: int) -> None:
        self.told.append(done)
        if self.way is not None and done >= self.at:
            assert self.way.host is not None
            self.way.host.cut_connections()
            self.way = None


class TestCutAndContinued:
    """A cut costs the bytes on the wire and no more; half a file never has its name."""

    async def test_sending(self, way: Way, tmp_path: Path):
        """What was whole is there, the big file is continued after its first part was proven right."""
        parcels = fill(tmp_path / "here")
        with pytest.raises(Unreachable):
            await way.shell.send(way.access, parcels, "d", progress=Meter(way))
        # The far side notices the cut by itself and puts away what it has.
        await wait_until((way.folder / "d/1-small").exists, SOON)
        assert not (way.folder / "d/2-big").exists()
        meter = Meter()
        sent = await way.shell.send(way.access, parcels, "d", progress=meter)
        assert (way.folder / "d/2-big").read_bytes() == parcels[1].source.read_bytes()
        assert [digest.name for digest in sent] == ["1-small", "2-big", "3-last"]
        assert meter.told[0] > 1 << 20
        assert names(way.folder / "d") == ["1-small", "2-big", "3-last"]

    async def test_fetching(self, way: Way, tmp_path: Path):
        """The same, the other way round."""
        fill(way.folder / "out")
        back = tmp_path / "back"
        with pytest.raises(Unreachable):
            await way.shell.fetch(way.access, ["*"], "out", back, progress=Meter(way, CUT_EARLY))
        assert (back / "1-small").read_bytes() == b"small"
        assert not (back / "2-big").exists()
        [part] = parts(back)
        size = part.stat().st_size
        meter = Meter()
        await way.shell.fetch(way.access, ["*"], "out", back, progress=meter)
        assert (back / "2-big").read_bytes() == (way.folder / "out/2-big").read_bytes()
        assert meter.told[:2] == [5, 5 + size]
        assert names(back) == ["1-small", "2-big", "3-last"]

    async def test_a_part_that_was_damaged_is_not_continued(self, local: Way, tmp_path: Path):
        """One flipped byte in what was kept, there or here, and the file comes whole from its beginning."""
        parcels = fill(tmp_path / "here")
        for direction in ("send", "fetch"):
            folder = local.folder / "d" if direction == "send" else tmp_path / "back"
            hidden = folder / HIDDEN
            hidden.mkdir(parents=True)
            part = bytearray(parcels[1].source.read_bytes()[:CUT_AT])
            part[1000] ^= 1
            (hidden / hashlib.sha256(b"2-big").hexdigest()[:32]).write_bytes(part)
            meter = Meter()
            if direction == "send":
                await local.shell.send(local.access, parcels, "d", progress=meter)
            else:
                await local.shell.fetch(local.access, ["*"], "d", folder, progress=meter)
            assert meter.told[1] < CUT_AT
            assert (folder / "2-big").read_bytes() == parcels[1].source.read_bytes()

    async def test_a_cancelled_transfer_lets_go(self, local: Way, tmp_path: Path):
        """Nothing is left locked or open: the next one, in either direction, goes on from there."""
        parcels = fill(tmp_path / "here")
        for _ in range(2):
            moving = asyncio.Event()

            def told(done: int, total: int, moving: asyncio.Event = moving) -> None:
                if done > CUT_AT:
                    moving.set()

            call = asyncio.create_task(local.shell.send(local.access, parcels, "d", progress=told))
            await asyncio.wait_for(moving.wait(), 20)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
        await local.shell.send(local.access, parcels, "d")
        assert names(local.folder / "d") == ["1-small", "2-big", "3-last"]

    async def test_a_line_that_was_lost_without_a_word_does_not_block_the_next(
        self, local: Way, tmp_path: Path
    ):
        """The far side still waits for bytes on the old line; after a silence it gives up, and the folder is free."""
        request = {"workdir": str(local.folder), "dest": "d", "files": [["2-big", BIG]], "silence": 1}
        async with local.shell._open(local.access) as channel:
            lost = Conversation(channel, "m", patience=20)
            await lost.ask("receive", request)
            await lost.hear()
            await lost.say({"file": 0, "from": 0})
            await local.shell.send(local.access, fill(tmp_path / "here"), "d")
        assert names(local.folder / "d") == ["1-small", "2-big", "3-last"]

    async def test_two_into_one_folder_take_turns(self, local: Way, tmp_path: Path):
        """The second waits for the first and then finds its work done."""
        parcels = fill(tmp_path / "here")
        calls = (local.shell.send(local.access, parcels, "d") for _ in range(2))
        first, second = await asyncio.gather(*calls)
        assert first == second
        assert names(local.folder / "d") == ["1-small", "2-big", "3-last"]


class TestFullDisks:
    """Whose disk it is decides what to do next, so that the sentence says it."""

    async def test_the_machines_disk(self, local: Way, full_soon: Path, tmp_path: Path):
        """What fitted is there; what did not has no name."""
        access = replace(local.access, workdir=str(full_soon))
        with pytest.raises(FarSideFailed) as failed:
            await local.shell.send(access, fill(tmp_path / "here"), "d")
        assert failed.value.kind == "disk_full"
        assert "own computer" not in failed.value.reason
        assert not (full_soon / "d/2-big").exists()

    async def test_the_bots_disk(self, local: Way, full_soon: Path):
        """The same kind, and another sentence."""
        fill(local.folder / "out")
        with pytest.raises(FarSideFailed) as failed:
            await local.shell.fetch(local.access, ["*"], "out", full_soon / "back")
        assert failed.value.kind == "disk_full"
        assert "On the bot's own computer" in failed.value.reason
        assert (full_soon / "back/1-small").read_bytes() == b"small"
        assert not (full_soon / "back/2-big").exists()


class TestChangingFiles:
    """Logs grow and checkpoints are replaced while they are read."""

    async def test_a_file_that_grows_is_taken_as_it_was(self, local: Way, tmp_path: Path):
        """The bytes that were announced, under the digest of those bytes."""
        log = os.open(local.folder / "log", os.O_WRONLY | os.O_CREAT)
        os.write(log, bytes(BIG))

        def grow(done: int, total: int) -> None:
            os.write(log, b"x")

        [got] = await local.shell.fetch(local.access, ["log"], ".", tmp_path / "back", progress=grow)
        os.close(log)
        assert (got.bytes, (tmp_path / "back/log").read_bytes()) == (BIG, bytes(BIG))

    async def test_a_file_that_shrinks_is_refused(self, local: Way, tmp_path: Path):
        """On either side; nothing of it gets the name."""
        for folder, source in ((local.folder / "out", "out"), (tmp_path / "here", "here")):
            parcels = fill(folder)

            def cut_short(done: int, total: int, file: Path = parcels[1].source) -> None:
                os.truncate(file, 1000)

            if source == "out":
                call = local.shell.fetch(local.access, ["*"], "out", tmp_path / "back", progress=cut_short)
            else:
                call = local.shell.send(local.access, parcels, "d", progress=cut_short)
            with pytest.raises(FarSideFailed, match="changed while it was read") as failed:
                await call
            assert failed.value.kind == "corrupt"
        assert not (tmp_path / "back/2-big").exists()
        assert not (local.folder / "d/2-big").exists()


class Liar:
    """A far side that says what it was told to say."""

    def __init__(self, *words: dict[str, Any] | bytes) -> None:
        self._words = list(words)

    async def hear(self) -> dict[str, Any]:
        word = self._words.pop(0)
        assert isinstance(word, dict)
        return word

    async def chunk(self) -> bytes:
        chunk = self._words.pop(0)
        assert isinstance(chunk, bytes)
        return chunk

    async def say(self, word: dict[str, Any]) -> None:
        """It does not listen."""


class TestLies:
    """A rented machine is somebody else's: what it announces is checked here."""

    async def fetch(self, folder: Path, *words: dict[str, Any] | bytes) -> object:
        return await transfer.fetch(cast("Conversation", Liar(*words)), folder, None)

    @pytest.mark.parametrize("name", ["../evil", "/tmp/evil", "a/../../evil", HIDDEN + "/lock"])
    async def test_names_that_leave_are_refused_here_too(self, tmp_path: Path, name: str):
        """Before anything is written."""
        with pytest.raises(FarSideFailed, match="refused"):
            await self.fetch(tmp_path / "back", {"files": [[name, 1]]})
        assert names(tmp_path / "back") == []

    async def test_a_link_in_our_folder_is_not_written_through(self, tmp_path: Path):
        """Not even when it was there before."""
        (tmp_path / "back").mkdir()
        (tmp_path / "back/away").symlink_to(tmp_path)
        with pytest.raises(FarSideFailed, match="leads out"):
            await self.fetch(tmp_path / "back", {"files": [["away/evil", 1]]})

    async def test_more_than_was_announced_is_refused(self, tmp_path: Path):
        """Our disk is not filled by a file of "one byte"."""
        with pytest.raises(FarSideFailed, match="longer than was announced"):
            await self.fetch(tmp_path, {"files": [["f", 1]]}, {"file": 0, "from": 0}, b"two")

    async def test_a_wrong_digest_is_refused(self, tmp_path: Path):
        """The file does not get its name, and its half is not kept."""
        words = (
            {"files": [["f", 3]]},
            {"file": 0, "from": 0},
            b"abc",
            b"",
            {"sha256": "0" * 64},
            {"done": True},
        )
        with pytest.raises(FarSideFailed) as failed:
            await self.fetch(tmp_path, *words)
        assert failed.value.kind == "corrupt"
        assert names(tmp_path) == []

    async def test_a_file_cannot_be_continued_where_nobody_asked(self, tmp_path: Path):
        """There is nothing here that it could follow."""
        with pytest.raises(FarSideFailed, match="nobody asked"):
            await self.fetch(tmp_path, {"files": [["f", 3]]}, {"file": 0, "from": 2})

    def test_the_machine_checks_digests_as_well(self, tmp_path: Path):
        """The receiving end over there is the same as here: a wrong digest, and there is no such file."""
        inbox = Inbox(str(tmp_path), "d", lambda: None)
        inbox.begin("f", 0)
        inbox.write(b"abc")
        with pytest.raises(Trouble) as failed:
            inbox.finish("f", hashlib.sha256(b"abd").hexdigest())
        inbox.close()
        assert (failed.value.kind, names(tmp_path / "d")) == ("corrupt", [])


class Line:
    """A channel that says what it was told to say, then is silent or ends."""

    def __init__(self, said: bytes, *, code: int | None = None, silent: bool = False) -> None:
        self._said = said
        self._code = code
        self._silent = silent

    async def read(self) -> bytes:
        if not self._said and self._silent:
            await asyncio.Event().wait()
        said, self._said = self._said, b""
        return said

    async def write(self, data: bytes) -> None:
        """It does not listen."""

    async def exit_code(self) -> int | None:
        return self._code

    def stderr(self) -> str:
        return ""

    async def close(self) -> None:
        """There is nothing to close."""


class TestConversations:
    """What comes back before, and in place of, an answer."""

    async def test_silence_is_a_lost_connection(self):
        """When nothing is heard for the length of the patience."""
        with pytest.raises(Unreachable, match="Nothing was heard"):
            await Conversation(Line(b"Welcome!", silent=True), "m", patience=0.05).ask("look", {})

    async def test_a_line_that_ends_without_a_code_was_cut(self):
        """Nobody told how the command ended."""
        with pytest.raises(Unreachable, match="was cut"):
            await Conversation(Line(b"Welcome!"), "m", patience=5).ask("look", {})

    async def test_an_endless_banner_is_given_up(self):
        """It is not kept in memory for ever."""
        line = Line(b"Welcome! " * 200_000, silent=True)
        with pytest.raises(FarSideFailed, match="more than can be read"):
            await Conversation(line, "m", patience=5).ask("look", {})

    @pytest.mark.parametrize("said", [b"no json\n", b"[1]\n", b"7\n"])
    async def test_nonsense_is_not_believed(self, said: bytes):
        """Another program's words are an error of the far side, and not a fault of ours."""
        with pytest.raises(FarSideFailed, match="no word of ours"):
            await Conversation(Line(said), "m", patience=5).hear()
