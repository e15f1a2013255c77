"""The sample data set: drawn here, always the same, and its captions are true."""

import hashlib
from pathlib import Path

import pytest
from PIL import Image

from tests.recipes.tiny_lora_doors import draw_cats, leftovers

GROUNDS = {
    "blue": (86, 152, 224),
    "green": (112, 186, 108),
    "yellow": (250, 212, 92),
    "purple": (152, 110, 200),
    "red": (214, 84, 78),
    "teal": (58, 164, 160),
}
FURS = {
    "orange": (238, 142, 52),
    "grey": (148, 154, 166),
    "black": (52, 50, 60),
    "white": (246, 242, 234),
    "brown": (142, 94, 62),
    "pink": (244, 158, 184),
}


def contents(folder: Path) -> dict[str, str]:
    """File name -> hash."""
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.iterdir()}


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data set as it comes, to be read only."""
    folder = tmp_path_factory.mktemp("drawn") / "cats"
    assert draw_cats(folder).returncode == 0
    return folder


def nearest(colour: tuple[int, ...], named: dict[str, tuple[int, int, int]]) -> str:
    """The name of the colour that is most like `colour`."""

    def distance(name: str) -> int:
        return sum((a - b) ** 2 for a, b in zip(colour, named[name], strict=True))

    return min(named, key=distance)


def test_it_is_a_flat_folder_of_pictures_each_with_a_caption(drawn: Path) -> None:
    """By default: 24 RGB pictures of 64 x 64, a UTF-8 caption beside each, and nothing else."""
    pictures = sorted(drawn.glob("*.png"))
    assert len(pictures) == 24
    assert {p.name for p in drawn.iterdir()} == {name for p in pictures for name in (p.name, f"{p.stem}.txt")}
    for picture in pictures:
        with Image.open(picture) as image:
            assert (image.size, image.mode) == ((64, 64), "RGB")
        assert picture.with_suffix(".txt").read_text("utf-8").startswith("ohwx cat, ")


def test_the_captions_tell_the_colours_that_are_in_the_pictures(drawn: Path) -> None:
    """The corner has the background's colour and the brow the fur's, as the caption says."""
    for picture in drawn.glob("*.png"):
        _, fur, ground, *rest = picture.with_suffix(".txt").read_text().strip().split(", ")
        with Image.open(picture) as image:
            corner, brow = image.getpixel((1, 62)), image.getpixel((45, 22))
        assert isinstance(corner, tuple)
        assert isinstance(brow, tuple)
        assert f"on a {nearest(corner, GROUNDS)} background" == ground
        assert nearest(brow, FURS) == fur
        assert rest, "every cat has something more to say about it"


def test_no_two_cats_are_the_same(drawn: Path) -> None:
    """Pictures and captions are all different, so there is something to learn from each."""
    assert len(set(contents(drawn).values())) == 48


def test_the_same_seed_draws_the_same_bytes(drawn: Path, tmp_path: Path) -> None:
    """Two runs agree byte for byte; another seed draws other cats."""
    assert draw_cats(tmp_path / "again").returncode == 0
    assert contents(tmp_path / "again") == contents(drawn)
    assert draw_cats(tmp_path / "other", "--seed", "8").returncode == 0
    assert contents(tmp_path / "other") != contents(drawn)


def test_count_and_size_are_obeyed(tmp_path: Path) -> None:
    """More cats than colour pairs still have names of their own, at the size asked for."""
    assert draw_cats(tmp_path / "many", "--count", "40", "--size", "16").returncode == 0
    assert len(list((tmp_path / "many").glob("*.png"))) == 40
    with Image.open(tmp_path / "many" / "cat_039.png") as image:
        assert image.size == (16, 16)


def test_a_complete_data_set_is_left_alone(tmp_path: Path) -> None:
    """A second run says that all is there, changes no file and succeeds."""
    folder = tmp_path / "cats"
    draw_cats(folder, "--count", "2")
    before = {p: p.stat().st_mtime_ns for p in folder.iterdir()}
    again = draw_cats(folder, "--count", "2")
    assert (again.returncode, "already complete" in again.stdout) == (0, True)
    assert {p: p.stat().st_mtime_ns for p in folder.iterdir()} == before


def test_a_folder_with_other_files_is_never_overwritten(tmp_path: Path) -> None:
    """Somebody's own files stay as they are; the refusal is one sentence and leaves no rest."""
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "cat_000.png").write_text("my own cat")
    refused = draw_cats(folder)
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1
    assert "holds other files" in refused.stderr
    assert [p.read_text() for p in folder.iterdir()] == ["my own cat"]
    assert leftovers(tmp_path) == []


def test_an_odd_folder_name_works(tmp_path: Path) -> None:
    """Spaces, quotes, newlines and letters of any script are plain names."""
    folder = tmp_path / "new" / 'the cat\'s "best"\nphotos 猫'
    assert draw_cats(folder, "--count", "1").returncode == 0
    assert {p.name for p in folder.iterdir()} == {"cat_000.png", "cat_000.txt"}


@pytest.mark.parametrize("wrong", [("--count", "0"), ("--size", "9"), ("--seed", "x"), ("--dogs",)])
def test_wrong_arguments_are_refused(tmp_path: Path, wrong: tuple[str, ...]) -> None:
    """A value out of bounds ends with 2 and without a traceback, and draws nothing."""
    refused = draw_cats(tmp_path / "cats", *wrong)
    assert refused.returncode == 2
    assert "Traceback" not in refused.stderr
    assert list(tmp_path.iterdir()) == []
