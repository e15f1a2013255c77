"""A reply as a Discord message: within every limit whatever it holds, and nobody pinged by it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.chat.discord import modals
from adapters.chat.discord.chat import body
from adapters.chat.discord.commands import payload, read
from adapters.chat.discord.render import Rendered, render
from adapters.chat.discord.text import cut, weight, words
from adapters.simulators.discord.limits import command_faults, message_faults, modal_faults
from bot.domain.form import Form
from bot.domain.talk import Actor, Button, Kind, Reply, Table, Tone
from tests.support.any_replies import TEXT, forms, replies
from tests.support.small_town import SmallTown

SLOW = settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
ANN = Actor("discord", "77", "1234567", "ann")


def an(**more: Any) -> Reply:
    """An answer."""
    return Reply(Kind.ANSWER, more.pop("title", "Title"), **more)


def whole(made: Rendered) -> str:
    """All that is said in it."""
    fields = [f"{one['name']}\n{one['value']}" for one in made.embed.get("fields", ())]
    return "\n".join([made.content, made.embed["title"], made.embed.get("description", ""), *fields])


@SLOW
@given(replies())
def test_every_reply_is_a_message_that_discord_takes(reply: Reply):
    """By the strict fake's rules."""
    made = render(reply, mark="lastcall 0123456789ab")
    assert not list(message_faults(body(made)))


@SLOW
@given(replies())
def test_nobody_is_pinged_but_those_who_are_meant(reply: Reply):
    """Mentions stand in the content alone, and only those ids may ping."""
    made = render(reply)
    assert body(made)["allowed_mentions"]["parse"] == []
    meant = {one.id for one in reply.mention if one.chat == "discord" and one.id.isdecimal()}
    assert set(made.users) <= meant
    assert not re.search(
        r"(?<!\\)<@[!&]?\d",
        re.sub(r"```.*?```|`[^`\n]*`", "", whole(made)[len(made.content) :], flags=re.DOTALL),
    )


@SLOW
@given(TEXT, st.integers(0, 60))
def test_what_is_cut_is_no_longer_than_asked_and_breaks_no_code(text: str, most: int):
    """Back-slashes and fences stay whole."""
    said = cut(words(text), most)
    assert weight(said) <= max(most, 0) or weight(words(text)) <= most
    assert said.count("```") % 2 == 0


@SLOW
@given(forms())
def test_every_form_is_a_modal_that_discord_takes(form: Form):
    """Five questions at most, whatever its fields hold."""
    if form.fields:
        assert not list(modal_faults(modals.form(form)))


def test_who_is_meant_is_pinged_and_named_first():
    """So that a telephone shows why it rang."""
    made = render(an(mention=(ANN, Actor("slack", "T1", "U1", "bob"))))
    assert made.users == ("1234567",) and made.content == "<@1234567> bob"


def test_rows_that_do_not_fit_are_counted_and_kept_as_a_file():
    """Nothing of a table is lost."""
    rows = tuple((f"r{n}", "x" * 40) for n in range(300))
    made = render(an(tables=(Table(("rental", "what"), rows),)))
    shown = len(re.findall(r"^r\d+", whole(made), re.MULTILINE))
    assert f"… {300 - shown} more rows in the file" in whole(made)
    (kept,) = made.overflow
    assert kept.name == "table.csv" and kept.text.count("\n") == 301


def test_of_a_long_log_the_end_is_shown():
    """What happened last is what is looked for."""
    made = render(an(code="\n".join(f"line {n}" for n in range(3_000))))
    assert "line 2999" in whole(made) and "line 0\n" not in whole(made)
    assert [one.name for one in made.overflow] == ["text.txt"]


def test_a_button_that_no_component_holds_is_said_in_words():
    """A command of more than a hundred characters, and the twenty-sixth."""
    many = tuple(Button(f"b{n}", f"down k7m2q{n}") for n in range(26))
    made = render(an(buttons=(*many, Button("Long", "say " + "x" * 120))))
    assert sum(len(row["components"]) for row in made.components) == 25
    assert "/gpu run down k7m2q25" in whole(made) and "Long" in whole(made)


def test_what_is_closed_has_no_buttons():
    """There is nothing left to do."""
    made = render(Reply(Kind.CARD, "k7m2qd", buttons=(Button("Tear down", "down k7m2qd"),), final=True))
    assert not made.components


@pytest.mark.parametrize("tone", list(Tone))
def test_how_loud_it_is_shows_in_colour_and_in_shape(tone: Tone):
    """Not by colour alone."""
    made = render(an(tone=tone))
    assert (made.embed["title"] != "Title") == (tone is not Tone.CALM) and made.embed["color"]


async def test_the_command_is_one_that_discord_takes(town: SmallTown):
    """All subcommands with all options, names in lower case, required ones first; what is said comes back by name."""
    made = payload(town.life.desk)
    assert not list(command_faults(made))
    names = [one["name"] for one in made["options"]]
    assert {"run", "up", "train", "status", "down"} <= set(names) and len(names) <= 25
    said = read(
        {"options": [{"name": "up", "type": 1, "options": [{"name": "gpu", "type": 3, "value": "3090"}]}]}
    )
    assert (said.command, dict(said.values)) == ("up", {"gpu": "3090"})


def test_a_table_of_sentences_becomes_small_lists():
    """Where a line is too short for a column, each row is told value by value, in lines that are read with ease."""
    rows = tuple((f"{word} " * 12, f"{word} " * 12) for word in ("one", "two"))
    said = whole(render(an(tables=(Table(("command", "what it does"), rows),))))
    assert "command       one one one" in said and "what it does  one one one" in said
    assert max(len(line) for line in said.splitlines()) <= 60
