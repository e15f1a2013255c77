"""Who may import whom, and which words the core does not say."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.house.reading import ROOT, Source, sources

PURE = {"bot/domain": {"bot.domain", "pydantic", "rapidfuzz"}, "bot/ports": {"bot.domain", "bot.ports"}}
"""What may be imported there besides the standard library: pydantic reads recipes, rapidfuzz finds the nearest word."""

NAMES_ADAPTERS = ("bot/wiring/", "bot/settings/")
"""The one part of the core that may say a provider's or a chat's name, and the settings that are called by them."""

OUR_OWN_WORDS = {"local", "console"}
"""Adapters whose names are plain words that the core needs: this computer, this terminal."""


def test_the_import_contracts_hold() -> None:
    """The floors in pyproject.toml: every arrow points down, and the families of adapters are strangers."""
    tool = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([tool, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_folder_of_the_house_is_a_package() -> None:
    """The import contracts do not see into a folder without ``__init__.py``."""
    folders = {path.parent for place in ("bot", "adapters") for path in (ROOT / place).rglob("*.py")}
    folders |= {above for folder in folders for above in folder.parents if ROOT in above.parents}
    assert not [str(folder.relative_to(ROOT)) for folder in folders if not (folder / "__init__.py").exists()]


def test_domain_and_ports_need_only_the_standard_library() -> None:
    """The two lowest floors can be read, and run, with hardly anything installed."""
    wrong = []
    for place, allowed in PURE.items():
        files = [Source(place)] if place.endswith(".py") else sources(place)
        for source in files:
            for module, line in source.imports():
                parts = module.split(".")
                prefixes = {".".join(parts[:n]) for n in range(1, len(parts) + 1)}
                if parts[0] not in sys.stdlib_module_names and not prefixes & allowed:
                    wrong.append(f"{source.name}:{line} imports {module}")
    assert not wrong


def test_what_runs_on_the_far_side_imports_nothing_of_ours_but_its_own_folder() -> None:
    """Recipes' scripts and the folders called ``far`` are sent to machines where Lastcall is not installed."""
    wrong = []
    for source in sources("adapters", "recipes"):
        home = source.name.rsplit("/", 1)[0].replace("/", ".")
        for module, line in source.imports():
            ours = module.split(".")[0] in {"bot", "adapters", "tests"}
            if source.is_far and ours and not f"{module}.".startswith(f"{home}."):
                wrong.append(f"{source.name}:{line} imports {module}")
    assert not wrong


def test_the_core_names_no_provider_and_no_chat() -> None:
    """A fifth provider or a third chat changes no file in ``bot/``: their names stand in docstrings at most."""
    names = _adapter_names()
    wrong = []
    for source in sources("bot"):
        if not source.name.startswith(NAMES_ADAPTERS):
            wrong += [
                f"{source.name}:{line} says {word}" for word, line in _words(source.tree) if word in names
            ]
    assert not wrong


def _adapter_names() -> set[str]:
    """The known ones, and what stands in the two folders: ``lambda_cloud.py`` or ``lambda_cloud/`` is ``lambda``."""
    found = {"vast", "runpod", "lambda", "slack", "discord"}
    for folder in ("adapters/providers", "adapters/chat"):
        for path in (ROOT / folder).iterdir():
            if (path.suffix == ".py" or path.is_dir()) and not path.name.startswith(("_", ".")):
                found.add(path.stem.split("_")[0])
    return found - OUR_OWN_WORDS


def _words(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """The words of all names and texts, lower case; a text that stands alone is a docstring and is left out."""
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if id(node) in docstrings:
            continue
        line = getattr(node, "lineno", 0)
        for _, value in ast.iter_fields(node):
            for text in value if isinstance(value, list) else [value]:
                if isinstance(text, str):
                    for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", text):
                        yield word.lower(), line
