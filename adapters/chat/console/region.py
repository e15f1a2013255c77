"""The open cards of a terminal: which are drawn in full, which on one line, and never more than fit."""

from __future__ import annotations

from dataclasses import dataclass

from rich.console import RenderableType
from rich.text import Text

from adapters.chat.console.buttons import Numbers
from adapters.chat.console.render import brief, draw, paint
from adapters.chat.console.screen import Printed
from adapters.chat.console.shapes import ButtonRow
from bot.domain.harmless import clean
from bot.domain.talk import Kind, Reply

MOST_FULL = 3


@dataclass(frozen=True, slots=True)
class Paper:
    """What is drawn on."""

    width: int
    rows: int
    colour: bool = True
    encoding: str = "utf-8"


class Region:
    """Cards in the order they came, each under its reference."""

    def __init__(self, numbers: Numbers | None = None) -> None:
        self._cards: dict[str, Reply] = {}
        self._numbers = numbers
        self._printed = Printed()
        self._quiet: set[str] = set()
        """Cards that say what was just answered; they are drawn when they change."""
        self._drawn: dict[tuple[str, Paper, bool], tuple[Reply, str]] = {}

    def __len__(self) -> int:
        """How many there are to draw."""
        return len(self._shown)

    @property
    def _shown(self) -> list[str]:
        return [ref for ref in self._cards if ref not in self._quiet]

    def answered(self, reply: Reply) -> None:
        """This was printed as an answer just now."""
        self._printed.answered(reply)

    def put(self, ref: str, reply: Reply) -> bool:
        """Take in what was posted or edited. True: it is to be printed for good; False: it is drawn here, or old."""
        if reply.kind is Kind.CARD and not reply.final:
            self._drop_others(ref, reply.rental)
            self._cards[ref] = reply
            (self._quiet.add if self._printed.was_answer(reply) else self._quiet.discard)(ref)
            self._hear(ref, reply)
            return False
        self._cards.pop(ref, None)
        if reply.final:
            self._drop_others(ref, reply.rental)
        self._hear(ref, reply)
        return self._printed.is_news(ref, reply)

    def numbered(self, ref: str) -> bool:
        """Whether the numbers mean this one's buttons now."""
        current = self._numbers.current if self._numbers else None
        return current is not None and current.source == ref

    def compose(self, paper: Paper) -> str:
        """The cards as terminal lines, newest last; at most ``paper.rows`` lines."""
        shown = self._shown
        if not shown or paper.rows < 1:
            return ""
        full, room = self._choose(shown, paper)
        top = self._briefs([ref for ref in shown if ref not in full], shown[-1], paper, room)
        return "".join([*top, *(full[ref] for ref in shown if ref in full)])

    def _choose(self, shown: list[str], paper: Paper) -> tuple[dict[str, str], int]:
        """From the newest on, those that fit in full beside a line for each other one; and what room is left."""
        full: dict[str, str] = {}
        room = paper.rows
        for n, ref in enumerate(reversed(shown)):
            text = self._draw(ref, paper)
            others = min(len(shown) - n - 1, 3)
            if n >= MOST_FULL or text.count("\n") + others > room:
                break
            full[ref] = text
            room -= text.count("\n")
        return full, room

    def _briefs(self, refs: list[str], newest: str, paper: Paper, room: int) -> list[str]:
        """One line each; what does not fit is counted. A newest card that is too tall keeps its buttons."""
        lines = [self._paint(brief(self._cards[ref]), paper) for ref in refs]
        if newest in refs and self.numbered(newest):
            buttons = self._paint(ButtonRow(clean(self._cards[newest]).buttons, numbered=True), paper)
            if buttons.count("\n") < room:
                lines.append(buttons)
        hidden = len(lines)
        total = sum(text.count("\n") for text in lines)
        if total <= room:
            return lines
        while lines and total > max(0, room - 1):
            total -= lines.pop(0).count("\n")
        more = self._paint(Text(f"+ {hidden - len(lines)} more", style="dim"), paper)
        return [more, *lines] if room > 0 else []

    def _draw(self, ref: str, paper: Paper) -> str:
        """The card in full, drawn again only when something about it changed."""
        reply, numbered = self._cards[ref], self.numbered(ref)
        key = (ref, Paper(paper.width, 0, paper.colour, paper.encoding), numbered)
        kept = self._drawn.get(key)
        if kept and kept[0] is reply:
            return kept[1]
        if len(self._drawn) > 50:
            self._drawn.clear()
        text = paint(
            draw(reply, numbered=numbered),
            width=paper.width,
            colour=paper.colour,
            encoding=paper.encoding,
            cut=True,
        )
        self._drawn[key] = reply, text
        return text

    def _paint(self, what: RenderableType, paper: Paper) -> str:
        return paint(what, width=paper.width, colour=paper.colour, encoding=paper.encoding, cut=True)

    def _hear(self, ref: str, reply: Reply) -> None:
        if self._numbers:
            self._numbers.hear(ref, reply)

    def _drop_others(self, ref: str, rental: str) -> None:
        """A rental has one card: what came before under another reference is over."""
        for other in [
            key for key, card in self._cards.items() if rental and card.rental == rental and key != ref
        ]:
            del self._cards[other]
            if self._numbers:
                self._numbers.forget(other)
