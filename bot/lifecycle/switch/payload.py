"""From the bot's side: the programs as text, what they are told, and what they answer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from bot.domain import deadman, deadman_rule
from bot.domain.deadman import Ends, Switch
from bot.domain.market import Access
from bot.ports import UnitJob

FAR = Path(__file__).with_name("far")
_OPENING = """
import sys, types
for name in {packages!r}:
    sys.modules[name] = types.ModuleType(name)
for name, text in {parts!r}:
    module = sys.modules[name] = types.ModuleType(name)
    setattr(sys.modules[name.rpartition(".")[0]], name.rpartition(".")[2], module)
    exec(compile(text, name, "exec"), module.__dict__)
"""


@cache
def _program(*names: str) -> str:
    """Our files as one text that a bare Python runs, each under its own name."""
    parts = [(deadman_rule.__name__, Path(deadman_rule.__file__).read_text("utf-8"))]
    parts += [(f"{__package__}.far.{name}", (FAR / f"{name}.py").read_text("utf-8")) for name in names]
    packages = sorted(
        {".".join(name.split(".")[:depth]) for name, _ in parts for depth in range(1, name.count(".") + 1)}
    )
    return _OPENING.format(packages=packages, parts=parts)


def job(access: Access, switch: Switch, left: float, grace: float) -> UnitJob:
    """The unit that watches. No time limit: it ends with its machine."""
    order = {
        **asdict(switch),
        "every": switch.every.total_seconds(),
        "at_least": Ends.JOB.value,
        "folder": deadman.FOLDER,
        "left": left,
        "grace": grace,
    }
    start = f"import json, os; from pathlib import Path; {_MAIN}"
    program = _program("notes", "job", "ending", "watch") + start
    run = f"import os;exec(os.environ.pop('{deadman.PROGRAM}'))"
    env = {deadman.PROGRAM: program, deadman.ORDER: json.dumps(order)}
    return UnitJob((access.python, "-I", "-S", "-c", run), env=env)


_MAIN = f"module.main(json.loads(os.environ.pop('{deadman.ORDER}')), Path.cwd())"


def beat(access: Access, left: float) -> tuple[Sequence[str], bytes]:
    """Command and stdin of a heartbeat."""
    told = json.dumps({"left": left})
    start = f"from pathlib import Path; module.main(Path.cwd() / '{deadman.FOLDER}', TOLD['left'])"
    text = f"{deadman.TOLD}{told}\n{_program('notes', 'beat')}{start}\n"
    return (access.python, "-I", "-S", "-"), text.encode()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a heartbeat found: whether a switch lives, whether it has fired, and what it can do."""

    state: str
    ends: Ends
    why: str


def answer(stdout: bytes) -> Answer | None:
    """None when it cannot be read: somebody else's machine may say anything."""
    try:
        said = json.loads(stdout)
        return Answer(str(said["state"]), Ends(said.get("ends", Ends.NOTHING)), _plain(said.get("why", "")))
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _plain(text: object) -> str:
    return "".join(mark if mark.isprintable() else "?" for mark in str(text))[:150]
