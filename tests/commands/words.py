"""The vocabulary that these tests speak; the grammar itself knows none of it."""

from __future__ import annotations

from bot.commands.grammar import ProviderWord, Vocabulary, parse
from bot.commands.spoken import Command
from bot.domain.errors import AskAgain

VOCABULARY = Vocabulary(
    providers=(
        ProviderWord("vast", "Vast.ai"),
        ProviderWord("local", "This machine"),
        ProviderWord("local/ws1", "Workstation 1"),
        ProviderWord("runpod", "RunPod", available=False),
    ),
    recipes=("tiny-lora", "sdxl-lora"),
    presets=("quick", "standard"),
)


def said(line: str, vocabulary: Vocabulary = VOCABULARY) -> Command:
    """What a line comes to."""
    return parse(line, vocabulary)


def asked(line: str, vocabulary: Vocabulary = VOCABULARY) -> AskAgain:
    """The question back that a line gets."""
    try:
        command = parse(line, vocabulary)
    except AskAgain as question:
        return question
    raise AssertionError(f"{line!r} was understood: {command}")


def place(question: AskAgain) -> str:
    """What the caret is under."""
    assert question.caret is not None
    return question.caret.line[question.caret.start : question.caret.end]


def mended(line: str, question: AskAgain) -> str:
    """The line with the suggestion typed in place of the fault."""
    assert question.caret is not None and question.nearest, question
    return line[: question.caret.start] + question.nearest + line[question.caret.end :]


def mended_by_its_suggestion(line: str, fault: str, nearest: str) -> None:
    """The caret is under the fault, and the suggestion typed in its place is understood."""
    question = asked(line)
    assert (place(question), question.nearest) == (fault, nearest)
    assert question.expected
    said(mended(line, question))


def one_clear_sentence(line: str, sentence: str) -> None:
    """The question says this, on one line, with a place and with what was expected instead."""
    question = asked(line)
    assert sentence in question.sentence
    assert "\n" not in question.sentence
    assert question.caret is not None
    assert question.expected
