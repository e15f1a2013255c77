"""Replies and forms as nobody would write them: long, empty, in every script, full of markup."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from bot.domain.errors import Caret
from bot.domain.form import Choice, Field, Form, Weighed
from bot.domain.talk import Actor, Button, Kind, Meter, Reply, Table, Tone

NASTY = (
    "", " ", "`", "```", "``` <!channel>", "<!channel>", "<!here|here>", "<!everyone>", "@everyone", "<@U0EVE>",
    "<@U1|x>", "<https://evil|https://good>", "<!subteam^S1>", "<!date^0^{date}|x>", "&amp;", "&lt;!channel&gt;",
    "a & b < c > d", "שלום עולם", "\u202eevil", "👩‍👩‍👧‍👦" * 30, "e\u0301" * 40, "漢字" * 60, "\ud800",
    "\x1b[31mred", "\\" * 500, '"' * 700, "*_~", "x" * 5_000, "<" * 4_000, "&" * 3_000,
    "one\ntwo\n\nthree", "11:00 UTC",
)  # fmt: skip
TEXT = st.sampled_from(NASTY) | st.text(max_size=60)
LONG = TEXT | st.builds(lambda one, n: one[:40] * n, TEXT, st.integers(0, 200))
PEOPLE = st.builds(
    Actor,
    st.sampled_from(("slack", "discord", "sim")),
    st.just("T1"),
    st.sampled_from(("U0ANN", "W1", "1234567", "!channel", "u0ann", "U1|x", "U1>", "")),
    TEXT,
)
BUTTONS = st.builds(
    Button, TEXT, LONG, st.booleans(), st.booleans(), st.sampled_from(("", "Reason", "<!here>" * 99))
)
METERS = st.builds(Meter, st.floats(-9, 99) | st.just(float("nan")), st.sampled_from((0.0, -1.0, 50.0)), LONG)


@st.composite
def carets(draw: st.DrawFn) -> Caret:
    """Anywhere in a line, also beyond it."""
    return Caret(draw(LONG), draw(st.integers(0, 9_000)), draw(st.integers(0, 9_000)))


@st.composite
def tables(draw: st.DrawFn) -> Table:
    """Of up to 300 rows."""
    columns = draw(st.integers(0, 7))
    cells = st.tuples(*[TEXT] * columns)
    some = tuple(draw(st.lists(cells, max_size=3)))
    return Table(draw(cells), some * draw(st.sampled_from((0, 1, 1, 100))), draw(LONG))


@st.composite
def replies(draw: st.DrawFn) -> Reply:
    """Any reply."""
    lines = tuple(draw(st.lists(LONG, max_size=4)))
    facts: dict[str, Any] = {
        "lines": lines * draw(st.sampled_from((1, 1, 20))),
        "fields": tuple(draw(st.lists(st.tuples(TEXT, LONG), max_size=4))) * draw(st.sampled_from((1, 1, 9))),
        "tables": tuple(draw(st.lists(tables(), max_size=3))),
        "code": "\n".join(draw(st.lists(LONG, max_size=3)) * draw(st.sampled_from((0, 1, 40)))),
        "caret": draw(st.none() | carets()),
        "meter": draw(st.none() | METERS),
        "buttons": tuple(draw(st.lists(BUTTONS, max_size=5))) * draw(st.sampled_from((1, 1, 12))),
        "tone": draw(st.sampled_from(Tone)),
        "private": draw(st.booleans()),
        "mention": tuple(draw(st.lists(PEOPLE, max_size=3))) * draw(st.sampled_from((1, 30))),
        "final": draw(st.booleans()),
        "rental": draw(st.sampled_from(("", "k7m2qd"))),
        "data": draw(st.sampled_from(({}, {"hard_end": "2026-03-02T11:00:00+00:00"}, {"hard_end": 3}))),
    }
    return Reply(draw(st.sampled_from(Kind)), draw(LONG), **facts)


CHOICES = st.lists(st.builds(Choice, LONG, LONG), max_size=3)


@st.composite
def forms(draw: st.DrawFn) -> Form:
    """Any form with unique fields."""
    fields = []
    for number in range(draw(st.integers(0, 5))):
        choices = (
            *draw(CHOICES),
            *(Choice(f"c{n}", f"card {n}") for n in range(draw(st.sampled_from((0, 3, 240))))),
        )
        value = draw(st.sampled_from([one.value for one in choices])) if choices else draw(LONG)
        hint, optional = draw(LONG), draw(st.booleans())
        fields.append(Field(f"f{number}", draw(TEXT), choices, value, hint, optional))
    return Form(
        "up", draw(LONG), tuple(fields), draw(LONG), draw(st.sampled_from(("Get a quote", "x" * 90))), ""
    )


WEIGHED = st.builds(
    Weighed, TEXT, LONG, LONG, st.dictionaries(st.sampled_from(("", "f0", "f1", "zz")), LONG, max_size=4)
)
