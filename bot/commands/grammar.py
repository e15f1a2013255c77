"""The one grammar that all chats share: a line to a typed command, or the question back with its place.

Forgiving in order, strict in meaning: ``up vast 3090 for 2h`` is ``up --for=2h 3090 vast``, and what could be
two things is asked about. It names no provider and no recipe; those come in the ``Vocabulary``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from bot.commands import spoken, stray
from bot.commands.caret import ask, flatten, point
from bot.commands.catalogue import BY_NAME
from bot.commands.options import OPTIONS, Slot
from bot.commands.reading import Heard, Reader
from bot.commands.scope import Scope, listing
from bot.commands.spoken import Command
from bot.commands.tails import TAILS
from bot.commands.vocabulary import ProviderWord, Vocabulary
from bot.commands.words import Word, split
from bot.domain.errors import AskAgain
from bot.domain.ledger import Period
from bot.domain.market import ANY, Want
from bot.domain.money import Usd
from bot.domain.orphan import Fate

__all__ = ["LONGEST_LINE", "PREFIX", "ProviderWord", "Vocabulary", "parse"]

LONGEST_LINE = 2_000
PREFIX = re.compile(r" *(?:[/!]?gpu(?= |$))? *", re.IGNORECASE)
"""What may stand before a command: the slash command's own name, in any chat's way."""
_HELP_FLAGS = ("help", "h")


def parse(line: str, vocabulary: Vocabulary) -> Command:
    """The command that ``line`` says. Raises ``AskAgain`` and nothing else, whatever the line is."""
    if len(line) > LONGEST_LINE:
        sentence = f"This line has {len(line)} characters, and {LONGEST_LINE} is the most."
        caret = point(line[: LONGEST_LINE + 99], LONGEST_LINE, LONGEST_LINE + 1)
        raise AskAgain(sentence, caret=caret, expected="a shorter line, such as help")
    flat = flatten(line)
    prefix = PREFIX.match(flat)
    start = prefix.end() if prefix else 0
    end = flat.find(" ", start)
    head = flat[start : end if end >= 0 else len(flat)]
    if not head:
        return spoken.Help()
    spec = BY_NAME.get(head.lower())
    if spec is None:
        return _no_command(flat, start, head, vocabulary)
    if not spec.available:
        return spoken.Later(spec.name)
    scope = Scope(flat, spec, vocabulary)
    words = split(flat, start + len(head))
    if _asks_help(words):
        return spoken.Help(spec.name)
    name = Word(head, start, start + len(head), start)
    if spec.tail:
        return TAILS[spec.name](scope, name, words)
    heard = Reader(scope, words).read()
    _check_complete(scope, name, heard)
    return BUILD[spec.name](heard)


def _no_command(line: str, start: int, head: str, vocabulary: Vocabulary) -> Command:
    """``--help`` is help; all else is asked about."""
    if head.lower() in ("--help", "-h", "—help", "?"):
        return spoken.Help()
    names = {each.name.lower() for each in vocabulary.providers} | {ANY}
    raise stray.command(line, Word(head, start, start + len(head), start), names)


def _asks_help(words: list[Word]) -> bool:
    """``up --help``, ``up help``."""
    if any(each.dashes and each.name in _HELP_FLAGS and not each.has_value for each in words):
        return True
    return len(words) == 1 and words[0].is_plain and words[0].text.lower() == "help"


def _check_complete(scope: Scope, name: Word, heard: Heard) -> None:
    """What must be said was said, and no two things exclude each other."""
    for slot in scope.spec.required:
        if slot in heard.slots or Slot.RERUN in heard.slots:
            continue
        option, known = OPTIONS[slot], scope.vocabulary
        wanted = listing(known.recipes if slot is Slot.RECIPE else scope.spec.examples(known))
        only = known.recipes[0] if slot is Slot.RECIPE and len(known.recipes) == 1 else ""
        sentence = f"`{scope.spec.name}` needs {option.noun}."
        raise scope.fault(name, sentence, wanted, only and f"{scope.spec.name} {only}")
    which = (Slot.PROVIDER, Slot.GPU, Slot.VRAM, Slot.CPU)
    if scope.spec.name == "up" and not any(slot in heard.slots for slot in which):
        raise scope.fault(name, "It is not said what to rent.", stray.expected(scope, heard.slots))
    _check_cpu(scope, heard)
    _check_deed(scope, heard)
    if scope.spec.name == "history" and Slot.RENTAL in heard.slots and Slot.LINES in heard.slots:
        said = heard.slots[Slot.LINES]
        sentence = "`history` shows one rental or the last few, not both."
        raise ask(scope.line, said.start, said.end, sentence, expected="an id or a number")


def _check_cpu(scope: Scope, heard: Heard) -> None:
    """``cpu`` is for those who need no GPU; with a GPU it says two things."""
    cpu, gpu = heard.slots.get(Slot.CPU), heard.slots.get(Slot.GPU)
    if cpu and gpu:
        later = max(cpu, gpu, key=lambda said: said.start)
        one, other = scope.line[gpu.start : gpu.end], "cpu"
        sentence = "A GPU is asked for, and a machine without one."
        raise ask(scope.line, later.start, later.end, sentence, expected=listing((one, other)))


def _check_deed(scope: Scope, heard: Heard) -> None:
    """A deed says of which machine, and a machine what becomes of it."""
    deed, machine = heard.slots.get(Slot.DEED), heard.slots.get(Slot.MACHINE)
    decides = deed is not None and deed.value != spoken.ALL
    if deed and decides and not machine:
        sentence = f"`{deed.value}` needs a machine."
        raise ask(
            scope.line,
            deed.start,
            deed.end,
            sentence,
            expected=f"{deed.value} and provider/id, as `orphans` calls it",
        )
    if machine and not decides:
        sentence = "It is not said what becomes of this machine."
        ways = tuple(f"{fate} {machine.value}" for fate in Fate)
        raise ask(scope.line, machine.start, machine.end, sentence, expected=listing(ways))


# --- building ------------------------------------------------------------------------------------


def _gpu(heard: Heard) -> str | None:
    models = heard.get(Slot.GPU, tuple)
    return models[0].name if models else None


def _want(heard: Heard) -> Want:
    usual = Want()
    return Want(
        provider=heard.get(Slot.PROVIDER, str) or ANY,
        gpu=_gpu(heard),
        count=heard.get(Slot.COUNT, int) or usual.count,
        vram_gb=heard.get(Slot.VRAM, int) or usual.vram_gb,
        disk_gb=heard.get(Slot.DISK, int) or usual.disk_gb,
        max_hourly=heard.get(Slot.MAX, Usd),
        region=heard.get(Slot.REGION, str) or usual.region,
        reliability=heard.get(Slot.RELIABILITY, float) or usual.reliability,
        verified=Slot.VERIFIED in heard.slots,
        cuda=heard.get(Slot.CUDA, str) or usual.cuda,
        down_mbps=heard.get(Slot.NET, int) or usual.down_mbps,
        spot=Slot.SPOT in heard.slots,
        cpu_ok=Slot.CPU in heard.slots,
    )


def _up(heard: Heard) -> Command:
    return spoken.Up(_want(heard), heard.get(Slot.HOURS, timedelta), heard.get(Slot.BUDGET, Usd))


def _train(heard: Heard) -> Command:
    inputs = {name: str(said.value) for name, said in heard.inputs.items()}
    data = heard.get(Slot.DATA, str)
    attached = data is not None and data.lower() == spoken.ATTACHED
    return spoken.Train(
        recipe=heard.get(Slot.RECIPE, str) or "",
        preset=heard.get(Slot.PRESET, str),
        want=_want(heard),
        hours=heard.get(Slot.HOURS, timedelta),
        budget=heard.get(Slot.BUDGET, Usd),
        data=None if attached else data,
        attached=attached,
        inputs=inputs,
        rerun=heard.get(Slot.RERUN, str),
    )


def _must(heard: Heard, slot: Slot) -> str:
    """A required name; ``_check_complete`` has seen it."""
    value = heard.get(slot, str)
    assert value is not None
    return value


def _extend(heard: Heard) -> Command:
    by = heard.slots[Slot.AMOUNT].value
    assert isinstance(by, timedelta | Usd)
    return spoken.Extend(_must(heard, Slot.RENTAL), by)


def _orphans(heard: Heard) -> Command:
    deed = heard.get(Slot.DEED, str)
    if deed is None or deed == spoken.ALL:
        return spoken.Orphans(everything=deed is not None)
    return spoken.Orphans(fate=Fate(deed), machine=_must(heard, Slot.MACHINE))


def _costs(heard: Heard) -> Command:
    usual = spoken.Costs()
    period = heard.get(Slot.PERIOD, str)
    return spoken.Costs(
        heard.get(Slot.WHOSE, str) or usual.whose,
        Period(period) if period else usual.period,
        csv=Slot.CSV in heard.slots,
    )


def _rental(heard: Heard) -> str | None:
    return heard.get(Slot.RENTAL, str)


BUILD: Final[dict[str, Callable[[Heard], Command]]] = {
    "up": _up,
    "train": _train,
    "status": lambda heard: spoken.Status(heard.get(Slot.WHICH, str) or spoken.MINE),
    "down": lambda heard: spoken.Down(_must(heard, Slot.WHICH)),
    "extend": _extend,
    "confirm": lambda heard: spoken.Confirm(_rental(heard), heard.get(Slot.BUDGET, Usd)),
    "cancel": lambda heard: spoken.Cancel(_rental(heard)),
    "offers": lambda heard: spoken.Offers(_want(heard)),
    "estimate": lambda heard: spoken.Estimate(
        heard.get(Slot.RECIPE, str), _gpu(heard), heard.get(Slot.RATE, Usd)
    ),
    "advise": lambda heard: spoken.Advise(_must(heard, Slot.RECIPE)),
    "providers": lambda _: spoken.Providers(),
    "logs": lambda heard: spoken.Logs(_rental(heard), heard.get(Slot.LINES, int) or spoken.USUAL_LINES),
    "pull": lambda heard: spoken.Pull(_rental(heard)),
    "stop": lambda heard: spoken.Stop(_rental(heard)),
    "ssh": lambda heard: spoken.Ssh(_rental(heard)),
    "history": lambda heard: spoken.History(_rental(heard), heard.get(Slot.LINES, int)),
    "snooze": lambda heard: spoken.Snooze(_rental(heard), heard.get(Slot.HOURS, timedelta)),
    "orphans": _orphans,
    "approve": lambda heard: spoken.Approve(_must(heard, Slot.RENTAL), heard.get(Slot.BUDGET, Usd)),
    "costs": _costs,
    "help": lambda heard: spoken.Help(heard.get(Slot.TOPIC, str)),
}
