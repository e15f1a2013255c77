"""The documents say what is so: the providers' quality table, and where the links lead."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from adapters.registry import PROFILES
from tests.house.reading import ROOT

TABLE = ROOT / "docs" / "providers" / "README.md"
VERDICT = re.compile(r"done|(?:todo|exempt): \S.*")
SHOWN = re.compile(r"`([a-z_/]+)`")
LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")
PATH = re.compile(r"`(?!adapters/test_)((?:bot|adapters|tests|docs|recipes)/[\w./-]*\w/?)`")
"""A file or folder of ours; the table's tests are named from their own folder."""


@dataclass(frozen=True)
class Row:
    """One requirement: a verdict for each provider, and the tests that are named."""

    what: str
    verdicts: tuple[str, ...]
    shown: tuple[str, ...]


def cells(line: str) -> list[str]:
    """What stands between the bars."""
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def tables() -> Iterator[list[list[str]]]:
    """Each table with its head, without the line below it."""
    for block in re.findall(r"(?:^\|.*\n)+", TABLE.read_text(encoding="utf-8"), re.MULTILINE):
        head, _, *rest = block.splitlines()
        yield [cells(line) for line in (head, *rest)]


def rows() -> list[Row]:
    """All requirements."""
    return [
        Row(line[0], tuple(line[1:-1]), tuple(SHOWN.findall(line[-1])))
        for _, *lines in tables()
        for line in lines
    ]


def test_the_table_has_a_column_for_every_registered_provider() -> None:
    """In the registry's order, so that a fifth provider cannot be added without its column."""
    heads = [head for head, *_ in tables()]
    assert len(heads) > 1
    expected = ["requirement", *(profile.title for profile in PROFILES), "shown by"]
    assert [head for head in heads if head != expected] == []


def test_every_requirement_has_a_verdict_for_every_provider() -> None:
    """``done``, ``todo: what`` or ``exempt: because``, and nothing else; a requirement stands there once."""
    found = rows()
    bad = [
        row.what
        for row in found
        if not row.what
        or len(row.verdicts) != len(PROFILES)
        or not all(VERDICT.fullmatch(verdict) for verdict in row.verdicts)
    ]
    assert bad == []
    assert len({row.what for row in found}) == len(found) > 30


def test_what_is_done_is_shown_by_a_test_that_is_there() -> None:
    """About that provider, or about no provider in particular."""
    names = {profile.family for profile in PROFILES}
    missing = [path for row in rows() for path in row.shown if not (ROOT / "tests" / f"{path}.py").is_file()]
    assert missing == []
    unproven = [
        f"{profile.title}: {row.what}"
        for row in rows()
        for profile, verdict in zip(PROFILES, row.verdicts, strict=True)
        if verdict == "done" and not any(_is_about(path, profile.family, names) for path in row.shown)
    ]
    assert unproven == []


def _is_about(path: str, family: str, families: set[str]) -> bool:
    named = families & set(Path(path).name.split("_"))
    return not named or family in named


def test_links_and_paths_in_the_documents_lead_somewhere() -> None:
    """Files of ours that a document links to or names are there."""
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    lost = []
    for page in pages:
        text = page.read_text(encoding="utf-8")
        targets = [page.parent / link for link in LINK.findall(text)]
        targets += [ROOT / path for path in PATH.findall(text)]
        lost += [f"{page.relative_to(ROOT)}: {target}" for target in targets if not target.exists()]
    assert lost == []
