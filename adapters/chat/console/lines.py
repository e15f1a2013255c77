"""The screen for everything that is no terminal: plain lines for people and log files, JSON lines for programs."""

from __future__ import annotations

import asyncio
import threading
from typing import TextIO

from adapters.chat.console.as_json import as_json
from adapters.chat.console.buttons import Numbers
from adapters.chat.console.pen import Pen
from adapters.chat.console.plain import gist, meter_line, news, plain, story
from adapters.chat.console.screen import Printed, Told
from bot.domain.harmless import block
from bot.domain.talk import Kind, Reply


class Keyboard:
    """Lines of a stream, read by a thread that nobody has to wait for when the program ends."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()
        self._wanted = threading.Semaphore(0)
        self._thread: threading.Thread | None = None

    async def line(self) -> str | None:
        """The next line without its end; None when the stream has ended."""
        if self._thread is None:
            loop = asyncio.get_running_loop()
            self._thread = threading.Thread(
                target=self._read, args=(loop,), daemon=True, name="console-keyboard"
            )
            self._thread.start()
        self._wanted.release()
        return await self._lines.get()

    def _read(self, loop: asyncio.AbstractEventLoop) -> None:
        """One line each time one is wanted, so that nothing is taken from the stream that another may want."""
        while self._wanted.acquire():
            try:
                text = self._stream.readline()
            except (OSError, ValueError):
                text = ""
            try:
                loop.call_soon_threadsafe(self._lines.put_nowait, text.rstrip("\r\n") if text else None)
            except RuntimeError:
                return


class PlainScreen:
    """Plain lines; of a card that changes, only what a person cares about. ``presses``: numbers can be typed.
    ``story``: the steps are told (``tell``), so that of an open card only how far it is needs saying."""

    types_ahead = False

    def __init__(
        self,
        out: Pen,
        keyboard: Keyboard,
        numbers: Numbers,
        *,
        asks: bool,
        presses: bool = False,
        prompt: str = "",
        story: bool = False,
    ) -> None:
        self.asks = asks
        self._out = out
        self._keyboard = keyboard
        self._story = story
        self._numbers = numbers
        self._prompt = prompt
        self._gists: dict[str, tuple[object, ...]] = {}
        self._printed = Printed()
        self._presses = presses

    async def answer(self, reply: Reply) -> None:
        """In full."""
        self._printed.answered(reply)
        self._print("", reply)

    async def post(self, ref: str, reply: Reply) -> None:
        """In full, once."""
        self._gists[ref] = gist(reply)
        if self._is_told(reply):
            return
        if self._printed.was_answer(reply):
            self._numbers.hear(ref, reply)
        elif self._printed.is_news(ref, reply):
            self._print(ref, reply)

    async def edit(self, ref: str, reply: Reply) -> None:
        """A card: one line when its gist changed, all of it when it asks something or has ended."""
        before, now = self._gists.get(ref), gist(reply)
        if before is None or reply.kind is not Kind.CARD or reply.final:
            await self.post(ref, reply)
            return
        self._gists[ref] = now
        if before == now:
            self._numbers.hear(ref, reply)
        elif before[1] != now[1] and any(button.primary for button in reply.buttons):
            self._print(ref, reply)
        else:
            self._numbers.hear(ref, reply)
            self._out.write(self._brief(reply))

    async def say(self, sentence: str) -> None:
        """As it is, without decoration."""
        self._out.write(block(sentence) + "\n")

    async def tell(self, told: Told) -> None:
        """In columns."""
        self._out.write(story(told) + "\n")

    async def read(self, question: str = "") -> str | None:
        """A line of the input."""
        if question or self._prompt:
            self._out.write(question or self._prompt)
        return await self._keyboard.line()

    def busy(self, text: str) -> None:
        """Nothing to see: the answer comes."""

    async def clear(self) -> None:
        """Lines cannot be taken back."""

    async def close(self) -> None:
        """Nothing was changed."""

    def _is_told(self, reply: Reply) -> bool:
        """Whether the story says it already: an open card that asks nothing."""
        asks = any(button.primary for button in reply.buttons)
        return self._story and reply.kind is Kind.CARD and not reply.final and not asks

    def _brief(self, reply: Reply) -> str:
        if not self._is_told(reply):
            return news(reply) + "\n"
        return story(Told("", "", "", meter_line(reply.meter))) + "\n" if reply.meter else ""

    def _print(self, ref: str, reply: Reply) -> None:
        numbered = self._numbers.hear(ref, reply) and self._presses
        self._out.write("".join(f"{text}\n" for text in plain(reply, numbered=numbered)))


class JsonScreen:
    """Every reply is one line of JSON; words of the terminal's own go to the other stream."""

    types_ahead = False
    asks = False

    def __init__(self, out: Pen, errors: Pen, keyboard: Keyboard) -> None:
        self._out = out
        self._errors = errors
        self._keyboard = keyboard

    async def answer(self, reply: Reply) -> None:
        """``"event": "answer"``."""
        self._out.write(as_json(reply) + "\n")

    async def post(self, ref: str, reply: Reply) -> None:
        """``"event": "post"``."""
        self._out.write(as_json(reply, event="post", ref=ref) + "\n")

    async def edit(self, ref: str, reply: Reply) -> None:
        """``"event": "edit"``."""
        self._out.write(as_json(reply, event="edit", ref=ref) + "\n")

    async def say(self, sentence: str) -> None:
        """Not a reply, so not on the reply's stream."""
        self._errors.write(block(sentence) + "\n")

    async def tell(self, told: Told) -> None:
        """Not a reply either."""
        self._errors.write(story(told) + "\n")

    async def read(self, question: str = "") -> str | None:
        """A line of the input."""
        return await self._keyboard.line()

    def busy(self, text: str) -> None:
        """Nothing to see."""

    async def clear(self) -> None:
        """Nothing to clear."""

    async def close(self) -> None:
        """Nothing was changed."""
