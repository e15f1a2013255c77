"""Gate 3 as values: what the probe said, what is needed, and a verdict per check with a sentence and the fix.

Thresholds follow the survey of other tools' self-tests in the project's reference notes (93 % of nominal
VRAM as dstack rounds it; driver floors by NVIDIA's minor-version compatibility).
"""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bot.domain import gpus
from bot.domain.hardware import GpuKind
from bot.domain.rental import Check

_VRAM_SHARE = 0.93
_ABSENT = ("", "none", "N/A", "[N/A]", "[Not Supported]", "[Not Available]", "[Unknown Error]", "Unknown")


@dataclass(frozen=True, slots=True)
class FoundGpu:
    """One line of ``nvidia-smi``; sizes in MiB, None where the card does not tell."""

    name: str
    uuid: str
    driver: str
    total_mib: float | None
    free_mib: float | None


@dataclass(frozen=True, slots=True)
class Probe:
    """What the machine said. ``complete`` is False when the answer was cut off or eaten."""

    values: Mapping[str, str] = field(default_factory=dict)
    gpus: tuple[FoundGpu, ...] = ()
    complete: bool = False

    def number(self, name: str) -> float | None:
        """A numeric answer, or None."""
        return _finite(self.values.get(name, ""))


@dataclass(frozen=True, slots=True)
class Needs:
    """What was promised by the offer and asked by the recipe."""

    gpu: str | None = None
    count: int = 0
    vendor: str = "nvidia"
    vram_gb: float = 0
    ram_gb: float = 0
    disk_gb: float = 0
    driver_major: int = 0
    inodes: int = 1000


def read_probe(output: bytes) -> Probe:
    """Parse the probe's key=value lines; anything else (banners, warnings) is passed over."""
    values: dict[str, str] = {}
    rows: list[str] = []
    for line in output.decode("utf-8", "replace").splitlines():
        name, separator, value = line.partition("=")
        if not separator:
            continue
        if name == "gpu":
            rows.append(value)
        else:
            values[name.strip()] = value.strip()
    found = tuple(one for one in (_gpu(row) for row in rows) if one)
    return Probe(values, found, values.get("probe") == "1" and values.get("end") == "1")


def _gpu(row: str) -> FoundGpu | None:
    try:
        cells = next(csv.reader([row], skipinitialspace=True), [])
    except csv.Error:
        return None
    if len(cells) != 6 or not cells[0].isdigit():
        return None
    return FoundGpu(cells[1], cells[2], cells[3], _mib(cells[4]), _mib(cells[5]))


def _mib(cell: str) -> float | None:
    return None if cell in _ABSENT else _finite(cell.removesuffix("MiB"))


