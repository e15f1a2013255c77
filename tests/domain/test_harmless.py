"""Text from outside cannot move the cursor, ring the bell or look like something else."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.chat.console.as_json import as_json
from adapters.chat.console.plain import plain
from adapters.chat.console.render import brief, draw, paint
from bot.domain.errors import Caret
from bot.domain.harmless import block, caret, clean, line
from tests.support.console import hostile

NASTY = [
    "\x1b[2J\x1b[1;1Hgone",
    "\x1b]0;title\x07x",
    "\x1b]52;c;ZXZpbA==\x1b\\x",
    "\x9b31mred",
    "\x90dcs\x9cx",
    "bell\x07",
    "back\x08\x08space",
    "\x1b",
    "\x1b]8;;unended",
    "\u202egnp.exe",
    "a\x00b\x7fc",
    "\ud800 lone",
    "\x1bc\x1b(0x",
]


@pytest.mark.parametrize("text", NASTY)
def test_nothing_that_a_terminal_obeys_is_left(text: str):
    """Escape sequences, controls and direction marks are gone from every field in every form."""
    reply = hostile(text)
    plain_text = "\n".join(plain(reply, numbered=True))
    drawn = paint(draw(reply, numbered=True), width=60, colour=False)
    short = paint(brief(reply), width=60, colour=False)
    for said in (plain_text, drawn, short):
        assert not [
            char for char in said if unicodedata.category(char) in ("Cc", "Cf", "Cs") and char != "\n"
        ]
    assert as_json(reply).isprintable()
    assert as_json(reply).isascii()


def test_colour_sequences_are_only_our_own():
    """In colour, the only escape sequences are SGR; a title cannot bring others in."""
    drawn = paint(draw(hostile("\x1b[5A\x1b]0;x\x07up")), width=60)
    assert "\x1b[5A" not in drawn
    assert "\x1b]" not in drawn
    assert "up" in drawn


def test_a_whole_sequence_goes_and_its_text_with_it():
    """``ESC [ 31 m`` leaves no ``[31m`` behind; what is not ended is text."""
    assert line("\x1b[31mred\x1b[0m") == "red"
    assert line("\x1b]0;window\x07text") == "text"
    assert line("\x1b]0;window") == "]0;window"


def test_lines_are_kept_where_lines_may_be():
    """Windows' and Unicode's line ends are line ends; in a title they are spaces."""
    assert block("a\r\nb\u2028c\nd") == "a\nb\nc\nd"
    assert line("a\nb") == "a b"


def test_what_a_progress_bar_overwrote_is_left_out():
    """A log full of carriage returns shows the last state of each line."""
    assert block("10%\r50%\r100%\ndone\r\n") == "100%\ndone\n"


def test_tabs_become_spaces():
    """A tab would break every column after it."""
    assert block("a\tb") == "a   b"


def test_the_caret_keeps_its_place():
    """It points at the same word when characters before it were left out."""
    cleaned = caret(Caret("\x1b[31mup\x1b[0m 3900", 12, 16))
    assert cleaned.line[cleaned.start : cleaned.end] == "3900"
    assert caret(Caret("up", -3, 99)) == Caret("up", 0, 2)


@given(st.text())
def test_cleaning_twice_changes_nothing(text: str):
    """So that every form may clean for itself."""
    assert block(block(text)) == block(text)
    reply = hostile(text)
    assert clean(clean(reply)) == clean(reply)


@given(st.text())
def test_any_text_is_harmless(text: str):
    """No control character but the end of a line comes through, whatever it is made of."""
    assert not [char for char in block(text) if unicodedata.category(char) == "Cc" and char != "\n"]


def test_every_form_takes_an_empty_reply():
    """Nothing to say is no fault."""
    reply = hostile("")
    assert plain(reply) is not None
    assert paint(draw(reply), width=40)
    assert as_json(reply)
