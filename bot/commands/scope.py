"""What is being read: the line, the command that it begins with, and the names that are known."""

from __future__ import annotations

from dataclasses import dataclass

from bot.commands.caret import ask
from bot.commands.catalogue import CommandSpec
from bot.commands.options import OptionSpec
from bot.commands.vocabulary import Vocabulary
from bot.commands.words import Word
from bot.domain.errors import AskAgain

_MOST_WORDS = 6
"""So many words one GPU name or one amount may have."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The line that is being read, in which command, with which names."""

    line: str
    spec: CommandSpec
    vocabulary: Vocabulary

    def option(self, name: str, *, dashed: bool) -> OptionSpec | None:
        """This command's option of that name."""
        low = name.lower()
        for each in self.spec.options:
            if low in (each.names if dashed else each.words):
                return each
        return None

    def is_option(self, found: Word) -> bool:
        """Whether the word begins something new: a flag, ``name=value``, or an option's name."""
        return bool(found.name) or (found.is_plain and self.option(found.text, dashed=False) is not None)

    def run(self, words: list[Word], at: int) -> list[Word]:
        """The words from ``at`` on that may belong together."""
        if words[at].quoted:
            return [words[at]]
        end = at + 1
        while (
            end < min(len(words), at + _MOST_WORDS) and words[end].is_plain and not self.is_option(words[end])
        ):
            end += 1
        return words[at:end]

    def text(self, run: list[Word]) -> str:
        """What the run says, as it stands in the line."""
        return run[0].text if len(run) == 1 else self.line[run[0].inner : run[-1].end]

    def fault(self, found: Word, sentence: str, expected: str = "", near: str = "") -> AskAgain:
        """The question back, at this word."""
        return ask(self.line, found.start, found.end, sentence, expected=expected, nearest=near)


def listing(names: tuple[str, ...], limit: int = 8) -> str:
    """``any, one, two or three``; a long list is cut."""
    if len(names) > limit:
        return f"{', '.join(names[:limit])} …"
    return (
        names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}" if names else "none known"
    )
