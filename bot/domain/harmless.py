"""Text from outside, made harmless: nothing in a log line or a file name may move the cursor or ring the bell.

Escape sequences go as a whole, other control characters one by one; so do the marks that turn the direction of
writing, because they let a line look like another one. What a carriage return would have overwritten is left out.
"""

from __future__ import annotations

import re
from dataclasses import replace

from bot.domain.errors import Caret
from bot.domain.talk import Button, Reply, Table

_ESCAPE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x1b\x07\x9c\n]*(?:\x1b\\|\x07|\x9c)"  # OSC, DCS …: title, clipboard
    r"|\x1b[ -/]+[0-~]"  # character sets
    r"|\x1b[0-Z\\^-~]"  # two-character escapes
)
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 (but tab and newline), DEL, C1
    "\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff"  # direction marks, zero width
    "\U000e0000-\U000e007f]"  # tags
)
_SURROGATE = re.compile("[\ud800-\udfff]")
_BREAK = re.compile("\r\n|[\u2028\u2029\x0b\x0c\x85]")
_OVERWRITTEN = re.compile(r"^.*\r(?=[^\r\n])", re.MULTILINE)


def block(text: str) -> str:
    """``text`` with its lines kept and nothing in it that a terminal would obey."""
    text = _ESCAPE.sub("", _BREAK.sub("\n", text))
    text = _UNSEEN.sub("", _OVERWRITTEN.sub("", text))
    return _SURROGATE.sub("\ufffd", text).expandtabs(4)


def line(text: str) -> str:
    """The same on one line."""
    return block(text).replace("\n", " ")


def clean(reply: Reply) -> Reply:
    """``reply`` with every text in it made harmless. Doing it twice changes nothing."""
    meter = reply.meter and replace(reply.meter, caption=line(reply.meter.caption))
    return replace(
        reply,
        title=line(reply.title),
        lines=tuple(part for text in reply.lines for part in block(text).split("\n")),
        fields=tuple((line(label), block(value)) for label, value in reply.fields),
        tables=tuple(_table(table) for table in reply.tables),
        code=block(reply.code).strip("\n"),
        caret=reply.caret and caret(reply.caret),
        meter=meter,
        buttons=tuple(_button(button) for button in reply.buttons),
        pictures=tuple(line(path) for path in reply.pictures),
        rental=line(reply.rental),
        mention=tuple(replace(who, name=line(who.name or who.id)) for who in reply.mention),
    )


def caret(fault: Caret) -> Caret:
    """The place keeps pointing at the same characters when some before it are left out."""
    start = max(0, min(fault.start, len(fault.line)))
    end = max(start, min(fault.end, len(fault.line)))
    before, at, after = line(fault.line[:start]), line(fault.line[start:end]), line(fault.line[end:])
    return Caret(before + at + after, len(before), len(before) + len(at))


def _table(table: Table) -> Table:
    return Table(
        header=tuple(line(cell) for cell in table.header),
        rows=tuple(tuple(line(cell) for cell in row) for row in table.rows),
        note=line(table.note),
    )


def _button(button: Button) -> Button:
    return replace(button, label=line(button.label), command=line(button.command))
