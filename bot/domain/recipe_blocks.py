"""The blocks of a recipe that say how it fits a card, a machine and a mishap. ``recipe`` puts them together.

Facts in shipped recipes (seconds a step, memory, sizes) follow the survey of five trainers in the project's
reference notes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

Value = bool | int | float | str
"""What a parameter may be."""
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,30}$")]


class Strict(BaseModel):
    """Unknown keys are errors, so that a typo is never a silent default."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _compiled(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"{text!r} is no regular expression ({error})") from None
    return text


Pattern = Annotated[str, AfterValidator(_compiled)]
"""A regular expression."""


class Parameter(Strict):
    """One input that a person may set: ``rank=16``."""

    type: Literal["int", "float", "str", "bool"]
    default: Value
    min: float | None = None
    max: float | None = None
    choices: tuple[str, ...] = ()
    help: str = ""
    advanced: bool = False
    """Seldom needed: told after the others."""

    def shape(self) -> str:
        """What it may be, for a sentence: ``a whole number from 1 to 128``."""
        if self.choices:
            return f"one of {', '.join(self.choices)}"
        if self.type == "str":
            return "a text of 1 to 200 printable characters"
        if self.type == "bool":
            return "yes or no"
        what = "a whole number" if self.type == "int" else "a number such as 1e-4"
        return " ".join(filter(None, (what, self._bounds())))

    def _bounds(self) -> str:
        low, high = (f"{one:.12g}" if one is not None else "" for one in (self.min, self.max))
        if low and high:
            return f"from {low} to {high}"
        return f"of at least {low}" if low else f"of at most {high}" if high else ""

    def read(self, name: str, text: str) -> Value:
        """The value that ``text`` stands for. Raises ``ValueError`` with a sentence that names what it may be."""
        value = self._convert(text)
        if value is None or not self.allows(value):
            raise ValueError(f"{name} is {self.shape()}, not {text[:80]}.")
        return value

    def allows(self, value: Value) -> bool:
        """Whether it may have this value, by type and bounds."""
        if self.type in ("int", "float"):
            if isinstance(value, bool | str) or (self.type == "int" and not isinstance(value, int)):
                return False
            low = self.min if self.min is not None else value
            high = self.max if self.max is not None else value
            fits = low <= value <= high
        else:
            fits = isinstance(value, bool if self.type == "bool" else str)
        return fits and (not self.choices or str(value) in self.choices)

    def _convert(self, text: str) -> Value | None:
        if self.type == "str":
            return text if text and len(text) <= 200 and text.isprintable() else None
        if self.type == "bool":
            said = text.lower()
            return True if said in _YES else False if said in _NO else None
        pattern = r"[+-]?\d{1,12}" if self.type == "int" else r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?"
        if not re.fullmatch(pattern, text, re.ASCII):
            return None
        return int(text) if self.type == "int" else float(text)


_YES, _NO = ("yes", "true", "on", "1"), ("no", "false", "off", "0")


class Between(Strict):
    """A closed range of a number; an end that is not said is open."""

    min: float | None = None
    max: float | None = None


When = Mapping[Name, Value | Between]
"""Inputs that have to have this value, or lie in this range; empty: always."""


def holds(when: When, inputs: Mapping[str, Value]) -> bool:
    """Whether all of it is so."""
    return all(name in inputs and _is(inputs[name], wanted) for name, wanted in when.items())


def _is(value: Value, wanted: Value | Between) -> bool:
    if not isinstance(wanted, Between):
        return value == wanted
    if isinstance(value, str):
        return False
    low = wanted.min if wanted.min is not None else value
    high = wanted.max if wanted.max is not None else value
    return low <= value <= high


class Pace(Strict):
    """How fast one kind of run is. The first whose ``when`` holds counts."""

    when: When = {}
    seconds: dict[str, Annotated[float, Field(gt=0)]] = {}
    """Card (canonical name) to seconds a step."""
    other: float = Field(gt=0)
    """Any other card, seconds a step: rather too slow, so that the time is not passed."""


