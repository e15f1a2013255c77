"""What a simulated machine answers to the validation probe: a template that a test may override line by line."""

from __future__ import annotations

from collections.abc import Mapping

from adapters.simulators.machine import SimMachine

GEFORCE = ("GTX", "RTX 20", "RTX 30", "RTX 40", "RTX 50")
WITHOUT_GPU = "CPU only"


def probe_text(machine: SimMachine, overrides: Mapping[str, str | None] | None = None) -> str:
    """``key=value`` lines, ``probe=1`` first and ``end=1`` last. An override of None takes the line away;
    ``gpu`` may hold several lines."""
    host = machine.host
    values: dict[str, str | None] = {
        "probe": "1",
        "os": "Linux",
        "arch": "x86_64",
        "user": "root",
        "mem_kb": str(host.ram_gb << 20),
        "mem_avail_kb": str((host.ram_gb << 20) * 9 // 10),
        "cpus": "16",
        "disk_free_kb": str(max(machine.free_disk_gb, 1) << 20),
        "inode_free": "5000000",
        "shm_kb": str(8 << 20),
        "cgroup_mem": "max",
        "sudo": "yes",
        "nvsmi_rc": "127" if host.cpu_only else "0",
        "gpu": None if host.cpu_only else "\n".join(gpu_lines(machine)),
        "rocm": "none",
        "kfd": "no",
        "cuda": None if host.cpu_only else "13.0",
        "python": "3.11",
        "net": "yes",
        **(overrides or {}),
    }
    values["end"] = (overrides or {}).get("end", "1")
    text = []
    for key, value in values.items():
        if value is not None:
            text += [f"{key}={line}" for line in value.split("\n")]
    return "\n".join(text) + "\n"


def gpu_lines(machine: SimMachine) -> list[str]:
    """As ``nvidia-smi --query-gpu=index,name,uuid,driver_version,memory.total,memory.free`` prints them."""
    host, mib = machine.host, int(machine.vram_gb * 1024)
    name = marketing_name(machine.gpu)
    return [
        f"{index}, {name}, GPU-{machine.id}-{index}, 580.95.05, {mib}, {mib - 4}"
        for index in range(host.count)
    ]


def marketing_name(gpu: str) -> str:
    """``RTX 3090`` → ``NVIDIA GeForce RTX 3090``; ``A100 80GB`` → ``NVIDIA A100 80GB``."""
    workstation = any(word in gpu for word in ("A", "PRO"))
    geforce = gpu.startswith(GEFORCE) and not workstation
    return f"NVIDIA GeForce {gpu}" if geforce else f"NVIDIA {gpu}"
