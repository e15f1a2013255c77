"""Choosing the screen: a prompt, a redrawn part of the terminal, plain lines or JSON."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Awaitable, Callable, Container, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from prompt_toolkit.input import Input
from prompt_toolkit.output import Output

from adapters.chat.console.buttons import Numbers
from adapters.chat.console.chat import ConsoleChat, Seat
from adapters.chat.console.conversation import Conversation
from adapters.chat.console.history import TidyHistory
from adapters.chat.console.lines import JsonScreen, Keyboard, PlainScreen
from adapters.chat.console.live import LiveScreen
from adapters.chat.console.pen import Pen
from adapters.chat.console.prompt import Complete, PromptScreen
from adapters.chat.console.screen import Screen


def open_console(
    seat: Seat,
    *,
    interactive: bool,
    json: bool = False,
    complete: Complete = lambda line: (),
    history: Path | None = None,
    adopted: Callable[[], Container[str]] = tuple,
    on_interrupt: Callable[[], None] | None = None,
    leaving: Callable[[], Awaitable[str]] | None = None,
    story: bool = False,
    stdin: TextIO | None = None,
    stdout: TextIO | None = None,
    stderr: TextIO | None = None,
    environ: Mapping[str, str] = os.environ,
    input: Input | None = None,
    output: Output | None = None,
) -> ConsoleChat:
    """A terminal chat that fits where it runs.

    ``interactive``: lines will be read (``listen``); otherwise one command is run (``run_once``). ``story``: the
    steps are told beside the cards. ``input`` and ``output`` are the line editor's own, for tests."""
    streams = _Streams(
        stdin or sys.stdin or io.StringIO(),
        stdout or sys.stdout or io.StringIO(),
        stderr or sys.stderr or io.StringIO(),
    )
    numbers = Numbers()
    conversation = Conversation(numbers)
    screen: Screen
    if interactive and not json and (input is not None or streams.is_terminal(environ)):
        screen = PromptScreen(
            complete=complete,
            history=TidyHistory(history),
            numbers=numbers,
            conversation=conversation,
            input=input,
            output=output,
        )
    else:
        screen = streams.screen(numbers, interactive=interactive, json=json, environ=environ, story=story)
    return ConsoleChat(
        seat, screen, conversation, adopted=adopted, on_interrupt=on_interrupt, leaving=leaving
    )


@dataclass(frozen=True, slots=True)
class _Streams:
    """The three that a program is given, and what can be shown there."""

    stdin: TextIO
    stdout: TextIO
    stderr: TextIO

    def is_terminal(self, environ: Mapping[str, str]) -> bool:
        """Whether somebody types at one that can be drawn on."""
        return self.stdin.isatty() and self._can_draw(environ)

    def screen(
        self, numbers: Numbers, *, interactive: bool, json: bool, environ: Mapping[str, str], story: bool
    ) -> Screen:
        """Everything but the prompt."""
        keyboard, out = Keyboard(self.stdin), Pen(self.stdout)
        if json:
            return JsonScreen(out, Pen(self.stderr), keyboard)
        if self._can_draw(environ) and not interactive:
            return LiveScreen(out, keyboard, asks=self.stdin.isatty(), colour=not environ.get("NO_COLOR"))
        watched = self.stdin.isatty() and out.isatty()
        prompt = "> " if interactive and watched else ""
        return PlainScreen(
            out, keyboard, numbers, asks=watched, presses=interactive, prompt=prompt, story=story
        )

    def _can_draw(self, environ: Mapping[str, str]) -> bool:
        return self.stdout.isatty() and environ.get("TERM", "") not in ("dumb", "unknown")
