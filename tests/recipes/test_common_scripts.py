"""What recipes send along to machines: captions as one tool reads them, and whether a model in folders is whole."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from adapters.simulators.training import tiny_safetensors

COMMON = Path(__file__).parents[2] / "recipes" / "common"


def run(script: str, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """As a machine does."""
    command = [sys.executable, str(COMMON / script), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_captions_become_metadata_and_the_trainer_takes_over(tmp_path: Path):
    """Images alone lie beside ``metadata.jsonl``, each with its own words; made anew each time."""
    data, folder = tmp_path / "data", tmp_path / "captioned"
    data.mkdir()
    for name, text in (("a.png", "a cat, ginger"), ("b.JPG", 'says "miau" ü')):
        (data / name).write_bytes(b"picture")
        (data / name).with_suffix(".txt").write_text(text + "\n", encoding="utf-8")
    (data / "notes.md").write_text("not sent")
    trainer = (sys.executable, "-c", "import sys; print('trainer', sys.argv[1:])", "--rank=4")
    for _ in range(2):
        done = run("with_metadata.py", data, folder, *trainer)
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines() == ["captions of 2 images written", "trainer ['--rank=4']"]
        assert {one.name for one in folder.iterdir()} == {"a.png", "b.JPG", "metadata.jsonl"}
    lines = (folder / "metadata.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == [
        {"file_name": "a.png", "text": "a cat, ginger"},
        {"file_name": "b.JPG", "text": 'says "miau" ü'},
    ]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A small repository in folders, whole."""
    folder = tmp_path / "model"
    parts = {
        "unet": ["d", "U"],
        "vae": ["d", "V"],
        "scheduler": ["d", "S"],
        "feature_extractor": [None, None],
    }
    for name in ("unet", "vae", "scheduler"):
        (folder / name).mkdir(parents=True)
        if name != "scheduler":
            (folder / name / "config.json").write_text("{}")
            (folder / name / "one.safetensors").write_bytes(tiny_safetensors())
    (folder / "unet" / "two.safetensors").write_bytes(tiny_safetensors(1))
    index = {"weight_map": {"a": "one.safetensors", "b": "two.safetensors"}}
    (folder / "unet" / "diffusion.safetensors.index.json").write_text(json.dumps(index))
    (folder / "model_index.json").write_text(json.dumps({"_class_name": "P", **parts}))
    return folder


def test_a_model_in_folders_that_is_whole_passes_its_check(model: Path):
    """By what its own indexes name."""
    assert run("fetch_repo.py", "https://huggingface.co/a/b", model, "*", "--check").returncode == 0


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("model_index.json", None, "model_index.json is missing"),
        ("unet/two.safetensors", None, "unet/two.safetensors is missing"),
        ("unet/two.safetensors", tiny_safetensors()[:-3], "is cut off"),
        ("vae/one.safetensors", None, "vae is missing"),
        ("vae/one.safetensors", b"", "missing or empty"),
    ],
)
def test_a_model_in_folders_that_lacks_something_does_not(
    model: Path, file: str, content: bytes | None, said: str
):
    """What was interrupted is fetched again, and said."""
    (model / file).unlink()
    if content is not None:
        (model / file).write_bytes(content)
    done = run("fetch_repo.py", "https://huggingface.co/a/b", model, "*", "--check")
    assert done.returncode == 1 and said in done.stdout
