"""Without a terminal: lines in, lines out; and which screen is chosen where."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys

import pytest

from adapters.chat.console import open_console
from adapters.chat.console.lines import JsonScreen, PlainScreen
from adapters.chat.console.live import LiveScreen
from adapters.chat.console.pen import Pen
from bot.domain.talk import Channel, Kind, Reply
from tests.support.console import FakeDesk, Terminal, closed, lines_in, quote, seat, training

HERE = Channel("console", "s1")


async def script(*lines: str, desk: FakeDesk | None = None, json: bool = False) -> tuple[str, FakeDesk]:
    """What a script of lines gets back."""
    out, desk = io.StringIO(), desk or FakeDesk({"up": quote()})
    chat = open_console(
        seat(),
        interactive=True,
        json=json,
        stdin=io.StringIO(lines_in(lines)),
        stdout=out,
        stderr=io.StringIO(),
        environ={},
    )
    await chat.listen(desk)
    return out.getvalue(), desk


async def test_a_script_is_answered_line_by_line():
    """Each answer before the next line is read, so that a number presses what the line before it offered."""
    text, desk = await script("up 3090", "1", "", "spend")
    assert desk.heard == ["up 3090", "confirm k7m2qd", "spend"]
    assert "[1] Confirm  [2] Cancel" in text
    assert text.endswith("Noted.\nNoted.\n")


async def test_a_script_has_to_say_yes_to_danger():
    """The question stands in the output; the end of the input is a no."""
    desk = FakeDesk({"card": training()})
    text, _ = await script("card", "2", "y", "card", "2", desk=desk)
    assert desk.heard == ["card", "down k7m2qd", "card"]
    assert text.count("Tear down k7m2qd? [y/N]") == 2


async def test_json_lines():
    """One line for each reply; there is nobody to press numbers."""
    text, _ = await script("up 3090", "spend", json=True)
    assert [json.loads(line)["title"] for line in text.splitlines()] == ["k7m2qd · Quote", "Noted."]


async def test_edits_without_a_terminal():
    """A question is printed in full, progress as a line, the same again not at all, the end once."""
    out = io.StringIO()
    chat = open_console(seat(), interactive=False, stdin=io.StringIO(), stdout=out, environ={})
    looking = Reply(Kind.CARD, "k7m2qd · Looking", rental="k7m2qd", data={"state": "looking"})
    ref = await chat.post(HERE, looking, key="c1", retried=False)
    assert await chat.post(HERE, looking, key="c1", retried=True) == ref
    for reply in (looking, quote(), training(0), training(10), training(620), closed(), closed()):
        await chat.edit(HERE, ref, reply)
    assert out.getvalue().splitlines() == [
        "k7m2qd · Looking",
        "k7m2qd · Quote",
        "  Rate        $0.22/h",
        "  Worst case  $0.95",
        "  Confirm: confirm k7m2qd",
        "  Cancel: cancel k7m2qd",
        "k7m2qd · Training  0 %  step 0 of 1000",
        "k7m2qd · Training  62 %  step 620 of 1000",
        "k7m2qd · Closed",
        "  Cost  $0.24",
    ]


@pytest.mark.parametrize(
    ("interactive", "term", "as_json", "screen"),
    [
        (False, "xterm", False, LiveScreen),
        (False, "dumb", False, PlainScreen),
        (True, "dumb", False, PlainScreen),
        (False, "xterm", True, JsonScreen),
    ],
)
def test_the_screen_fits_where_it_runs(interactive: bool, term: str, as_json: bool, screen: type):
    """A dumb terminal gets lines, a program JSON, one command on a good terminal live cards."""
    chat = open_console(
        seat(),
        interactive=interactive,
        json=as_json,
        stdin=Terminal(),
        stdout=Terminal(),
        environ={"TERM": term},
    )
    assert isinstance(chat.screen, screen)


async def test_no_color_is_respected():
    """With NO_COLOR the live card has no colour; the words are the same."""
    for environ, colours in (({"NO_COLOR": "1"}, False), ({}, True)):
        terminal = Terminal()
        chat = open_console(
            seat(),
            interactive=False,
            stdin=io.StringIO(),
            stdout=terminal,
            environ={"TERM": "xterm"} | environ,
        )
        await chat.screen.answer(training())
        assert ("\x1b[32m" in terminal.getvalue()) == colours
        assert "62 %" in terminal.everything


def test_a_pen_for_an_ascii_stream():
    """What the stream cannot say is written in what it can."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    Pen(stream).write("a · b… ✗ 日\n")
    assert raw.getvalue() == b"a - b~ x ?\n"


def test_a_pen_on_a_closed_stream():
    """Closed is as good as gone."""
    stream = io.StringIO()
    stream.close()
    pen = Pen(stream)
    assert not pen.isatty()
    pen.write("x")
    assert pen.gone


def test_a_real_pipe_closed_early_is_quiet():
    """The reader takes one line and goes: nothing on standard error, no failure at the interpreter's end."""
    code = (
        "import sys\n"
        "from adapters.chat.console.pen import Pen\n"
        "pen = Pen(sys.stdout)\n"
        "for n in range(100000):\n"
        "    pen.write('line ' * 20 + '\\n')\n"
        "assert pen.gone\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": "."},
    ) as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.readline().startswith(b"line")
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0
