"""What a test must say about itself."""

from __future__ import annotations

import ast

from tests.house.reading import sources


def test_every_test_says_what_it_shows() -> None:
    """The tests are read as the description of the bot, so that each one has a sentence for its reader."""
    silent = [
        f"{source.name}:{function.lineno} {name}"
        for source in sources("tests")
        for name, function in source.functions()
        if function.name.startswith("test_") and not ast.get_docstring(function)
    ]
    assert not silent


def test_every_test_is_found() -> None:
    """A file or a class whose name the runner does not know is a test that never fails."""
    hidden = [
        f"{source.name}:{function.lineno} {name}"
        for source in sources("tests")
        for name, function in source.functions()
        if function.name.startswith("test_") and not _is_collected(source.name, name)
    ]
    assert not hidden


def _is_collected(file: str, name: str) -> bool:
    stem = file.rsplit("/", 1)[-1].removesuffix(".py")
    classes = name.split(".")[:-1]
    is_base = stem.endswith("_contract") or file.startswith("tests/contracts/")
    return is_base or (
        (stem.startswith("test_") or stem.endswith("_test")) and all(c.startswith("Test") for c in classes)
    )
