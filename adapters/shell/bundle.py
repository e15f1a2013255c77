"""The far side's files as one piece of Python that a bare interpreter can run: nothing is installed over there."""

from __future__ import annotations

from functools import cache
from pathlib import Path

FAR = Path(__file__).with_name("far")
BASE = ("words", "main")
UNITS = (*BASE, "processes", "supervisor", "units")
RUNS = (*BASE, "processes", "runs")
TRANSFER = (*BASE, "files", "patterns", "transfer")
PARTS = {"run": RUNS, "start": UNITS, "look": UNITS, "stop": UNITS, "receive": TRANSFER, "emit": TRANSFER}
"""What each verb needs, in the order of their imports; the last one has the verb's function."""

LOADER = "import sys;i=sys.stdin.buffer;exec(i.read(int(i.readline())))"
"""All that is in argv: neither quotes nor newlines, so that every login shell passes it on as it is."""

_OPENING = """
import sys, types
for name, text in {parts!r}:
    module = sys.modules[name] = types.ModuleType(name)
    exec(compile(text, name, "exec"), module.__dict__)
sys.modules["adapters.shell.far.main"].main(module.{verb})
"""


@cache
def bundle(verb: str) -> bytes:
    """What ``LOADER`` reads first: its own length, then the program. What follows on stdin is the program's."""
    parts = [(f"adapters.shell.far.{name}", (FAR / f"{name}.py").read_text("utf-8")) for name in PARTS[verb]]
    program = _OPENING.format(parts=parts, verb=verb).encode("utf-8")
    return b"%d\n%b" % (len(program), program)
