"""Local or cloud, from the GPU that is really there."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.advice import Fit, advise
from bot.domain.hardware import Gpu, GpuKind, Hardware
from bot.domain.money import ZERO, Usd
from bot.domain.recipe import Recipe, Requirements
from bot.domain.vendor import Profile

CLOUD = Profile(
    family="cloud", title="Cloud", best_for="", gpu_options="", price_range="", ease="",
    example_gpu="RTX 3090", example_hourly=Usd.of("0.20"), boot=timedelta(minutes=3),
)  # fmt: skip
OWN = replace(CLOUD, family="home", title="Home", example_gpu="", example_hourly=ZERO, owned=True)
SMALL_CARD = replace(
    CLOUD, family="tiny", title="Tiny", example_gpu="RTX 3050", example_hourly=Usd.of("0.05")
)
DEAR = replace(CLOUD, family="dear", title="Dear", example_gpu="A10", example_hourly=Usd.of("0.80"))
PROFILES = (DEAR, CLOUD, SMALL_CARD, OWN)


def recipe(vram: float, comfort: float, **more: object) -> Recipe:
    """A recipe that needs and would like so much GPU memory."""
    need = {
        "vram_gb": vram,
        "vram_comfort_gb": comfort,
        "ram_gb": 16,
        "disk_gb": 30,
        "driver_major": 525,
        **more,
    }
    return Recipe(
        recipe=1, name="some-lora", title="Some LoRA", description="", family="some", tool="t", tool_version="1",
        requirements=Requirements.model_validate(need), advice={"fits": "It fits.", "small": "It wants more."},
    )  # fmt: skip


SDXL, FLUX = recipe(10, 16), recipe(16, 24)


def nvidia(vram: float, *, driver: str = "580.65", free: float | None = None, ram: float = 64) -> Hardware:
    """A computer with one NVIDIA card."""
    card = Gpu(name="NVIDIA card", model=None, vram_gb=vram, driver=driver, free_gb=free)
    return Hardware(GpuKind.NVIDIA, (card,), ram_gb=ram, disk_free_gb=200)


APPLE = Hardware(GpuKind.APPLE, (Gpu("Apple M4", "M4", 64),), ram_gb=64, sentence="An Apple M4 was found.")
AMD = Hardware(GpuKind.AMD, (Gpu("RX 7900 XTX", None, 24),), ram_gb=64)
NONE = Hardware(GpuKind.NONE, ram_gb=64, sentence="No GPU was found.")


@pytest.mark.parametrize(
    ("what", "computer", "where", "fit"),
    [
        (SDXL, nvidia(10), "local", Fit.TIGHT),
        (SDXL, nvidia(24), "local", Fit.ROOMY),
        (SDXL, nvidia(8), "cloud", Fit.SMALL),
        (FLUX, nvidia(12), "cloud", Fit.SMALL),
        (FLUX, nvidia(16), "local", Fit.TIGHT),
        (FLUX, nvidia(23.99), "local", Fit.ROOMY),
        (SDXL, APPLE, "cloud", Fit.APPLE),
        (SDXL, AMD, "cloud", Fit.OTHER),
        (SDXL, NONE, "cloud", Fit.NOTHING),
    ],
)
def test_the_gpu_that_is_there_decides(what: Recipe, computer: Hardware, where: str, fit: Fit) -> None:
    """10 GB suit SDXL, Flux wants 16 to 24, and no, a too small or another maker's GPU means cloud."""
    advice = advise(what, [computer], PROFILES)
    assert (advice.where, advice.fit) == (where, fit)
    assert advice.computer is computer


@pytest.mark.parametrize(
    ("name", "vram", "where", "words"),
    [
        ("sdxl-lora", 10, "local", "10 GB or more suits SDXL LoRAs"),
        ("sdxl-lora", 8, "cloud", "at least 10 GB"),
        ("flux-lora", 12, "cloud", "16 to 24 GB"),
        ("flux-lora", 24, "local", "24 GB card without"),
    ],
)
def test_the_recipes_of_the_house_say_what_they_want(name: str, vram: float, where: str, words: str) -> None:
    """The sentences that people read come from the recipe's own file."""
    text = (Path(__file__).parents[2] / "recipes" / f"{name}.yaml").read_text(encoding="utf-8")
    advice = advise(Recipe.model_validate(yaml.safe_load(text)), [nvidia(vram)], PROFILES)
    assert advice.where == where
    assert words in " ".join(advice.because)
    assert "A100 or H100" in advice.faster