def _finite(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def judge(probe: Probe, needs: Needs) -> tuple[Check, ...]:
    """All checks, cheap to dear, up to and including the first FAIL."""
    if not probe.complete:
        return (
            Check(
                "way in", "FAIL", "The machine's answer was cut off or is no answer.", "Take another machine."
            ),
        )
    report = [Check("way in", "PASS", f"Commands run as {probe.values.get('user') or 'this user'}.")]
    checks = (*_gpu_checks_for(needs), _disk, _inodes, _ram, _python, _network, _shm)
    for check in checks:
        report.append(check(probe, needs))
        if report[-1].verdict == "FAIL":
            break
    return tuple(report)


def _count(probe: Probe, needs: Needs) -> Check:
    rc = probe.values.get("nvsmi_rc", "")
    if not probe.gpus:
        why = {
            "127": "nvidia-smi is not installed",
            "9": "the driver is not loaded",
            "124": "nvidia-smi hangs",
            "15": "the GPU is lost",
            "18": "driver and library do not match",
        }.get(rc, f"nvidia-smi ended with {rc}")
        return Check("GPU", "FAIL", f"No NVIDIA GPU answers: {why}.", "Take another machine.")
    if len(probe.gpus) < needs.count:
        return Check(
            "GPU",
            "FAIL",
            f"{len(probe.gpus)} of {needs.count} promised GPUs are there.",
            "Take another machine.",
        )
    return Check("GPU", "PASS", f"{len(probe.gpus)} GPU: {probe.gpus[0].name}.")


def _model(probe: Probe, needs: Needs) -> Check:
    for one in probe.gpus[: needs.count]:
        model = gpus.normalise(one.name)
        if needs.gpu and model is None:
            return Check("model", "WARN", f"{one.name} is not in the catalogue; {needs.gpu} was promised.")
        if needs.gpu and model != needs.gpu:
            return Check(
                "model", "FAIL", f"It is a {model}, and a {needs.gpu} was promised.", "Take another machine."
            )
    return Check("model", "PASS", f"It is what was promised: {needs.gpu or probe.gpus[0].name}.")


def _vram(probe: Probe, needs: Needs) -> Check:
    totals = [one.total_mib for one in probe.gpus[: needs.count] if one.total_mib is not None]
    if not totals:
        return Check("VRAM", "WARN", "The GPU does not tell its memory.")
    least = min(totals) / 1024
    if least < needs.vram_gb * _VRAM_SHARE:
        return Check(
            "VRAM",
            "FAIL",
            f"{least:.0f} GB, and {needs.vram_gb:g} GB were promised.",
            "Take another machine.",
        )
    return Check("VRAM", "PASS", f"{least:.0f} GB.")


def _vram_free(probe: Probe, needs: Needs) -> Check:
    for one in probe.gpus[: needs.count]:
        if one.free_mib is not None and one.total_mib and one.free_mib < one.total_mib * 0.9:
            used = (one.total_mib - one.free_mib) / 1024
            return Check(
                "VRAM free", "WARN", f"{used:.1f} GB are used by something else.", "Close what uses the GPU."
            )
    return Check("VRAM free", "PASS", "Nobody else uses it.")


def _driver(probe: Probe, needs: Needs) -> Check:
    driver = probe.gpus[0].driver
    major = driver.partition(".")[0]
    if needs.driver_major and major.isdigit() and int(major) < needs.driver_major:
        return Check(
            "driver",
            "FAIL",
            f"Driver {driver} is older than {needs.driver_major}, which the tool's CUDA needs.",
            "Take a machine with a newer driver.",
        )
    cuda = probe.values.get("cuda", "")
    return Check("driver", "PASS", f"Driver {driver}" + (f", CUDA up to {cuda}." if cuda else "."))


_gpu_checks = (_count, _model, _vram, _vram_free, _driver)


def _gpu_checks_for(needs: Needs) -> tuple[Callable[[Probe, Needs], Check], ...]:
    if not needs.count:
        return (_no_gpu,)
    return _gpu_checks if needs.vendor == GpuKind.NVIDIA else (_other_gpu,)


def _other_gpu(_probe: Probe, needs: Needs) -> Check:
    said = f"{needs.gpu} was found by its own tools; what it can do is not measured here."
    return Check("GPU", "WARN", said, "Tools that need CUDA will not run.")


def _no_gpu(probe: Probe, _needs: Needs) -> Check:
    return Check("GPU", "PASS", f"None is needed; {probe.values.get('cpus', '?')} CPU cores.")


def _disk(probe: Probe, needs: Needs) -> Check:
    free = probe.number("disk_free_kb")
    if free is None:
        return Check("disk", "FAIL", "The machine does not tell its free disk.", "Take another machine.")
    gigabytes = free * 1024 / 1e9
    if gigabytes < needs.disk_gb:
        return Check(
            "disk",
            "FAIL",
            f"{gigabytes:.1f} GB are free and {needs.disk_gb:.1f} GB are needed.",
            "Free some space, or ask for more disk: disk 80GB.",
        )
    return Check("disk", "PASS", f"{gigabytes:.0f} GB free.")


def _inodes(probe: Probe, needs: Needs) -> Check:
    free = probe.number("inode_free")
    if free is not None and 0 < free < needs.inodes:
        return Check(
            "inodes", "FAIL", f"Only {free:.0f} more files fit on the disk.", "Take another machine."
        )
    return Check("inodes", "PASS", "Room for the files.")


def _ram(probe: Probe, needs: Needs) -> Check:
    total = probe.number("mem_bytes") or (probe.number("mem_kb") or 0) * 1024
    # cgroup 1 writes a number near 2^63 where there is no limit.
    limit = probe.number("cgroup_mem") or 0
    limited = bool(limit) and (not total or limit < total)
    total = limit if limited else total
    if not total:
        return Check("RAM", "WARN", "The machine does not tell its memory.")
    gigabytes = total / 1024**3
    if gigabytes < needs.ram_gb:
        return Check(
            "RAM",
            "FAIL",
            f"{gigabytes:.1f} GB, and {needs.ram_gb:g} GB are needed.",
            "Take a larger machine.",
        )
    return Check("RAM", "PASS", f"{gigabytes:.0f} GB" + (" (limit of the container)." if limited else "."))


def _python(probe: Probe, _needs: Needs) -> Check:
    version = probe.values.get("python", "none")
    parts = version.split(".")
    if len(parts) != 2 or not all(part.isdigit() for part in parts):
        return Check("Python", "FAIL", "No Python 3 runs there.", "Take an image that has Python 3.")
    if (int(parts[0]), int(parts[1])) < (3, 8):
        return Check(
            "Python", "FAIL", f"Python {version} is too old.", "Take an image with Python 3.8 or newer."
        )
    return Check("Python", "PASS", f"Python {version}.")


def _network(probe: Probe, _needs: Needs) -> Check:
    if probe.values.get("net") == "no":
        return Check("network", "WARN", "It has no way out to the internet.", "Tools must be there already.")
    return Check("network", "PASS", "It has a way out.")


def _shm(probe: Probe, needs: Needs) -> Check:
    size = probe.number("shm_kb")
    if needs.count and size is not None and size < 1024**2:
        return Check(
            "shared memory", "WARN", f"Only {size / 1024:.0f} MiB in /dev/shm.", "Use no loader workers."
        )
    return Check("shared memory", "PASS", "Large enough.")
