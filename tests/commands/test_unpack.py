"""Unpacking a stranger's archive: what is taken, and that the rest leaves nothing on the disk."""

from __future__ import annotations

import gzip
import io
import lzma
import os
import stat
import struct
import tarfile
import tracemalloc
import unicodedata
import zipfile
from pathlib import Path

import pytest

from bot.domain.errors import Refused
from bot.unpack import Room, unpack
from tests.commands.archives import pictures, tar_of, tarred, zip_entry, zipped

USUAL = Room()
LINK, DEVICE, PIPE = stat.S_IFLNK | 0o777, stat.S_IFCHR | 0o600, stat.S_IFIFO | 0o600


def unpacked(tmp_path: Path, content: bytes, *, room: Room = USUAL, name: str = "cats.zip") -> list[str]:
    """The names of all files, relative to the folder."""
    archive, dest = tmp_path / "archive", tmp_path / "inbox" / "cats"
    archive.write_bytes(content)
    unpack(archive, dest, name=name, room=room)
    return sorted(str(path.relative_to(dest)) for path in dest.rglob("*") if path.is_file())


def refused(tmp_path: Path, content: bytes, *, room: Room = USUAL, name: str = "cats.zip") -> Refused:
    """The sentence; nothing is left, inside or outside."""
    with pytest.raises(Refused) as caught:
        unpacked(tmp_path, content, room=room, name=name)
    assert {one.name for one in tmp_path.iterdir()} <= {"archive", "inbox"}
    assert list((tmp_path / "inbox").iterdir()) == []
    assert caught.value.sentence.startswith(name) and caught.value.sentence.endswith(".")
    assert caught.value.help
    return caught.value


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    """A tar's entry of this kind."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


@pytest.mark.parametrize("name", ["cats.zip", "cats.tar.gz", "cats", "cats.jpg"])
@pytest.mark.parametrize("way", ["zip", "tar", "gz"])
def test_it_is_taken_for_what_it_is(tmp_path: Path, way: str, name: str):
    """Whatever it is called."""
    content = zipped(pictures()) if way == "zip" else tarred(pictures(), way.replace("tar", ""))
    assert unpacked(tmp_path, content, name=name) == ["0.png", "0.txt", "1.png", "1.txt"]


def test_single_top_folders_are_entered_and_junk_is_left(tmp_path: Path):
    """What computers put into an archive by themselves is nobody's picture."""
    junk = {"__MACOSX/set/._0.png": b"x", "set/.DS_Store": b"x", "set/cats/._1.png": b"x", "Thumbs.db": b"x"}
    files = {**junk, **pictures("set/cats/")}
    assert unpacked(tmp_path, zipped(files)) == ["0.png", "0.txt", "1.png", "1.txt"]


OUTSIDE = ("../a.png", "a/../../b.png", "/etc/a.png", "C:/a.png", "a/..")


@pytest.mark.parametrize(
    ("way", "name"),
    [*(("zip", name) for name in (*OUTSIDE, "..\\a.png")), *(("tar", name) for name in OUTSIDE)],
)
def test_a_place_outside_is_refused(tmp_path: Path, name: str, way: str):
    """However it is written; only in a zip is a backslash no letter of a name."""
    content = zip_entry(name) if way == "zip" else tarred({name: b"x"})
    assert "a place outside" in refused(tmp_path, content).sentence


@pytest.mark.parametrize("mode", [LINK, DEVICE, PIPE])
def test_a_link_or_device_in_a_zip_is_refused(tmp_path: Path, mode: int):
    """A link's content is where it leads."""
    assert "a link or a device" in refused(tmp_path, zip_entry("a.png", b"/etc/passwd", mode=mode)).sentence


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE]
)
def test_a_link_or_device_in_a_tar_is_refused(tmp_path: Path, kind: bytes):
    """Also behind a good file, and a folder that is really a link."""
    entries = [(member("a.png"), b"x"), (member("b", kind, "/etc"), b""), (member("b/c.png"), b"x")]
    assert "'b', which is a link or a device" in refused(tmp_path, tar_of(entries)).sentence


