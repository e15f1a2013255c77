"""What a computer is said to have: read from tools that are healthy, sick, old, chatty, or not there at all."""

from __future__ import annotations

import ast
import signal
from pathlib import Path
from typing import Any

import pynvml
import pytest

from adapters.providers.local import hardware
from adapters.providers.local.far import facts, nvml
from bot.domain.hardware import GpuKind
from tests.support import gpu_tools
from tests.support.gpu_tools import A10, RTX_3090, FakeNvml

FAR = Path(facts.__file__).parent


def look(tmp_path: Path, *, limit: float = 5, **scripts: str) -> hardware.Look:
    """This computer, with these tools and no others."""
    tools = gpu_tools.install(tmp_path / "tools", **scripts)
    found = facts.gather(tmp_path, tools, limit)
    return hardware.read({"facts": {**found, "system": "Linux"}, "held": {}}, "this computer")


def test_a_healthy_card_is_told_as_it_is_sold(tmp_path: Path):
    """23,028 MiB are an A10's 24 GB; name, UUID, driver and power limit come with it."""
    seen = look(tmp_path, nvidia_smi=gpu_tools.HEALTHY).hardware
    gpu = seen.gpus[0]
    assert (seen.kind, gpu.model, gpu.vram_gb, gpu.uuid) == (GpuKind.NVIDIA, "A10", 24, A10)
    assert (gpu.driver, gpu.watts, gpu.free_gb) == ("570.86.15", 150, 22.2)
    assert seen.sentence.startswith("this computer: A10 (24 GB), ")
    assert seen.sentence.endswith("; CUDA tools can run")


def test_two_models_on_one_computer_are_two_kinds_of_card(tmp_path: Path):
    """Nobody assumes that all cards are like the first."""
    seen = look(tmp_path, nvidia_smi=gpu_tools.TWO_MODELS).hardware
    assert [gpu.model for gpu in seen.gpus] == ["RTX 3090", "A10"]
    assert "RTX 3090 (24 GB), A10 (24 GB)" in seen.sentence


def test_what_is_not_told_is_none_and_never_zero(tmp_path: Path):
    """``[N/A]`` for free memory and power is "cannot tell"."""
    gpu = look(tmp_path, nvidia_smi=gpu_tools.NOT_TOLD).hardware.gpus[0]
    assert (gpu.uuid, gpu.free_gb, gpu.watts, gpu.driver) == (RTX_3090, None, None, "")


@pytest.mark.parametrize("script", [gpu_tools.WITH_HEADER, gpu_tools.EXTRAS_UNKNOWN])
def test_other_shapes_of_the_same_answer_are_understood(tmp_path: Path, script: str):
    """A header and units, or a driver that does not know the second question: the card is there all the same."""
    gpu = look(tmp_path, nvidia_smi=script).hardware.gpus[0]
    assert (gpu.model, gpu.vram_gb, gpu.uuid) == ("A10", 24, A10)


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (gpu_tools.MISMATCH, "not restarted since"),
        (gpu_tools.NOT_LOADED, "driver is not loaded"),
        (gpu_tools.ALL_LOST, "the GPU is lost"),
        (gpu_tools.UNKNOWN_FIELD, "does not know what we ask for"),
        ("echo 'Segmentation fault' >&2; exit 139", "Segmentation fault"),
    ],
)
def test_a_driver_that_fails_is_told_and_is_no_gpu(tmp_path: Path, script: str, words: str):
    """The sentence says why the card that should be there is not, and that CPU recipes still run."""
    seen = look(tmp_path, nvidia_smi=script).hardware
    assert seen.kind is GpuKind.NONE
    assert words in seen.sentence
    assert seen.sentence.endswith("CPU-only recipes can run")


def test_a_lost_card_does_not_hide_the_others(tmp_path: Path):
    """One card fell off the bus; the other is offered."""
    seen = look(tmp_path, nvidia_smi=gpu_tools.ONE_LOST).hardware
    assert [gpu.model for gpu in seen.gpus] == ["A10"]
    assert "GPU 1 cannot be used: [GPU is lost]" in seen.sentence


def test_slices_are_not_rented(tmp_path: Path):
    """A card in MIG mode is not the card that its name says."""
    seen = look(tmp_path, nvidia_smi=gpu_tools.SLICED).hardware
    assert seen.gpus == ()
    assert "MIG" in seen.sentence


def test_a_tool_that_hangs_is_given_up(tmp_path: Path):
    """``nvidia-smi`` may never come back; the answer comes all the same, and says so."""
    seen = look(tmp_path, nvidia_smi=gpu_tools.HANG, limit=0.3).hardware
    assert "nvidia-smi did not answer within 0.3 s" in seen.sentence


@pytest.mark.parametrize("scripts", [{}, {"nvidia_smi": gpu_tools.NO_DEVICE}])
def test_no_gpu_is_a_legal_answer(tmp_path: Path, scripts: dict[str, str]):
    """No tool, or a tool without a device: no fault, and an honest sentence."""
    seen = look(tmp_path, **scripts).hardware
    assert (seen.kind, seen.gpus) == (GpuKind.NONE, ())
    assert ": no GPU, " in seen.sentence
    assert seen.sentence.endswith(" GB RAM; CPU-only recipes can run")


@pytest.mark.parametrize("script", [gpu_tools.ROCM_5, gpu_tools.ROCM_6])
def test_rocm_smi_is_read_through_its_warnings(tmp_path: Path, script: str):
    """Keys change their case, numbers are text, and warnings stand around the JSON."""
    seen = look(tmp_path, rocm_smi=script).hardware
    assert (seen.kind, seen.gpus[0].vram_gb) == (GpuKind.AMD, 24)
    assert "CUDA-only tools will not run" in seen.sentence


