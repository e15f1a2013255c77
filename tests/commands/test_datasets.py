"""Gate 1: what may be trained on, and in which words the rest is refused. Nothing is rented before it."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

import pytest
from PIL import Image

from bot.dataset import MOST_CAPTION_BYTES, survey
from bot.domain.errors import Refused
from bot.domain.recipe import Dataset
from bot.domain.rental import Ending
from bot.domain.talk import Kind
from tests.support.small_town import SmallTown

RULES = Dataset(min_images=2, max_images=50, min_side=32)


def put(
    folder: Path, name: str, caption: str | bytes | None = "a cat", size: int = 32, shade: int = 0
) -> Path:
    """An image with its caption."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    Image.new("RGB", (size, size), (shade, 40, 90)).save(path, "PNG")
    if caption is not None:
        path.with_suffix(".txt").write_bytes(caption if isinstance(caption, bytes) else caption.encode())
    return path


@pytest.fixture(name="cats")
def a_good_folder(tmp_path: Path) -> Path:
    """Two images with captions."""
    for number in range(2):
        put(tmp_path / "cats", f"{number}.png", shade=number)
    return tmp_path / "cats"


def refusal(folder: Path, rules: Dataset = RULES) -> Refused:
    """The sentence."""
    with pytest.raises(Refused) as caught:
        survey(folder, rules)
    assert caught.value.sentence.endswith(".")
    return caught.value


def test_a_good_folder_passes_with_its_digest(cats: Path):
    """The digest is of names, sizes and contents, so that any change is seen."""
    found = survey(cats, RULES)
    assert (found.images, len(found.pieces), found.warnings) == (2, 4, ())
    assert found.sha256 == survey(cats, RULES).sha256
    (cats / "0.txt").write_text("another cat")
    assert survey(cats, RULES).sha256 != found.sha256


def test_other_files_stay_at_home(cats: Path):
    """Notes, hidden files, a caption without an image, a folder with the name of an image."""
    for name in (".DS_Store", "notes.md", "alone.txt", "model.safetensors"):
        (cats / name).write_text("x")
    (cats / "folder.png").mkdir()
    assert {piece.name for piece in survey(cats, RULES).pieces} == {"0.png", "0.txt", "1.png", "1.txt"}


@pytest.mark.parametrize(
    "name",
    [
        "two words.png",
        'it\'s "quoted".png',
        "new\nline.png",
        "a..dots..png",
        "-rf.png",
        "$(reboot).png",
        "ümläut 猫.png",
        "%s.png",
    ],
)
def test_a_name_is_only_a_name(cats: Path, name: str):
    """Spaces, quotes, newlines, dots and what a shell would do with it."""
    put(cats, name, shade=9)
    assert name in {piece.name for piece in survey(cats, RULES).pieces}


async def test_names_of_all_kinds_travel_and_are_trained_on(town: SmallTown):
    """From the folder to the machine and back to a closed tab."""
    for number, name in enumerate(("two words.png", "new\nline.png", 'it\'s "so".png', "a..b.png")):
        put(town.images, name, shade=50 + number)
    tab = await town.rent()
    assert (await town.until_closed(tab)).ending is Ending.DONE
    sent = {name.removeprefix("data/") for name in town.world.ever()[0].files if name.startswith("data/")}
    assert {"new\nline.png", "new\nline.txt", "a..b.png"} <= sent


def test_a_name_that_is_not_utf8_is_refused(cats: Path):
    """Most trainers break on it in the middle."""
    put(cats, os.fsdecode(b"caf\xe9.png"))
    assert "is not UTF-8" in refusal(cats).sentence


def test_no_such_folder(tmp_path: Path):
    """With the path that was looked for."""
    error = refusal(tmp_path / "dogs")
    assert "dogs" in error.sentence and "data" in error.help


def test_a_file_is_no_folder(cats: Path):
    """The image itself was named."""
    assert "is no folder" in refusal(cats / "0.png").sentence


def test_an_empty_folder(tmp_path: Path):
    """And which files would do."""
    error = refusal(tmp_path)
    assert "holds no images" in error.sentence and "jpg, jpeg, png" in error.help


def test_too_few_and_too_many_images(cats: Path):
    """With the numbers."""
    assert (
        "holds 2 images; this recipe takes 3 to 50"
        in refusal(cats, Dataset(min_images=3, max_images=50)).sentence
    )
    assert "this recipe takes 1 to 1" in refusal(cats, Dataset(max_images=1)).sentence


def test_missing_captions_are_counted_and_named(cats: Path):
    """The first few by name."""
    for number in range(5):
        put(cats, f"new{number}.png", caption=None)
    error = refusal(cats)
    assert "5 of 7 images have no caption" in error.sentence and "and 2 more" in error.sentence


@pytest.mark.parametrize(
    ("caption", "words"),
    [
        ("", "is empty"),
        ("  \n", "is empty"),
        (b"\xff\xfe\x00", "is not UTF-8"),
        ("x" * (MOST_CAPTION_BYTES + 1), "longer than 64 KiB"),
    ],
    ids=["empty", "blank", "not utf-8", "endless"],
)
def test_captions_that_are_none(cats: Path, caption: str | bytes, words: str):
    """Each named with what is wrong."""
    put(cats, "new.png", caption)
    error = refusal(cats)
    assert "'new.txt'" in error.sentence and words in error.sentence


