"""A reply as rich draws it. Colours are the sixteen of the terminal's own theme; without colour, nothing is lost.

Every text goes in as ``Text``, never as markup, and is made harmless first.
"""

from __future__ import annotations

import io
from collections.abc import Iterator

from rich import box
from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table as Grid
from rich.text import Text

from adapters.chat.console.plain import meter_line, pictures, stage
from adapters.chat.console.screen import Told
from adapters.chat.console.shapes import WIDEST, Bar, ButtonRow, Pointer, Rows, fields_grid, indented
from bot.domain.harmless import clean, line
from bot.domain.talk import Kind, Reply, Tone

_TONE = {Tone.CALM: "cyan", Tone.GOOD: "green", Tone.WARN: "yellow", Tone.ALARM: "red"}
_MARK = {
    Kind.REFUSED: ("✗ ", "red"),
    Kind.FAULT: ("✗ ", "red"),
    Kind.MISUNDERSTOOD: ("? ", "yellow"),
    Kind.NOT_YET: ("– ", "yellow"),
}
_NOTICE_MARK = {Tone.CALM: "• ", Tone.GOOD: "✓ ", Tone.WARN: "! ", Tone.ALARM: "!! "}


def draw(reply: Reply, *, numbered: bool = False) -> RenderableType:
    """The whole reply: a card in a frame, anything else under a headline."""
    reply = clean(reply)
    return (
        _framed(reply, numbered=numbered)
        if reply.kind is Kind.CARD
        else _under_headline(reply, numbered=numbered)
    )


def brief(reply: Reply) -> Text:
    """A card on one line, for when there is no room for all."""
    reply = clean(reply)
    text = Text(no_wrap=True, overflow="ellipsis")
    text.append("● ", style=_TONE[reply.tone]).append(reply.title)
    rest = meter_line(reply.meter) if reply.meter else next(iter(reply.lines), "")
    for part in (stage(reply), rest):
        text.append(f"  {part}" if part else "", style="dim")
    return text


def draw_told(told: Told) -> RenderableType:
    """A line of a story; a long one goes on under its own beginning."""
    style = _TONE[told.tone]
    grid = Grid.grid(padding=(0, 2, 0, 0))
    for width, justify in ((8, "left"), (3, "right"), (16, "left")):
        grid.add_column(width=width, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    grid.add_column(overflow="fold")
    grid.add_row(
        Text(told.at, style="dim"),
        Text(told.number, style="dim"),
        Text(line(told.word), style=f"bold {style}"),
        Text(line(told.text)),
    )
    return indented(grid)


def paint(
    what: RenderableType, *, width: int, colour: bool = True, encoding: str = "utf-8", cut: bool = False
) -> str:
    """As characters and colour sequences, every line ended. ``cut`` keeps long preformatted lines inside ``width``."""
    sheet = _Sheet(encoding)
    console = Console(
        file=sheet,
        width=max(12, width),
        force_terminal=True,
        color_system="standard" if colour else None,
        no_color=not colour,
        highlight=False,
        markup=False,
        emoji=False,
        legacy_windows=False,
        _environ={},
    )
    console.print(Group(what), crop=cut)
    return "".join(f"{row.rstrip(' ')}\n" for row in sheet.getvalue().splitlines())


class _Sheet(io.StringIO):
    """Memory that says which characters the terminal has, so that frames are drawn with them."""

    def __init__(self, encoding: str) -> None:
        super().__init__()
        self._encoding = encoding

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._encoding


def _framed(reply: Reply, *, numbered: bool) -> RenderableType:
    style = _TONE[reply.tone]
    parts = list(_card_parts(reply, numbered=numbered))
    return _Card(
        Panel(
            Group(*parts) if parts else Text(""),
            title=Text(reply.title, style=f"not dim bold {style}") if reply.title else None,
            title_align="left",
            border_style="dim" if reply.tone is Tone.CALM else style,
            box=box.ROUNDED,
            padding=(0, 1),
        )
    )


class _Card:
    """A frame that grows with the terminal up to a width that reads well."""

    def __init__(self, panel: Panel) -> None:
        self._panel = panel

    def __rich_console__(self, console: Console, options: object) -> Iterator[RenderableType]:
        self._panel.width = min(WIDEST, console.width)
        yield self._panel


def _card_parts(reply: Reply, *, numbered: bool) -> Iterator[RenderableType]:
    """Groups with an empty line between them."""
    for n, group in enumerate(_groups(reply, numbered=numbered)):
        if n:
            yield Text("")
        yield from group


def _groups(reply: Reply, *, numbered: bool) -> Iterator[list[RenderableType]]:
    if reply.caret:
        yield [Pointer(reply.caret)]
    said = [Text(text) for text in reply.lines]
    if reply.mention and reply.kind is Kind.NOTICE:
        said.append(Text("For " + ", ".join(who.name for who in reply.mention), style="dim"))
    if said:
        yield [*said]
    if reply.meter:
        yield [Bar(reply.meter, _TONE[Tone.GOOD] if reply.tone is Tone.CALM else _TONE[reply.tone])]
    if reply.fields:
        yield [fields_grid(reply.fields)]
    for table in reply.tables:
        yield [Rows(table)]
    if reply.code:
        yield [Text(reply.code, overflow="fold")]
    if shown := pictures(reply):
        yield [fields_grid(tuple(("Picture", path) for path in shown))]
    if reply.buttons:
        yield [ButtonRow(reply.buttons, numbered=numbered)]


def _under_headline(reply: Reply, *, numbered: bool) -> RenderableType:
    mark, style = _MARK.get(reply.kind, ("", ""))
    if reply.kind is Kind.NOTICE:
        mark, style = _NOTICE_MARK[reply.tone], _TONE[reply.tone]
    parts: list[RenderableType] = []
    if reply.title:
        loud = reply.kind is Kind.NOTICE and reply.tone is Tone.ALARM
        parts.append(
            Text.assemble((mark, f"bold {style}"), (reply.title, f"bold {style}" if loud else "bold"))
        )
    for n, group in enumerate(_groups(reply, numbered=numbered)):
        if n and _airy(reply):
            parts.append(Text(""))
        parts.extend(_loose(part, reply) for part in group)
    return Group(*parts)


def _airy(reply: Reply) -> bool:
    """A notice and a refusal are short and stay together; an answer's parts stand apart."""
    return reply.kind is Kind.ANSWER or bool(reply.tables or reply.code)


def _loose(part: RenderableType, reply: Reply) -> RenderableType:
    """Indented under the headline; preformatted text stays at the edge and unbroken, so that it can be copied."""
    if isinstance(part, Text) and reply.code and part.plain == reply.code:
        return Text(reply.code, no_wrap=True, overflow="ignore")
    return indented(part) if reply.title else part
