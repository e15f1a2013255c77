"""Local or cloud, and why: from what a recipe needs and the computers that were really found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

from bot.domain import gpus
from bot.domain.hardware import Gpu, GpuKind, Hardware
from bot.domain.money import Usd
from bot.domain.recipe import Recipe
from bot.domain.vendor import Profile

FASTER_CARDS = ("A100", "H100")
MARGIN_GB = 0.5
"""A card sold as 16 GB shows a little less; that much is forgiven."""
BUSY_SHARE = 0.8
"""With less than this share of the need free, somebody else uses the card. A desktop takes a few percent."""
RAM_SHARE = 0.9
"""A computer sold with 16 GB shows a little less, too."""


class Fit(IntEnum):
    """How a computer suits a recipe; the higher, the better."""

    NOTHING = 0
    """No GPU, or no computer at all."""
    OTHER = 1
    """A GPU that this kind of software cannot use."""
    APPLE = 2
    SMALL = 3
    """Too little GPU memory."""
    SHORT = 4
    """The card would do; memory or disk of the computer would not."""
    DRIVER = 5
    BUSY = 6
    TIGHT = 7
    """Enough, with settings that trade speed for memory."""
    ROOMY = 8


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A card that a provider typically rents out, at its typical rate; no offer."""

    family: str
    title: str
    gpu: str
    hourly: Usd


@dataclass(frozen=True, slots=True)
class Advice:
    """``because`` are whole sentences, the finding first. ``faster`` is what to take to save time."""

    where: Literal["local", "cloud"]
    because: tuple[str, ...]
    fit: Fit
    computer: Hardware | None = None
    cards: tuple[Suggestion, ...] = ()
    faster: str = ""


def enough(vram_gb: float, need_gb: float) -> bool:
    """Whether a card with ``vram_gb`` meets ``need_gb``."""
    return vram_gb + MARGIN_GB >= need_gb


def usual_vram(gpu: str) -> float | None:
    """Memory of a card by its canonical name, GB; None when it cannot be told."""
    known = gpus.model(gpu)
    return known.vram_gb if known and known.vram_gb else None


def advise(
    recipe: Recipe,
    hardware: Sequence[Hardware],
    profiles: Sequence[Profile],
    *,
    faster: bool = False,
) -> Advice:
    """The best of the team's own computers decides. ``faster``: the person would pay for speed."""
    cards = suggestions(recipe, profiles)
    hurry = recipe.advice.get("faster") or f"For more speed take an {' or '.join(FASTER_CARDS)}."
    if not recipe.requirements.gpu:
        hurry = ""
    if not hardware:
        reason = "None of your own computers is connected, so there is nothing to train on here."
        return Advice("cloud", (reason,), Fit.NOTHING, None, cards, hurry)
    found = [
        (*judge(recipe, computer, gpu), computer, gpu) for computer in hardware for gpu in _gpus(computer)
    ]
    fit, reasons, computer, gpu = max(found, key=lambda one: one[0])
    because = _unique(_what(computer), *reasons)
    if fit < Fit.TIGHT:
        return Advice("cloud", because, fit, computer, cards, hurry)
    if faster and recipe.requirements.gpu and not _is_fast(gpu):
        why = "Your own computer would do, but you want it faster than that."
        return Advice("cloud", _unique(*because, why, hurry), fit, computer, cards, hurry)
    return Advice("local", because, fit, computer, (), hurry)


def suggestions(recipe: Recipe, profiles: Sequence[Profile]) -> tuple[Suggestion, ...]:
    """Typical cards of the rented providers, cheapest first, without those known to be too small."""
    fits = (
        Suggestion(one.family, one.title, one.example_gpu, one.example_hourly)
        for one in profiles
        if not one.owned
        if (vram := usual_vram(one.example_gpu)) is None or enough(vram, recipe.requirements.vram_gb)
    )
    return tuple(sorted(fits, key=lambda one: (one.hourly, one.title)))


