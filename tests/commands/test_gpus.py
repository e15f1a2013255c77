"""GPU names: one model, or a question; never a guess between two prices."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain import gpus
from bot.domain.gpus import CATALOGUE, Ambiguous, GpuModel, Unknown, covers, find, normalise, slug


def name(text: str) -> str:
    found = find(text)
    assert isinstance(found, GpuModel), (text, found)
    return found.name


def choices(text: str) -> list[str]:
    found = find(text)
    assert isinstance(found, Ambiguous), (text, found)
    return [each.name for each in found.candidates]


@pytest.mark.parametrize(
    "text",
    ["3090", "rtx-3090", "RTX 3090", "rtx3090", "RTX_3090", "  rtx   3090 ", "NVIDIA GeForce RTX 3090"],
)
def test_every_spelling_of_the_3090_is_the_plain_3090(text):
    """The plain number is the plain card, however it is written."""
    assert name(text) == "RTX 3090"


@pytest.mark.parametrize(
    ("text", "model"),
    [
        ("3090ti", "RTX 3090 Ti"),
        ("3090 ti", "RTX 3090 Ti"),
        ("4070 ti super", "RTX 4070 Ti SUPER"),
        ("4080s", "RTX 4080 SUPER"),
        ("4090d", "RTX 4090 D"),
        ("1660 ti", "GTX 1660 Ti"),
        ("a100-80", "A100 80GB"),
        ("a100 80gb", "A100 80GB"),
        ("A100-SXM4-40GB", "A100 SXM 40GB"),
        ("h100 sxm", "H100 SXM"),
        ("h100-pcie", "H100 PCIe"),
        ("h100 nvl", "H100 NVL"),
        ("a6000", "RTX A6000"),
        ("6000 ada", "RTX 6000 Ada"),
        ("pro 6000", "RTX PRO 6000"),
        ("v100-32", "V100 32GB"),
        ("l40s", "L40S"),
        ("t4", "T4"),
        ("gh200", "GH200"),
        ("mi300x", "MI300X"),
        ("4090 laptop", "RTX 4090 Laptop"),
    ],
)
def test_what_people_type_is_one_model(text, model):
    """Spelling is free where only one model can be meant."""
    assert name(text) == model


@pytest.mark.parametrize(
    ("text", "models"),
    [
        ("a100", ["A100 40GB", "A100 80GB"]),
        ("a100 sxm", ["A100 SXM 40GB", "A100 SXM 80GB"]),
        ("h100", ["H100 SXM", "H100 PCIe", "H100 NVL"]),
        ("h100 80gb", ["H100 SXM", "H100 PCIe"]),
        ("v100", ["V100 32GB", "V100 16GB"]),
        ("rtx 6000", ["RTX A6000", "RTX 6000 Ada", "RTX PRO 6000", "Quadro RTX 6000"]),
    ],
)
def test_a_name_of_several_prices_is_asked_about(text, models):
    """A family is no model: the candidates cost different amounts per hour."""
    assert choices(text) == models


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("3091", "RTX 3090"),
        ("3900", "RTX 3090"),
        ("rtx 1660", "GTX 1660"),
        ("banana", ""),
        ("", ""),
        ("3090 48gb", ""),
    ],
)
def test_an_unknown_name_gets_the_nearest_only_when_it_is_near(text, near):
    """A slip of one digit is worth a suggestion, another word is not."""
    assert find(text) == Unknown(near)


@pytest.mark.parametrize(
    ("reported", "model"),
    [
        ("NVIDIA GeForce RTX 3090", "RTX 3090"),
        ("NVIDIA GeForce RTX 3080TI", "RTX 3080 Ti"),
        ("NVIDIA A100-SXM4-80GB", "A100 SXM 80GB"),
        ("NVIDIA A100 80GB PCIe", "A100 PCIe 80GB"),
        ("NVIDIA A100-PCIE-40GB", "A100 PCIe 40GB"),
        ("NVIDIA H100 80GB HBM3", "H100 SXM"),
        ("NVIDIA H100 PCIe", "H100 PCIe"),
        ("NVIDIA H200", "H200"),
        ("NVIDIA GH200 480GB", "GH200"),
        ("Tesla T4", "T4"),
        ("Tesla V100-SXM2-32GB", "V100 32GB"),
        ("NVIDIA  A30", "A30"),
        ("RTX A6000", "RTX A6000"),
        ("NVIDIA RTX 4000 Ada Generation", "RTX 4000 Ada"),
        ("NVIDIA RTX PRO 6000 Blackwell Workstation Edition", "RTX PRO 6000 Workstation"),
        ("AMD Instinct MI300X OAM", "MI300X"),
        ("A100 (40 GB SXM4)", "A100 SXM 40GB"),
        ("H100 (80 GB SXM5)", "H100 SXM"),
        ("RTX 4070S Ti", "RTX 4070 Ti SUPER"),
        ("NVIDIA GeForce RTX 4090 Laptop GPU", "RTX 4090 Laptop"),
        ("Apple M2 Max", "Apple M2 Max"),
    ],
)
def test_what_drivers_and_vendors_report_is_brought_to_the_same_names(reported, model):
    """Names seen in NVML, nvidia-smi and the vendors' listings."""
    assert normalise(reported) == model


def test_memory_decides_where_a_vendor_leaves_it_out_of_the_name():
    """The same name is sold with 40 and 80 GB; reported memory is a little below what is advertised."""
    assert normalise("A100 PCIE") is None
    assert normalise("A100 PCIE", 79.3) == "A100 PCIe 80GB"
    assert normalise("A100 SXM4", 39.4) == "A100 SXM 40GB"
    assert normalise("RTX 6000", 23.6) == "Quadro RTX 6000"


@pytest.mark.parametrize(
    "reported",
    ["NVIDIA A100-SXM4-40GB MIG 1g.5gb", "NVIDIA A10-24Q", "GRID A100D-40C", "unknown", "", "Intel Arc"],
)
def test_a_slice_of_a_card_is_not_the_card(reported):
    """MIG and vGPU slices are other things at other prices; what is not known for sure is None."""
    assert normalise(reported) is None


def test_a_canonical_name_is_understood_as_itself_in_every_way_it_is_shown():
    """Names, their one-word form and what a driver would report agree for the whole catalogue."""
    for each in CATALOGUE:
        assert find(each.name) == each
        assert find(slug(each.name)) == each
        assert normalise(each.name) == each.name
        assert gpus.model(each.name) == each
        assert all(gpus.model(other) for other in each.covers)


def test_a_name_without_its_form_covers_both_forms_and_not_the_other_way_round():
    """Who asks for an A100 of 80 GB takes either form; who asks for SXM gets SXM."""
    assert covers("A100 80GB", "A100 SXM 80GB")
    assert covers("A100 80GB", "A100 80GB")
    assert not covers("A100 SXM 80GB", "A100 80GB")
    assert not covers("A100 80GB", "A100 SXM 40GB")
    assert not covers("RTX 3090", "RTX 3090 Ti")


@given(st.text(max_size=200))
def test_no_text_breaks_it(text):
    """Any text is a model, several, or none."""
    assert isinstance(find(text), GpuModel | Ambiguous | Unknown)
    assert normalise(text) is None or gpus.model(str(normalise(text)))
