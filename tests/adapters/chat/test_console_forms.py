"""A reply in its three forms: plain lines, one line of JSON, drawn for a terminal."""

from __future__ import annotations

import json
import re
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from rich.cells import cell_len

from adapters.chat.console.as_json import as_json
from adapters.chat.console.plain import gist, meter_line, news, plain
from adapters.chat.console.render import brief, draw, paint
from bot.domain.errors import Caret
from bot.domain.talk import Button, Kind, Meter, Reply, Table, Tone
from tests.support.console import closed, full, quote, training

SAID = [
    "The title",
    "Second line",
    "Worst case",
    "$0.95",
    "bb.bin",
    "218 MB",
    "The note",
    "ssh -p 22 root@host",
    "up 3900 now",
    "62 %",
    "step 620",
    "[1] Extend",
    "[2] Tear down",
    "/results/loss.png",
    "For Ada",
]


def drawn(reply: Reply, width: int = 80, **how: bool) -> str:
    """What is seen, without colours."""
    return paint(draw(reply, **how), width=width, colour=False)


@pytest.mark.parametrize("word", SAID)
def test_plain_says_every_field(word: str):
    """Nothing that a reply has is missing without a terminal."""
    assert word in "\n".join(plain(full(), numbered=True))


@pytest.mark.parametrize("kind", [Kind.NOTICE, Kind.CARD, Kind.ANSWER])
@pytest.mark.parametrize("word", SAID)
def test_a_terminal_shows_every_field(word: str, kind: Kind):
    """Nothing that a reply has is missing on a terminal; a mention is a notice's business."""
    if word == "For Ada" and kind is not Kind.NOTICE:
        return
    assert word in drawn(full(kind=kind), numbered=True)


def test_json_has_every_field_of_a_reply():
    """Its keys are the fields of ``Reply`` and what happened to it; values are those of the reply."""
    said = json.loads(as_json(full(), event="post", ref="c1"))
    assert said.keys() == {field.name for field in fields(Reply)} | {"event", "ref"}
    assert said["kind"] == "notice"
    assert said["fields"][1] == {"label": "Worst case", "value": "$0.95"}
    assert said["tables"][0]["rows"][1] == ["bb.bin", "218 MB"]
    assert said["meter"] == {"done": 620, "total": 1000, "caption": "step 620"}
    assert said["caret"] == {"line": "up 3900 now", "start": 3, "end": 7}
    assert said["buttons"][1] == {
        "label": "Tear down",
        "command": "down k7",
        "danger": True,
        "primary": False,
    }
    assert said["data"] == {"cost": "0.24"}
    assert (said["event"], said["ref"], said["mention"]) == ("post", "c1", ["console:host:ada"])


def test_json_is_one_line_whatever_is_in_it():
    """Infinity, moments and decimals in ``data`` do not lose the line, though they break its promise."""
    data = {
        "at": datetime(2026, 3, 1, tzinfo=UTC),
        "cost": Decimal("0.10"),
        "for": timedelta(seconds=9),
        "loss": [float("nan")],
    }
    text = as_json(full(data=data, meter=Meter(float("inf"), 1), code="a\nb"))
    assert "\n" not in text
    assert json.loads(text)["data"] == {
        "at": "2026-03-01T00:00:00+00:00",
        "cost": "0.10",
        "for": 9.0,
        "loss": [None],
    }


def test_markup_is_text():
    """``[red]`` in a file name is seen as it is, and an emoji's name stays a name."""
    words = "[red]x[/red] :boom: [link=http://x]y[/link]"
    for kind in (Kind.CARD, Kind.ANSWER):
        seen = drawn(full(kind=kind, title=words, lines=(words,), code=words), width=120)
        assert seen.count(words) == 3


def test_plain_has_no_escape_and_no_numbers_that_cannot_be_pressed():
    """Where nobody can type a number, a button is the command that it stands for."""
    text = "\n".join(plain(full()))
    assert "\x1b" not in text
    assert "[1]" not in text
    assert "Tear down: down k7" in text


def test_a_terminal_without_a_prompt_shows_commands_for_buttons():
    """Numbers are shown only where they can be pressed."""
    assert "› confirm k7m2qd   › cancel k7m2qd" in drawn(quote())
    assert "[1] Confirm   [2] Cancel" in drawn(quote(), numbered=True)


def test_fields_and_tables_are_aligned():
    """Values begin in one column; numbers end in one column."""
    text = plain(full())
    rate, worst = (next(line for line in text if word in line) for word in ("$0.22/h", "$0.95"))
    assert rate.index("$") == worst.index("$")
    small, large = (next(line for line in text if word in line) for word in ("9 kB", "218 MB"))
    assert len(small) == len(large)


@pytest.mark.parametrize("width", [20, 40, 60, 100])
@pytest.mark.parametrize("kind", list(Kind))
def test_nothing_is_wider_than_the_terminal(width: int, kind: Kind):
    """Down to twenty columns everything fits; only preformatted text may go on, to be copied whole."""
    reply = full(kind=kind, title="A title that is rather long", lines=("word " * 40,), code="")
    assert max(cell_len(line) for line in drawn(reply, width, numbered=True).splitlines()) <= width


def test_a_table_too_wide_becomes_records():
    """At forty columns seven columns are a list of names and values, and every cell can still be read."""
    header = ("#", "Provider", "GPU", "Memory", "Where", "Rate", "Worst case")
    rows = (("1", "vast", "RTX 3090", "24 GB", "Sweden", "$0.22/h", "$0.95"),)
    seen = drawn(Reply(Kind.ANSWER, "Offers", tables=(Table(header, rows),)), 40)
    assert re.search(r"^  Worst case +\$0\.95$", seen, re.MULTILINE)
    assert all(word in seen for word in (*header, *rows[0]))


