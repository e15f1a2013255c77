"""Commands for chats that ask for each value by name (typed options), and the line that says the same."""

from __future__ import annotations

from collections.abc import Mapping

from bot.commands.catalogue import BY_NAME, COMMANDS, CommandSpec
from bot.commands.form_line import INPUTS, YES, quoted
from bot.commands.options import OptionSpec, Slot
from bot.domain.form import Option, Shape

WORDS = "words"
"""What stands behind the command as it is, where its words have an order of their own."""


def shapes() -> tuple[Shape, ...]:
    """Every command that works, with what it must have before what it may have."""
    return tuple(_shape(one) for one in COMMANDS if one.available)


def line_of(command: str, values: Mapping[str, str]) -> str:
    """The line that these values stand for; the grammar judges it. Raises ``AskAgain`` for what no line can hold."""
    spec = BY_NAME[command]
    parts = [command]
    for option in spec.options:
        said = values.get(name_of(option), "").strip()
        if option.switch:
            parts += [option.words[0]] if said.casefold() == YES else []
        elif said:
            parts.append(f"--{name_of(option)}={quoted(said)}")
    parts += [said for name in (INPUTS, WORDS) if (said := values.get(name, "").strip())]
    return " ".join(parts)


def name_of(option: OptionSpec) -> str:
    """How a chat calls it: by what it is (``provider``), or else by the word that stands before it (``budget``)."""
    return (option.flags or option.words)[0]


def _shape(spec: CommandSpec) -> Shape:
    options = [
        Option(name_of(one), one.summary, required=one.slot in spec.required, switch=one.switch)
        for one in spec.options
        if one.slot is not Slot.RERUN  # it takes the place of what is required
    ]
    if spec.takes_inputs:
        options.append(Option(INPUTS, "The recipe's parameters: name=value …"))
    if spec.tail:
        options.append(Option(WORDS, spec.tail.strip("[]")))
    return Shape(spec.name, spec.summary, tuple(sorted(options, key=lambda one: not one.required)))
