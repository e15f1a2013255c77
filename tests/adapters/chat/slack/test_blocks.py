"""A reply as a Slack message: within every limit whatever it holds, and nothing of it lost."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from adapters.chat.slack import limits
from adapters.chat.slack.blocks import Rendered, render
from adapters.chat.slack.buttons import asked_for
from adapters.simulators.slack.blocks import check_blocks
from bot.domain.errors import Caret
from bot.domain.talk import Actor, Button, Kind, Meter, Reply, Table, Tone
from tests.support.any_replies import replies

SLOW = settings(deadline=None, max_examples=30, suppress_health_check=list(HealthCheck))
ANN = Actor("slack", "T1", "U0ANN", "ann")
TOKEN = re.compile(r"<(?:@[UW][A-Z0-9]+|!date\^\d+\^\{time\} \{date_short_pretty\}\|\d\d:\d\d UTC)>")


def an(**more: Any) -> Reply:
    """An answer."""
    return Reply(Kind.ANSWER, more.pop("title", "Title"), **more)


def texts(found: Any) -> list[str]:
    """Every mrkdwn text of the blocks."""
    if isinstance(found, list):
        return [text for one in found for text in texts(one)]
    if not isinstance(found, dict):
        return []
    own = [found["text"]] if found.get("type") == "mrkdwn" else []
    return own + [text for one in found.values() for text in texts(one)]


def buttons(made: Rendered) -> list[dict[str, Any]]:
    """Those of the message."""
    return [one for block in made.blocks if block["type"] == "actions" for one in block["elements"]]


def whole(made: Rendered) -> str:
    """All that is said in it."""
    return "\n".join(texts(made.blocks))


@SLOW
@given(replies())
def test_every_reply_is_a_message_that_slack_takes(reply: Reply):
    """Blocks by the strict fake's rules, and all their JSON within what a message may hold."""
    made = render(reply)
    check_blocks(made.blocks, lambda _: False)
    assert len(json.dumps(made.blocks, ensure_ascii=False)) <= limits.MESSAGE_CHARACTERS
    assert made.blocks and 0 < len(made.text) <= limits.MESSAGE_TEXT
    ids = [one["action_id"] for one in buttons(made)]
    assert len(set(ids)) == len(ids)
    assert made.private is reply.private and not (reply.final and ids)


@SLOW
@given(replies())
def test_no_reply_pings_by_words_of_others(reply: Reply):
    """The only tokens are mentions of those meant and moments; fences and code come in pairs."""
    made = render(reply)
    meant = {f"<@{one.id}>" for one in reply.mention if one.chat == "slack"}
    for text in (*texts(made.blocks), made.text):
        rest = TOKEN.sub("", text)
        assert "<" not in rest and ">" not in rest
        assert set(re.findall(r"<@[^>]*>", text)) <= meant
        assert text.replace("```", "").count("`") % 2 == 0 and text.count("```") % 2 == 0


def test_long_answers_fold_and_keep_the_whole_as_files():
    """Ten thousand lines, three hundred rows, a long log: a beginning or end of it, a count, and a file."""
    rows = tuple((f"r{n}", "x" * 30) for n in range(300))
    log = "\n".join(f"step {n}" for n in range(5_000))
    made = render(
        an(lines=tuple(f"line {n}" for n in range(10_000)), tables=(Table(("a", "b"), rows),), code=log)
    )
    files = {one.name: one.text for one in made.overflow}
    assert files["message.txt"].endswith("line 9999") and files["text.txt"] == log
    assert files["table.csv"].splitlines()[-1].startswith("r299,")
    said = whole(made)
    assert "line 0" in said and "r0" in said and "step 4999" in said
    assert len(re.findall(r"… \d+ more (?:line|row)s in the file", said)) == 3


def test_what_fits_has_no_file():
    """Nobody has to open one for three rows."""
    assert render(an(lines=("one",), tables=(Table(("a",), (("1",),)),), code="ls")).overflow == ()


def test_a_formula_in_a_cell_is_words_in_the_file():
    """A spreadsheet runs what begins with an equals sign."""
    rows = (("=HYPERLINK(1)", "y" * 50),) * 300
    (file,) = render(an(tables=(Table(("a", "b"), rows),))).overflow
    assert file.text.splitlines()[1].startswith("'=HYPERLINK")


