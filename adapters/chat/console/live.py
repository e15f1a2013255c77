"""The screen of one command on a terminal: what is said scrolls, open cards stay below it and change in place."""

from __future__ import annotations

import asyncio
import contextlib
from typing import IO, cast

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.live import Live
from rich.text import Text

from adapters.chat.console.lines import Keyboard
from adapters.chat.console.pen import Pen
from adapters.chat.console.region import Paper, Region
from adapters.chat.console.render import draw, draw_told
from adapters.chat.console.screen import Told
from bot.domain.harmless import block
from bot.domain.talk import Reply

BEAT = 0.25
"""Seconds between two drawings at most: four a second."""


class LiveScreen:
    """Nobody types here, so buttons show the commands they stand for and no numbers."""

    types_ahead = False

    def __init__(
        self, out: Pen, keyboard: Keyboard, *, asks: bool, colour: bool, width: int | None = None
    ) -> None:
        self.asks = asks
        self._out = out
        self._keyboard = keyboard
        self._region = Region()
        self._console = Console(
            file=cast("IO[str]", out),
            force_terminal=True,
            color_system="standard" if colour else None,
            no_color=not colour,
            highlight=False,
            markup=False,
            emoji=False,
            width=width,
        )
        self._live: Live | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def answer(self, reply: Reply) -> None:
        """Printed above the cards."""
        self._region.answered(reply)
        self._print(draw(reply))

    async def post(self, ref: str, reply: Reply) -> None:
        """A card joins the live part; anything else is printed."""
        printed = self._region.put(ref, reply)
        if len(self._region) == 0:
            self._stop()
        if printed:
            self._print(draw(reply))
        self._soon()

    async def edit(self, ref: str, reply: Reply) -> None:
        """The same: the reference decides what it replaces."""
        await self.post(ref, reply)

    async def say(self, sentence: str) -> None:
        """A quiet line."""
        self._print(Text(block(sentence), style="dim"), air=False)

    async def tell(self, told: Told) -> None:
        """Above the cards."""
        self._print(draw_told(told), air=False)

    async def read(self, question: str = "") -> str | None:
        """Ask below everything; the cards step aside meanwhile."""
        self._stop()
        self._out.write(question)
        line = await self._keyboard.line()
        self._soon()
        return line

    def busy(self, text: str) -> None:
        """The answer comes soon enough."""

    async def clear(self) -> None:
        """Nobody asks for it here."""

    async def close(self) -> None:
        """Cards that are still open are left on the screen as they are."""
        self._stop(leave=True)

    def _print(self, what: RenderableType, *, air: bool = True) -> None:
        self._console.print(what, crop=False)
        if air:
            self._console.print()

    def _soon(self) -> None:
        """Draw at the next beat; many edits in between are one drawing."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(BEAT if self._live else 0, self.refresh)

    def refresh(self) -> None:
        """Draw the cards now."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        if len(self._region) == 0:
            self._stop()
            return
        if self._live is None:
            self._live = Live(
                get_renderable=lambda: _Cards(self._region),
                console=self._console,
                auto_refresh=False,
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._live.start()
        self._live.refresh()

    def _stop(self, *, leave: bool = False) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
        live, self._live = self._live, None
        if live:
            live.transient = not leave
            with contextlib.suppress(BrokenPipeError):
                live.stop()


class _Cards:
    """The open cards, never taller than the terminal."""

    def __init__(self, region: Region) -> None:
        self._region = region

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        paper = Paper(
            console.width, max(1, console.height - 2), console.color_system is not None, options.encoding
        )
        yield Text.from_ansi(self._region.compose(paper).rstrip("\n"), no_wrap=True)
