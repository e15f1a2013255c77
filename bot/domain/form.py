"""A form, in no chat's words: what a command wants to know, asked field by field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Choice:
    """One value that a field may have: ``value`` is the word in the line, ``label`` what people read."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Field:
    """One question. Without choices it is answered in words."""

    name: str
    """The command's slot; unique in its form."""
    label: str
    choices: tuple[Choice, ...] = ()
    value: str = ""
    """What it is filled with; one of the choices where there are some, or empty."""
    hint: str = ""
    """What could be typed."""
    optional: bool = True


@dataclass(frozen=True, slots=True)
class Form:
    """``fields`` in the order in which a person decides. With ``refusal`` there is nothing to fill in."""

    command: str
    title: str
    fields: tuple[Field, ...] = ()
    note: str = ""
    """What the person should know before filling it in."""
    submit: str = "Get a quote"
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class Weighed:
    """A filled form on the scales. ``line`` is the command that it says, once ``errors`` is empty."""

    line: str
    most: str = ""
    """The sentence about the worst case: ``This cannot cost more than $4.10.``"""
    how: str = ""
    """How that comes about, as a sum."""
    errors: Mapping[str, str] = field(default_factory=dict)
    """Field to the sentence that helps; under the empty name what belongs to no field."""


@dataclass(frozen=True, slots=True)
class Option:
    """One value that a command takes by name, for chats that ask for them one by one."""

    name: str
    summary: str
    required: bool = False
    switch: bool = False
    """It has no value: saying it is all. Filled with ``yes``."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A command and all that it takes, in the order of its usage."""

    command: str
    summary: str
    options: tuple[Option, ...] = ()
