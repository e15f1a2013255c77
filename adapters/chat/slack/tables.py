"""Tables as a person reads them in Slack: aligned in fixed type, and whole as a file where they are too long."""

from __future__ import annotations

import csv
import io
import re
import textwrap
from collections.abc import Iterable, Iterator

from rich.cells import cell_len

from adapters.chat.slack import limits
from adapters.chat.slack.page import Page
from adapters.chat.slack.text import context, cut, fence, section, weight, words
from bot.domain.talk import Table

WIDEST = 88
"""Characters on a line of fixed type that a window of usual width shows; a longer one is broken where it hurts."""
_LEAST = 16
"""A column that breaks its lines keeps at least this."""
_GAP = "  "
_NUMBER = re.compile(r"[-+~<]?\$?\d[\d., ]*(?:%|[A-Za-z/]{1,4})?")
_CELL = 400
"""A cell is cut here; what is longer is in the file alone."""
_FENCE = 8
"""Characters of a fence and its line ends."""

Rows = list[list[str]]


def put(page: Page, table: Table, most: int) -> None:
    """On the page, in ``most`` characters; what does not fit is counted, and the whole of it kept as a file."""
    header, rows = _square(table)
    if not any(header) and not any(map(any, rows)):
        _note(page, table)
        return
    room = min(most, limits.SECTION_TEXT, page.room - 600) - _FENCE
    head = 1 if any(header) else 0
    shown = _fitting(_drawn(header, rows), room)
    hidden = head + len(rows) - max(len(shown), head)
    if len(shown) > head or not hidden:
        page.add(section(fence("\n".join(shown) or "–")))
    if hidden:
        page.add(context(page.more(hidden, "row")))
    if hidden or _is_cut(table):
        page.keep(
            "table.csv",
            f"{(cut(words(table.header[0] if table.header else ''), 80)) or 'Table'} (all rows)",
            _csv(table),
        )
    _note(page, table)


def _note(page: Page, table: Table) -> None:
    if table.note:
        page.add(context(cut(words(table.note), 1_000)))


def _fitting(rows: Iterable[str], room: int) -> list[str]:
    """The first of them, escaped."""
    found = []
    for row in rows:
        escaped = words(row)
        room -= weight(escaped) + 2
        if room < 0:
            break
        found.append(escaped)
    return found


def _is_cut(table: Table) -> bool:
    return any(len(cell) > _CELL for row in (table.header, *table.rows) for cell in row)


def _csv(table: Table) -> str:
    """A cell that a spreadsheet would take for a formula is made words, because anybody may have written it."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    for row in (table.header, *table.rows):
        writer.writerow([f"'{cell}" if cell[:1] in ("=", "+", "@") else cell for cell in row])
    return out.getvalue()


def _square(table: Table) -> tuple[list[str], Rows]:
    columns = max((len(row) for row in (table.header, *table.rows)), default=0)
    full = [[*map(_short, row), *[""] * (columns - len(row))] for row in (table.header, *table.rows)]
    return full[0], full[1:]


def _short(cell: str) -> str:
    return cell if len(cell) <= _CELL else f"{cell[: _CELL - 1]}…"


def _drawn(header: list[str], rows: Rows) -> Iterator[str]:
    """One text for each row, the header first where there is one; a row may be of several lines."""
    full = [header, *rows] if any(header) else rows
    widths = [max(cell_len(row[n]) for row in full) for n in range(len(header))]
    over = sum(widths) + len(_GAP) * (len(widths) - 1) - WIDEST
    if over > 0:
        widest = widths.index(max(widths))
        if widths[widest] - over < max(_LEAST, cell_len(header[widest])):
            yield from _records(header, rows)
            return
        widths[widest] -= over
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


def _records(header: list[str], rows: Rows) -> Iterator[str]:
    """Each row as a small list: several sentences do not stand beside each other on any line."""
    width = min(24, max(map(cell_len, header)))
    room = WIDEST - width - len(_GAP)
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
