"""Tables as a person reads them in Slack: aligned in fixed type, and whole as a file where they are too long."""

from __future__ import annotations

from collections.abc import Iterable

from adapters.chat.slack import limits
from adapters.chat.slack.page import Page
from adapters.chat.slack.text import context, cut, fence, section, weight, words
from adapters.chatkit.grid import as_csv, drawn, is_cut, square
from bot.domain.talk import Table

WIDEST = 88
"""Characters on a line of fixed type that a window of usual width shows; a longer one is broken where it hurts."""
_FENCE = 8
"""Characters of a fence and its line ends."""


def put(page: Page, table: Table, most: int) -> None:
    """On the page, in ``most`` characters; what does not fit is counted, and the whole of it kept as a file."""
    header, rows = square(table)
    if not any(header) and not any(map(any, rows)):
        _note(page, table)
        return
    room = min(most, limits.SECTION_TEXT, page.room - 600) - _FENCE
    head = 1 if any(header) else 0
    shown = _fitting(drawn(header, rows, WIDEST), room)
    hidden = head + len(rows) - max(len(shown), head)
    if len(shown) > head or not hidden:
        page.add(section(fence("\n".join(shown) or "–")))
    if hidden:
        page.add(context(page.more(hidden, "row")))
    if hidden or is_cut(table):
        page.keep(
            "table.csv",
            f"{(cut(words(table.header[0] if table.header else ''), 80)) or 'Table'} (all rows)",
            as_csv(table),
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
