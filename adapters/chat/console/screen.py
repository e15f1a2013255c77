"""Where replies are shown. One of three: lines (plain or JSON), a redrawn part of the screen, a prompt with cards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from bot.domain.talk import Kind, Reply, Tone


@dataclass(frozen=True, slots=True)
class Told:
    """A line of a story: when, the how-manieth of the steps, its name, what happened."""

    at: str
    number: str
    word: str
    text: str
    tone: Tone = Tone.CALM


class Screen(Protocol):
    """What a terminal chat needs from the place where it is shown."""

    asks: bool
    """Whether somebody is there to answer a question."""
    types_ahead: bool
    """Whether the next line may be read while the one before is still being answered."""

    async def answer(self, reply: Reply) -> None:
        """Show the answer to a command; it stays where it is said."""

    async def post(self, ref: str, reply: Reply) -> None:
        """Show something new that is known as ``ref`` from now on."""

    async def edit(self, ref: str, reply: Reply) -> None:
        """Show it anew. A ``ref`` never heard of is shown as new."""

    async def say(self, sentence: str) -> None:
        """A word of the terminal's own; it may have several lines."""

    async def tell(self, told: Told) -> None:
        """A line of a story that is told beside the cards."""

    async def read(self, question: str = "") -> str | None:
        """The next line, None at the end of all. Raises ``KeyboardInterrupt`` for Ctrl-C on an empty line."""

    def busy(self, text: str) -> None:
        """What is being answered right now; empty when nothing is."""

    async def clear(self) -> None:
        """Empty the screen."""

    async def close(self) -> None:
        """Leave the terminal as it was found."""


def same_words(one: Reply | None, other: Reply) -> bool:
    """Whether a person would see the same card twice."""
    words = [
        (it.rental, it.title, it.lines, it.fields, it.tables, it.buttons, it.meter)
        for it in (one, other)
        if it
    ]
    return len(words) > 1 and bool(other.rental) and words[0] == words[1]


class Printed:
    """What was printed for good, so that an edit of it does not print it again and again."""

    _MOST = 500

    def __init__(self) -> None:
        self._said: dict[str, tuple[object, ...]] = {}
        self._answer: Reply | None = None

    def answered(self, reply: Reply) -> None:
        """An answer was printed: the same card, posted right after it, need not be shown beside it."""
        self._answer = reply

    def was_answer(self, reply: Reply) -> bool:
        """Whether exactly this is the answer that was printed last."""
        return same_words(self._answer, reply)

    def is_news(self, ref: str, reply: Reply) -> bool:
        """Whether ``reply`` says something that was not printed under ``ref``; a last word is said once."""
        said = (reply.kind is Kind.CARD and reply.final) or (reply.title, reply.lines, reply.code)
        key = (said,)
        if self._said.get(ref) == key:
            return False
        self._said.pop(ref, None)
        self._said[ref] = key
        while len(self._said) > self._MOST:
            del self._said[next(iter(self._said))]
        return True
