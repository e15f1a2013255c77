"""A reply as a Discord message: one embed within every limit, buttons, and files for what did not fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from adapters.chat.discord import limits
from adapters.chat.discord.buttons import in_words, pressable
from adapters.chat.discord.text import bold, cut, fence, local, mention, verbatim, weight, words
from adapters.chatkit.grid import as_csv, drawn, is_cut, square
from adapters.chatkit.layout import bar, capital, moments, pointer, state_of, told
from bot.domain.harmless import clean
from bot.domain.talk import Reply, Table, Tone

Json = dict[str, Any]

COLOURS: Mapping[Tone, int] = {
    Tone.CALM: 0x5B6B7B,
    Tone.GOOD: 0x2E9E5B,
    Tone.WARN: 0xD9912B,
    Tone.ALARM: 0xD13B3B,
}
MARKS: Mapping[Tone, str] = {Tone.CALM: "", Tone.GOOD: "✓", Tone.WARN: "▲", Tone.ALARM: "🚨"}
"""How loud it is, by shape and not by colour alone."""
WIDEST = 60
"""Characters of fixed type on a line of an embed in a window of usual width."""
_SHARE = 3_000
"""Of the description's room, for lines before tables and code."""
_BAR = 20
_MENTIONS = 10


@dataclass(frozen=True, slots=True)
class Overflow:
    """What did not fit, as a file."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Rendered:
    """``content`` holds who is meant and what a notification shows; ``users`` are the only ids that are pinged."""

    content: str
    embed: Json
    components: list[Json]
    overflow: tuple[Overflow, ...] = ()
    private: bool = False
    users: tuple[str, ...] = ()


def render(reply: Reply, *, mark: str = "") -> Rendered:
    """Any reply, however long and whoever wrote its words. What is closed has no buttons. ``mark`` is small print by
    which the message is found again."""
    reply = clean(reply)
    pressed = pressable(() if reply.final else reply.buttons)
    meant = [one for one in reply.mention[:_MENTIONS] if mention(one).startswith("<@")]
    title = cut(" ".join(filter(None, (MARKS[reply.tone], words(reply.title)))), limits.EMBED_TITLE)
    page = _Page(limits.EMBED_ALL - weight(title) - weight(mark) - 8, known=moments(reply.data))
    _fields(page, reply)
    _body(page, reply, [in_words(one) for one in pressed.unsaid])
    embed: Json = {"title": title or "Lastcall", "color": COLOURS[reply.tone]}
    if page.text:
        embed["description"] = "\n".join(page.text)
    if page.fields:
        embed["fields"] = page.fields
    if mark:
        embed["footer"] = {"text": mark}
    pinged = " ".join(mention(one) for one in reply.mention[:_MENTIONS])
    return Rendered(
        content=cut(pinged, limits.CONTENT) if meant else "",
        embed=embed,
        components=pressed.rows,
        overflow=tuple(page.overflow),
        private=reply.private,
        users=tuple(one.id for one in meant),
    )


@dataclass(slots=True)
class _Page:
    """What is being written, and the room that is left in all."""

    room: int
    known: Mapping[str, int]
    text: list[str] = field(default_factory=list)
    fields: list[Json] = field(default_factory=list)
    overflow: list[Overflow] = field(default_factory=list)

    @property
    def left(self) -> int:
        """Characters that the description still takes."""
        used = sum(weight(one) + 1 for one in self.text)
        return min(self.room, limits.EMBED_DESCRIPTION - used) - 120

    def say(self, part: str) -> bool:
        """Put it into the description, whole or not at all."""
        if weight(part) + 1 > self.left:
            return False
        self.text.append(part)
        self.room -= weight(part) + 1
        return True

    def note(self, part: str) -> None:
        """A last remark, for which there is always room."""
        self.text.append(part)
        self.room -= weight(part) + 1

    def keep(self, name: str, text: str) -> None:
        """As a file; a name that is taken gets a number."""
        stem, _, ending = name.rpartition(".")
        same = sum(one.name.startswith(stem) for one in self.overflow)
        self.overflow.append(Overflow(f"{stem}-{same + 1}.{ending}" if same else name, text))


def _fields(page: _Page, reply: Reply) -> None:
    short, long = told(reply)
    hidden = False
    for label, value in (*short, *long):
        inline = (label, value) in short
        name = _filled(cut(words(capital(label)), limits.FIELD_NAME))
        said = _filled(cut(local(words(value), page.known), limits.FIELD_VALUE))
        taken = weight(name) + weight(said)
        if len(page.fields) >= limits.EMBED_FIELDS or taken > page.room - 1_500:
            hidden = True
            continue
        page.fields.append({"name": name, "value": said, "inline": inline})
        page.room -= taken
    if hidden or any(weight(words(value)) > limits.FIELD_VALUE for _, value in long):
        page.keep("fields.txt", "\n".join(f"{label}: {value}" for label, value in (*short, *long)))


def _filled(text: str) -> str:
    """Discord takes no empty field."""
    return text if text.strip() else "–"


def _body(page: _Page, reply: Reply, unsaid: Sequence[str]) -> None:
    state = state_of(reply)
    if state:
        page.say(cut(f"{'○' if reply.final else '●'} {bold(state)}", 300))
    if reply.caret:
        line, carets = pointer(reply.caret)
        page.say(fence(f"{verbatim(line)}\n{carets}"))
    _lines(page, reply)
    if reply.meter:
        drawn_bar = bar(reply.meter, _BAR)
        caption = cut(words(reply.meter.caption), 300)
        page.say(f"`{drawn_bar}` {caption}".rstrip() if drawn_bar else caption or "…")
    for table in reply.tables:
        _table(page, table)
    if reply.code:
        _code(page, reply.code)
    for one in unsaid:
        page.say(one)


def _lines(page: _Page, reply: Reply) -> None:
    lines = [local(words(one), page.known) for one in reply.lines]
    room = min(_SHARE, page.left)
    kept = 0
    for one in lines:
        room -= weight(one) + 1
        if room < 0 or not page.say(one):
            break
        kept += 1
    if kept < len(lines):
        rest = len(lines) - kept
        page.note(f"… {rest} more line{'s' if rest > 1 else ''} in the file")
    if kept < len(lines) or weight(words(reply.title)) > limits.EMBED_TITLE - 4:
        page.keep("message.txt", "\n".join((reply.title, *reply.lines)))


def _table(page: _Page, table: Table) -> None:
    header, rows = square(table)
    if any(header) or any(map(any, rows)):
        head = 1 if any(header) else 0
        room, shown = page.left - 10, []
        for one in drawn(header, rows, WIDEST):
            row = verbatim(one)
            room -= weight(row) + 1
            if room < 0:
                break
            shown.append(row)
        hidden = head + len(rows) - max(len(shown), head)
        if len(shown) > head:
            page.say(fence("\n".join(shown)))
        if hidden:
            page.note(f"… {hidden} more row{'s' if hidden > 1 else ''} in the file")
        if hidden or is_cut(table):
            page.keep("table.csv", as_csv(table))
    if table.note:
        page.say(cut(words(table.note), 300))


def _code(page: _Page, text: str) -> None:
    """Of a long one its end, where a log has what happened last."""
    lines, kept, room = verbatim(text).split("\n"), [], page.left - 60
    for one in reversed(lines):
        room -= weight(one) + 1
        if room < 0:
            break
        kept.append(one)
    missing = len(lines) - len(kept)
    if missing:
        page.note(f"… {missing} more line{'s' if missing > 1 else ''} in the file; these are the last:")
        page.keep("text.txt", text)
    if any(kept):
        page.say(fence("\n".join(reversed(kept))))
