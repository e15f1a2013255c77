"""A line cut into words with their places: quotes (also curly ones), ``--flag=value`` and ``key=value``."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from bot.commands.caret import ask, is_hidden, word

_QUOTES = {**dict.fromkeys('"“”„‟«»', '"“”„‟«»'), **dict.fromkeys("'‘’‚‛", "'‘’‚‛")}
"""Every opening quote to those that may close it: phones open with one kind and close with another."""
_FLAG = re.compile(r"(?P<dashes>--|[—–]|-)(?P<name>[A-Za-z][A-Za-z0-9_-]*)(?P<equals>=)?")
"""Chats on phones make one long dash of two short ones."""
_KEY = re.compile(r"(?P<name>[A-Za-z][A-Za-z0-9_-]*)(?P<equals>=)")
_JOINERS = "\u200c\u200d"


@dataclass(frozen=True, slots=True)
class Word:
    """``line[start:end]``. ``text`` is what is meant by it: without the quotes, and without ``--flag=``."""

    text: str
    start: int
    end: int
    inner: int
    """Where ``text`` begins in the line."""
    quoted: bool = False
    name: str = ""
    """Lower-case name in ``--name``, ``--name=value`` and ``name=value``."""
    dashes: str = ""
    """What stood before the name of a flag."""
    has_value: bool = False
    """There was an equals sign: ``text`` is the value."""

    @property
    def is_plain(self) -> bool:
        """Neither quoted nor an option: a word that may mean something by itself."""
        return not self.quoted and not self.name

    def part(self, start: int, end: int) -> Word:
        """A piece of a plain word as a word of its own."""
        return replace(self, text=self.text[start:end], start=self.start + start, end=self.start + end,
                       inner=self.start + start)  # fmt: skip


def _end_of_quote(line: str, opening: int) -> int:
    """Where the quote that opens at ``opening`` closes."""
    closing = _QUOTES[line[opening]]
    for at in range(opening + 1, len(line)):
        if line[at] in closing and (at + 1 == len(line) or line[at + 1] == " "):
            return at
    for at in range(opening + 1, len(line)):
        if line[at] in closing:
            sentence = "A space is missing after this quote."
            raise ask(line, at, at + 1, sentence, expected="a space", nearest=f"{line[at]} ")
    sentence = "This quote is never closed."
    raise ask(
        line, opening, opening + 1, sentence, expected=f"a closing {line[opening]} at the end of the name"
    )


def _end_of_word(line: str, start: int) -> int:
    end = line.find(" ", start)
    return len(line) if end < 0 else end


def _word(line: str, start: int) -> Word:
    """The word that begins at ``start``."""
    head = None
    if line[start] not in _QUOTES:
        head = _FLAG.match(line, start) or _KEY.match(line, start)
    name = head["name"].lower() if head else ""
    dashes = head["dashes"] if head and "dashes" in head.re.groupindex else ""
    has_value = bool(head and head["equals"])
    inner = head.end() if head and has_value else start
    if inner < len(line) and line[inner] in _QUOTES:
        closing = _end_of_quote(line, inner)
        text = line[inner + 1 : closing]
        return Word(text, start, closing + 1, inner + 1, True, name, dashes, has_value)
    end = _end_of_word(line, start)
    if head and not has_value and head.end() != end:
        name = dashes = ""
    return Word(line[inner:end], start, end, inner, False, name, dashes, has_value)


def _check_hidden(line: str, found: Word) -> None:
    """What cannot be seen is not taken for meant. Joiners between other scripts' letters are their spelling."""
    for at in range(found.start, found.end):
        if not is_hidden(line[at]):
            continue
        around = line[max(0, at - 1)] + line[min(len(line) - 1, at + 1)]
        if line[at] in _JOINERS and not any(ch.isascii() for ch in around):
            continue
        clean = "".join(ch for ch in found.text if not is_hidden(ch))
        sentence = f"There is an invisible character (U+{ord(line[at]):04X}) in {word(found.text)}."
        raise ask(
            line, found.start, found.end, sentence, expected="the same word, typed by hand", nearest=clean
        )


def split(line: str, start: int = 0) -> list[Word]:
    """The words of a flattened line from ``start`` on. Raises ``AskAgain`` for quotes that do not match."""
    found: list[Word] = []
    at = start
    while at < len(line):
        if line[at] == " ":
            at += 1
            continue
        found.append(_word(line, at))
        _check_hidden(line, found[-1])
        at = found[-1].end
    return found
