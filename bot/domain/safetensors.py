"""Is a safetensors file whole? Read from its header alone: truncation shows exactly.

Layout: 8 bytes little-endian header length, JSON header with ``data_offsets`` per tensor, tensor bytes
(format documentation of huggingface/safetensors).
"""

from __future__ import annotations

import json
from pathlib import Path

_MOST_HEADER = 100 * 1024 * 1024


def fault_of(path: Path) -> str:
    """What is wrong with the file in a few words; empty when it is whole. Other kinds of file are only asked
    not to be empty."""
    try:
        size = path.stat().st_size
        if path.suffix != ".safetensors":
            return "" if size else "it is empty"
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if size < 8 or not 2 <= length <= min(size - 8, _MOST_HEADER):
                return "it is cut off or no safetensors file"
            header = json.loads(file.read(length))
        ends = [int(one["data_offsets"][1]) for name, one in header.items() if name != "__metadata__"]
    except OSError as error:
        return f"it cannot be read ({error.strerror})"
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
        return "its header cannot be read"
    if not ends:
        return "it holds no tensors"
    return "" if max(ends) + 8 + length == size else "it is cut off"
