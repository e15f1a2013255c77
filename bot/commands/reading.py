"""A command's words to the values of its slots, in any order. What could be two things is held until the end
of the line, and then asked about unless the other thing was said as well."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Literal, TypeVar

from bot.commands import regions, stray, units
from bot.commands.caret import ask, word
from bot.commands.options import OPTIONS, OptionSpec, Slot
from bot.commands.scope import Scope, listing
from bot.commands.values import Found, Value, demand, recognise
from bot.commands.words import Word
from bot.domain import gpus
from bot.domain.errors import AskAgain

_T = TypeVar("_T")
NAMES = (Slot.PROVIDER, Slot.RECIPE, Slot.PRESET)
"""Slots whose words come from the vocabulary and may be like any other word."""
_GLUED = re.compile(r"(?P<count>[0-9]{1,3}[x×])(?P<name>[a-z0-9].*)|(?P<first>.*[a-z0-9])(?P<then>[x×][0-9]{1,3})",
                    re.IGNORECASE)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Said:
    """A value and where it stands."""

    value: Value | Literal[True]
    start: int
    end: int


@dataclass(slots=True)
class Heard:
    """All that a line says."""

    slots: dict[Slot, Said] = field(default_factory=dict)
    inputs: dict[str, Said] = field(default_factory=dict)

    def get(self, slot: Slot, kind: type[_T]) -> _T | None:
        """The value of a slot, or None when it was not said."""
        said = self.slots.get(slot)
        if said is None:
            return None
        assert isinstance(said.value, kind)
        return said.value


@dataclass(frozen=True, slots=True)
class _Reading:
    """One thing that the words at a place could be."""

    slot: Slot
    value: Value
    taken: int
    start: int
    end: int


class Reader:
    """Reads the words after the command's name."""

    def __init__(self, scope: Scope, words: list[Word]) -> None:
        self._scope = scope
        self._words = words
        self._heard = Heard()
        self._open: list[list[_Reading]] = []
        """Words that could be several things."""

    def read(self) -> Heard:
        """Everything, or the question back."""
        at = 0
        while at < len(self._words):
            at += self._step(at)
        self._settle()
        self._choose_gpu()
        return self._heard

    def _step(self, at: int) -> int:
        """Read what begins at ``at``; the number of words that it took."""
        found = self._words[at]
        if found.name:
            option = self._scope.option(found.name, dashed=True)
            if option is None or found.dashes == "-":
                return self._input(at)
            return self._option(option, at)
        if found.is_plain:
            option = self._scope.option(found.text, dashed=False)
            if option:
                self._ask_if_also(option, at)
                return self._option(option, at)
            self._unglue(at)
        return self._bare(at)

    # --- options ---

    def _option(self, option: OptionSpec, at: int) -> int:
        """``budget $5``, ``--budget $5``, ``--budget=$5``, ``budget=$5``, ``spot``."""
        found, scope = self._words[at], self._scope
        if option.switch:
            if found.has_value:
                raise scope.fault(found, f"`{option.words[0]}` takes no value.", option.shape, option.shape)
            self._put(option.slot, True, found.start, found.end)
            return 1
        if found.has_value:
            inner = found.inner - found.quoted
            self._words[at] = replace(found, name="", dashes="", has_value=False, start=inner)
        value_at = at if found.has_value else at + 1
        self._check_value(option, found, value_at)
        self._spell_hours(option, found, value_at)
        value, taken = demand(scope, option, self._words, value_at)
        last = self._words[value_at + taken - 1]
        self._put(option.slot, value, found.start, last.end)
        return value_at - at + taken

    def _check_value(self, option: OptionSpec, found: Word, at: int) -> None:
        """There is a value, and it is not the next option."""
        scope = self._scope
        value = self._words[at] if at < len(self._words) else None
        usual = option.samples[0] if option.samples else option.noun
        name = found.text if found.is_plain else f"{found.dashes}{found.name}"
        if value is None or (not value.text and not value.quoted) or (value.name and value.dashes != "-"):
            near = f"{name}{'=' if found.has_value else ' '}{usual}" if option.samples else ""
            raise scope.fault(found, f"{word(name)} needs a value after it.", usual, near)
        if not value.text.strip():
            raise scope.fault(value, f"This is empty; {word(name)} needs a value.", usual, usual)
        if not found.has_value:
            self._check_not_option(option, name, value)

    def _check_not_option(self, option: OptionSpec, name: str, value: Word) -> None:
        """An option's name right after another option is that option, and not a value."""
        scope = self._scope
        if not value.is_plain or scope.option(value.text, dashed=False) is None:
            return
        if option.slot in NAMES and recognise(scope, option.slot, [value], 0):
            return
        if option.slot is Slot.REGION and regions.find(value.text):  # `in IN` is India
            return
        if option.slot is Slot.DATA:
            near = f"./{value.text}"
            sentence = (
                f"{word(value.text)} is an option; a folder of that name begins with a dot and a slash."
            )
            raise scope.fault(value, sentence, f"a folder such as {near}", near)
        sentence = f"{word(name)} needs a value after it, and {word(value.text)} is another option."
        usual = option.samples[0] if option.samples else ""
        raise scope.fault(value, sentence, usual or option.noun, usual and f"{usual} {value.text}")

    def _spell_hours(self, option: OptionSpec, found: Word, at: int) -> None:
        """``--hours 2`` has named its unit already."""
        value = self._words[at]
        name = found.name or found.text.lower()
        if option.slot is Slot.HOURS and name == "hours" and re.fullmatch(r"[0-9]+(\.[0-9]+)?", value.text):
            follows = self._words[at + 1] if at + 1 < len(self._words) else None
            if follows is None or not units.TIME_SPAN.fullmatch(f"1{follows.text.lower()}"):
                self._words[at] = replace(value, text=f"{value.text}h", quoted=True)

    def _ask_if_also(self, option: OptionSpec, at: int) -> None:
        """An option's name that is a name of the vocabulary, too."""
        found, scope = self._words[at], self._scope
        for other in scope.spec.options:
            if other.slot in NAMES and recognise(scope, other.slot, self._words, at):
                explicit = (f"--{option.words[0]}", f"--{other.names[-1]} {found.text}")
                sentence = f"{word(found.text)} could be the option or {other.noun}."
                raise scope.fault(found, sentence, listing(explicit))

    def _input(self, at: int) -> int:
        """``trigger=ohwx``, ``--rank 16``: a recipe's own parameter."""
        found, scope = self._words[at], self._scope
        name = stray.input_name(scope, found)
        taken, value = 1, found
        if not found.has_value:
            taken = 2
            if at + 1 >= len(self._words) or self._words[at + 1].name:
                raise scope.fault(found, f"{word(found.text)} needs a value after it.", f"{found.text}=value")
            value = self._words[at + 1]
        if not value.text and not value.quoted:
            expected = f'a value right after the `=`, or {found.name}=""'
            raise scope.fault(found, f"{word(found.name)} has no value.", expected)
        said = Said(value.text, found.start, value.end)
        first = self._heard.inputs.setdefault(name, said)
        if first.value != said.value:
            raise self._twice(first, said)
        return taken

    # --- words that stand alone ---

    def _unglue(self, at: int) -> None:
        """``2x3090`` and ``3090x2`` are two words in one."""
        found = self._words[at]
        glued = _GLUED.fullmatch(found.text)
        if glued is None or Slot.COUNT not in self._scope.spec.slots or gpus.lookup(found.text):
            return
        cut = glued.end("count") if glued["count"] else glued.start("then")
        name = glued["name"] or glued["first"]
        if gpus.lookup(name):
            self._words[at : at + 1] = [found.part(0, cut), found.part(cut, len(found.text))]

    def _bare(self, at: int) -> int:
        """A value without its option's name."""
        found, scope = self._words[at], self._scope
        readings = []
        for option in scope.spec.options:
            if option.bare and not option.switch:
                hit: Found | None = recognise(scope, option.slot, self._words, at)
                if hit:
                    last = self._words[at + hit[1] - 1]
                    readings.append(_Reading(option.slot, *hit, found.start, last.end))
        if not readings:
            raise stray.explain(scope, set(self._heard.slots), self._words, at)
        if len(readings) == 1:
            self._take(readings[0])
        elif len({each.taken for each in readings}) == 1:
            self._open.append(readings)
        else:
            raise self._either(readings)
        return readings[0].taken

    def _settle(self) -> None:
        """Decide what was held by what else was said, as long as that decides anything; then ask."""
        waiting, self._open = self._open, []
        while waiting:
            left = [
                [each for each in one if each.slot not in self._heard.slots] or one[:1] for one in waiting
            ]
            sure = next((n for n, one in enumerate(left) if len(one) == 1), None)
            if sure is None:
                raise self._either(left[0])
            self._take(left[sure][0])
            del waiting[sure]

    def _either(self, readings: list[_Reading]) -> AskAgain:
        """What it could be, and how to say each."""
        text = self._scope.line[readings[0].start : readings[0].end]
        options = [OPTIONS[each.slot] for each in readings]
        said = tuple(f"{each.words[0] if each.words else '--' + each.flags[-1]} {text}" for each in options)
        nouns = listing(tuple(each.noun for each in options))
        return ask(self._scope.line, readings[0].start, readings[0].end,
                   f"{word(text)} could be {nouns}.", expected=listing(said))  # fmt: skip

    def _choose_gpu(self) -> None:
        """One model, or the question which; memory that was asked for as well may decide it."""
        said = self._heard.slots.get(Slot.GPU)
        if said is None or not isinstance(said.value, tuple) or len(said.value) < 2:
            return
        least = self._heard.get(Slot.VRAM, int) or 0
        models = tuple(each for each in said.value if each.vram_gb >= least) or said.value
        if len(models) == 1:
            self._heard.slots[Slot.GPU] = replace(said, value=models)
            return
        text = self._scope.line[said.start : said.end]
        names = listing(tuple(f"`{gpus.slug(each.name)}`" for each in models))
        raise ask(self._scope.line, said.start, said.end,
                  f"{word(text)} names GPUs of different prices.", expected=names)  # fmt: skip

    # --- putting it down ---

    def _take(self, reading: _Reading) -> None:
        self._put(reading.slot, reading.value, reading.start, reading.end)

    def _put(self, slot: Slot, value: Value | Literal[True], start: int, end: int) -> None:
        """Once, or the same again."""
        said = Said(value, start, end)
        first = self._heard.slots.setdefault(slot, said)
        if first.value != value:
            # Two bare times in a row would be read as one.
            before = f"{OPTIONS[slot].words[0]} " if slot in (Slot.HOURS, Slot.AMOUNT) else ""
            raise self._twice(first, said, before)

    def _twice(self, first: Said, second: Said, before: str = "") -> AskAgain:
        line = self._scope.line
        one, other = line[first.start : first.end], line[second.start : second.end]
        sentence = f"This is said twice: {word(one)} and {word(other)}."
        return ask(
            line,
            second.start,
            second.end,
            sentence,
            expected="one of the two",
            nearest=one if one.startswith(before) else before + one,
        )
