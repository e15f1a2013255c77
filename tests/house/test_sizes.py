"""A file can be read at one sitting, a function at one glance."""

from __future__ import annotations

import ast

from tests.house.reading import Function, sources

FILE_LINES = 300
FUNCTION_LINES = 40  # without its docstring

LONGER_FILES: dict[str, str] = {}
"""Path: why it may be longer."""

LONGER_FUNCTIONS: dict[str, str] = {}
"""Path::Class.function: why it may be longer."""

HISTORY = "bot/store/migrations/versions/"
"""A migration is written once, read never again, and must not be taken apart afterwards."""


def test_no_file_is_longer_than_300_lines() -> None:
    """About 100 lines is usual, 300 the end. An exception that is not needed any more is a fault too."""
    lengths = {source.name: len(source.text.splitlines()) for source in sources("bot", "adapters", "recipes")}
    longer = {name: lines for name, lines in lengths.items() if lines > FILE_LINES}
    assert {name: lines for name, lines in longer.items() if name not in LONGER_FILES} == {}
    assert LONGER_FILES.keys() - longer.keys() == set()


def test_no_function_is_longer_than_40_lines() -> None:
    """Its docstring does not count. An exception that is not needed any more is a fault too."""
    longer = {
        f"{source.name}::{name}": lines
        for source in sources("bot", "adapters", "recipes")
        for name, function in source.functions()
        if not source.name.startswith(HISTORY) and (lines := _lines(function)) > FUNCTION_LINES
    }
    assert {name: lines for name, lines in longer.items() if name not in LONGER_FUNCTIONS} == {}
    assert LONGER_FUNCTIONS.keys() - longer.keys() == set()


def _lines(function: Function) -> int:
    whole = (function.end_lineno or 0) - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function) is None:
        return whole
    return whole - ((first.end_lineno or 0) - first.lineno + 1)
