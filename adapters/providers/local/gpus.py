"""GPUs as their tools tell them, each in its own words; here they become cards that can be compared.

NVML or ``nvidia-smi``, ``amd-smi`` or ``rocm-smi`` or the kernel, or a Mac's chip. What cannot be told is None,
and a card that cannot be used is a sentence, not a card.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.domain.gpus import model, normalise
from bot.domain.hardware import Gpu, GpuKind

GIB = 1 << 30
NEAR_NOMINAL = 0.07
"""Cards report up to this much less memory than they are sold with."""
MAC_SHARE = 0.75
"""Assumption: the part of a Mac's memory that Metal lets its GPU use (measured elsewhere: 78 % of 48 GB)."""
SMALL_CARVE_OUT_GB = 2
NVIDIA_FIELDS = ("index", "name", "uuid", "driver_version", "memory.total", "memory.free")
NVIDIA_EXTRAS = ("uuid", "power.limit", "mig.mode.current")
_NOT_TOLD = {"n/a", "[n/a]", "[not supported]", "[not available]", "unknown", ""}
_SICK = {"[gpu is lost]", "[unknown error]", "[gpu requires reset]"}
_FAULTS = {
    2: "this nvidia-smi does not know what we ask for",
    4: "we may not ask the NVIDIA driver (no permission)",
    8: "a GPU has no power cable",
    9: "the NVIDIA driver is not loaded",
    14: "a GPU's infoROM is corrupt",
    15: "the GPU is lost: it has fallen off the bus",
    16: "the GPU has to be reset",
    17: "the operating system keeps us from the GPU",
    18: "the NVIDIA driver was upgraded and this computer not restarted since (driver/library version mismatch)",
}
_NONE_THERE = (6, 12)
"""No device, no library: a computer without an NVIDIA GPU, which is no fault."""


@dataclass(frozen=True, slots=True)
class Card:
    """A GPU, and what is needed to give it to one rental alone."""

    gpu: Gpu
    lock: str
    """What its lock is called: the UUID where it has one."""


@dataclass(frozen=True, slots=True)
class Found:
    """What the tools told. ``faults`` are parts of a sentence."""

    kind: GpuKind
    cards: tuple[Card, ...] = ()
    faults: tuple[str, ...] = field(default=())


def find(facts: Mapping[str, Any]) -> Found:
    """The GPUs in the raw facts of a computer."""
    if facts.get("system") == "Darwin":
        return _apple(facts)
    found = _nvml(facts.get("nvml")) or _nvidia_smi(facts.get("nvidia_smi"), facts.get("nvidia_smi_extras"))
    if found and (found.cards or found.faults):
        return found
    return _amd(facts) or Found(GpuKind.NONE)


def _gpu(name: str, total: float | None, **known: Any) -> Gpu:
    """``total`` and ``free`` are bytes; memory is told as it is sold, where the card is known."""
    gib = (total or 0) / GIB
    free = known.pop("free", None)
    canonical = normalise(name, gib or None)
    sold = model(canonical) if canonical else None
    vram = sold.vram_gb if sold and abs(gib - sold.vram_gb) <= NEAR_NOMINAL * sold.vram_gb else round(gib, 1)
    return Gpu(name, canonical, vram, free_gb=None if free is None else round(free / GIB, 1), **known)


def _nvml(said: Mapping[str, Any] | None) -> Found | None:
    if said is None or said.get("code") in _NONE_THERE:
        return None
    if "gpus" not in said:
        return Found(GpuKind.NONE, faults=(_FAULTS.get(said.get("code", 0), str(said.get("error"))),))
    cards, faults = [], []
    for each in said["gpus"]:
        if each.get("fault") or not each.get("uuid") or not each.get("name"):
            faults.append(_unusable(each.get("index"), each.get("fault")))
        elif each.get("mig"):
            faults.append(f"GPU {each['index']} is cut into MIG slices, which we do not rent")
        else:
            driver = said.get("driver") or ""
            known = {
                "uuid": each["uuid"],
                "driver": driver,
                "free": each.get("free"),
                "watts": each.get("watts"),
            }
            cards.append(_nvidia(_gpu(each["name"], each.get("total"), **known)))
    return Found(GpuKind.NVIDIA if cards else GpuKind.NONE, tuple(cards), tuple(faults))