def judge(recipe: Recipe, computer: Hardware, gpu: Gpu | None) -> tuple[Fit, tuple[str, ...]]:
    """How one card of one computer suits, and the sentences that say why."""
    own, need = recipe.advice, recipe.requirements
    short = _shortage(recipe, computer)
    if not need.gpu:
        kind: Literal["none", "apple", "fits"] = "fits"
        if computer.kind in (GpuKind.NONE, GpuKind.APPLE):
            kind = "none" if computer.kind is GpuKind.NONE else "apple"
        said = own.get(kind, f"{recipe.title} needs no GPU, so your own computer is free and at once.")
        return (Fit.SHORT, short) if short else (Fit.ROOMY, (said,))
    if computer.kind is GpuKind.APPLE:
        said = own.get("apple", "On Apple Silicon this trains slowly or not at all; the cloud is faster.")
        return Fit.APPLE, (said,)
    if computer.kind is GpuKind.AMD:
        return Fit.OTHER, ("The training tools need an NVIDIA card; an AMD card cannot run them here.",)
    if gpu is None:
        return Fit.NOTHING, (own.get("none", f"{recipe.title} needs an NVIDIA card, so rent one."),)
    if not enough(gpu.vram_gb, need.vram_gb):
        said = f"{gpu.vram_gb:.0f} GB is too small: it takes {need.vram_gb:g} GB, so rent a larger card."
        return Fit.SMALL, _unique(said, own.get("small", ""))
    if short:
        return Fit.SHORT, short
    return _judge_card(recipe, gpu)


def _judge_card(recipe: Recipe, gpu: Gpu) -> tuple[Fit, tuple[str, ...]]:
    """For a card that is large enough: whether it can be used now, and with how much room."""
    need, name = recipe.requirements, gpu.model or gpu.name
    driver = _major(gpu.driver)
    if driver is not None and driver < need.driver_major:
        after = "Update it, and your own computer will do."
        old = f"The driver ({gpu.driver}) is older than the {need.driver_major} this needs."
        return Fit.DRIVER, (old, after)
    if gpu.free_gb is not None and gpu.free_gb < need.vram_gb * BUSY_SHARE:
        after = "Close what uses it, and your own computer will do."
        return Fit.BUSY, (f"{name} is in use: {gpu.free_gb:.0f} of {gpu.vram_gb:.0f} GB are free now.", after)
    own = recipe.advice.get("fits", f"{gpu.vram_gb:.0f} GB is enough for {recipe.title}.")
    if enough(gpu.vram_gb, need.vram_comfort_gb):
        return Fit.ROOMY, (own,)
    trade = f"Below {need.vram_comfort_gb:g} GB it trades speed for memory: it works, more slowly."
    return Fit.TIGHT, (own, trade)


def _shortage(recipe: Recipe, computer: Hardware) -> tuple[str, ...]:
    """What the computer lacks besides a card; a size of 0 is one that could not be told."""
    need = recipe.requirements
    said = []
    if 0 < computer.ram_gb < need.ram_gb * RAM_SHARE:
        said.append(f"It has {computer.ram_gb:.0f} GB of memory (RAM), and this needs {need.ram_gb:g} GB.")
    if 0 < computer.disk_free_gb < need.disk_gb:
        said.append(f"Its disk has {computer.disk_free_gb:.0f} GB free, and this needs {need.disk_gb:g} GB.")
    return tuple(said)


def _gpus(computer: Hardware) -> Iterator[Gpu | None]:
    if computer.kind is GpuKind.NVIDIA and computer.gpus:
        yield from sorted(computer.gpus, key=lambda gpu: -gpu.vram_gb)
    else:
        yield None


def _what(computer: Hardware) -> str:
    if computer.sentence:
        return computer.sentence
    if not computer.gpus:
        return "No GPU was found on your own computer."
    cards = ", ".join(f"{gpu.model or gpu.name} ({gpu.vram_gb:.0f} GB)" for gpu in computer.gpus)
    return f"Found on your own computer: {cards}."


def _is_fast(gpu: Gpu | None) -> bool:
    return gpu is not None and any(card in (gpu.model or gpu.name) for card in FASTER_CARDS)


def _major(driver: str) -> int | None:
    head = driver.partition(".")[0]
    return int(head) if head.isascii() and head.isdigit() else None


def _unique(*sentences: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one for one in sentences if one))