def test_sixty_buttons_stand_in_three_rows():
    """Twenty-five in a block at most; their order is kept."""
    made = render(an(buttons=tuple(Button(f"B{n}", f"down r{n}") for n in range(60))))
    assert [len(one["elements"]) for one in made.blocks if one["type"] == "actions"] == [25, 25, 10][
        : len(made.blocks)
    ]
    assert [one["value"] for one in buttons(made)] == [f"down r{n}" for n in range(60)]


def test_a_command_too_long_for_a_button_is_said_in_words():
    """A command that is cut would be another one."""
    made = render(an(buttons=(Button("Long", "train " + "x" * 2_000), Button("Short", "down k7m2qd"))))
    assert [one["value"] for one in buttons(made)] == ["down k7m2qd"]
    assert any("/gpu train" in one.text for one in made.overflow) or "/gpu train" in whole(made)


def test_what_cannot_be_taken_back_asks_once():
    """In words that say what happens; a question is the second step already."""
    down, ask, plain = buttons(
        render(
            an(
                buttons=(
                    Button("Tear down", "down k7m2qd", danger=True),
                    Button("Decline", "decline k7m2qd", danger=True, asks="Reason: why?"),
                    Button("Extend 1 h", "extend k7m2qd 1h", primary=True),
                )
            )
        )
    )
    assert down["style"] == "danger" and down["confirm"]["text"]["text"].startswith("k7m2qd is torn down.")
    assert (down["action_id"], plain["action_id"], plain["style"]) == (
        "gpu:0:down",
        "gpu:2:extend",
        "primary",
    )
    assert "confirm" not in ask and "confirm" not in plain
    assert ask["action_id"].startswith("ask:") and asked_for(ask) == "Reason: why?"
    assert asked_for(down) == asked_for({}) == "Your answer"


def test_a_caret_points_at_the_same_place():
    """Also after wide characters and in a line that is longer than the screen."""
    for before in ("up ", "up 漢字 ", "x" * 300 + " "):
        line = f"{before}vsat 3090"
        text = whole(render(an(caret=Caret(line, len(before), len(before) + 4))))
        typed, mark = text.split("```")[1].strip("\n").split("\n")
        at = typed.index("vsat")
        assert mark.strip() == "^^^^"
        assert len(mark) - 4 == at + sum(char > "\u2e80" for char in typed[:at])


@pytest.mark.parametrize(("tone", "mark"), [(Tone.CALM, "*T*"), (Tone.GOOD, "✓ *T*"), (Tone.WARN, "▲ *T*")])
def test_the_first_line_says_who_is_meant_and_how_loud_it_is(tone: Tone, mark: str):
    """So that a notification does."""
    made = render(an(title="T", tone=tone, mention=(ANN,)))
    assert made.text == whole(made) == f"<@U0ANN> {mark}"


def test_a_card_shows_its_state_with_its_mark_and_money_and_end_first():
    """And the state is not said twice."""
    fields = (("state", "training"), ("machine", "RTX 3090"), ("cost", "$0.24"), ("ends", "11:00 UTC"))
    card = Reply(Kind.CARD, "T", rental="k7m2qd", fields=fields)
    made = render(card)
    assert texts(made.blocks)[:4] == [
        "*T*\n● training",
        "*Cost*\n$0.24",
        "*Ends*\n11:00 UTC",
        "*Machine*\nRTX 3090",
    ]
    assert whole(made).count("training") == 1
    assert texts(render(replace(card, tone=Tone.GOOD, final=True)).blocks)[0] == "*T*\n✓ closed".replace(
        "closed", "training"
    )


@pytest.mark.parametrize(
    ("done", "total", "said"),
    [
        (0, 300, "0 %"),
        (184, 300, "61 %"),
        (299, 300, "99 %"),
        (300, 300, "100 %"),
        (900, 300, "100 %"),
        (-1, 3, "0 %"),
    ],
)
def test_a_bar_is_full_only_at_the_end(done: float, total: float, said: str):
    """Cut, not rounded: what is nearly done is not done."""
    text = whole(render(an(meter=Meter(done, total, "steps"))))
    assert f"{said}`  steps" in text and text.count("█") + text.count("░") == 24
    assert ("░" not in text) is (said == "100 %")
