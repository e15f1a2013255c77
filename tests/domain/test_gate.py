"""Gate 3 as values: what the probe said, against what was promised."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.gate import Needs, judge, read_probe
from bot.domain.rental import Check


def verdicts(checks: Iterable[Check]) -> set[str]:
    """Which verdicts a report has."""
    return {check.verdict for check in checks}


NEEDS = Needs(gpu="RTX 3090", count=1, vram_gb=24, ram_gb=16, disk_gb=30, driver_major=525)
GOOD: dict[str, str | None] = {
    "probe": "1",
    "user": "root",
    "mem_kb": str(64 << 20),
    "disk_free_kb": str(100 << 20),
    "inode_free": "5000000",
    "shm_kb": str(8 << 20),
    "cgroup_mem": "max",
    "python": "3.11",
    "net": "yes",
    "nvsmi_rc": "0",
    "gpu": "0, NVIDIA GeForce RTX 3090, GPU-1, 580.95.05, 24576, 24200",
    "cuda": "13.0",
    "end": "1",
}


def said(**changes: str | None) -> bytes:
    """The answer of a good machine, with other lines in it; None takes a line away."""
    values = {**GOOD, **changes}
    return "".join(f"{key}={value}\n" for key, value in values.items() if value is not None).encode()


def report(needs: Needs = NEEDS, **changes: str | None) -> dict[str, Check]:
    """Checks by name."""
    return {check.name: check for check in judge(read_probe(said(**changes)), needs)}


def test_a_machine_as_promised_passes_every_check():
    """Twelve of them, each with a sentence."""
    checks = report()
    assert verdicts(checks.values()) == {"PASS"}
    assert len(checks) == 12 and all(check.sentence.endswith(".") for check in checks.values())


CASES: list[tuple[str, str, dict[str, Any]]] = [
    ("GPU", "nvidia-smi is not installed", {"gpu": None, "nvsmi_rc": "127"}),
    ("GPU", "the driver is not loaded", {"gpu": None, "nvsmi_rc": "9"}),
    ("GPU", "nvidia-smi hangs", {"gpu": None, "nvsmi_rc": "124"}),
    ("GPU", "nvidia-smi ended with 77", {"gpu": None, "nvsmi_rc": "77"}),
    ("model", "It is a RTX 3060", {"gpu": "0, NVIDIA GeForce RTX 3060, GPU-1, 580.95, 24576, 24000"}),
    (
        "VRAM",
        "12 GB, and 24 GB were promised",
        {"gpu": "0, NVIDIA GeForce RTX 3090, GPU-1, 580.95, 12288, 12000"},
    ),
    ("driver", "older than 525", {"gpu": "0, NVIDIA GeForce RTX 3090, GPU-1, 470.10, 24576, 24000"}),
    ("disk", "30.0 GB are needed", {"disk_free_kb": "1000000"}),
    ("disk", "does not tell", {"disk_free_kb": "nan"}),
    ("disk", "does not tell", {"disk_free_kb": None}),
    ("inodes", "Only 10 more files", {"inode_free": "10"}),
    ("RAM", "16 GB are needed", {"mem_kb": str(8 << 20)}),
    ("RAM", "4.0 GB, and", {"cgroup_mem": str(4 << 30)}),
    ("Python", "No Python 3", {"python": "none"}),
    ("Python", "too old", {"python": "3.6"}),
    ("way in", "cut off", {"end": None}),
    ("way in", "cut off", {"probe": None}),
]


@pytest.mark.parametrize(("name", "words", "changes"), CASES)
def test_what_was_not_promised_fails_with_a_sentence_and_a_fix(
    name: str, words: str, changes: dict[str, Any]
):
    """The report ends with the first FAIL: it condemns the machine."""
    checks = judge(read_probe(said(**changes)), NEEDS)
    assert checks[-1].name == name and checks[-1].verdict == "FAIL"
    assert words in checks[-1].sentence and checks[-1].fix
    assert [check.verdict for check in checks].count("FAIL") == 1


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("model", {"gpu": "0, NVIDIA Quantum Toaster 9000, GPU-1, 580.95, 24576, 24000"}),
        ("VRAM", {"gpu": "0, NVIDIA GeForce RTX 3090, GPU-1, 580.95, [N/A], [N/A]"}),
        ("VRAM free", {"gpu": "0, NVIDIA GeForce RTX 3090, GPU-1, 580.95, 24576, 12000"}),
        ("RAM", {"mem_kb": None}),
        ("network", {"net": "no"}),
        ("shared memory", {"shm_kb": "65536"}),
    ],
)
def test_what_is_only_worth_a_note_lets_the_machine_pass(name: str, changes: dict[str, Any]):
    """A WARN is told and nothing more."""
    checks = report(**changes)
    assert checks[name].verdict == "WARN"
    assert verdicts(checks.values()) == {"PASS", "WARN"}


def test_a_vendors_rounding_of_memory_is_forgiven():
    """A card of 24 GB tells 22.5 and is one."""
    assert report(gpu="0, NVIDIA GeForce RTX 3090, GPU-1, 580.95, 23028, 23000")["VRAM"].verdict == "PASS"


def test_fewer_gpus_than_promised_fail():
    """Two were paid for."""
    assert "1 of 2" in judge(read_probe(said()), Needs(gpu="RTX 3090", count=2))[-1].sentence


def test_memory_without_a_limit_is_not_called_a_containers():
    """cgroup 1 writes a number near 2^63 where there is no limit."""
    assert "container" not in report(cgroup_mem="9223372036854771712")["RAM"].sentence
    assert "container" in report(cgroup_mem=str(32 << 30))["RAM"].sentence


def test_a_machine_without_a_gpu_is_judged_by_the_rest():
    """A recipe that allows CPU asks for none."""
    checks = report(Needs(ram_gb=1, disk_gb=1), gpu=None, nvsmi_rc="127")
    assert verdicts(checks.values()) == {"PASS"}
    assert "None is needed" in checks["GPU"].sentence


def test_banners_and_warnings_around_the_answer_are_passed_over():
    """Login scripts talk."""
    noise = b"Welcome to Ubuntu!\n * Support: https://example.org/?a=b\n\xff\xfe\n"
    assert verdicts(judge(read_probe(noise + said() + b"logout=now\n"), NEEDS)) == {"PASS"}


@given(st.binary(max_size=400))
def test_any_answer_can_be_judged(noise: bytes):
    """The machine is somebody else's, and so are its words."""
    for needs in (NEEDS, Needs()):
        for output in (noise, said(end=None) + noise, said(gpu=None) + b"gpu=" + noise):
            assert judge(read_probe(output), needs)


def test_an_endless_line_is_no_gpu():
    """Longer than any reader of tables takes."""
    assert read_probe(b"gpu=" + b"9" * 500_000).gpus == ()
