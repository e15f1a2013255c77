"""The terminal as a ``Chat``: hears lines, posts, edits. How it looks is the screen's business."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Container
from dataclasses import dataclass

from adapters.chat.console.conversation import YES, Ask, Clear, Conversation, Leave, Say, Send
from adapters.chat.console.screen import Screen
from bot.domain.talk import Actor, Channel, ChatCapabilities, Kind, Reply, Request
from bot.ports import Clock, Desk

NAME = "console"
_HOW_TO_LEAVE = "Type quit or press Ctrl-D to leave."
_SHOW_BUSY_AFTER = 0.4

Heard = Callable[[str, Reply], None]
"""Called with (reference, reply) after something was posted or edited."""


@dataclass(frozen=True, slots=True)
class Seat:
    """Who sits at the terminal, and where."""

    session: str
    """Unique for this run; the id of its channel."""
    actor: Actor
    clock: Clock
    new_key: Callable[[], str]
    """A fresh key for each line that is sent."""
    folder: str = ""
    """Where relative paths in a line start."""

    @property
    def channel(self) -> Channel:
        """Where this terminal is."""
        return Channel(NAME, self.session)


class ConsoleChat:
    """Keeps the promises of the ``Chat`` port for one terminal.

    ``adopted`` names earlier sessions whose messages are shown here too. ``on_interrupt`` is told of Ctrl-C on an
    empty line (without it, the terminal says how to leave). ``leaving`` may return a question that is asked before
    the person goes (what would be left untended); an empty one lets them go."""

    name = NAME
    capabilities = ChatCapabilities(edits=True, buttons=True, pictures=True, threads=False)

    def __init__(
        self,
        seat: Seat,
        screen: Screen,
        conversation: Conversation,
        *,
        adopted: Callable[[], Container[str]] = tuple,
        on_interrupt: Callable[[], None] | None = None,
        leaving: Callable[[], Awaitable[str]] | None = None,
    ) -> None:
        self.seat = seat
        self.screen = screen
        self.conversation = conversation
        self._adopted = adopted
        self._on_interrupt = on_interrupt
        self._leaving = leaving
        self._listeners: list[Heard] = []
        self._closed = False
        self.before: Callable[[], Awaitable[None]] | None = None
        """Awaited before something is posted or edited, for whoever has to say something first."""
        self._over: set[str] = set()
        """Rentals whose closing card was shown: their last word is not shown a second time."""

    # --- the port --------------------------------------------------------------------------

    def serves(self, channel: Channel) -> bool:
        """This terminal and the sessions it took over, until it is closed."""
        if self._closed or channel.chat != NAME:
            return False
        return channel.id == self.seat.session or channel.id in self._adopted()

    async def post(self, channel: Channel, reply: Reply, *, key: str, retried: bool) -> str:
        """The key is the reference, so that the same post twice is shown once here. What an earlier process may
        have shown on a terminal that is gone is shown again."""
        if self.before:
            await self.before()
        if not (reply.final and reply.kind is Kind.NOTICE and reply.rental in self._over):
            await self.screen.post(key, reply)
        self._tell(key, reply)
        return key

    async def edit(self, channel: Channel, ref: str, reply: Reply) -> None:
        """In place while it is a card above the prompt; what has scrolled by stays as it is."""
        if self.before:
            await self.before()
        await self.screen.edit(ref, reply)
        self._tell(ref, reply)

    async def listen(self, desk: Desk) -> None:
        """Until the person leaves, the input ends, or cancelled. Answers come in the order of the lines."""
        lines: asyncio.Queue[str | None] = asyncio.Queue()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._answer(desk, lines))
            await self._hear(lines)
            await lines.put(None)

    # --- for whoever runs it -----------------------------------------------------------------

    async def send(self, desk: Desk, text: str) -> Reply:
        """One line from this seat, answered on the screen."""
        request = Request(
            actor=self.seat.actor,
            channel=self.seat.channel,
            text=text,
            key=self.seat.new_key(),
            at=self.seat.clock.now(),
            folder=self.seat.folder,
        )
        reply = await desk.handle(request)
        await self.screen.answer(reply)
        return reply

    async def ask(self, question: str) -> bool:
        """A yes or a no; the end of the input is a no."""
        try:
            line = await self.screen.read(f"{question} [y/N] ")
        except KeyboardInterrupt:
            return False
        return (line or "").strip().lower() in YES

    def watch(self, heard: Heard) -> Callable[[], None]:
        """Hear of every post and edit; the returned function ends it."""
        self._listeners.append(heard)
        return lambda: self._listeners.remove(heard)

    def stop_serving(self) -> None:
        """From now on nothing is posted here; what comes waits for the next session."""
        self._closed = True

    async def close(self) -> None:
        """Leave the terminal as it was found."""
        self.stop_serving()
        await self.screen.close()

    # --- inside ------------------------------------------------------------------------------

    def _tell(self, ref: str, reply: Reply) -> None:
        if reply.final:
            self._over.add(reply.rental)
        for heard in list(self._listeners):
            heard(ref, reply)

    async def _answer(self, desk: Desk, lines: asyncio.Queue[str | None]) -> None:
        loop = asyncio.get_running_loop()
        while (text := await lines.get()) is not None:
            timer = loop.call_later(_SHOW_BUSY_AFTER, self.screen.busy, text)
            try:
                await self.send(desk, text)
            finally:
                timer.cancel()
                self.screen.busy("")
                lines.task_done()

    async def _hear(self, lines: asyncio.Queue[str | None]) -> None:
        question = ""
        while True:
            try:
                line = await self.screen.read(question)
            except KeyboardInterrupt:
                question = ""
                await self._interrupted()
                continue
            question = ""
            if line is None:
                self.conversation.drop()
            heard = Leave() if line is None else self.conversation.hear(line)
            match heard:
                case Send(command):
                    await lines.put(command)
                    if not self.screen.types_ahead:
                        await lines.join()
                case Say(sentence):
                    await self.screen.say(sentence)
                case Ask(question):
                    pass
                case Clear():
                    await self.screen.clear()
                case Leave() if await self._may_leave():
                    return
                case _:
                    pass

    async def _interrupted(self) -> None:
        if self.conversation.drop():
            await self.screen.say("Nothing was done.")
        elif self._on_interrupt:
            self._on_interrupt()
        else:
            await self.screen.say(_HOW_TO_LEAVE)

    async def _may_leave(self) -> bool:
        question = await self._leaving() if self._leaving else ""
        if not question:
            return True
        try:
            answer = await self.screen.read(f"{question} [y/N] ")
        except KeyboardInterrupt:
            return False
        return answer is None or answer.strip().lower() in YES
