"""NVIDIA GPUs by NVML. ``nvml`` is the module ``pynvml``, passed in so that a test can hand in another.

Every call may fail on its own (consumer cards, containers, a lost card), and what failed is None, never 0.
"""

from __future__ import annotations

import json
import os
import select
import signal
import time
from typing import Any, Callable, Dict, Optional

NOT_SUPPORTED = 3
LIBRARY_NOT_FOUND = 12
NO_ANSWER = -1
"""Our own number beside NVML's: it hung, or it crashed."""


def read(nvml: Any) -> Dict[str, Any]:
    """``{"gpus": […], "driver": …}``, or ``{"code": …, "error": …}`` when NVML as a whole does not work."""
    try:
        nvml.nvmlInit()
    except nvml.NVMLError as error:
        return _fault(error)
    try:
        count = int(nvml.nvmlDeviceGetCount())
        driver = _text(_ask(nvml, nvml.nvmlSystemGetDriverVersion))
        return {"driver": driver, "gpus": [_gpu(nvml, index) for index in range(count)]}
    except nvml.NVMLError as error:
        return _fault(error)
    finally:
        _ask(nvml, nvml.nvmlShutdown)


def within(limit: float, work: Callable[[], Dict[str, Any]]) -> Dict[str, Any]:
    """Run ``work`` in a child for at most ``limit`` seconds: a driver with a lost card can hold its caller for ever,
    and beyond KILL. Such a child is left behind, with no hand on any of our pipes."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _answer_and_leave(writing, work)
    os.close(writing)
    try:
        text = _read_until_closed(reading, time.monotonic() + limit)
    finally:
        os.close(reading)
        os.kill(child, signal.SIGKILL)
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if isinstance(found, dict):
        os.waitpid(child, 0)
        return found
    return {"code": NO_ANSWER, "error": f"the NVIDIA driver did not answer within {limit:g} s"}


def _answer_and_leave(writing: int, work: Callable[[], Dict[str, Any]]) -> None:
    code = 1
    try:
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nothing, stream)
        answer = json.dumps(work()).encode()
        while answer:
            answer = answer[os.write(writing, answer) :]
        code = 0
    finally:
        os._exit(code)


def _read_until_closed(reading: int, until: float) -> bytes:
    text = b""
    while time.monotonic() < until:
        if select.select([reading], [], [], max(0.0, until - time.monotonic()))[0]:
            data = os.read(reading, 65536)
            if not data:
                return text
            text += data
    return b""


def _gpu(nvml: Any, index: int) -> Dict[str, Any]:
    try:
        handle = nvml.nvmlDeviceGetHandleByIndex(index)
    except nvml.NVMLError as error:
        return {"index": index, "fault": str(error)}
    try:
        memory, fault = nvml.nvmlDeviceGetMemoryInfo(handle), ""
    except nvml.NVMLError as error:
        # "Not supported" is a card that shares the computer's memory; anything else is a sick card.
        memory, fault = None, "" if error.value == NOT_SUPPORTED else str(error)
    milliwatts = _ask(nvml, nvml.nvmlDeviceGetEnforcedPowerLimit, handle)
    mig = _ask(nvml, nvml.nvmlDeviceGetMigMode, handle)
    return {
        "index": index,
        "name": _text(_ask(nvml, nvml.nvmlDeviceGetName, handle)),
        "uuid": _text(_ask(nvml, nvml.nvmlDeviceGetUUID, handle)),
        "total": None if memory is None else int(memory.total),
        "free": None if memory is None else int(memory.free),
        "watts": None if milliwatts is None else milliwatts / 1000,
        "mig": None if mig is None else bool(mig[0]),
        "fault": fault,
    }


def _ask(nvml: Any, call: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return call(*arguments)
    except nvml.NVMLError:
        return None


def _text(value: Any) -> Optional[str]:
    return value.decode(errors="replace") if isinstance(value, bytes) else value


def _fault(error: Any) -> Dict[str, Any]:
    return {"code": int(getattr(error, "value", NO_ANSWER)), "error": str(error)}