def _nvidia_smi(said: Mapping[str, Any] | None, extras: Mapping[str, Any] | None) -> Found | None:
    if said is None or said["rc"] in _NONE_THERE:
        return None
    cards, faults = [], []
    if said["rc"] != 0:
        words = (said["err"] or said["out"]).strip().splitlines()
        faults.append(_FAULTS.get(said["rc"], words[-1] if words else "nvidia-smi failed"))
    more = {row["uuid"]: row for row in table((extras or {}).get("out", ""), NVIDIA_EXTRAS)}
    for row in table(said["out"], NVIDIA_FIELDS):
        sick = [value for value in row.values() if value.lower() in _SICK]
        extra = more.get(row["uuid"], {})
        if sick or not row["uuid"] or not row["name"]:
            faults.append(_unusable(row["index"], sick[0] if sick else None))
        elif extra.get("mig.mode.current", "").lower() == "enabled":
            faults.append(f"GPU {row['index']} is cut into MIG slices, which we do not rent")
        else:
            free, watts = _number(row["memory.free"], 1 << 20), _number(extra.get("power.limit", ""))
            known = {"uuid": row["uuid"], "driver": row["driver_version"], "free": free, "watts": watts}
            cards.append(_nvidia(_gpu(row["name"], _number(row["memory.total"], 1 << 20), **known)))
    return Found(GpuKind.NVIDIA if cards else GpuKind.NONE, tuple(cards), tuple(faults))


def _unusable(index: Any, why: str | None) -> str:
    return f"GPU {index} cannot be used: {why or 'it does not say what it is'}"


def _nvidia(gpu: Gpu) -> Card:
    return Card(gpu, gpu.uuid)


def table(text: str, fields: Sequence[str]) -> list[dict[str, str]]:
    """Rows of nvidia-smi's CSV by field. A header is understood, units are taken off, "not told" is empty; what is
    no row of the table (a warning, "No devices were found") is left out."""
    rows = []
    for cells in csv.reader(text.splitlines(), skipinitialspace=True):
        if len(cells) == len(fields) and cells[0].strip() != fields[0]:
            clean = (re.sub(r" (?:MiB|W|MHz|%)$", "", cell.strip()) for cell in cells)
            rows.append(
                dict(zip(fields, ("" if cell.lower() in _NOT_TOLD else cell for cell in clean), strict=True))
            )
    return rows


def _apple(facts: Mapping[str, Any]) -> Found:
    if facts.get("arch") != "arm64":
        return Found(GpuKind.NONE)
    chip = facts.get("chip") or "Apple chip"
    ram = facts.get("ram") or 0
    gpu = Gpu(chip, normalise(chip), round(ram * MAC_SHARE / GIB, 1))
    return Found(GpuKind.APPLE, (Card(gpu, "apple"),))


def _amd(facts: Mapping[str, Any]) -> Found | None:
    cards = _amd_smi(facts.get("amd_smi")) or _rocm_smi(facts.get("rocm_smi")) or _amd_kernel(facts)
    if not cards:
        return None
    faults = [
        f"{card.gpu.name} shows {card.gpu.vram_gb:g} GB of its own: it shares the computer's memory"
        for card in cards
        if card.gpu.vram_gb < SMALL_CARVE_OUT_GB
    ]
    if not facts.get("kfd"):
        faults.append("its compute driver (/dev/kfd) is not loaded")
    return Found(GpuKind.AMD, tuple(cards), tuple(faults))


def _amd_smi(said: Mapping[str, Any] | None) -> list[Card]:
    """ROCm 6 gives a list, ROCm 7 wraps it."""
    told = _json(said, "[{")
    rows = told.get("gpu_data", []) if isinstance(told, dict) else told or []
    cards = []
    for at, row in enumerate(row for row in rows if isinstance(row, dict)):
        asic, vram = _dict(row.get("asic")), _dict(row.get("vram"))
        size = _number(str(_dict(vram.get("size")).get("value", "")), 1 << 20)
        cards.append(_amd_card(at, str(asic.get("market_name") or ""), size))
    return cards


def _rocm_smi(said: Mapping[str, Any] | None) -> list[Card]:
    """All values are text, and keys change their case between versions."""
    told = _json(said, "{")
    cards: list[Card] = []
    for name, values in (told if isinstance(told, dict) else {}).items():
        if re.fullmatch(r"card\d+", name) and isinstance(values, dict):
            low = {key.lower(): str(value) for key, value in values.items()}
            named = low.get("card series") or low.get("card model") or ""
            used = _number(low.get("vram total used memory (b)", ""))
            cards.append(_amd_card(len(cards), named, _number(low.get("vram total memory (b)", "")), used))
    return cards


def _amd_kernel(facts: Mapping[str, Any]) -> list[Card]:
    rows = facts.get("amd_cards") or []
    return [_amd_card(at, "", row["total"], row.get("used")) for at, row in enumerate(rows)]


def _amd_card(index: int, name: str, total: float | None, used: float | None = None) -> Card:
    free = None if total is None or used is None else total - used
    gpu = _gpu(name or "AMD GPU", total, uuid=f"amd-{index}", free=free)
    return Card(gpu, gpu.uuid)


def _json(said: Mapping[str, Any] | None, opens: str) -> Any:
    """The JSON in a tool's output; warnings may stand before and after it."""
    text = (said or {}).get("out") or ""
    for begin in re.finditer(f"^[{re.escape(opens)}]", text, re.MULTILINE):
        try:
            return json.JSONDecoder().raw_decode(text, begin.start())[0]
        except ValueError:
            continue
    return None


def _dict(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _number(text: str, unit: int = 1) -> float | None:
    try:
        return float(text) * unit
    except ValueError:
        return None