def test_a_caption_with_a_byte_order_mark_is_fine(cats: Path):
    """Windows writes them."""
    put(cats, "new.png", b"\xef\xbb\xbfa cat")
    assert survey(cats, RULES).images == 3


@pytest.mark.parametrize("content", [b"", b"not an image", "cut"], ids=["empty", "text", "cut off"])
def test_broken_images_are_named(cats: Path, content: bytes | str):
    """Opened to their last pixel, before a machine is rented for them."""
    path = put(cats, "new.png", size=256)
    path.write_bytes(path.read_bytes()[:-40] if content == "cut" else content)
    assert "'new.png' is no image that can be read" in refusal(cats).sentence


def test_an_image_that_is_a_bomb_is_refused_unopened(cats: Path):
    """A header that claims gigapixels."""
    path = put(cats, "new.png")
    raw = bytearray(path.read_bytes())
    raw[16:24] = struct.pack(">II", 60000, 60000)
    raw[29:33] = struct.pack(">I", zlib.crc32(raw[12:29]))
    path.write_bytes(raw)
    assert "megapixels" in refusal(cats).sentence


def test_small_images_and_twins_are_noted_and_trained_on(cats: Path):
    """A warning is no refusal."""
    put(cats, "small.png", size=16, shade=7)
    put(cats, "twin.png", shade=0)
    small, twins = survey(cats, RULES).warnings
    assert "1 images are smaller than 32 pixels: 'small.png'" in small
    assert "1 images are there twice: 'twin.png'" in twins


def test_two_images_of_one_caption_are_refused(cats: Path):
    """Also where only the case differs: the machine's disk may not tell them apart."""
    put(cats, "0.jpg", caption=None)
    assert "would share one caption" in refusal(cats).sentence
    (cats / "0.jpg").unlink()
    put(cats, "CAT.png")
    put(cats, "cat.png", shade=3)
    assert "would share one caption" in refusal(cats).sentence


@pytest.mark.parametrize("target", ["/etc/passwd", "../secret.txt", "nowhere"])
def test_a_link_out_of_the_folder_is_never_followed(cats: Path, target: str):
    """Nothing that was not meant leaves the house."""
    (cats.parent / "secret.txt").write_text("secret")
    put(cats, "new.png", caption=None)
    (cats / "new.txt").symlink_to(target)
    assert "is a link that lea" in refusal(cats).sentence


def test_a_link_within_the_folder_is_a_file(cats: Path):
    """One caption for two images."""
    put(cats, "new.png", caption=None, shade=5)
    (cats / "new.txt").symlink_to("0.txt")
    assert survey(cats, RULES).images == 3


def test_a_folder_that_is_a_link_itself_is_the_folder_it_leads_to(cats: Path):
    """The person named it."""
    link = cats.parent / "link"
    link.symlink_to(cats)
    assert survey(link, RULES).images == 2


AS_NOBODY = """
import os, sys
from pathlib import Path
from PIL import Image
from bot.dataset import survey
from bot.domain.errors import Refused
from bot.domain.recipe import Dataset
Image.init()
os.setgid(65534); os.setuid(65534)
try:
    survey(Path(sys.argv[1]), Dataset())
except Refused as error:
    print(error.sentence)
"""


@pytest.mark.parametrize("locked", [".", "0.png", "0.txt"])
def test_what_may_not_be_read_is_told_with_its_name(locked: str):
    """Root may read everything, so that root becomes nobody for this."""
    with tempfile.TemporaryDirectory() as made:
        cats = Path(made)
        cats.chmod(0o755)
        put(cats, "0.png")
        (cats / locked).chmod(0o311 if locked == "." else 0o000)
        if os.getuid() == 0:
            (cats / locked).chmod(0o700 if locked == "." else 0o600)
            argv = [sys.executable, "-c", AS_NOBODY, made]
            said = subprocess.run(argv, capture_output=True, text=True, check=False)
            sentence = said.stdout or said.stderr
        else:
            sentence = refusal(cats).sentence
        cats.chmod(0o700)
    assert "may not be read by Lastcall" in sentence


# --- through the desk ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("data ./nothing", "There is no folder"),
        ('data ""', ""),
        ("data ~nobody-of-that-name/x", "There is no such home folder"),
        ("data ./images/0.png", "is no folder"),
        ("data " + "x" * 1500, "cannot be read"),
    ],
)
async def test_the_desk_refuses_before_anything_is_rented(town: SmallTown, words: str, sentence: str):
    """In one sentence, and nothing is opened."""
    reply = await town.ask(f"train tiny-lora quick on world {words}")
    assert reply.kind in (Kind.REFUSED, Kind.MISUNDERSTOOD) and sentence in reply.title
    assert not await town.life.store.rentals.open_ones()


async def test_notes_about_the_images_are_told_with_the_answer(town: SmallTown):
    """Where the person reads."""
    put(town.images, "small.png", size=8)
    reply = await town.ask("train tiny-lora quick on world data ./images steps=8")
    assert any("smaller than 32 pixels" in line for line in reply.lines)


async def test_without_a_data_set_the_recipes_own_sample_is_used_and_said(town: SmallTown):
    """A newcomer has no images yet."""
    reply = await town.ask("train tiny-lora quick on world steps=8")
    assert reply.rental and any("own sample is used" in line for line in reply.lines)
