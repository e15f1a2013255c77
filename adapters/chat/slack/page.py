"""A message that is being written: blocks while there is room for them, files for the rest."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from adapters.chat.slack import limits
from adapters.chat.slack.text import Json, cut, section, weight


@dataclass(frozen=True, slots=True)
class Overflow:
    """What did not fit, as a file for the thread."""

    name: str
    title: str
    text: str


def size(blocks: Sequence[Json]) -> int:
    """How much of a message's room they take: all of their JSON, because nobody knows what Slack counts."""
    return sum(len(json.dumps(one, ensure_ascii=False).encode("utf-16-le")) // 2 + 1 for one in blocks)


@dataclass(slots=True)
class Page:
    """``blocks_left`` and ``room`` are what may still be used. Without ``files`` (App Home, modals) what did not fit is
    counted in words and not kept."""

    blocks_left: int
    room: int
    files: bool = True
    blocks: list[Json] = field(default_factory=list)
    overflow: list[Overflow] = field(default_factory=list)

    def add(self, *blocks: Json) -> bool:
        """Put them there, all or none of them."""
        taken = size(blocks)
        if len(blocks) > self.blocks_left or taken > self.room:
            return False
        self.blocks += blocks
        self.blocks_left -= len(blocks)
        self.room -= taken
        return True

    def keep(self, name: str, title: str, text: str) -> None:
        """As a file; a name that is taken gets a number."""
        if not self.files:
            return
        stem, _, ending = name.rpartition(".")
        same = sum(one.name.startswith(stem) for one in self.overflow)
        numbered = f"{stem}-{same + 1}.{ending}" if same else name
        self.overflow.append(Overflow(numbered, title, text))

    def more(self, count: int, what: str) -> str:
        """``… 12 more rows in the file``."""
        noun = what if count == 1 else f"{what}s"
        return f"… {count} more {noun}{' in the file' if self.files else ''}"

    def write(self, lines: Sequence[str], most: int) -> int:
        """Escaped lines as sections, within ``most``; how many of them were shown whole."""
        chunk: list[str] = []
        most = min(most, self.room - 400)
        left = most
        for number, line in enumerate(lines):
            taken = weight(line) + 2
            if taken > left:
                if not number and most > 0:
                    self.add(section(cut(line, min(most, limits.SECTION_TEXT)) or "…"))
                self._flush(chunk)
                return number
            if sum(weight(one) + 2 for one in chunk) + taken > limits.SECTION_TEXT:
                self._flush(chunk)
                chunk = []
            if taken > limits.SECTION_TEXT:
                self._flush(chunk)
                chunk = []
                self.add(section(cut(line, limits.SECTION_TEXT)))
                return number
            chunk.append(line)
            left -= taken
        self._flush(chunk)
        return len(lines)

    def _flush(self, chunk: list[str]) -> None:
        text = "\n".join(chunk)
        if text.strip():
            self.add(section(text))
