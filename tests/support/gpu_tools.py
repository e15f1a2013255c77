"""Stand-ins for ``nvidia-smi``, ``amd-smi``, ``rocm-smi`` and NVML: what they print on healthy and on sick computers.

The words are those of the tools' manuals and of public reports; nothing here was measured on a card.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

A10 = "GPU-11111111-aaaa-bbbb-cccc-000000000001"
RTX_3090 = "GPU-22222222-aaaa-bbbb-cccc-000000000002"
SECOND_3090 = "GPU-22222222-aaaa-bbbb-cccc-000000000003"


def install(folder: Path, **scripts: str) -> str:
    """Write ``nvidia_smi="…"`` as an executable ``nvidia-smi``; the answer is a search path with nothing else in it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, script in scripts.items():
        file = folder / name.replace("_", "-")
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(0o755)
    return str(folder)


def says(text: str, *, rc: int = 0, extras: str = "", error: str = "") -> str:
    """A script: ``text`` for the main question, ``extras`` for the second one."""
    return (
        f"case \"$*\" in *power.limit*) cat <<'EOF'\n{extras}\nEOF\n;; *) cat <<'EOF'\n{text}\nEOF\n;; esac\n"
        f"cat >&2 <<'EOF'\n{error}\nEOF\nexit {rc}"
    )


HEALTHY = says(f"0, NVIDIA A10, {A10}, 570.86.15, 23028, 22700", extras=f"{A10}, 150.00, Disabled")
TWO_3090 = says(
    f"0, NVIDIA GeForce RTX 3090, {RTX_3090}, 570.86.15, 24576, 24100\n"
    f"1, NVIDIA GeForce RTX 3090, {SECOND_3090}, 570.86.15, 24576, 24100",
    extras=f"{RTX_3090}, 350.00, [N/A]\n{SECOND_3090}, 350.00, [N/A]",
)
TWO_MODELS = says(
    f"0, NVIDIA GeForce RTX 3090, {RTX_3090}, 570.86.15, 24576, 24100\n"
    f"1, NVIDIA A10, {A10}, 570.86.15, 23028, 22700",
    extras=f"{RTX_3090}, 350.00, [N/A]\n{A10}, 150.00, Disabled",
)
NOT_TOLD = says(
    f"0, NVIDIA GeForce RTX 3090, {RTX_3090}, [N/A], 24576, [N/A]", extras=f"{RTX_3090}, [N/A], [N/A]"
)
WITH_HEADER = says(
    "index, name, uuid, driver_version, memory.total [MiB], memory.free [MiB]\n"
    f"0, NVIDIA A10, {A10}, 570.86.15, 23028 MiB, 22700 MiB",
    extras=f"uuid, power.limit [W], mig.mode.current\n{A10}, 150.00 W, Disabled",
)
BUSY = says(f"0, NVIDIA A10, {A10}, 570.86.15, 23028, 2048", extras=f"{A10}, 150.00, Disabled")
SLICED = says(f"0, NVIDIA A10, {A10}, 570.86.15, 23028, 22700", extras=f"{A10}, 150.00, Enabled")
ONE_LOST = says(
    f"0, NVIDIA A10, {A10}, 570.86.15, 23028, 22700\n"
    "1, [GPU is lost], [GPU is lost], [GPU is lost], [GPU is lost], [GPU is lost]",
    extras=f"{A10}, 150.00, Disabled",
)
ALL_LOST = says(
    "Unable to determine the device handle for GPU0000:01:00.0: GPU is lost.  Reboot the system to recover this GPU",
    rc=15,
)
MISMATCH = says("Failed to initialize NVML: Driver/library version mismatch", rc=18)
NOT_LOADED = says(
    "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure that the latest "
    "NVIDIA driver is installed and running.",
    rc=9,
)
NO_DEVICE = says("No devices were found", rc=6)
UNKNOWN_FIELD = says('Field "memory.free" is not a valid field to query.', rc=2)
HANG = "sleep 60"
EXTRAS_UNKNOWN = (
    'case "$*" in *power.limit*) echo \'Field "power.limit" is not a valid field to query.\'; exit 2;; '
    f"*) echo '0, NVIDIA A10, {A10}, 570.86.15, 23028, 22700';; esac"
)

