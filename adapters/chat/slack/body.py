"""What a reply is made of, from its headline down. Each part takes its share of the room; what is over
goes to a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from adapters.chat.slack import limits, tables
from adapters.chat.slack.buttons import in_words
from adapters.chat.slack.page import Page
from adapters.chat.slack.text import (
    bold,
    code,
    context,
    cut,
    fence,
    local,
    mention,
    moments,
    mrkdwn,
    section,
    weight,
    words,
)
from adapters.chatkit.layout import bar as full_bar
from adapters.chatkit.layout import capital, pointer, state_of, told
from bot.domain.errors import Caret
from bot.domain.talk import Button, Meter, Reply, Tone

MARKS: Mapping[Tone, str] = {
    Tone.CALM: "",
    Tone.GOOD: "✓",
    Tone.WARN: "▲",
    Tone.ALARM: ":rotating_light:",
}
"""How loud it is, by shape and not by colour; an emoji only where somebody has to look now."""
_LINES, _FIELDS, _TABLES, _CODE = 4_500, 4_000, 6_500, 2_900
"""Shares of a message's room."""
_TITLE = 300
_BAR = 24


def write(page: Page, reply: Reply, unsaid: Sequence[Button] = (), *, headed: bool = False) -> None:
    """``reply`` was made harmless before. ``unsaid``: commands that no button holds. ``headed``: its title stands
    there already."""
    known = moments(reply.data)
    if not headed:
        page.add(section(headline(reply)))
    if reply.caret:
        page.add(section(fence(cut(pointed(reply.caret), 1_200))))
    _lines(page, reply, known)
    if reply.meter:
        page.add(section(bar(reply.meter)))
    _fields(page, reply, known)
    for number, table in enumerate(reply.tables):
        left = len(reply.tables) - number
        share = max(400, (page.room - (_CODE if reply.code else 0)) // left)
        tables.put(page, table, min(share, _TABLES))
    if reply.code:
        _code(page, reply.code)
    if unsaid and page.write([in_words(one) for one in unsaid], 1_500) < len(unsaid):
        lines = (f"{one.label}: /gpu {one.command}" for one in unsaid)
        page.keep("commands.txt", "What else can be said", "\n".join(lines))


def headline(reply: Reply) -> str:
    """Who is meant, how loud, what it is; on a card the second line is what is going on, and has the mark."""
    people = cut(" ".join(mention(who) for who in reply.mention[:20]), 1_000)
    state, mark = cut(words(state_of(reply)), 200), MARKS[reply.tone]
    doing = f"{mark or ('○' if reply.final else '●')} {state}" if state else ""
    first = " ".join(filter(None, (people, "" if state else mark, bold(cut_title(reply.title)))))
    return "\n".join(filter(None, (first, doing))) or "*Lastcall*"


def cut_title(title: str) -> str:
    """Titles are sentences, some with what a person typed in them."""
    return title if len(title) <= _TITLE else f"{title[: _TITLE - 1]}…"


def pointed(fault: Caret) -> str:
    """The line that was typed with carets under what is wrong in it."""
    line, carets = pointer(fault)
    return f"{words(line)}\n{carets}"


def bar(meter: Meter) -> str:
    """``██████░░░░ 62 %`` and its caption."""
    caption = cut(words(meter.caption), 600)
    drawn = full_bar(meter, _BAR)
    return f"{code(drawn)}  {caption}".rstrip() if drawn else caption or "…"


def _lines(page: Page, reply: Reply, known: Mapping[str, str]) -> None:
    lines = [local(words(line), known) for line in reply.lines]
    if not any(lines) and len(reply.title) <= _TITLE:
        return
    shown = page.write(lines, _LINES)
    if shown < len(lines):
        page.add(context(page.more(len(lines) - shown, "line")))
    if shown < len(lines) or len(reply.title) > _TITLE:
        page.keep("message.txt", "The whole message", "\n".join((reply.title, *reply.lines)))


def _fields(page: Page, reply: Reply, known: Mapping[str, str]) -> None:
    short, long = told(reply)
    cells = [mrkdwn(_cell(label, value, known)) for label, value in short]
    rows = [cells[at : at + limits.SECTION_FIELDS] for at in range(0, len(cells), limits.SECTION_FIELDS)]
    floor = page.room - _FIELDS
    hidden = sum(page.room < floor or not page.add({"type": "section", "fields": row}) for row in rows)
    lines = [f"{bold(capital(label))}  {local(words(value), known)}".strip() for label, value in long]
    if page.write(lines, max(0, page.room - floor)) < len(lines) or hidden:
        page.add(context("… the rest is in the file" if page.files else "…"))
        page.keep(
            "fields.txt", "All of it", "\n".join(f"{label}: {value}" for label, value in [*short, *long])
        )


def _cell(label: str, value: str, known: Mapping[str, str]) -> str:
    said = "\n".join(filter(None, (bold(capital(cut_label(label))), local(words(value), known))))
    return said or "–"


def cut_label(label: str) -> str:
    """Labels are a word or two."""
    return label if len(label) <= 80 else f"{label[:79]}…"


def _code(page: Page, text: str) -> None:
    """Of a long one its end, where a log has what happened last."""
    lines = [words(line) for line in text.split("\n")]
    room = min(_CODE, page.room - 600)
    kept = list(_end(lines, room))
    missing = len(lines) - len(kept)
    if missing:
        page.add(
            context(
                f"{page.more(missing, 'line')}; these are the last:" if kept else page.more(missing, "line")
            )
        )
        page.keep("text.txt", "The whole text", text)
    if any(kept):
        page.add(section(fence("\n".join(reversed(kept)))))


def _end(lines: Sequence[str], room: int) -> Iterator[str]:
    for line in reversed(lines):
        room -= weight(line) + 2
        if room < 0:
            return
        yield line