def test_no_digest_is_cut():
    """Where a table barely fits, its longest column is folded and nothing of it is lost."""
    digest = "9f2c4be1c07d"
    table = Table(("File", "Size", "SHA-256"), (("a-rather-long-name.safetensors", "218 MB", digest),))
    seen = drawn(Reply(Kind.CARD, "Closed", tables=(table,)), 46)
    assert digest in seen
    assert "a-rather-long-namesafetensors" not in seen
    assert "".join(re.findall(r"│ (\S*)", seen)).replace("File", "").startswith("a-rather")


def test_preformatted_text_of_an_answer_is_one_piece():
    """A long ssh command is not broken, so that it can be copied."""
    command = "ssh " + "-o Option=value " * 12 + "root@host"
    assert command in drawn(Reply(Kind.ANSWER, "Login", code=command), 40)


def test_the_caret_stands_under_the_fault():
    """Also after wide characters, and with room for a fault at the very end."""
    reply = Reply(Kind.MISUNDERSTOOD, "What?", caret=Caret("up 日本 3900", 6, 10))
    for text in (plain(reply), drawn(reply).splitlines()):
        typed, mark = text[1], text[2]
        assert mark.rstrip().endswith("^^^^")
        assert cell_len(typed[: typed.index("3900")]) == mark.index("^")
    end = Reply(Kind.MISUNDERSTOOD, "What?", caret=Caret("up", 2, 2))
    assert plain(end)[2] == "    ^"


def test_a_long_line_shows_the_part_around_its_fault():
    """The caret and the fault stay on the screen."""
    typed = "up " + "word " * 30 + "3900 " + "more " * 30
    at = typed.index("3900")
    seen = drawn(Reply(Kind.MISUNDERSTOOD, "What?", caret=Caret(typed, at, at + 4)), 40).splitlines()
    assert seen[1].index("3900") == seen[2].index("^^^^")
    assert seen[1].lstrip().startswith("…")


def test_a_meter_without_a_total_has_no_percent():
    """Zero, nothing and nonsense are no fault; more than all is all."""
    assert meter_line(Meter(5, 0, "waiting")) == "waiting"
    assert meter_line(Meter(float("nan"), 10, "")) == "0 %"
    assert meter_line(Meter(12, 10, "")) == "100 %"
    assert "waiting" in drawn(Reply(Kind.CARD, "t", meter=Meter(5, 0, "waiting")))


def test_without_colour_nothing_is_lost():
    """The same characters stand there in the same places."""
    with_colour = paint(draw(full(), numbered=True), width=60)
    assert "\x1b[" in with_colour
    assert re.sub(r"\x1b\[[0-9;]*m", "", with_colour) == drawn(full(), 60, numbered=True)


def test_a_terminal_without_our_characters_gets_a_plain_frame():
    """On an ASCII terminal frames and bars are drawn with what there is."""
    text = paint(draw(training()), width=60, colour=False, encoding="ascii")
    assert not set("╭━─│") & set(text)
    assert "####" in text


def test_the_tone_colours_a_card():
    """Good is green, an alarm is red, a calm one is quiet; the words do not change."""
    good, alarm = (paint(draw(closed(success=ok)), width=60) for ok in (True, False))
    assert "\x1b[32m" in good
    assert "\x1b[31m" in alarm


def test_a_card_on_one_line():
    """Name, stage and how far, never more than the width."""
    text = paint(brief(training()), width=40, colour=False, cut=True).rstrip("\n")
    assert text == "● k7m2qd · Training  62 %  step 620 of …"


def test_only_what_a_person_cares_about_is_news():
    """A clock, a loss and a step that run on are none; a stage, a colour and each tenth are."""
    card = training(620)
    assert gist(card) == gist(replace(training(640), fields=(("Loss", "0.01"),)))
    assert gist(card) != gist(training(700))
    assert gist(card) != gist(replace(card, tone=Tone.WARN))
    assert gist(card) != gist(replace(card, data={"state": "pulling"}))
    assert gist(card) == gist(replace(card, buttons=(Button("x", "y"),)))
    assert news(card) == "k7m2qd · Training  62 %  step 620 of 1000"


def test_the_stage_is_said_where_the_title_does_not():
    """A card that is titled by its work says in one line what is going on."""
    card = replace(
        training(), title="k7m2qd · tiny-lora quick", data={"state": "pulling results"}, meter=None
    )
    assert news(card) == "k7m2qd · tiny-lora quick  pulling results"
    assert "pulling results" in paint(brief(card), width=80, colour=False)


def test_sentences_beside_each_other_become_records_in_a_pipe():
    """A line of five hundred characters is no table; one long column at the end still is."""
    long = "a sentence that says in which case this one is the best of all"
    wide = Table(
        ("name", "best for", "price", "ease"), (("one", long, long, long), ("two", long, "", long)), "n"
    )
    said = plain(Reply(Kind.ANSWER, "t", tables=(wide,)))
    assert said[1:4] == ["  name      one", f"  best for  {long}", f"  price     {long}"]
    assert said[5:8] == ["", "  name      two", f"  best for  {long}"]
    assert said[-1] == "  n" and max(map(len, said)) < 100
    journal = Table(("UTC", "what", "journal"), (("09:00", "trouble", long * 4),))
    assert len(plain(Reply(Kind.ANSWER, "t", tables=(journal,)))) == 3
