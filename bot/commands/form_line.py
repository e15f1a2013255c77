"""A filled form as the line that says the same: what the grammar reads back is exactly what was filled in.

Every value stands behind its option's name and in quotes where it needs them, so that none can be taken for another,
and none can say anything but itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from bot.commands.caret import flatten, is_space
from bot.commands.catalogue import BY_NAME
from bot.commands.grammar import LONGEST_LINE, parse
from bot.commands.options import OPTIONS, Slot
from bot.commands.spoken import Command, Train, Up
from bot.commands.vocabulary import Vocabulary
from bot.commands.words import Word, split
from bot.domain.errors import AskAgain
from bot.domain.market import ANY
from bot.domain.nearest import nearest

INPUTS = "inputs"
"""The field that holds all parameters of a recipe, ``name=value`` each."""
CPU = "cpu"
"""What the field for the GPU says where none is needed."""
YES = "yes"
_LONGEST = 1_500
_PLAIN = re.compile(r"[A-Za-z0-9$./_~+:@%-]*[A-Za-z0-9$./_~+:@%]")
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?|\.[0-9]+")
_TEXT = {"gpu": Slot.GPU, "count": Slot.COUNT, "for": Slot.HOURS, "budget": Slot.BUDGET, "data": Slot.DATA}
_FLAGS = {"provider": Slot.PROVIDER, "recipe": Slot.RECIPE, "preset": Slot.PRESET}
FIELDS: Mapping[str, tuple[str, ...]] = {
    "up": ("provider", "gpu", "count", "for", "budget", "spot"),
    "train": ("recipe", "preset", "data", INPUTS, "provider", "gpu", "for", "budget"),
}
"""The fields of each form, in their order."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """A form as a line; ``command`` once ``errors`` (by field) is empty."""

    line: str
    command: Up | Train | None = None
    errors: Mapping[str, str] = field(default_factory=dict)


def speak(command: str, values: Mapping[str, str], vocabulary: Vocabulary) -> Spoken:
    """The line, read by the grammar as a whole and each field by itself, so that every fault is at its field."""
    parts: dict[str, str] = {}
    errors: dict[str, str] = {}
    for name in FIELDS[command]:
        said = values.get(name, "").strip()
        if not said:
            continue
        if len(said) > _LONGEST:
            errors[name] = f"That is too long: {_LONGEST} characters are the most."
            continue
        try:
            parts[name] = _part(command, name, said, vocabulary)
            parse(f"{_frame(command, name, vocabulary)} {parts[name]}", vocabulary)
        except AskAgain as fault:
            errors[name] = sentence(fault)
    line = " ".join([command, *filter(None, parts.values())])
    if command == "up" and not any(name in parts for name in ("provider", "gpu")):
        line = f"{command} on {ANY}{line.removeprefix(command)}"
    if errors:
        return Spoken(line, errors=errors)
    if len(line) > LONGEST_LINE:
        longest = max(parts, key=lambda name: len(parts[name]))
        return Spoken(line, errors={longest: f"That is too long: {LONGEST_LINE} characters are the most."})
    try:
        return Spoken(line, _known(parse(line, vocabulary)))
    except AskAgain as fault:
        return Spoken(
            line, errors={"recipe" if command == "train" and "recipe" not in parts else "": sentence(fault)}
        )


def _known(found: Command) -> Up | Train:
    assert isinstance(found, Up | Train)
    return found


def sentence(fault: AskAgain) -> str:
    """What a person reads at a field, where there is no place for a caret."""
    way = fault.nearest or fault.expected
    return f"{fault.sentence} Expected: {way}." if way else fault.sentence


def _frame(command: str, name: str, vocabulary: Vocabulary) -> str:
    """The shortest line that one more part makes whole."""
    if command == "up":
        return command if name == "provider" else f"{command} --provider={ANY}"
    return (
        command
        if name == "recipe" or not vocabulary.recipes
        else f"{command} --recipe={vocabulary.recipes[0]}"
    )


def _part(command: str, name: str, said: str, vocabulary: Vocabulary) -> str:
    """One field as words."""
    if name == INPUTS:
        return " ".join(_inputs(command, said, vocabulary))
    if name == "spot":
        return "spot" if said == YES else ""
    if name == "gpu" and said == CPU:
        return CPU
    if name == "budget" and _NUMBER.fullmatch(said):
        said = f"${said}"
    if name in _FLAGS:
        return f"--{OPTIONS[_FLAGS[name]].flags[0]}={quoted(said)}"
    return f"{OPTIONS[_TEXT[name]].words[0]} {quoted(said)}"


def quoted(said: str) -> str:
    """As one word. Raises ``AskAgain`` for what no quotes can hold."""
    if any(is_space(ch) and ch != " " for ch in said):
        raise AskAgain("Tabs and line breaks cannot be said in a line.", expected="one line")
    if _PLAIN.fullmatch(said) and not said.startswith("-"):
        return said
    for quote in ('"', "'"):
        word = f"{quote}{said}{quote}"
        try:
            read = split(word)
        except AskAgain:
            continue
        if len(read) == 1 and read[0].text == said:
            return word
    split(
        f'"{"".join(ch for ch in said if ch not in _QUOTES)}"'
    )  # a hidden character has a sentence of its own
    raise AskAgain("Both kinds of quotes before a space cannot be said.", expected="one kind of quotes")


_QUOTES = "\"'“”„‟«»‘’‚‛"


def _inputs(command: str, said: str, vocabulary: Vocabulary) -> Iterator[str]:
    """``name=value``, each with a parameter's name: an option's name would say something else."""
    flat = flatten(said)
    options = {name for one in BY_NAME[command].options for name in one.names}
    for word in split(flat):
        if not word.name or word.dashes or not word.has_value:
            raise AskAgain(f"`{_text(flat, word)}` is no parameter.", expected="name=value")
        name = vocabulary.input(word.name) if word.name not in options else None
        if name is None:
            near = nearest(word.name, vocabulary.inputs)
            raise AskAgain(
                f"There is no parameter {word.name}.", expected=", ".join(vocabulary.inputs), nearest=near
            )
        value = quoted(word.text) if word.text else '""'
        yield f"{name}={value}"


def _text(line: str, word: Word) -> str:
    return line[word.start : word.end][:40]