class Speed(Strict):
    """Turns a preset's minutes into steps. A table is only a beginning: reports of one card differ two- or
    threefold."""

    paces: tuple[Pace, ...] = Field(min_length=1)
    times: tuple[Name, ...] = ()
    """Inputs that the seconds are multiplied by (``batch``)."""
    least: int = Field(default=1, ge=1)
    most: int = Field(ge=1)
    """More steps than this are of no use, whatever the time."""


class Memory(Strict):
    """GPU memory that one kind of run takes, GiB. The first whose ``when`` holds counts."""

    when: When = {}
    gb: float = Field(gt=0)


class CardRule(Strict):
    """Inputs for cards with less memory than ``below_gb`` (GiB). What a person says comes before them; all that apply
    are taken in order, the later over the earlier."""

    below_gb: float = Field(gt=0)
    inputs: dict[Name, Value] = Field(min_length=1)


class Model(Strict):
    """A file that is fetched to the machine before training, by the recipe's ``environment.fetch``."""

    id: str = Field(pattern=r"^[a-z0-9-]{1,30}$")
    url: str = Field(pattern=r"^https://\S+$")
    dest: str = Field(pattern=r"^[A-Za-z0-9][\w./-]*$")
    """Below the work folder."""
    gb: float = Field(gt=0)
    """About how large, GB (decimal): for the bill and the disk."""
    sha256: str = Field(default="", pattern=r"^([0-9a-f]{64})?$")
    """Empty: the digest that the source itself publishes is compared."""
    gated: bool = False
    """It can be had only with a token whose account has accepted the licence."""
    licence: str = ""
    minutes: float = Field(default=60, gt=0)
    """The fetching is stopped after this long, and goes on where it was at the next try."""


class GateRule(Strict):
    """A check on the machine after the tools are installed; it passes with exit 0 and, where given, ``expect``."""

    id: str = Field(pattern=r"^[a-z0-9-]{1,40}$")
    run: tuple[str, ...] = Field(min_length=1)
    expect: Pattern = ""
    """Regular expression that the output has to contain."""
    severity: Literal["block", "warn"] = "block"
    hint: str = ""
    seconds: int = Field(default=120, ge=1, le=600)


class ErrorRule(Strict):
    """A text in the log, or an exit code without one, and what helps."""

    match: Pattern = ""
    exit: int | None = None
    kind: Literal["memory", "other"] = "other"
    """``memory``: the card's memory ran out; the next rung of ``memory_ladder`` is told as the fix."""
    sentence: str
    fix: str = ""


class MemoryRung(Strict):
    """One thing that makes a run smaller. Told to the person when the card's memory ran out."""

    inputs: dict[Name, Value] = Field(min_length=1)


class Checkpoints(Strict):
    """What appears on the way, below ``outputs.folder``; names are globs, ``{name}`` is the output's name."""

    weights: tuple[str, ...] = ()
    """LoRA files of a step."""
    states: tuple[str, ...] = ()
    """Folders (or files) from which a run goes on with its optimiser."""
    step: Pattern = r"(\d+)\D*$"
    """The first group, found in the name, is the step."""
    complete: Literal["safetensors", "still", "sentinel"] = "still"
    """How a whole one is told: by its header, by a size that stays the same, or by ``sentinel``."""
    sentinel: str = ""
    """A file in the state's folder that is written last."""
    keep: int = Field(default=2, ge=1)
    """How many the tool leaves on the machine."""


class Resume(Strict):
    """How a run goes on from a state: by an option, by the same command again, or not at all."""

    mode: Literal["option", "same-command", "none"] = "none"
    argv: tuple[str, ...] = ()
    """Added to ``run.argv`` in the mode ``option``; ``{state}`` is the state, ``{step}`` its step."""
    restore: tuple[str, ...] = ()
    """Globs below ``outputs.folder`` that have to be there again on a new machine."""
    bar: Literal["absolute", "rest"] = "absolute"
    """Whether the bar counts all steps or those of this process."""
    fresh_output: bool = False
    """It would write over the files of the run before: take a new output folder."""


class DryRun(Strict):
    """A few steps that prove the whole way and measure the seconds a step."""

    inputs: dict[Name, Value] = Field(min_length=1)
    steps: int = Field(default=5, ge=1)
    minutes: float = Field(default=10, gt=0)