@pytest.mark.parametrize("script", [gpu_tools.AMD_SMI_6, gpu_tools.AMD_SMI_7])
def test_amd_smi_is_read_in_both_shapes(tmp_path: Path, script: str):
    """ROCm 6 prints a list, ROCm 7 wraps it."""
    gpu = look(tmp_path, amd_smi=script).hardware.gpus[0]
    assert (gpu.model, gpu.vram_gb) == ("MI300X", 192)


def test_an_apu_shares_the_computers_memory(tmp_path: Path):
    """Half a gigabyte of its own is a carve-out, and is told as one."""
    assert "shares the computer's memory" in look(tmp_path, rocm_smi=gpu_tools.APU).hardware.sentence


def test_nonsense_from_a_tool_is_no_gpu(tmp_path: Path):
    """Output that is no JSON and no table brings nothing down."""
    seen = look(tmp_path, nvidia_smi="echo hello, world", rocm_smi="echo '{broken'", amd_smi="echo '[1, 2]'")
    assert seen.hardware.kind is GpuKind.NONE


def test_a_mac_is_told_honestly():
    """Apple's GPU is there, with the memory that Metal may use, and CUDA-only tools will not run on it."""
    seen = hardware.read({"facts": gpu_tools.DARWIN, "held": {}}, "this computer").hardware
    assert (seen.kind, seen.gpus[0].model, seen.gpus[0].vram_gb) == (GpuKind.APPLE, "Apple M2 Max", 24)
    assert "Apple MPS: CUDA-only tools will not run" in seen.sentence


def test_a_containers_memory_is_its_own_limit(tmp_path: Path):
    """The host's memory is not ours: the least limit of our control groups counts, in either version's files."""
    own, root = tmp_path / "own", tmp_path / "cgroup"
    (root / "a" / "b").mkdir(parents=True)
    (root / "memory" / "x").mkdir(parents=True)
    (root / "a" / "memory.max").write_text("8589934592\n")
    (root / "a" / "b" / "memory.max").write_text("max\n")
    (root / "memory" / "memory.limit_in_bytes").write_text("9223372036854771712\n")
    (root / "memory" / "x" / "memory.limit_in_bytes").write_text("4294967296\n")
    own.write_text("0::/a/b\n")
    assert facts.cgroup_limit(root, own) == 8 << 30
    own.write_text("4:memory:/x\n0::/\n")
    assert facts.cgroup_limit(root, own) == 4 << 30
    assert facts.cgroup_limit(root, tmp_path / "missing") is None
    seen = hardware.read({"facts": {**gpu_tools.DARWIN, "ram_limit": 4 << 30}, "held": {}}, "it").hardware
    assert seen.ram_gb == 4


# --- NVML ---------------------------------------------------------------------------------------


def by_nvml(module: Any) -> hardware.Look:
    """A computer whose NVML is ``module``."""
    told = {**gpu_tools.DARWIN, "system": "Linux", "nvml": nvml.read(module)}
    return hardware.read({"facts": told, "held": {}}, "this computer")


def test_nvml_tells_cards_in_old_and_new_words():
    """Names come as text or as bytes, and the library is given back."""
    module = FakeNvml(names=("NVIDIA GeForce RTX 3090", b"NVIDIA A10"))
    gpus = by_nvml(module).hardware.gpus
    assert [gpu.model for gpu in gpus] == ["RTX 3090", "A10"]
    assert (gpus[0].uuid, gpus[0].driver, gpus[0].watts) == ("GPU-0", "570.86.15", 350)
    assert not module.running


@pytest.mark.parametrize(
    "call", ["nvmlDeviceGetEnforcedPowerLimit", "nvmlDeviceGetMigMode", "nvmlSystemGetDriverVersion"]
)
def test_each_call_to_nvml_may_fail_on_its_own(call: str):
    """A consumer card answers "not supported" here and there; what is left is a card."""
    gpu = by_nvml(FakeNvml(fails={call: 3})).hardware.gpus[0]
    assert gpu.model == "RTX 3090"


def test_a_card_without_memory_of_its_own_is_a_card():
    """Memory that is "not supported" is shared with the computer; a lost card is not a card."""
    assert by_nvml(FakeNvml(fails={"nvmlDeviceGetMemoryInfo": 3})).hardware.gpus[0].free_gb is None
    lost = by_nvml(FakeNvml(fails={"nvmlDeviceGetMemoryInfo": 15})).hardware
    assert lost.gpus == ()
    assert "GPU 0 cannot be used: GPU is lost" in lost.sentence


def test_a_library_of_another_version_says_restart():
    """NVML's number 18 is a driver that was upgraded under a running computer."""
    assert "not restarted since" in by_nvml(FakeNvml(fails={"nvmlInit": 18})).hardware.sentence


def test_the_real_binding_never_raises():
    """With or without a card, and without the library, the answer is cards or a number."""
    told = nvml.read(pynvml)
    assert "gpus" in told or isinstance(told["code"], int)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_nvml_that_hangs_or_dies_is_given_up():
    """The library runs in a child: neither a hang nor a crash there is ours."""
    assert nvml.within(0.2, lambda: {"at": signal.pause()})["code"] == nvml.NO_ANSWER
    assert nvml.within(5, lambda: {"gpus": [1 // 0]})["code"] == nvml.NO_ANSWER
    assert nvml.within(5, lambda: {"gpus": []}) == {"gpus": []}


def test_the_far_side_runs_on_an_old_python():
    """A workstation's Python may be 3.8: no newer syntax in what is sent there."""
    for file in FAR.glob("*.py"):
        ast.parse(file.read_text("utf-8"), file.name, feature_version=(3, 8))
