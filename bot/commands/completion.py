"""What could come next in a half-typed line, for chats that can show it (the terminal). Pure, and never a fault."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from bot.commands.caret import flatten
from bot.commands.catalogue import BY_NAME, COMMANDS
from bot.commands.grammar import LONGEST_LINE, PREFIX
from bot.commands.options import OptionSpec, Slot
from bot.commands.scope import Scope
from bot.commands.spoken import ALL, MINE
from bot.commands.values import recognise
from bot.commands.vocabulary import Vocabulary
from bot.commands.words import Word, split
from bot.domain import gpus
from bot.domain.errors import AskAgain
from bot.domain.market import ANY

_VALUE = re.compile(r"(?:--|[—–])(?P<name>[a-z][a-z0-9_-]*)=", re.IGNORECASE)
_MAKER = re.compile(r"^(?:rtx|gtx|rx|apple|quadro-rtx)-")


@dataclass(frozen=True, slots=True)
class Completion:
    """``text`` in place of ``line[start:]``."""

    text: str
    start: int
    description: str = ""


Choice = tuple[str, str]
"""A text and its description."""


def complete(line: str, vocabulary: Vocabulary, rental_ids: Sequence[str] = ()) -> list[Completion]:
    """What may stand where the line ends, the likely first. Empty where anything, or nothing, may."""
    if len(line) > LONGEST_LINE:
        return []
    flat = flatten(line)
    prefix = PREFIX.match(flat)
    begin = prefix.end() if prefix else 0
    start = max(begin, flat.rfind(" ") + 1)
    head, _, rest = flat[begin:start].partition(" ")
    if not head:
        return _fitting(flat[start:], start, _commands(everything=start < len(flat)))
    spec = BY_NAME.get(head.lower())
    if spec is None or not spec.available:
        return []
    scope = Scope(flat[:start], spec, vocabulary)
    try:
        words = split(scope.line, start - len(rest))
        return _next(scope, words, flat[start:], start, rental_ids)
    except AskAgain:
        return []


def _next(
    scope: Scope, words: list[Word], typed: str, start: int, rental_ids: Sequence[str]
) -> list[Completion]:
    """Inside a command: the value that an option waits for, or a bare value, or another option."""
    equals = _VALUE.match(typed)
    if equals:
        named = scope.option(equals["name"], dashed=True)
        values = values_of(scope, named, rental_ids) if named else ()
        return _fitting(typed[equals.end() :], start + equals.end(), values)
    waiting = _waiting(scope, words)
    if waiting:
        return _fitting(typed, start, values_of(scope, waiting, rental_ids))
    said = _said(scope, words)
    open_options = [option for option in scope.spec.options if option.slot not in said]
    if typed.startswith(("-", "—", "–")):
        choices = [(f"--{option.names[0]}", option.summary) for option in open_options]
        return _fitting(re.sub("^[—–]", "--", typed), start, choices)
    return _fitting(typed, start, _bare(scope, open_options, typed, rental_ids))


def _bare(scope: Scope, options: list[OptionSpec], typed: str, rental_ids: Sequence[str]) -> Iterator[Choice]:
    """Values that may stand alone, then options by name. Sixty cards are shown only to who began to type one."""
    for option in options:
        crowd = option.slot in (Slot.GPU, Slot.COUNT, Slot.HOURS, Slot.LINES, Slot.RATE)
        if option.bare and not option.switch and (typed or not crowd):
            yield from values_of(scope, option, rental_ids)
    for option in options:
        if option.words:
            yield option.words[0], option.summary


def _option_at(scope: Scope, word: Word) -> OptionSpec | None:
    if word.name:
        return scope.option(word.name, dashed=True)
    return scope.option(word.text, dashed=False) if word.is_plain else None


def _waiting(scope: Scope, words: list[Word]) -> OptionSpec | None:
    """The option that the line ends with, if it has no value yet."""
    option = _option_at(scope, words[-1]) if words else None
    return None if option is None or option.switch or words[-1].has_value else option


def _said(scope: Scope, words: list[Word]) -> set[Slot]:
    """The slots that are filled so far, as far as that can be told."""
    said: set[Slot] = set()
    for at, word in enumerate(words):
        option = _option_at(scope, word)
        if option:
            said.add(option.slot)
        else:
            said.update(
                each.slot
                for each in scope.spec.options
                if each.bare and not each.switch and recognise(scope, each.slot, words, at)
            )
    return said


def _commands(*, everything: bool) -> Iterator[Choice]:
    """Those that work now; the others to who begins to type one."""
    yield from ((spec.name, spec.summary) for spec in COMMANDS if spec.available)
    if everything:
        yield from ((spec.name, f"{spec.summary} (later)") for spec in COMMANDS if not spec.available)


def values_of(scope: Scope, option: OptionSpec, rental_ids: Sequence[str]) -> Iterable[Choice]:
    """What an option may be given."""
    known = scope.vocabulary
    match option.slot:
        case Slot.PROVIDER:
            return [(ANY, "the cheapest of all")] + [
                (each.name, each.title if each.available else f"{each.title} (not configured)")
                for each in known.providers
            ]
        case Slot.GPU:
            plain_first = sorted(gpus.CATALOGUE, key=lambda each: len(each.name))
            return [(gpus.slug(each.name), _card(each)) for each in plain_first]
        case Slot.RECIPE:
            return [(name, "recipe") for name in known.recipes]
        case Slot.PRESET:
            return [(name, "preset") for name in known.presets]
        case Slot.RENTAL | Slot.RERUN:
            return [(each, "rental") for each in rental_ids]
        case Slot.WHICH:
            return [(each, "rental") for each in rental_ids] + [(MINE, "yours"), (ALL, "everybody's")]
        case Slot.TOPIC:
            return [(spec.name, spec.summary) for spec in COMMANDS]
        case Slot.DATA:
            return ()
        case _:
            return [(each, option.summary) for each in option.samples]


def _card(each: gpus.GpuModel) -> str:
    return f"{each.name}, {each.vram_gb} GB" if each.vram_gb else f"{each.name}, shared memory"


def _fitting(typed: str, start: int, choices: Iterable[Choice]) -> list[Completion]:
    """Those that begin with what is typed (a GPU also without its maker's letters), each once."""
    low = typed.casefold()
    fit: dict[str, Completion] = {}
    for text, description in choices:
        begins = text.casefold().startswith(low) or (bool(low) and _MAKER.sub("", text).startswith(low))
        if begins and text.casefold() != low:
            fit.setdefault(text, Completion(text, start, description))
    return list(fit.values())
