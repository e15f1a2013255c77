"""What a tiny-lora run says when it cannot: one sentence, an exit code of its own kind, nothing half-written."""

import json
import math
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.recipes.tiny_lora_doors import Trainer, leftovers, read_header, run

WRONG_VALUES = [
    ({"setps": 3}, "unknown configuration key 'setps'"),
    ({"steps": "3"}, "'steps' must be a whole number"),
    ({"steps": True}, "'steps' must be a whole number"),
    ({"steps": 0}, "'steps' must be a whole number from 1 to 100000, not 0"),
    ({"rank": 129}, "'rank' must be a whole number from 1 to 128, not 129"),
    ({"learning_rate": math.nan}, "'learning_rate' must be a number"),
    ({"alpha": 0}, "'alpha' must be a number"),
    ({"resolution": 33}, "'resolution' must be a multiple of 8"),
    ({"data_dir": 7}, "'data_dir' must be text"),
    ({"output_name": "../cats"}, "'output_name' must be a plain file name"),
    ({"output_name": ".cats"}, "'output_name' must be a plain file name"),
    ({"output_name": "x" * 201}, "'output_name' is longer than 200 bytes"),
    ({"output_name": "\ud800"}, "'output_name' holds characters that are no text"),
]


def assert_refused(done: "subprocess.CompletedProcess[str]", code: int, sentence: str) -> None:
    """The exit code, and the sentence in the last line without a traceback."""
    assert done.returncode == code, done.stderr
    assert sentence in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("wrong", "sentence"), WRONG_VALUES)
def test_a_wrong_value_is_named(trainer: Trainer, wrong: dict[str, Any], sentence: str) -> None:
    """Unknown keys, wrong types and values out of bounds end with 2 before anything is written."""
    refused = trainer.run(**wrong)
    assert_refused(refused, 2, sentence)
    assert refused.stderr.count("\n") == 1
    assert not trainer.output.exists()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b"{", "not valid JSON"),
        (b"[" * 100_000, "not valid JSON"),
        (b"[]", "must be a JSON object"),
        (b"{}", "'data_dir' is missing"),
        (b'{"steps": 1, "steps": 2}', "'steps' is there twice"),
        (b"\xff\xfe", "not UTF-8"),
        (None, "cannot read the configuration: No such file or directory"),
    ],
)
def test_a_file_that_is_no_configuration_is_refused(
    trainer: Trainer, tmp_path: Path, text: bytes | None, sentence: str
) -> None:
    """Whatever is in the file, the answer is a sentence and 2."""
    path = tmp_path / "config"
    if text is not None:
        path.write_bytes(text)
    assert_refused(run(trainer.command_for(path)), 2, sentence)


def spoil(data: Path, how: str) -> None:
    """Make a data set wrong in one way."""
    picture, caption = data / "cat_003.png", data / "cat_003.txt"
    match how:
        case "no caption":
            caption.unlink()
        case "empty caption":
            caption.write_text(" \n")
        case "caption in Latin-1":
            caption.write_bytes("ohwx café".encode("latin-1"))
        case "cut picture":
            picture.write_bytes(picture.read_bytes()[:400])
        case "text as picture":
            picture.write_text("not a picture")
        case "empty picture":
            picture.write_bytes(b"")
        case "folder as picture":
            picture.unlink()
            picture.mkdir()
        case "two of a name":
            shutil.copy(picture, data / "cat_003.jpg")


@pytest.mark.parametrize(
    ("how", "sentence"),
    [
        ("no caption", "caption file not found: cat_003.txt"),
        ("empty caption", "caption cat_003.txt is empty"),
        ("caption in Latin-1", "caption cat_003.txt is not UTF-8"),
        ("cut picture", "cannot identify image file cat_003.png"),
        ("text as picture", "cannot identify image file cat_003.png"),
        ("empty picture", "cannot identify image file cat_003.png"),
        ("folder as picture", "cannot read image cat_003.png"),
        ("two of a name", "cat_003.jpg and cat_003.png would share one caption"),
    ],
)
def test_a_fault_in_the_data_names_the_file(trainer: Trainer, how: str, sentence: str) -> None:
    """The owner of the data can act on the sentence alone; the exit code is 3."""
    data = trainer.folder / "data"
    shutil.copytree(trainer.data, data)
    spoil(data, how)
    assert_refused(Trainer(data, trainer.folder / "run").run(), 3, sentence)


def test_no_images_and_no_folder_are_faults_of_the_data(trainer: Trainer) -> None:
    """An empty folder, and one that is not there, end with 3 as well."""
    empty = trainer.folder / "empty"
    empty.mkdir()
    (empty / "._cat.png").write_text("another program's own")
    assert_refused(Trainer(empty, trainer.folder / "a").run(), 3, "no images (png, jpg, jpeg, webp)")
    assert_refused(Trainer(empty / "gone", trainer.folder / "b").run(), 3, "cannot read the data folder")


