"""Tables in fixed type: aligned where a line is wide enough, row by row as small lists where it is not."""

from __future__ import annotations

import csv
import io
import re
import textwrap
from collections.abc import Iterator

from rich.cells import cell_len

from bot.domain.talk import Table

_LEAST = 16
"""A column that breaks its lines keeps at least this."""
_GAP = "  "
_NUMBER = re.compile(r"[-+~<]?\$?\d[\d., ]*(?:%|[A-Za-z/]{1,4})?")
_CELL = 400
"""A cell is cut here; what is longer is in the file alone."""

Rows = list[list[str]]


def is_cut(table: Table) -> bool:
    """Whether a cell is too long to be shown."""
    return any(len(cell) > _CELL for row in (table.header, *table.rows) for cell in row)


def as_csv(table: Table) -> str:
    """All of it. A cell that a spreadsheet would take for a formula is made words: anybody may have written it."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    for row in (table.header, *table.rows):
        writer.writerow([f"'{cell}" if cell[:1] in ("=", "+", "@") else cell for cell in row])
    return out.getvalue()


def square(table: Table) -> tuple[list[str], Rows]:
    """Header and rows, all of one length."""
    columns = max((len(row) for row in (table.header, *table.rows)), default=0)
    full = [[*map(_short, row), *[""] * (columns - len(row))] for row in (table.header, *table.rows)]
    return full[0], full[1:]


def _short(cell: str) -> str:
    return cell if len(cell) <= _CELL else f"{cell[: _CELL - 1]}…"


def drawn(header: list[str], rows: Rows, widest: int) -> Iterator[str]:
    """One text for each row, the header first where there is one; a row may be of several lines. ``widest``:
    characters on a line of fixed type that the reader's window shows."""
    full = [header, *rows] if any(header) else rows
    widths = [max(cell_len(row[n]) for row in full) for n in range(len(header))]
    over = sum(widths) + len(_GAP) * (len(widths) - 1) - widest
    if over > 0:
        broken = widths.index(max(widths))
        if widths[broken] - over < max(_LEAST, cell_len(header[broken])):
            yield from _records(header, rows, widest)
            return
        widths[broken] -= over
    right = [_is_numeric([row[n] for row in rows]) for n in range(len(widths))]
    yield from (_row(row, widths, right) for row in full)


def _row(row: list[str], widths: list[int], right: list[bool]) -> str:
    cells = [
        _broken(cell, width) if cell_len(cell) > width else [cell]
        for cell, width in zip(row, widths, strict=True)
    ]
    lines = []
    for number in range(max(map(len, cells))):
        parts = [
            _pad(cell[number] if number < len(cell) else "", width, at_right)
            for cell, width, at_right in zip(cells, widths, right, strict=True)
        ]
        lines.append(_GAP.join(parts).rstrip())
    return "\n".join(lines)


def _broken(cell: str, width: int) -> list[str]:
    """At its blanks. Wide characters count double, so a line of them is broken earlier than it would have to be."""
    wide = cell_len(cell) > len(cell)
    return textwrap.wrap(cell, max(1, width // 2 if wide else width)) or [""]


def _records(header: list[str], rows: Rows, widest: int) -> Iterator[str]:
    """Each row as a small list: several sentences do not stand beside each other on any line."""
    width = min(24, max(map(cell_len, header)))
    room = widest - width - len(_GAP)
    if any(header):
        yield ""
    for row in rows:
        lines = []
        for name, cell in zip(header, row, strict=True):
            for number, part in enumerate(_broken(cell, room) if cell else []):
                lines.append(f"{_pad('' if number else name, width, False)}{_GAP}{part}".rstrip())
        yield "\n".join(lines) + ("" if row is rows[-1] else "\n")


def _is_numeric(cells: list[str]) -> bool:
    filled = [cell for cell in cells if cell not in ("", "-", "–", "—")]
    return bool(filled) and all(_NUMBER.fullmatch(cell) for cell in filled)


def _pad(text: str, width: int, at_right: bool) -> str:
    room = " " * max(0, width - cell_len(text))
    return room + text if at_right else text + room
