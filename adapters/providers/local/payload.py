"""The far side as one program: every module of ``far/`` in one text that any Python reads from stdin.

Nothing is installed on the host and no file is left there; what runs is always this version.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

_HOME = __name__.rpartition(".")[0]
_LOADER = """
import json, sys
from importlib.machinery import ModuleSpec

class Sent:
    def find_spec(self, name, path=None, target=None):
        if name in SOURCES:
            return ModuleSpec(name, self, is_package=not name.startswith(FAR + "."))
    def create_module(self, spec):
        return None
    def exec_module(self, module):
        exec(compile(SOURCES[module.__name__], module.__name__, "exec"), module.__dict__)

sys.meta_path.insert(0, Sent())
from adapters.providers.local.far import keeper
keeper.main(json.loads(REQUEST))
"""


def program(request: Mapping[str, Any]) -> bytes:
    """The program that answers ``request`` (JSON values only)."""
    return f"{_sources()}REQUEST = {json.dumps(request)!r}\n{_LOADER}".encode()


@cache
def _sources() -> str:
    far = f"{_HOME}.far"
    texts = {file.stem: file.read_text("utf-8") for file in Path(__file__).with_name("far").glob("*.py")}
    sent = {f"{far}.{name}": text for name, text in sorted(texts.items())}
    # The packages above are there in name only: their real ones belong to the bot's side.
    parts = far.split(".")
    sent |= {".".join(parts[:depth]): "" for depth in range(1, len(parts) + 1)}
    return f"SOURCES = {sent!r}\nFAR = {far!r}\n"