ROCM_6 = says(
    "WARNING: AMD GPU device(s) is/are in a low-power state. Check power control/runtime_status\n\n"
    '{"card0": {"Card Series": "Radeon RX 7900 XTX", "VRAM Total Memory (B)": "25753026560", '
    '"VRAM Total Used Memory (B)": "25440256"}}'
)
ROCM_5 = says(
    '{"card0": {"Card series": "Radeon RX 7900 XTX", "VRAM Total Memory (B)": "25753026560", '
    '"VRAM Total Used Memory (B)": "25440256"}}\nWARNING: something after it'
)
_AMD_ROW = (
    '{"gpu": 0, "asic": {"market_name": "AMD Instinct MI300X"}, "bus": {"bdf": "0000:03:00.0"}, '
    '"vram": {"type": "HBM", "size": {"value": 196592, "unit": "MB"}}}'
)
AMD_SMI_6 = says(f"[WARN] a warning line\n[{_AMD_ROW}]")
AMD_SMI_7 = says(f'{{"gpu_data": [{_AMD_ROW}]}}')
APU = says(
    '{"card0": {"Card Series": "AMD Radeon 8060S", "VRAM Total Memory (B)": "536870912", '
    '"VRAM Total Used Memory (B)": "100000"}}'
)

DARWIN: dict[str, Any] = {
    "system": "Darwin",
    "arch": "arm64",
    "host": "mac",
    "chip": "Apple M2 Max",
    "cpus": 12,
    "ram": 32 << 30,
    "ram_limit": None,
    "disk_free": 200 << 30,
    "nvml": None,
}


class NvmlError(Exception):
    """As ``pynvml.NVMLError``: a number, and words."""

    def __init__(self, value: int) -> None:
        super().__init__(
            {3: "Not Supported", 15: "GPU is lost", 18: "Driver/library version mismatch"}[value]
        )
        self.value = value


@dataclass
class Memory:
    total: int
    free: int


@dataclass
class FakeNvml:
    """The module ``pynvml`` as an object. ``fails`` maps a function's name to the error number that it raises."""

    names: tuple[str | bytes, ...] = ("NVIDIA GeForce RTX 3090",)
    fails: dict[str, int] = field(default_factory=dict)
    total: int = 24576 << 20
    NVMLError: type[NvmlError] = NvmlError
    running: bool = False

    def nvmlInit(self) -> None:  # noqa: N802 - their names
        self._may_fail("nvmlInit")
        self.running = True

    def nvmlShutdown(self) -> None:  # noqa: N802
        self.running = False

    def __getattr__(self, name: str) -> Callable[..., Any]:
        answers: dict[str, Callable[..., Any]] = {
            "nvmlSystemGetDriverVersion": lambda: b"570.86.15",
            "nvmlDeviceGetCount": lambda: len(self.names),
            "nvmlDeviceGetHandleByIndex": lambda index: index,
            "nvmlDeviceGetName": lambda index: self.names[index],
            "nvmlDeviceGetUUID": lambda index: f"GPU-{index}",
            "nvmlDeviceGetMemoryInfo": lambda index: Memory(self.total, self.total - (300 << 20)),
            "nvmlDeviceGetEnforcedPowerLimit": lambda index: 350_000,
            "nvmlDeviceGetMigMode": lambda index: [0, 0],
        }
        if name not in answers:
            raise AttributeError(name)

        def call(*arguments: Any) -> Any:
            self._may_fail(name)
            return answers[name](*arguments)

        return call

    def _may_fail(self, name: str) -> None:
        if name in self.fails:
            raise NvmlError(self.fails[name])