def test_a_bomb_is_left_while_it_is_unpacked(tmp_path: Path):
    """A gigabyte of nothing in a megabyte, never on the disk and never in memory as a whole."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed, packed.open("a.png", "w") as file:
        for _ in range(200):
            file.write(bytes(1 << 20))
    tracemalloc.start()
    try:
        assert refused(tmp_path, out.getvalue()).sentence.startswith("cats.zip grows more than 100 times")
        assert tracemalloc.get_traced_memory()[1] < 30_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", ["a.png", ".DS_Store"])
def test_a_bomb_in_a_tar_is_left_also_where_it_would_be_skipped(tmp_path: Path, name: str):
    """What is skipped has to be decompressed all the same."""
    out = io.BytesIO()
    info = member(name)
    info.size = 1 << 34
    with gzip.GzipFile(fileobj=out, mode="w", compresslevel=1) as file:
        file.write(info.tobuf())
        for _ in range(150):
            file.write(bytes(1 << 20))
    assert "grows more than 100 times" in refused(tmp_path, out.getvalue()).sentence


def test_a_tars_long_name_of_a_gigabyte_is_not_read(tmp_path: Path):
    """Names beyond a hundred letters are read in one go by the module."""
    info = member("././@LongLink", tarfile.GNUTYPE_LONGNAME)
    info.size = 1 << 30
    assert "too long" in refused(tmp_path, info.tobuf() + bytes(4096)).sentence


def test_a_million_files_are_not_even_listed(tmp_path: Path):
    """By the size that the list says of itself, before it is read."""
    out = bytearray(zipped(pictures()))
    end = out.rfind(b"PK\5\6")
    out[end:end] = bytes(60_000_000)
    size, start = 60_000_000, end
    struct.pack_into("<HHLL", out, end + 60_000_000 + 8, 0xFFFF, 0xFFFF, size, start)
    assert "a list of files that is too long" in refused(tmp_path, bytes(out)).sentence


@pytest.mark.parametrize("way", ["zip", "tar"])
def test_too_many_files_or_too_large_are_refused(tmp_path: Path, way: str):
    """By what is counted, and by what would be accepted."""
    content = zipped(pictures()) if way == "zip" else tarred(pictures())
    for room in (Room(files=3), Room(bytes=200)):
        wrong = refused(tmp_path, content, room=room)
        assert "files" in wrong.sentence or "too large" in wrong.sentence
        assert wrong.help.startswith("Lastcall unpacks up to")


@pytest.mark.parametrize("way", ["zip", "tar", "gz"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_one_that_is_cut_off_is_refused(tmp_path: Path, way: str, share: float):
    """Half a data set would train, and nobody would know."""
    content = zipped(pictures()) if way == "zip" else tarred(pictures(), way.replace("tar", ""))
    cut = content[: int(len(content) * share)] if way != "tar" else content[: int(4096 * share)]
    assert refused(tmp_path, cut).sentence == "cats.zip is cut off or damaged."


def test_a_tar_that_is_damaged_in_its_middle_is_refused(tmp_path: Path):
    """The module takes the first header that makes no sense for the end of the archive."""
    content = bytearray(tarred(pictures()))
    at = content.find(b"1.png")
    content[at] ^= 0xFF
    assert refused(tmp_path, bytes(content)).sentence == "cats.zip is cut off or damaged."


def test_a_zip_with_other_contents_than_it_says_is_refused(tmp_path: Path):
    """Its own checksums are looked at."""
    content = bytearray(zip_entry("a.png", b"what it says"))
    content[content.find(b"what")] ^= 0xFF
    assert refused(tmp_path, bytes(content)).sentence == "cats.zip is cut off or damaged."


@pytest.mark.parametrize(
    "content",
    [b"", b"Rar!\x1a\x07\x00", b"7z\xbc\xaf\x27\x1c", lzma.compress(tarred(pictures())), pictures()["0.png"]],
)
def test_what_is_no_such_archive_is_refused(tmp_path: Path, content: bytes):
    """With what would be one."""
    wrong = refused(tmp_path, content)
    assert wrong.sentence == "cats.zip is no zip, tar or tar.gz." and "Attach a zip" in wrong.help


def test_a_gz_that_holds_no_tar_is_refused(tmp_path: Path):
    """A single compressed file is no data set."""
    assert refused(tmp_path, gzip.compress(b"no tar" * 500)).sentence == "cats.zip is cut off or damaged."


def test_a_password_and_an_unusual_way_are_refused(tmp_path: Path):
    """Neither can be unpacked in small pieces by us."""
    secret = bytearray(zip_entry("a.png"))
    for mark, at in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        secret[secret.find(mark) + at] |= 1
    assert refused(tmp_path, bytes(secret)).sentence == "cats.zip has a password."
    odd = zip_entry("a.png", way=zipfile.ZIP_LZMA)
    assert refused(tmp_path, odd).sentence == "cats.zip is packed in an unusual way."


def test_an_archive_of_folders_and_junk_holds_nothing(tmp_path: Path):
    """That is said, and no empty folder is left."""
    assert refused(tmp_path, zipped({"a/": b"", ".DS_Store": b"x"})).sentence == "cats.zip holds no files."


def test_names_of_all_the_world_are_kept_and_made_one_way(tmp_path: Path):
    """A Mac takes letters apart; image and caption stay a pair."""
    apart = unicodedata.normalize("NFD", "Käse 猫 🐈")
    found = unpacked(tmp_path, tarred({f"{apart}.png": b"x", f"{apart}.txt": b"x", "a\nb.png": b"x"}))
    assert found == ["Käse 猫 🐈.png", "Käse 猫 🐈.txt", "a_b.png"]


def test_names_that_are_taken_or_too_long_are_made_fit(tmp_path: Path):
    """Nothing overwrites anything."""
    long = "y" * 400
    files = [("a.png", b"1"), ("a.png", b"22"), (f"{long}.png", b"x"), (f"{long}.txt", b"x")]
    found = unpacked(tmp_path, tar_of([(member(name), content) for name, content in files]))
    assert found[:2] == ["a (2).png", "a.png"]
    assert [Path(name).suffix for name in found[2:]] == [".png", ".txt"]
    assert len({Path(name).stem for name in found[2:]}) == 1
    assert (tmp_path / "inbox/cats/a (2).png").read_bytes() == b"22"


def test_files_are_for_the_bots_own_user_only(tmp_path: Path):
    """Whatever the archive says of itself."""
    unpacked(tmp_path, zip_entry("a.png", mode=stat.S_IFREG | 0o6777))
    assert os.stat(tmp_path / "inbox/cats/a.png").st_mode & 0o7777 == 0o600  # noqa: PTH116 - mode alone
