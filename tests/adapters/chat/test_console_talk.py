"""What a typed line means: commands, numbers, dangerous numbers, and the terminal's own words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.chat.console.buttons import Numbers
from adapters.chat.console.conversation import Ask, Clear, Conversation, Leave, Say, Send
from bot.domain.talk import Button, Kind, Reply
from tests.support.console import closed, quote, training


@pytest.fixture
def numbers() -> Numbers:
    """Nothing to press yet."""
    return Numbers()


@pytest.fixture
def talk(numbers: Numbers) -> Conversation:
    """A conversation that just began."""
    return Conversation(numbers)


@pytest.mark.parametrize("line", ["quit", "exit", " QUIT ", "/gpu quit"])
def test_words_that_leave(talk: Conversation, line: str):
    """Any of them, with or without the prefix."""
    assert talk.hear(line) == Leave()


def test_words_of_the_terminal_and_commands(talk: Conversation):
    """``clear`` stays here, an empty line is nothing, everything else goes to the desk as it was typed."""
    assert talk.hear("clear") == Clear()
    assert talk.hear("   ") is None
    assert talk.hear(" /gpu up 3090 ") == Send("/gpu up 3090")
    assert talk.hear("gpus") == Send("gpus")
    assert talk.hear("quit now") == Send("quit now")


def test_a_number_presses_the_newest_reply_with_buttons(talk: Conversation, numbers: Numbers):
    """A reply without buttons does not take the numbers away; a newer one with buttons does."""
    numbers.hear("", quote())
    numbers.hear("", Reply(Kind.ANSWER, "Nothing to press"))
    assert talk.hear("1") == Send("confirm k7m2qd")
    numbers.hear("c1", training(rental="p3x9aa"))
    assert talk.hear("1") == Send("status p3x9aa")


def test_an_answers_button_is_pressed_once(talk: Conversation, numbers: Numbers):
    """After it, the numbers go back to the newest open card."""
    numbers.hear("c1", training(rental="p3x9aa"))
    numbers.hear("", quote())
    assert talk.hear("/gpu 2") == Send("cancel k7m2qd")
    assert talk.hear("1") == Send("status p3x9aa")
    assert talk.hear("1") == Send("status p3x9aa")


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("3", "There are 2 buttons: type a number from 1 to 2."),
        ("0", "There are 2 buttons: type a number from 1 to 2."),
        ("9" * 5000, "There are 2 buttons: type a number from 1 to 2."),
    ],
)
def test_a_number_out_of_range_says_so(talk: Conversation, numbers: Numbers, line: str, sentence: str):
    """Nothing is sent, and the buttons stay."""
    numbers.hear("", quote())
    assert talk.hear(line) == Say(sentence)
    assert talk.hear("1") == Send("confirm k7m2qd")


def test_no_button_and_one_button(talk: Conversation, numbers: Numbers):
    """Each has its own sentence."""
    assert talk.hear("1") == Say("There is no button to press now.")
    numbers.hear("", Reply(Kind.ANSWER, "t", buttons=(Button("Go", "go"),)))
    assert talk.hear("2") == Say("There is one button: type 1.")


@pytest.mark.parametrize("yes", ["y", "Y", " yes "])
def test_danger_asks_once_and_goes_on(talk: Conversation, numbers: Numbers, yes: str):
    """A yes presses it; the next line is a line again."""
    numbers.hear("c1", training())
    assert talk.hear("2") == Ask("Tear down k7m2qd? [y/N] ")
    assert talk.asking
    assert talk.hear(yes) == Send("down k7m2qd")
    assert talk.hear("status") == Send("status")


@pytest.mark.parametrize("no", ["", "n", "no", "status", "2"])
def test_anything_but_yes_is_no(talk: Conversation, numbers: Numbers, no: str):
    """Nothing is sent, not even what the line would have said; the button can be pressed again."""
    numbers.hear("", training())
    talk.hear("2")
    assert talk.hear(no) == Say("Nothing was done.")
    assert isinstance(talk.hear("2"), Ask)


def test_a_number_means_what_was_seen_when_it_was_typed(talk: Conversation, numbers: Numbers):
    """A card that arrives between the key and Enter does not get the press."""
    numbers.hear("", quote())
    talk.begin_typing()
    numbers.hear("c1", training(rental="p3x9aa"))
    assert isinstance(talk.hear("1"), Say)
    talk.begin_typing()
    assert talk.hear("1") == Send("status p3x9aa")


def test_an_edit_that_keeps_its_buttons_changes_nothing(talk: Conversation, numbers: Numbers):
    """Progress of a card neither takes the numbers from a newer reply nor stops a press."""
    numbers.hear("c1", training(100))
    numbers.hear("", quote("p3x9aa"))
    talk.begin_typing()
    assert not numbers.hear("c1", training(200))
    assert talk.hear("1") == Send("confirm p3x9aa")


def test_a_card_replaces_what_was_said_about_its_rental(talk: Conversation, numbers: Numbers):
    """An old quote cannot be confirmed beside the running card; a closed rental has no buttons at all."""
    numbers.hear("", quote())
    numbers.hear("c1", replace(training(), buttons=()))
    assert numbers.current is None
    numbers.hear("c1", training())
    numbers.hear("n1", replace(closed(), kind=Kind.NOTICE))
    assert numbers.current is None


def test_an_open_question_can_be_dropped(talk: Conversation, numbers: Numbers):
    """Ctrl-C on the question is a no."""
    numbers.hear("c1", training())
    talk.hear("2")
    assert talk.drop()
    assert not talk.drop()
    assert talk.hear("y") == Send("y")
