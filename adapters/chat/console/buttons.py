"""Which buttons the numbers at the prompt stand for: those of the newest reply that has some."""

from __future__ import annotations

from dataclasses import dataclass

from bot.domain.talk import Button, Kind, Reply


@dataclass(frozen=True, slots=True)
class Offered:
    """Buttons and whose they are: ``source`` is a card's reference, or empty for an answer that scrolled by."""

    source: str
    rental: str
    buttons: tuple[Button, ...]


class Numbers:
    """The offered sets, newest last. There is at most one from an answer: older ones have scrolled away."""

    def __init__(self) -> None:
        self._sets: list[Offered] = []

    @property
    def current(self) -> Offered | None:
        """What a number means now."""
        return self._sets[-1] if self._sets else None

    def hear(self, source: str, reply: Reply) -> bool:
        """Take note of a reply, new or edited; says whether the numbers now mean its buttons.

        A card takes the place of all that was said about its rental before; an edit that leaves the buttons as
        they were does not push itself to the front."""
        offered = Offered(source, reply.rental, reply.buttons)
        if offered not in self._sets or not source:
            self._sets = [old for old in self._sets if not self._replaced(old, source, reply)]
            if reply.buttons and not reply.final:
                self._sets.append(offered)
        return bool(reply.buttons) and self.current == offered

    def forget(self, source: str) -> None:
        """The reply with these buttons is over."""
        self._sets = [old for old in self._sets if old.source != source]

    def button(self, number: int) -> Button | None:
        """The button with this number, if there is one."""
        buttons = self.current.buttons if self.current else ()
        return buttons[number - 1] if 1 <= number <= len(buttons) else None

    def spend(self, offered: Offered) -> None:
        """One of them was pressed. Those of an answer are used up; a card says itself what comes next."""
        if not offered.source and offered in self._sets:
            self._sets.remove(offered)

    @staticmethod
    def _replaced(old: Offered, source: str, reply: Reply) -> bool:
        same_card = (
            bool(reply.rental) and old.rental == reply.rental and (reply.final or reply.kind is Kind.CARD)
        )
        return same_card or (old.source == source and bool(source or reply.buttons))
