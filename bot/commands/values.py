"""From words to the value of one slot: ``recognise`` what stands alone, ``demand`` what follows its option."""

from __future__ import annotations

import re
from datetime import timedelta

from bot.commands.caret import word
from bot.commands.catalogue import BY_NAME
from bot.commands.measures import PARSERS, measure, measure_bare
from bot.commands.options import OptionSpec, Slot
from bot.commands.scope import Scope, listing
from bot.commands.spoken import ALL, ME, MINE, TEAM
from bot.commands.vocabulary import Vocabulary
from bot.commands.words import Word
from bot.domain import gpus
from bot.domain.errors import AskAgain
from bot.domain.ledger import Period
from bot.domain.market import ANY
from bot.domain.money import Usd
from bot.domain.nearest import nearest
from bot.domain.orphan import Fate

MOST_GPUS = 16
MOST_LINES = 10_000
_COUNT = re.compile(r"(?:[x×*] ?(?P<after>[0-9]+)|(?P<before>[0-9]+) ?[x×])", re.IGNORECASE)
_ID = re.compile(r"[A-Za-z0-9]{6}")
_MACHINE = re.compile(r"(?=.*[0-9/]|.{8}).+")
"""Vendors' ids have digits, or are long; a short word of letters is a slip of the tongue."""
DEEDS = (ALL, *(fate.value for fate in Fate))

Value = str | int | float | timedelta | Usd | tuple[gpus.GpuModel, ...]
"""GPUs are the models that were perhaps meant; whether that is one is judged when the line is read to its end.
Empty: any GPU."""
Found = tuple[Value, int]
"""A value and how many words it took."""


# --- names ---------------------------------------------------------------------------------------


def gpu(scope: Scope, words: list[Word], at: int) -> Found | None:
    """The longest run of words that names a GPU, or several that it could be."""
    run = scope.run(words, at)
    models: list[tuple[gpus.GpuModel, ...]] = [gpus.lookup(scope.text(run[: n + 1])) for n in range(len(run))]
    named = [n for n, each in enumerate(models) if each]
    if not named:
        return None
    # What adds nothing to a name is not part of it: in `h100 sxm 80gb` the size may be meant for the disk.
    best = models[named[-1]]
    last = next(n for n in named if models[n] == best)
    unit = last + 1 < len(run) and run[last].text.isdigit() and run[last + 1].text.lower() in ("gb", "gib")
    return best, last + (2 if unit and len(run[last].text) < 4 else 1)


def provider_names(vocabulary: Vocabulary) -> dict[str, str]:
    """What is near to a provider's name, to the name: also the machine's own name in ``family/machine``."""
    names = {each.name.rpartition("/")[2]: each.name for each in vocabulary.providers}
    names |= {each.title: each.name for each in vocabulary.providers if each.title}
    return names | {each.name: each.name for each in vocabulary.providers} | {ANY: ANY}


def count(scope: Scope, found: Word, digits: str) -> int:
    """A number of GPUs within reason."""
    number = int(digits) if len(digits) < 6 else MOST_GPUS + 1
    if not 1 <= number <= MOST_GPUS:
        raise scope.fault(found, f"A machine has 1 to {MOST_GPUS} GPUs.", f"x1 to x{MOST_GPUS}",
                          "x1" if number < 1 else f"x{MOST_GPUS}")  # fmt: skip
    return number


def _counted(scope: Scope, words: list[Word], at: int) -> Found | None:
    """``x2``, ``2x``, ``x 2``, ``2 x``."""
    run = scope.run(words, at)[:2]
    for taken in range(len(run), 0, -1):
        found = _COUNT.fullmatch(scope.text(run[:taken]))
        # In `4090 x 2` the first number is a GPU.
        if found and (taken == 1 or len(found["after"] or found["before"]) < 3):
            return count(scope, run[0], found["after"] or found["before"]), taken
    return None


def rental(text: str) -> str | None:
    """A rental id in lower case, if it is shaped like one."""
    return text.lower() if _ID.fullmatch(text) else None


def _lines(scope: Scope, found: Word) -> int | None:
    if not re.fullmatch(r"[0-9]{1,5}", found.text):
        return None
    if not 1 <= int(found.text) <= MOST_LINES:
        near = str(MOST_LINES) if found.text.strip("0") else "1"
        raise scope.fault(found, f"This number is 1 to {MOST_LINES}.", f"1 to {MOST_LINES}", near)
    return int(found.text)


