"""GPU names: what a person types and what a vendor reports, both to one canonical name (``RTX 3090``).

A name is one model, or it is asked about. ``3090`` is the RTX 3090 and not its Ti; ``h100`` is three cards at
three prices, so it is ambiguous; ``a100-80`` is ``A100 80GB``, which says that the form does not matter and
``covers`` the SXM and the PCIe card.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from bot.domain.gpu_table import AMD, APPLE, CATALOGUE, NVIDIA, GpuModel
from bot.domain.nearest import nearest

__all__ = [
    "AMD", "APPLE", "CATALOGUE", "MOST_VRAM_GB", "NVIDIA", "Ambiguous", "GpuModel", "Unknown",
    "covers", "find", "lookup", "model", "normalise", "slug",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """The word names several models that differ in price."""

    candidates: tuple[GpuModel, ...]


@dataclass(frozen=True, slots=True)
class Unknown:
    """No model; ``nearest`` is the canonical name that was probably meant, or empty."""

    nearest: str = ""


_LONGEST = 80
_NOISE = re.compile(
    r"\b(?:nvidia|amd|geforce|tesla|instinct|radeon|blackwell|generation|edition|graphics|gpu)\b", re.ASCII
)
_SLICE = re.compile(r"\b(?:mig|grid|vgpu)\b", re.ASCII)
_MEMORY = re.compile(r"(?<![0-9a-z.])([0-9]{1,3}) ?(?:g|gb|gib)\b", re.ASCII)
_TAIL = re.compile(r"^(.*[a-z].*) ([0-9]{2,3})$", re.ASCII)
_FORM = re.compile(r"(?<=[ 0-9])(sxm|pcie?|nvl|oam|fhhl)[2-6]?\b", re.ASCII)
_FORM_NAMES = {"sxm": "SXM", "pcie": "PCIe", "pci": "PCIe", "nvl": "NVL", "oam": "OAM", "fhhl": "FHHL"}
_NEAR_ENOUGH = 0.07
"""Reported memory is up to this much below what is advertised."""


def _plain(text: str) -> str:
    """Lower case, one space for every separator, without the maker's name; empty for what is no name."""
    if not text.isascii() or len(text) > _LONGEST:
        return ""
    spaced = re.sub(r"[\s\-_/(),]+", " ", text.lower())
    return re.sub(r" +", " ", _NOISE.sub(" ", spaced)).strip()


def _key(plain: str) -> str:
    """Without spaces, except between digits: ``a100 80`` and ``a10 080`` stay two things."""
    return re.sub(r"(?<![0-9]) | (?![0-9])", "", plain)


def _index() -> dict[str, tuple[GpuModel, ...]]:
    """Every spelling to the models that it may mean. A model's own name is always that model alone."""
    shared: dict[str, tuple[GpuModel, ...]] = {}
    for each in CATALOGUE:
        for alias in each.aliases:
            key = _key(_plain(alias))
            shared[key] = (*shared.get(key, ()), each)
    return shared | {_key(_plain(each.name)): (each,) for each in CATALOGUE}


_BY_NAME = {each.name: each for each in CATALOGUE}
_SPELLINGS = _index()
MOST_VRAM_GB = max(each.vram_gb for each in CATALOGUE)


def _same_memory(gb: float, each: GpuModel) -> bool:
    return abs(gb - each.vram_gb) <= _NEAR_ENOUGH * max(gb, each.vram_gb)


def _narrow(models: tuple[GpuModel, ...], gb: float | None, form: str) -> tuple[GpuModel, ...]:
    """Those that fit what was said, and of them not those that another one stands for."""
    kept = [each for each in models if gb is None or _same_memory(gb, each)]
    kept = [each for each in kept if not form or form in each.forms]
    covered = {name for each in kept for name in each.covers}
    return tuple(each for each in kept if each.name not in covered)


@lru_cache(maxsize=2048)
def lookup(text: str, vram_gb: float | None = None) -> tuple[GpuModel, ...]:
    """All models that ``text`` may mean: none, one, or several that must be asked about. Cheap and never raises."""
    plain = _plain(text)
    if not plain or _SLICE.search(plain):
        return ()
    exact = _SPELLINGS.get(_key(plain))
    if exact:
        return exact if len(exact) == 1 else _narrow(exact, vram_gb, "")
    forms = _FORM.findall(plain)
    rest = _FORM.sub(" ", plain)
    memory = _MEMORY.findall(rest)
    rest = re.sub(r" +", " ", _MEMORY.sub(" ", rest)).strip()
    tail = _TAIL.match(rest)
    if not memory and tail and _key(rest) not in _SPELLINGS:
        rest, memory = tail[1], [tail[2]]
    if len(forms) > 1 or len(memory) > 1 or not (forms or memory):
        return ()
    said = float(memory[0]) if memory else vram_gb
    return _narrow(_SPELLINGS.get(_key(rest), ()), said, _FORM_NAMES[forms[0]] if forms else "")


def find(text: str) -> GpuModel | Ambiguous | Unknown:
    """What a person means by ``text``."""
    models = lookup(text)
    if len(models) == 1:
        return models[0]
    if models:
        return Ambiguous(models)
    near = nearest(_key(_plain(text)), _SPELLINGS)
    return Unknown(_SPELLINGS[near][0].name if near else "")


def normalise(reported: str, vram_gb: float | None = None) -> str | None:
    """The canonical name of what NVML, nvidia-smi or a vendor calls a GPU, or None when it is not known for sure.

    ``vram_gb`` (GiB per GPU) decides where the name alone does not: ``A100 PCIE`` comes with 40 and 80 GB.
    A slice of a card (MIG, vGPU) is not the card: None.
    """
    models = lookup(reported, vram_gb)
    return models[0].name if len(models) == 1 else None


def model(name: str) -> GpuModel | None:
    """The model with this canonical name."""
    return _BY_NAME.get(name)


def covers(wanted: str, offered: str) -> bool:
    """Whether an offer of ``offered`` satisfies a wish for ``wanted`` (both canonical)."""
    known = _BY_NAME.get(wanted)
    return wanted == offered or (known is not None and offered in known.covers)


def slug(name: str) -> str:
    """A canonical name as one word that is easy to type and is understood: ``rtx-3090``."""
    return name.lower().replace(" ", "-")