def test_the_reasons_begin_with_what_was_found() -> None:
    """A person sees the finding, then the verdict, then the recipe's own words."""
    assert advise(SDXL, [NONE], PROFILES).because[0] == "No GPU was found."
    small = advise(SDXL, [nvidia(8)], PROFILES).because
    assert small[0] == "Found on your own computer: NVIDIA card (8 GB)."
    assert "too small" in small[1]
    assert small[2] == "It wants more."
    assert "faster" in " ".join(advise(SDXL, [APPLE], PROFILES).because)


def test_the_best_of_several_computers_counts() -> None:
    """One good card in the team is enough, wherever it stands in the list."""
    good = nvidia(24)
    advice = advise(FLUX, [NONE, nvidia(8), good, APPLE], PROFILES)
    assert advice.where == "local"
    assert advice.computer is good


def test_a_second_card_counts_when_the_first_is_busy() -> None:
    """Each card is looked at for itself."""
    busy, idle = Gpu("big", None, 48, free_gb=1), Gpu("other", None, 24, free_gb=23)
    advice = advise(FLUX, [Hardware(GpuKind.NVIDIA, (busy, idle), ram_gb=64)], PROFILES)
    assert advice.fit is Fit.ROOMY


def test_a_card_in_use_means_cloud_for_now() -> None:
    """What counts is free memory; what would help is said."""
    advice = advise(FLUX, [nvidia(24, free=3)], PROFILES)
    assert (advice.where, advice.fit) == ("cloud", Fit.BUSY)
    assert "3 of 24 GB are free" in " ".join(advice.because)
    assert "will do" in advice.because[-1]


def test_a_desktop_on_the_card_is_no_reason_to_rent() -> None:
    """Half a GB taken by a screen leaves a 10 GB card good for SDXL."""
    assert advise(SDXL, [nvidia(10, free=9.4)], PROFILES).where == "local"


def test_an_old_driver_is_told_apart_from_a_small_card() -> None:
    """Updating costs nothing, so it is said; a driver that cannot be read is not held against the card."""
    assert advise(SDXL, [nvidia(24, driver="470.1")], PROFILES).fit is Fit.DRIVER
    assert advise(SDXL, [nvidia(24, driver="")], PROFILES).where == "local"


def test_too_little_memory_or_disk_means_cloud() -> None:
    """The card is not all; a size that could not be told does not count."""
    assert advise(SDXL, [nvidia(24, ram=8)], PROFILES).fit is Fit.SHORT
    assert advise(SDXL, [replace(nvidia(24), disk_free_gb=5)], PROFILES).fit is Fit.SHORT
    assert advise(SDXL, [nvidia(24, ram=15.5)], PROFILES).where == "local"
    assert advise(SDXL, [nvidia(24, ram=0)], PROFILES).where == "local"


def test_who_wants_it_faster_is_sent_to_a_large_card() -> None:
    """A100 or H100 are named, unless such a card stands here already."""
    advice = advise(SDXL, [nvidia(24)], PROFILES, faster=True)
    assert advice.where == "cloud"
    assert "A100" in advice.faster
    assert "H100" in advice.faster
    big = Hardware(GpuKind.NVIDIA, (Gpu("NVIDIA H100 80GB HBM3", "H100 SXM", 80),), ram_gb=64)
    assert advise(SDXL, [big], PROFILES, faster=True).where == "local"


@pytest.mark.parametrize("computer", [NONE, APPLE, AMD, nvidia(4)])
def test_what_needs_no_gpu_is_trained_here(computer: Hardware) -> None:
    """Any computer will do, also for the hasty."""
    advice = advise(recipe(0, 0, gpu=False), [computer], PROFILES, faster=True)
    assert (advice.where, advice.fit, advice.cards) == ("local", Fit.ROOMY, ())
    assert advice.faster == ""


def test_no_computer_at_all_means_cloud() -> None:
    """Nothing was looked at, so nothing is said about a GPU."""
    advice = advise(SDXL, [], PROFILES)
    assert (advice.where, advice.computer) == ("cloud", None)
    assert "None of your own computers" in advice.because[0]


def test_cards_are_suggested_cheapest_first_and_large_enough() -> None:
    """No own computer, and no card known to be too small."""
    advice = advise(FLUX, [NONE], PROFILES)
    assert [(one.family, one.gpu) for one in advice.cards] == [("cloud", "RTX 3090"), ("dear", "A10")]
    unknown = replace(CLOUD, example_gpu="A card of tomorrow")
    assert len(advise(FLUX, [NONE], [unknown]).cards) == 1


@given(st.floats(1, 200), st.floats(1, 200), st.floats(1, 200))
def test_a_larger_card_never_makes_it_worse(need: float, some: float, more: float) -> None:
    """Advice is monotone in GPU memory."""
    small, large = sorted([some, more])
    what = recipe(need, need * 1.5)
    assert advise(what, [nvidia(small)], []).fit <= advise(what, [nvidia(large)], []).fit