def _whose(text: str) -> str | None:
    """``me``, ``team``, ``@ann``; also as chats write a mention: ``<@U123>``."""
    if text.lower() in (ME, TEAM, MINE):
        return ME if text.lower() == MINE else text.lower()
    name = text.strip("<>!")
    return name if len(name) > 1 and name.startswith("@") else None


def _name(scope: Scope, slot: Slot, found: Word) -> Value | None:
    """The value of a slot that takes one word out of few."""
    text, known = found.text, scope.vocabulary
    match slot:
        case Slot.PROVIDER:
            return known.provider(text)
        case Slot.RECIPE:
            return known.recipe(text)
        case Slot.PRESET:
            return known.preset(text)
        case Slot.RENTAL | Slot.RERUN:
            return rental(text)
        case Slot.WHICH:
            return text.lower() if text.lower() in (MINE, ALL) else rental(text)
        case Slot.TOPIC:
            return text.lower() if text.lower() in BY_NAME else None
        case Slot.LINES:
            return _lines(scope, found)
        case Slot.DEED:
            return text.lower() if text.lower() in DEEDS else None
        case Slot.WHOSE:
            return _whose(text)
        case Slot.PERIOD:
            return text.lower() if text.lower() in tuple(Period) else None
        case Slot.MACHINE:
            return text if _MACHINE.fullmatch(text) else None
        case _:
            return None


# --- the two doors -------------------------------------------------------------------------------


def recognise(scope: Scope, slot: Slot, words: list[Word], at: int) -> Found | None:
    """The value that stands here by itself, or None when this is no such value. Faults only in what surely is one."""
    if slot is Slot.GPU:
        return gpu(scope, words, at)
    if slot is Slot.COUNT:
        return None if words[at].quoted else _counted(scope, words, at)
    if slot in PARSERS:
        return measure_bare(scope, slot, words, at)
    value = _name(scope, slot, words[at])
    return None if value is None else (value, 1)


def demand(scope: Scope, option: OptionSpec, words: list[Word], at: int) -> Found:
    """The value that must stand here, because its option was said. Raises ``AskAgain``."""
    slot, found = option.slot, words[at]
    if slot in PARSERS:
        return measure(scope, slot, words, at)
    if slot is Slot.DATA:
        return found.text, 1
    if slot is Slot.COUNT:
        digits = re.fullmatch(r"[x×*]?([0-9]+)x?", found.text, re.IGNORECASE)
        if not digits:
            raise scope.fault(found, "This is no number of GPUs.", f"1 to {MOST_GPUS}")
        return count(scope, found, digits[1]), 1
    if slot is Slot.GPU and found.text.lower() == ANY:
        return (), 1
    value = recognise(scope, slot, words, at)
    if value is None:
        raise unknown(scope, option, found)
    return value


def unknown(scope: Scope, option: OptionSpec, found: Word) -> AskAgain:
    """The fault for a name that is not known, with those that are."""
    match option.slot:
        case Slot.PROVIDER:
            names = provider_names(scope.vocabulary)
            expected, near = listing(scope.vocabulary.usable()), names.get(nearest(found.text, names), "")
        case Slot.GPU:
            guess = gpus.find(found.text)
            near = gpus.slug(guess.nearest) if isinstance(guess, gpus.Unknown) and guess.nearest else ""
            expected = "a model such as 3090, a100-80 or h100-sxm"
        case Slot.RECIPE:
            expected, near = listing(scope.vocabulary.recipes), nearest(found.text, scope.vocabulary.recipes)
        case Slot.PRESET:
            expected, near = listing(scope.vocabulary.presets), nearest(found.text, scope.vocabulary.presets)
        case Slot.TOPIC:
            expected, near = listing(tuple(BY_NAME), 30), nearest(found.text, BY_NAME)
        case Slot.WHICH:
            expected = "an id of six letters and digits such as k7m2qd, `mine` or `all`"
            near = nearest(found.text, (MINE, ALL))
        case Slot.RENTAL | Slot.RERUN:
            expected, near = "an id of six letters and digits such as k7m2qd", ""
        case Slot.DEED:
            expected, near = listing(DEEDS), nearest(found.text, DEEDS)
        case Slot.WHOSE:
            expected, near = "me, team or @person", ""
        case Slot.PERIOD:
            expected, near = listing(tuple(Period)), nearest(found.text, tuple(Period))
        case Slot.MACHINE:
            expected, near = "provider/id as `orphans` calls it", ""
        case _:
            expected, near = f"1 to {MOST_LINES}", ""
    noun = "a rental id" if option.slot is Slot.WHICH else option.noun
    return scope.fault(found, f"{word(found.text)} is not {noun} that I know.", expected, near)
