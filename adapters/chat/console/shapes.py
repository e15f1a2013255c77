"""The parts of a reply that look at how wide the terminal is: bar, table, caret."""

from __future__ import annotations

from collections.abc import Iterator

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.padding import Padding
from rich.table import Table as Grid
from rich.text import Text

from adapters.chat.console.plain import is_numeric, share
from bot.domain.errors import Caret
from bot.domain.talk import Button, Meter, Table

WIDEST = 88
"""A card is never wider: lines that long are hard to read."""
_BAR_WIDEST = 44
_GAP = 2
_LEAST = 14
"""A column that has to break its lines keeps at least this."""
_ROOMY = 56
"""From this width on there is room beside a bar."""


class Bar:
    """``━━━━━━━━━━━━────────  62 %`` and its caption beside it, or below where there is no room."""

    def __init__(self, meter: Meter, style: str) -> None:
        self._meter = meter
        self._style = style

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        caption = Text(self._meter.caption, style="dim")
        if not self._meter.total > 0:
            yield caption
            return
        done = share(self._meter)
        beside = cell_len(self._meter.caption) + 3
        width = max(
            8, min(_BAR_WIDEST, options.max_width - 6 - (beside if options.max_width > _ROOMY else 0))
        )
        filled = int(done * width + 1e-9)
        full, rest = ("#", "-") if options.ascii_only else ("━", "─")
        line = Text.assemble((full * filled, self._style), (rest * (width - filled), "dim"))
        line.append(f" {int(done * 100 + 1e-9):>3} %", style="bold")
        if self._meter.caption and width + 6 + beside <= options.max_width:
            yield line.append("   ").append_text(caption)
        else:
            yield line
            yield caption if self._meter.caption else ""


class Rows:
    """A table with a quiet header; where the terminal is too narrow for it, one short record for each row."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._columns = max((len(row) for row in (table.header, *table.rows)), default=0)
        self._rows = [_filled(row, self._columns) for row in table.rows]
        self._header = _filled(table.header, self._columns)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        widths = [max(cell_len(row[n]) for row in (self._header, *self._rows)) for n in range(self._columns)]
        over = sum(widths) + _GAP * (self._columns - 1) - options.max_width
        widest = max(widths, default=0)
        if over > 0 and widest - over < _LEAST:
            yield self._records()
        else:
            yield self._grid(widths, fold=widths.index(widest) if over > 0 else None)
        if self._table.note:
            yield Text(self._table.note, style="dim")

    def _grid(self, widths: list[int], *, fold: int | None) -> Grid:
        """Every column as wide as it needs; where that is too much, the widest one breaks its lines."""
        grid = Grid(
            box=None,
            show_header=any(self._header),
            pad_edge=False,
            padding=(0, _GAP, 0, 0),
            header_style="dim",
        )
        for n, width in enumerate(widths):
            right = is_numeric([row[n] for row in self._rows])
            grid.add_column(
                Text(self._header[n]),
                justify="right" if right else "left",
                width=None if n == fold else width,
                overflow="fold",
            )
        for row in self._rows:
            grid.add_row(*(Text(cell) for cell in row))
        return grid

    def _records(self) -> Grid:
        grid = Grid.grid(padding=(0, 2, 0, 0))
        grid.add_column(style="dim", overflow="fold")
        grid.add_column(overflow="fold", ratio=1)
        for row in self._rows:
            for n, cell in enumerate(row):
                if cell:
                    grid.add_row(Text(self._header[n]), Text(cell, style="" if n else "bold"))
            if row is not self._rows[-1]:
                grid.add_row("", "")
        return grid


class ButtonRow:
    """``[1] Confirm   [2] Cancel`` where numbers can be typed, the commands themselves where they cannot. A button
    is never broken in two."""

    def __init__(self, buttons: tuple[Button, ...], *, numbered: bool) -> None:
        self._buttons = buttons
        self._numbered = numbered

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        row = Text(overflow="fold")
        for n, button in enumerate(self._buttons, 1):
            item = self._item(n, button, ">" if options.ascii_only else "›")
            if row and row.cell_len + 3 + item.cell_len > options.max_width:
                yield row
                row = Text(overflow="fold")
            row.append("   " if row else "").append_text(item)
        yield row

    def _item(self, number: int, button: Button, arrow: str) -> Text:
        if not self._numbered:
            return Text(f"{arrow} {button.command}", style="dim")
        style = "red" if button.danger else "bold" if button.primary else ""
        return Text.assemble((f"[{number}]", "bold cyan"), " ", (button.label, style))


class Pointer:
    """The line that was typed with the fault in red and a caret under it; a long line shows the part around it."""

    def __init__(self, fault: Caret) -> None:
        self._fault = fault

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        before, at, after = (
            self._fault.line[: self._fault.start],
            self._fault.line[self._fault.start : self._fault.end],
            self._fault.line[self._fault.end :],
        )
        room = max(8, options.max_width)
        if cell_len(before + at + after) > room:
            before, at, after = _window(before, at, after, room, "~" if options.ascii_only else "…")
        line = Text.assemble(before, (at, "bold red"), after, no_wrap=True, overflow="ellipsis")
        mark = Text(" " * cell_len(before) + "^" * max(1, cell_len(at)), style="red", no_wrap=True)
        yield line
        yield mark


def fields_grid(fields: tuple[tuple[str, str], ...]) -> Grid:
    """Label and value pairs, the values aligned under each other."""
    grid = Grid.grid(padding=(0, 2, 0, 0), expand=False)
    grid.add_column(style="dim", overflow="fold", max_width=18)
    grid.add_column(overflow="fold")
    for label, value in fields:
        grid.add_row(Text(label), Text(value))
    return grid


def indented(part: object) -> Padding:
    """Two columns to the right, under a headline."""
    return Padding(part, (0, 0, 0, 2))  # type: ignore[arg-type]


def _filled(row: tuple[str, ...], columns: int) -> tuple[str, ...]:
    return (*row, *[""] * (columns - len(row)))


def _window(before: str, at: str, after: str, room: int, dots: str) -> tuple[str, str, str]:
    """Cut so that the fault can be seen with something on its left."""
    at = _cut(at, room - 4, dots)
    left = max(0, room - cell_len(at) - 2) * 2 // 3
    if cell_len(before) > left:
        before = dots + _tail(before, left - 1)
    right = room - cell_len(before) - cell_len(at)
    return before, at, _cut(after, right, dots)


def _cut(text: str, room: int, dots: str) -> str:
    if cell_len(text) <= room:
        return text
    return _head(text, room - 1) + dots if room > 0 else ""


def _head(text: str, room: int) -> str:
    return "".join(_taken(text, room))


def _tail(text: str, room: int) -> str:
    return "".join(_taken(text[::-1], room))[::-1]


def _taken(text: str, room: int) -> Iterator[str]:
    for char in text:
        room -= cell_len(char)
        if room < 0:
            return
        yield char
