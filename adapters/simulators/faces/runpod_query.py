"""As much of GraphQL's language as clients of RunPod speak: fields, arguments with literals or variables."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_TOKEN = re.compile(
    r'\s*(?:#[^\n]*\s*)*("(?:[^"\\]|\\.)*"|\.\.\.|[A-Za-z_]\w*|-?\d+(?:\.\d+)?|[{}()\[\]:!$=])[\s,]*'
)


class Unreadable(Exception):
    """No GraphQL, or more of it than is spoken here."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field that is asked for: ``pod(input: {podId: "x"}) { id }``."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    children: tuple[Field, ...] = ()


def parse(text: str, variables: Mapping[str, Any]) -> tuple[str, tuple[Field, ...]]:
    """``query`` or ``mutation``, and what it asks for. Raises ``Unreadable``."""
    reader = _Reader(_tokens(text), variables)
    kind = reader.take() if reader.peek() in ("query", "mutation") else "query"
    while reader.peek() != "{":  # a name and the variables' types: the values are enough
        reader.take()
    fields = reader.selection()
    if reader.peek():
        raise Unreadable(f"Syntax Error: Unexpected {reader.peek()!r}.")
    return kind, fields


def _tokens(text: str) -> list[str]:
    found, at = [], 0
    text = text.strip()
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:
            raise Unreadable(f"Syntax Error: Unexpected character at {at}.")
        found.append(token[1])
        at = token.end()
    return found


class _Reader:
    def __init__(self, tokens: list[str], variables: Mapping[str, Any]) -> None:
        self._tokens, self._variables, self._at = tokens, variables, 0

    def peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def take(self, wanted: str = "") -> str:
        token = self.peek()
        if not token or (wanted and token != wanted):
            raise Unreadable(f"Syntax Error: Expected {wanted or 'more'}, found {token or '<EOF>'}.")
        self._at += 1
        return token

    def selection(self) -> tuple[Field, ...]:
        self.take("{")
        fields = []
        while self.peek() != "}":
            name = self.take()
            arguments = self._arguments() if self.peek() == "(" else {}
            children = self.selection() if self.peek() == "{" else ()
            fields.append(Field(name, arguments, children))
        self.take("}")
        return tuple(fields)

    def _arguments(self) -> dict[str, Any]:
        self.take("(")
        found = self._pairs(")")
        self.take(")")
        return found

    def _pairs(self, end: str) -> dict[str, Any]:
        found = {}
        while self.peek() != end:
            name = self.take()
            self.take(":")
            found[name] = self._value()
        return found

    def _value(self) -> Any:
        token = self.take()
        match token:
            case "{":
                pairs = self._pairs("}")
                self.take("}")
                return pairs
            case "[":
                items = []
                while self.peek() != "]":
                    items.append(self._value())
                self.take("]")
                return items
            case "$":
                return self._variables.get(self.take())
            case "true" | "false" | "null":
                return {"true": True, "false": False, "null": None}[token]
            case _ if token[0] in '"-0123456789':
                return json.loads(token)
            case _:
                return token  # an enum's word
