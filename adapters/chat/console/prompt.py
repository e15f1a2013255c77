"""The screen with a prompt: open cards stand just above the line that is typed and change there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from prompt_toolkit import PromptSession
from prompt_toolkit.application.current import set_app
from prompt_toolkit.application.run_in_terminal import run_in_terminal
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.formatted_text import ANSI, StyleAndTextTuples, to_formatted_text
from prompt_toolkit.input import Input
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.output import ColorDepth, Output
from rich.console import RenderableType
from rich.text import Text

from adapters.chat.console.buttons import Numbers
from adapters.chat.console.conversation import Conversation
from adapters.chat.console.history import TidyHistory
from adapters.chat.console.region import Paper, Region
from adapters.chat.console.render import draw, draw_told, paint
from adapters.chat.console.screen import Told
from bot.domain.harmless import block
from bot.domain.harmless import line as one_line
from bot.domain.talk import Reply

BEAT = 0.25
"""Seconds between two drawings of cards at most; typing is drawn at once."""
_MENU_ROWS = 8
_PROMPT = "› "


class Suggestion(Protocol):
    """One way to go on: ``text`` replaces the line from ``start``."""

    @property
    def text(self) -> str: ...
    @property
    def start(self) -> int: ...
    @property
    def description(self) -> str: ...


Complete = Callable[[str], Sequence[Suggestion]]


class PromptScreen:
    """A line editor with history and completion; everything else is drawn around it."""

    types_ahead = True
    asks = True

    def __init__(
        self,
        *,
        complete: Complete,
        history: TidyHistory,
        numbers: Numbers,
        conversation: Conversation,
        input: Input | None = None,
        output: Output | None = None,
    ) -> None:
        self._numbers = numbers
        self._region = Region(numbers)
        self._history = history
        self._conversation = conversation
        self._question = ""
        self._busy = ""
        self._timer: asyncio.TimerHandle | None = None
        self._cards: tuple[str, StyleAndTextTuples] = ("", [])
        self._session: PromptSession[str] = PromptSession(
            self._message,
            completer=_Completions(complete),
            complete_while_typing=False,
            reserve_space_for_menu=_MENU_ROWS,
            history=history,
            key_bindings=self._keys(),
            input=input,
            output=output,
        )
        self._session.default_buffer.on_text_changed += self._typed
        self._was_empty = True

    # --- what is shown ---------------------------------------------------------------------

    async def answer(self, reply: Reply) -> None:
        """Printed above the prompt."""
        self._region.answered(reply)
        await self._print(draw(reply, numbered=self._numbers.hear("", reply)))

    async def post(self, ref: str, reply: Reply) -> None:
        """A card joins those above the prompt; anything else is printed once."""
        if self._region.put(ref, reply):
            await self._print(draw(reply, numbered=self._region.numbered(ref)))
        self._soon()

    async def edit(self, ref: str, reply: Reply) -> None:
        """The same: the reference decides what it replaces."""
        await self.post(ref, reply)

    async def say(self, sentence: str) -> None:
        """A quiet line."""
        await self._print(Text(block(sentence), style="dim"))

    async def tell(self, told: Told) -> None:
        """Above the prompt."""
        await self._print(draw_told(told))

    def busy(self, text: str) -> None:
        """A quiet line above the prompt while an answer is being made."""
        self._busy = one_line(text)
        self._soon()

    async def clear(self) -> None:
        """An empty screen; the cards stay."""
        output = self._session.output
        output.erase_screen()
        output.cursor_goto(0, 0)
        output.flush()

    async def close(self) -> None:
        """No drawing after this."""
        if self._timer:
            self._timer.cancel()
            self._timer = None

    # --- what is typed ---------------------------------------------------------------------

    async def read(self, question: str = "") -> str | None:
        """The next line. Ctrl-C throws a begun line away; on an empty one it raises."""
        self._question, self._history.paused = question, bool(question)
        self._session.app.erase_when_done = False
        self._was_empty = True
        try:
            return await self._session.prompt_async(handle_sigint=False, set_exception_handler=False)
        except EOFError:
            return None
        finally:
            self._question, self._history.paused = "", False

    def _keys(self) -> KeyBindings:
        keys = KeyBindings()

        @keys.add("c-c")
        def _(event: KeyPressEvent) -> None:
            if event.current_buffer.text:
                event.current_buffer.reset()
                self._was_empty = True
                return
            event.app.erase_when_done = True
            event.app.exit(exception=KeyboardInterrupt)

        return keys

    def _typed(self, _: object) -> None:
        """From the first character on, numbers mean what could be seen when it was typed."""
        empty = not self._session.default_buffer.text
        if self._was_empty and not empty:
            self._conversation.begin_typing()
        self._was_empty = empty

    # --- how it is drawn -------------------------------------------------------------------

    def _message(self) -> StyleAndTextTuples:
        """The cards and the prompt; of a line that was entered, only the prompt stays."""
        prompt: StyleAndTextTuples = (
            [("bold", self._question)] if self._question else [("bold ansicyan", _PROMPT)]
        )
        if self._session.app.is_done:
            return prompt
        text = self._region.compose(self._paper())
        if self._busy:
            text += paint(
                Text(f"… {self._busy}", style="dim", no_wrap=True), width=self._paper().width, cut=True
            )
        if text != self._cards[0]:
            self._cards = text, list(to_formatted_text(ANSI(text)))
        return [*self._cards[1], *prompt]

    def _paper(self) -> Paper:
        size = self._session.output.get_size()
        menu = _MENU_ROWS if self._session.default_buffer.complete_state else 0
        return Paper(size.columns, size.rows - 3 - menu, self._colour, self._session.output.encoding())

    @property
    def _colour(self) -> bool:
        return self._session.app.color_depth is not ColorDepth.DEPTH_1_BIT

    def _soon(self) -> None:
        """Draw at the next beat; many edits in between are one drawing."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(BEAT, self.refresh)

    def refresh(self) -> None:
        """Draw the cards now."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        self._session.app.invalidate()

    async def _print(self, what: RenderableType) -> None:
        """Into the scrollback: above the prompt while there is one."""
        paper = self._paper()
        text = paint(what, width=paper.width, colour=self._colour, encoding=paper.encoding) + "\n"
        with set_app(self._session.app):
            await run_in_terminal(lambda: self._write(text))

    def _write(self, text: str) -> None:
        output = self._session.output
        output.write_raw(text.replace("\n", "\r\n"))
        output.flush()


class _Completions(Completer):
    """Our pure completion in the line editor's words."""

    def __init__(self, complete: Complete) -> None:
        self._complete = complete

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        line = document.text_before_cursor
        for found in self._complete(line):
            yield Completion(
                found.text,
                start_position=min(0, found.start - len(line)),
                display=one_line(found.text),
                display_meta=one_line(found.description),
            )
