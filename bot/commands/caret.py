"""Showing a fault: the line made safe to echo, cut to what fits on a screen, and the marks under the place."""

from __future__ import annotations

import unicodedata

from wcwidth import wcwidth

from bot.domain.errors import AskAgain, Caret

WINDOW = 100
"""So many characters of a long line are shown around the fault."""
_LONGEST_MARK = 60
_LONGEST_WORD = 40
_ELLIPSIS = "…"
_SPACES = "\u200b\u2060\ufeff"
"""Zero-width characters that come with pasted text and separate words, if anything."""
_BLANK = "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"
"""Letters and marks that draw nothing."""


def is_space(ch: str) -> bool:
    """What separates words: any white space, and the zero-width kind."""
    return ch.isspace() or ch in _SPACES


def is_hidden(ch: str) -> bool:
    """What a reader cannot see and what may rearrange the line: controls, bidi overrides, joiners."""
    if is_space(ch):
        return False
    return ch in _BLANK or unicodedata.category(ch) in ("Cc", "Cf", "Cs", "Co", "Cn")


def flatten(line: str) -> str:
    """Every separator as one space, character for character, so that positions stay."""
    return "".join(" " if is_space(ch) else ch for ch in line)


def shown(text: str) -> str:
    """Safe to echo, character for character: hidden characters become ``?``, separators a space."""
    return "".join(" " if is_space(ch) else "?" if is_hidden(ch) else ch for ch in text)


def word(text: str) -> str:
    """A word as a sentence quotes it: safe, and short enough."""
    safe = shown(text)
    return f"`{safe if len(safe) <= _LONGEST_WORD else safe[: _LONGEST_WORD - 1] + _ELLIPSIS}`"


def point(line: str, start: int, end: int) -> Caret:
    """The caret at ``line[start:end]``, with the line cut to a window around it."""
    safe = shown(line).rstrip()
    start = max(0, min(start, len(safe)))
    end = max(start, min(end, len(safe), start + _LONGEST_MARK))
    if len(safe) <= WINDOW:
        return Caret(safe, start, end)
    left = max(0, min(start - (WINDOW - (end - start)) // 2, len(safe) - WINDOW))
    right = min(len(safe), left + WINDOW)
    before = _ELLIPSIS if left else ""
    after = _ELLIPSIS if right < len(safe) else ""
    shift = len(before) - left
    return Caret(f"{before}{safe[left:right]}{after}", start + shift, end + shift)


def ask(line: str, start: int, end: int, sentence: str, *, expected: str = "", nearest: str = "") -> AskAgain:
    """The question back, with its place. ``nearest`` is what to type in that place."""
    return AskAgain(sentence, caret=point(line, start, end), expected=expected, nearest=nearest)


def _columns(text: str) -> int:
    return sum(max(0, wcwidth(ch)) for ch in text)


def draw(caret: Caret) -> str:
    """Two lines for a fixed-width font: the line, and ``^^^`` under the fault (also after wide characters)."""
    line = shown(caret.line)
    marks = max(1, _columns(line[caret.start : caret.end]))
    return f"{line}\n{' ' * _columns(line[: caret.start])}{'^' * marks}"
