"""Real bytes between local files and a simulated machine, also when the line breaks."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.simulators.faults import Fault, FaultKind
from bot.domain.errors import FarSideFailed, ShellError, Unreachable
from bot.ports import Parcel, UnitJob
from tests.support.worlds import Room


@pytest.fixture
def room() -> Room:
    """A machine that has booted."""
    room = Room()
    room.boot()
    return room


def names_in(folder: Path) -> list[str]:
    """What a folder holds, folders below it included."""
    return sorted(path.name for path in folder.rglob("*"))


@pytest.fixture
def parcels(tmp_path: Path) -> list[Parcel]:
    """Three pictures of ten bytes."""
    made = []
    for number in range(3):
        source = tmp_path / f"{number}.png"
        source.write_bytes(bytes([number]) * 10)
        made.append(Parcel(source, f"img/{number}.png"))
    return made


async def test_files_go_there_and_back_with_their_digests(room: Room, parcels: list[Parcel], tmp_path: Path):
    """Three files sent, the same three fetched, byte for byte, with progress on the way."""
    seen: list[tuple[int, int]] = []
    sent = await room.shell.send(
        room.access, parcels, "data", progress=lambda done, total: seen.append((done, total))
    )
    assert seen == [(10, 30), (20, 30), (30, 30)]
    assert room.machine.files["data/img/2.png"] == b"\x02" * 10
    back = await room.shell.fetch(room.access, ["**/*.png"], "data", tmp_path / "back")
    assert back == sent
    assert (tmp_path / "back/img/1.png").read_bytes() == b"\x01" * 10
    assert names_in(tmp_path / "back") == ["0.png", "1.png", "2.png", "img"]


async def test_globs_stay_in_their_folder(room: Room, tmp_path: Path):
    """``*`` does not cross a folder, ``**`` does."""
    room.machine.files = {"a.txt": b"", "in/b.txt": b"", "in/deep/c.txt": b"", "d.png": b""}
    for patterns, names in (
        (["*.txt"], ["a.txt"]),
        (["in/*"], ["in/b.txt"]),
        (["**/*.txt"], ["a.txt", "in/b.txt", "in/deep/c.txt"]),
        (["*.png", "in/**"], ["d.png", "in/b.txt", "in/deep/c.txt"]),
    ):
        assert [file.name for file in await room.shell.fetch(room.access, patterns, ".", tmp_path)] == names


async def test_a_folder_that_is_not_there_is_missing(room: Room, tmp_path: Path):
    """An empty folder has nothing that fits; one that was never made is FarSideFailed, kind missing."""
    await room.shell.start(room.access, "train", UnitJob(("python",)))
    assert await room.shell.fetch(room.access, ["*"], "out", tmp_path) == ()
    with pytest.raises(FarSideFailed) as caught:
        await room.shell.fetch(room.access, ["*"], "nowhere", tmp_path)
    assert caught.value.kind == "missing"


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "a/../../b"])
async def test_names_that_leave_the_workdir_are_refused(room: Room, tmp_path: Path, name: str):
    """Neither a parcel nor a folder may point outside."""
    (tmp_path / "f").write_bytes(b"x")
    with pytest.raises(FarSideFailed):
        await room.shell.send(room.access, [Parcel(tmp_path / "f", name)], "data")
    with pytest.raises(FarSideFailed):
        await room.shell.fetch(room.access, ["*"], name, tmp_path)
    assert room.machine.files == {}


@pytest.mark.parametrize(
    ("kind", "error", "text"),
    [
        (FaultKind.CUT, Unreachable, ""),
        (FaultKind.DISK_FULL, FarSideFailed, "disk_full"),
        (FaultKind.CORRUPT, FarSideFailed, "corrupt"),
    ],
)
async def test_a_transfer_breaks_in_the_middle_and_is_taken_up_again(
    room: Room, parcels: list[Parcel], kind: FaultKind, error: type[ShellError], text: str
):
    """One of three files arrived when it broke; the next try brings the rest and the first is not written again."""
    room.shell.plan("send", Fault(kind, parts=1))
    with pytest.raises(error) as caught:
        await room.shell.send(room.access, parcels, "data")
    assert getattr(caught.value, "kind", "") == text
    assert list(room.machine.files) == ["data/img/0.png"]
    first = room.machine.files["data/img/0.png"]
    assert len(await room.shell.send(room.access, parcels, "data")) == 3
    assert room.machine.files["data/img/0.png"] is first


async def test_a_fetch_breaks_and_leaves_whole_files_only(room: Room, tmp_path: Path):
    """After the cut there are the files that arrived and nothing half."""
    room.machine.files = {"out/a": b"1", "out/b": b"2"}
    room.shell.plan("fetch", Fault(FaultKind.CUT, parts=1))
    with pytest.raises(Unreachable):
        await room.shell.fetch(room.access, ["*"], "out", tmp_path)
    assert names_in(tmp_path) == ["a"]
    assert len(await room.shell.fetch(room.access, ["*"], "out", tmp_path)) == 2
