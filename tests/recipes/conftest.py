"""A drawn data set and one finished run, shared by the tests that only read them."""

from pathlib import Path

import pytest

from tests.recipes.tiny_lora_doors import STEPS, Finished, Trainer, draw_cats


@pytest.fixture(scope="session")
def cats(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small drawn data set, to be read only."""
    folder = tmp_path_factory.mktemp("data") / "cats"
    assert draw_cats(folder, "--count", "12", "--size", "32").returncode == 0
    return folder


@pytest.fixture
def trainer(cats: Path, tmp_path: Path) -> Trainer:
    """A trainer with nothing written yet."""
    return Trainer(cats, tmp_path)


@pytest.fixture(scope="session")
def finished(cats: Path, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """One uninterrupted run of STEPS steps, to be read only."""
    trainer = Trainer(cats, tmp_path_factory.mktemp("run"))
    done = trainer.run(steps=STEPS)
    assert done.returncode == 0, done.stderr
    return Finished(trainer, done.stdout, done.stderr)
