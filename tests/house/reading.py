"""Reads the project's own source for the house tests."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Source:
    """One Python file; ``name`` is its path from the project's folder with forward slashes."""

    name: str

    @cached_property
    def text(self) -> str:
        return (ROOT / self.name).read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.name)

    @property
    def is_far(self) -> bool:
        """Whether it runs alone on a rented machine or a workstation, where nothing of ours can be imported."""
        return "far" in self.name.split("/")[:-1] or self.name.startswith("recipes/")

    def functions(self) -> Iterator[tuple[str, Function]]:
        """Every function with its name and its classes': ``Store.claim_due``."""
        yield from _functions(self.tree, "")

    def imports(self) -> Iterator[tuple[str, int]]:
        """Every module that is imported, absolutely named, and the line."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from ((alias.name, node.lineno) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield "." * node.level + (node.module or ""), node.lineno

    def calls(self) -> Iterator[tuple[str, ast.Call]]:
        """Every call by its full name: after ``from time import sleep as nap``, ``nap(1)`` is ``time.sleep``."""
        known = dict(self._aliases())
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call):
                first, dot, rest = ast.unparse(node.func).partition(".")
                yield known.get(first, first) + dot + rest, node

    def _aliases(self) -> Iterator[tuple[str, str]]:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from ((alias.asname, alias.name) for alias in node.names if alias.asname)
            elif isinstance(node, ast.ImportFrom):
                yield from (
                    (alias.asname or alias.name, f"{node.module}.{alias.name}") for alias in node.names
                )


def sources(*folders: str) -> list[Source]:
    """The Python files of these folders."""
    found = (path for folder in folders for path in sorted((ROOT / folder).rglob("*.py")))
    return [Source(path.relative_to(ROOT).as_posix()) for path in found]


def _functions(node: ast.AST, prefix: str) -> Iterator[tuple[str, Function]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield prefix + child.name, child
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield from _functions(child, f"{prefix}{child.name}.")
        else:
            yield from _functions(child, prefix)
