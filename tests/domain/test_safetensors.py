"""Is a safetensors file whole? Its own header tells."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import save

from bot.domain.safetensors import fault_of

WHOLE = save(
    {"lora.down": np.zeros((4, 4), np.float32), "lora.up": np.ones((4, 4), np.float32)}, {"steps": "3"}
)


@pytest.fixture(name="file")
def a_file(tmp_path: Path) -> Path:
    """Where the file under judgement lies."""
    return tmp_path / "lora.safetensors"


def _with(header: object) -> bytes:
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text


def test_a_file_that_the_real_library_wrote_is_whole(file: Path):
    """Metadata is no tensor."""
    file.write_bytes(WHOLE)
    assert fault_of(file) == ""


@pytest.mark.parametrize("kept", range(0, len(WHOLE), 7))
def test_a_file_that_is_cut_off_anywhere_is_not(file: Path, kept: int):
    """In the length, in the header, in the last tensor."""
    file.write_bytes(WHOLE[:kept])
    assert fault_of(file) != ""


def test_a_file_with_something_behind_it_is_not(file: Path):
    """Two writers in one file."""
    file.write_bytes(WHOLE + b"x")
    assert fault_of(file) != ""


@pytest.mark.parametrize(
    "content",
    [_with({}), _with({"__metadata__": {}}), _with([]), _with({"a": 1}), _with({"a": {"data_offsets": [0]}}),
     _with({"a": {"data_offsets": ["0", "x"]}}), b"\xff" * 8 + b"{}", b"PK\x03\x04 a zip file that was renamed"],
)  # fmt: skip
def test_what_has_no_sane_header_is_not(file: Path, content: bytes):
    """Each is told in a few words; none raises."""
    file.write_bytes(content)
    assert fault_of(file) != ""


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200))
def test_any_bytes_can_be_judged(file: Path, content: bytes):
    """What a trainer leaves is somebody else's."""
    file.write_bytes(content)
    assert isinstance(fault_of(file), str)


def test_another_kind_of_file_is_only_asked_not_to_be_empty(tmp_path: Path):
    """A loss table has no header."""
    table = tmp_path / "loss.csv"
    table.write_text("step,loss\n")
    assert fault_of(table) == ""
    table.write_text("")
    assert fault_of(table) == "it is empty"


def test_a_file_that_is_not_there_is_told(tmp_path: Path):
    """With the system's own word for it."""
    assert "cannot be read" in fault_of(tmp_path / "none.safetensors")