def test_a_loss_that_is_not_finite_ends_the_run(trainer: Trainer) -> None:
    """With an absurd learning rate the run ends with 4 and a hint, and no LoRA of it is written."""
    failed = trainer.run(steps=30, learning_rate=1e6, alpha=1024, rank=1)
    assert_refused(failed, 4, "lower the learning rate")
    assert list(trainer.output.glob("*.safetensors")) == []


@pytest.mark.parametrize("name", ['a "cat\'s" photo', "two\nlines 猫 ñ", "-rf $(x) `y` *? 100% {} \\"])
def test_odd_names_are_plain_names(trainer: Trainer, name: str) -> None:
    """Spaces, quotes, newlines and any script work for pictures, folders and the output."""
    data = trainer.folder / name / "data"
    data.mkdir(parents=True)
    shutil.copy(trainer.data / "cat_001.png", data / f"{name}.PNG")
    (data / f"{name}.txt").write_text(f"ohwx {name}")
    odd = Trainer(data, trainer.folder / name / "run")
    done = odd.run(output_name=name, save_every=2)
    assert done.returncode == 0, done.stderr
    assert read_header(odd.output / f"{name}.safetensors")["__metadata__"]["ss_output_name"] == name
    state = odd.output / f"{name}-step00000002-state"
    assert odd.run("--resume", state, output_name=name).returncode == 0
    saved = [line for line in done.stdout.splitlines() if line.startswith("saving checkpoint: ")]
    assert all(line.endswith(".safetensors") for line in saved), "a name never breaks a line"


def limited(command: list[str]) -> "subprocess.CompletedProcess[str]":
    """Run where no file can grow beyond 200 kB or so, which a LoRA does."""
    return run(["sh", "-c", 'ulimit -f 200 && exec "$@"', "sh", *command])


def test_a_full_disk_leaves_no_half_file(trainer: Trainer) -> None:
    """Where a file cannot be written to its end, the run ends with 5 and takes back its beginning."""
    full = limited(trainer.command(save_every=2))
    assert_refused(full, 5, "No space left on device")
    assert [path for path in trainer.output.rglob("*") if path.is_file()] == []


def test_a_disk_that_fills_up_later_keeps_what_was_saved(trainer: Trainer) -> None:
    """The checkpoint of before stays whole and resumes; the state that did not fit is gone altogether."""
    assert trainer.run(steps=2, save_every=1).returncode == 0
    before = {path: path.stat().st_size for path in trainer.output.rglob("*") if path.is_file()}
    state = trainer.output / "cats-step00000002-state"
    assert_refused(limited(trainer.command("--resume", state, save_every=1)), 5, "No space left on device")
    assert leftovers(trainer.output) == []
    assert {path: path.stat().st_size for path in before} == before
    assert trainer.run("--resume", state).returncode == 0


def own_disk() -> list[str] | None:
    """A command prefix that gives a program a private mount table; None where it is not allowed."""
    prefix = ["unshare", "--user", "--map-root-user", "--mount"]
    try:
        probe = run(
            [*prefix, "sh", "-c", 'd=$(mktemp -d) && mount -t tmpfs none "$d"; e=$?; rmdir "$d"; exit $e']
        )
    except FileNotFoundError:
        return None
    return prefix if probe.returncode == 0 else None


def test_a_disk_without_room_is_called_by_its_name(trainer: Trainer) -> None:
    """On a real file system of 1.5 MB, the state does not fit: the system's own words, and nothing hidden left."""
    prefix = own_disk()
    if prefix is None:
        pytest.skip("no private mounts for this user")
    command = trainer.command(save_every=2)
    trainer.output.mkdir()
    script = 'mount -t tmpfs -o size=1500k none "$0" && "$@"; code=$?; find "$0" -name ".*"; exit $code'
    full = run([*prefix, "sh", "-c", script, str(trainer.output), *command])
    assert_refused(full, 5, "No space left on device")
    assert "state: No space left" in full.stderr
    assert ".part" not in full.stdout


def test_an_output_that_cannot_be_made_is_refused_at_once(trainer: Trainer) -> None:
    """A file where the folder should be is found before the training, not after it."""
    trainer.output.write_text("in the way")
    refused = trainer.run()
    assert_refused(refused, 5, f"cannot write {trainer.output}")
    assert "training starts" not in refused.stderr


def test_a_log_that_cannot_be_written_is_no_traceback(trainer: Trainer) -> None:
    """With its log on a full disk the run ends with 5, quietly if it must."""
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(trainer.command(), stdout=full, stderr=subprocess.PIPE, timeout=60)
    assert_refused(
        subprocess.CompletedProcess([], done.returncode, "", done.stderr.decode()), 5, "cannot write the log"
    )
    assert json.loads((trainer.folder / "config.json").read_text())
