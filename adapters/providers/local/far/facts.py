"""What a computer has, as raw answers of its own tools. Reading them is the bot's side's business.

Every tool has a limit: ``nvidia-smi`` is known to hang on a lost card.
"""

from __future__ import annotations

import os
import platform
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any, Dict, List, Optional

from adapters.providers.local.far import nvml

TOOL_LIMIT = 8.0
NVIDIA_FIELDS = "index,name,uuid,driver_version,memory.total,memory.free"
NVIDIA_EXTRAS = "uuid,power.limit,mig.mode.current"
"""Asked for apart: one field that a driver does not know fails a whole query."""
NVIDIA_ELSEWHERE = ("/usr/lib/wsl/lib",)
CGROUPS = Path("/sys/fs/cgroup")


def gather(folder: Path, tools: Optional[str] = None, limit: float = TOOL_LIMIT) -> Dict[str, Any]:
    """Everything. ``folder`` is where machines are kept (whose disk counts); ``tools`` is a search path to use
    instead of PATH, and then NVML and the kernel are left alone. ``limit`` is what each tool gets, in seconds."""
    system = platform.system()
    facts: Dict[str, Any] = {
        "system": system,
        "arch": platform.machine(),
        "host": machine_id(),
        "cpus": cpus(),
        "ram": ram(system),
        "ram_limit": cgroup_limit(CGROUPS, Path("/proc/self/cgroup")),
        "disk_free": disk_free(folder),
        "nvml": None if tools is not None else _nvml(limit),
    }
    if system == "Darwin":
        return {**facts, "chip": _words("sysctl", ["-n", "machdep.cpu.brand_string"])}
    if facts["nvml"] is None or facts["nvml"].get("code") == nvml.LIBRARY_NOT_FOUND:
        facts["nvidia_smi"] = tool("nvidia-smi", _query(NVIDIA_FIELDS), tools, limit)
        if (facts["nvidia_smi"] or {}).get("rc") == 0:
            facts["nvidia_smi_extras"] = tool("nvidia-smi", _query(NVIDIA_EXTRAS), tools, limit)
    if not (facts.get("nvidia_smi") or (facts["nvml"] or {}).get("gpus")):
        facts["amd_smi"] = tool("amd-smi", ["static", "--json", "--asic", "--vram", "--bus"], tools, limit)
        facts["rocm_smi"] = tool(
            "rocm-smi", ["--showproductname", "--showmeminfo", "vram", "--json"], tools, limit
        )
        facts["amd_cards"] = amd_cards(Path("/sys/class/drm")) if tools is None else []
        facts["kfd"] = tools is not None or os.path.exists("/dev/kfd")
    return facts


def tool(
    name: str, arguments: List[str], tools: Optional[str], limit: float = TOOL_LIMIT
) -> Optional[Dict[str, Any]]:
    """What a tool said: ``rc`` (None: it did not answer in time), ``out``, ``err``. None when it is not there."""
    path = shutil.which(name, path=tools)
    if path is None and tools is None:
        path = shutil.which(name, path=os.pathsep.join(NVIDIA_ELSEWHERE))
    if path is None:
        return None
    try:
        child = subprocess.Popen(
            [path, *arguments],
            env={**os.environ, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        return {"rc": 126, "out": "", "err": str(error)}
    try:
        out, err = child.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        _kill(child)
        return {"rc": None, "out": "", "err": f"{name} did not answer within {limit:g} s"}
    return {"rc": child.returncode, "out": out.decode(errors="replace"), "err": err.decode(errors="replace")}


def _kill(child: "subprocess.Popen[bytes]") -> None:
    """The whole group. Waited for shortly only: what hangs in the driver does not even die."""
    os.killpg(child.pid, signal.SIGKILL)
    try:
        child.communicate(timeout=1)
    except subprocess.TimeoutExpired:
        pass


def cgroup_limit(root: Path, own: Path) -> Optional[int]:
    """The least memory limit (bytes) of the control groups that we are in; None when there is none.

    In a container the computer's own figure is the host's, which others use too."""
    try:
        rows = [row.split(":", 2) for row in own.read_text().splitlines()]
    except OSError:
        rows = []
    files = []
    for row in rows:
        version_2 = len(row) == 3 and row[1] == ""
        if not version_2 and (len(row) != 3 or "memory" not in row[1].split(",")):
            continue
        base, name = (root, "memory.max") if version_2 else (root / "memory", "memory.limit_in_bytes")
        parts = [part for part in row[2].split("/") if part]
        files += [base.joinpath(*parts[:depth], name) for depth in range(len(parts) + 1)]
    limits = [limit for limit in map(_number, files) if limit is not None]
    return min(limits, default=None)


def amd_cards(drm: Path) -> List[Dict[str, Any]]:
    """AMD GPUs as the kernel shows them where no tool is installed."""
    found = []
    for card in sorted(drm.glob("card[0-9]*")):
        total = _number(card / "device" / "mem_info_vram_total")
        if total is not None:
            found.append(
                {"card": card.name, "total": total, "used": _number(card / "device" / "mem_info_vram_used")}
            )
    return found


def machine_id() -> str:
    """A word that stays with this computer."""
    for file in ("/etc/machine-id", "/var/lib/dbus/machine-id"):
        try:
            text = Path(file).read_text().strip()
        except OSError:
            continue
        if text:
            return text
    return platform.node()


def cpus() -> int:
    """Cores that we may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS
        return os.cpu_count() or 1


def ram(system: str) -> Optional[int]:
    """Bytes of memory of the whole computer."""
    if system == "Darwin":
        said = _words("sysctl", ["-n", "hw.memsize"])
        return int(said) if said.isdigit() else None
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def disk_free(folder: Path) -> Optional[int]:
    """Bytes that we may still write where ``folder`` is, or will be."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None


def _nvml(limit: float) -> Optional[Dict[str, Any]]:
    """None when the binding is not installed (a workstation): then the tool is asked."""
    try:
        import pynvml  # noqa: PLC0415 - a workstation need not have it
    except ImportError:
        return None
    return nvml.within(limit, lambda: nvml.read(pynvml))


def _query(fields: str) -> List[str]:
    return [f"--query-gpu={fields}", "--format=csv,noheader,nounits"]


def _number(file: Path) -> Optional[int]:
    """The number in a file; None for no file, and for cgroup's ways to say "no limit"."""
    try:
        text = file.read_text().strip()
    except OSError:
        return None
    return int(text) if text.isdigit() and int(text) < 1 << 60 else None


def _words(name: str, arguments: List[str]) -> str:
    return ((tool(name, arguments, None) or {}).get("out") or "").strip()
