"""What a line typed at the prompt means: a command, a number, a yes, or a word for the terminal itself."""

from __future__ import annotations

import re
from dataclasses import dataclass

from adapters.chat.console.buttons import Numbers, Offered
from bot.domain.harmless import line as one_line
from bot.domain.talk import Button

LEAVE = frozenset({"quit", "exit", "bye"})
YES = frozenset({"y", "yes"})
_PREFIX = re.compile(r"[/!]?gpu(?= |$) *", re.IGNORECASE)
"""May stand before everything; the desk knows it too."""


@dataclass(frozen=True, slots=True)
class Send:
    """Give this command to the desk."""

    command: str


@dataclass(frozen=True, slots=True)
class Say:
    """Answer here and now; nothing is sent."""

    sentence: str


@dataclass(frozen=True, slots=True)
class Ask:
    """The next line answers this question."""

    question: str


@dataclass(frozen=True, slots=True)
class Leave:
    """The person goes."""


@dataclass(frozen=True, slots=True)
class Clear:
    """An empty screen, please."""


Heard = Send | Say | Ask | Leave | Clear | None


class Conversation:
    """Remembers one thing between lines: the dangerous button that waits for a yes."""

    def __init__(self, numbers: Numbers) -> None:
        self._numbers = numbers
        self._danger: tuple[Button, Offered] | None = None
        self._seen: Offered | None = None
        self._looked = False

    @property
    def asking(self) -> bool:
        """Whether the next line is a yes or a no."""
        return self._danger is not None

    def begin_typing(self) -> None:
        """The first character of a line: from here on, a number means what is on the screen now."""
        self._seen, self._looked = self._numbers.current, True

    def drop(self) -> bool:
        """Forget the open question, if there is one."""
        asked, self._danger = self._danger is not None, None
        return asked

    def hear(self, line: str) -> Heard:
        """What to do about ``line``."""
        looked, self._looked = self._looked, False
        text = line.strip()
        if self._danger is not None:
            (button, offered), self._danger = self._danger, None
            if text.lower() not in YES:
                return Say("Nothing was done.")
            return self._pressed(button, offered)
        if not text:
            return None
        local = _PREFIX.sub("", text, count=1) if _PREFIX.match(text) else text
        if local.lower() in LEAVE:
            return Leave()
        if local.lower() == "clear":
            return Clear()
        if local.isdecimal():
            return self._press(local, looked=looked)
        return Send(text)

    def _press(self, text: str, *, looked: bool) -> Heard:
        offered = self._numbers.current
        if offered is None:
            return Say("There is no button to press now.")
        if looked and (self._seen is None or offered.buttons != self._seen.buttons):
            return Say(
                "The buttons changed while you typed, so nothing was pressed; look at the numbers again."
            )
        button = self._numbers.button(int(text)) if len(text) < 4 else None
        if button is None:
            return Say(_out_of_range(len(offered.buttons)))
        if not button.danger:
            return self._pressed(button, offered)
        self._danger = button, offered
        about = "" if not offered.rental or offered.rental in button.label else f" {offered.rental}"
        return Ask(f"{one_line(button.label)}{about}? [y/N] ")

    def _pressed(self, button: Button, offered: Offered) -> Send:
        self._numbers.spend(offered)
        return Send(button.command)


def _out_of_range(count: int) -> str:
    if count == 1:
        return "There is one button: type 1."
    return f"There are {count} buttons: type a number from 1 to {count}."
