"""One command and its exit code: 0 done, 1 refused or failed, 2 not understood. An answer that tells itself incomplete
(somebody could not be asked) is a failure too: a script must not take it for "nothing there".

With ``wait`` the command is over when its rental is closed; with ``yes`` a quote is confirmed unasked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from adapters.chat.console.chat import ConsoleChat
from bot.domain.talk import Kind, Reply
from bot.ports import Desk

DONE, FAILED, NOT_UNDERSTOOD = 0, 1, 2
_EXIT = {Kind.MISUNDERSTOOD: NOT_UNDERSTOOD, Kind.REFUSED: FAILED, Kind.NOT_YET: FAILED, Kind.FAULT: FAILED}
QUOTED = "quoted"
CHOOSING = "choosing"
CLOSED = "closed"
_PATIENCE = 3
"""Looks at a closed rental before its last word is asked for instead of awaited."""


async def _two_seconds() -> None:
    await asyncio.sleep(2)


async def _no_trouble(_: str) -> str:
    return ""


async def run_once(
    desk: Desk,
    console: ConsoleChat,
    text: str,
    *,
    wait: bool = False,
    yes: bool = False,
    closed: Callable[[str], Awaitable[bool]],
    trouble: Callable[[str], Awaitable[str]] = _no_trouble,
    pause: Callable[[], Awaitable[None]] = _two_seconds,
) -> int:
    """Send ``text``, show what comes and return the exit code.

    ``closed`` says whether a rental is closed in the store; it is asked once per ``pause``, so that waiting ends
    too when the last word is said in another channel. ``trouble`` says why a teardown does not come on; what is new
    about that is said while it is waited for. A command about several rentals waits for all of them."""
    heard = _Ear()
    stop = console.watch(heard)
    try:
        reply = await console.send(desk, text)
        code = FAILED if reply.data.get("complete") is False else _EXIT.get(reply.kind, DONE)
        if code != DONE or not (wait or yes):
            return code
        words = heard.follow(reply)
        judge = ended if reply.data.get("ends") is True else verdict
        look = _Look(closed, trouble, pause, judge)
        errands = [_Errand(desk, console, word, look, wait=wait, yes=yes) for word in words]
        return max([await errand.run() for errand in errands], default=code)
    finally:
        stop()


class _Ear:
    """Hears what is said and sorts it by rental; what was said while the answer was made counts too."""

    def __init__(self) -> None:
        self._early: list[Reply] = []
        self._words: dict[str, _LastWord] | None = None

    def __call__(self, _: str, reply: Reply) -> None:
        if self._words is None:
            self._early.append(reply)
        elif reply.rental in self._words:
            self._words[reply.rental].take(reply)

    def follow(self, answer: Reply) -> list[_LastWord]:
        """From now on only the rentals that the answer names count."""
        named = answer.data.get("rentals")
        several = [one for one in named if isinstance(one, str)] if isinstance(named, list) else []
        rentals = [answer.rental] if answer.rental else several
        self._words = {rental: _LastWord(rental) for rental in rentals}
        for said in (answer, *self._early):
            self("", said)
        return list(self._words.values())


class _LastWord:
    """What was said about one rental, as far as it decides: its quote, its last word."""

    def __init__(self, rental: str) -> None:
        self.rental = rental
        self.final: Reply | None = None
        self.quoted = False
        self.choosing = False
        """Asked for, and its price is not known yet."""
        self.changed = asyncio.Event()

    def take(self, reply: Reply) -> None:
        """Something was said about it."""
        if self.final is not None:
            return
        if reply.final:
            self.final = reply
        elif reply.kind is Kind.CARD:
            self.quoted = reply.data.get("state") == QUOTED
        self.choosing = str(reply.data.get("state", "")).startswith(CHOOSING)
        self.changed.set()


@dataclass(frozen=True, slots=True)
class _Look:
    """What may be asked of the store about a rental, how long is waited between, and what its last word means."""

    closed: Callable[[str], Awaitable[bool]]
    trouble: Callable[[str], Awaitable[str]]
    pause: Callable[[], Awaitable[None]]
    judge: Callable[[Reply], int]


class _Errand:
    """What is left to do after the first answer."""

    def __init__(
        self,
        desk: Desk,
        console: ConsoleChat,
        heard: _LastWord,
        look: _Look,
        *,
        wait: bool,
        yes: bool,
    ) -> None:
        self._desk = desk
        self._console = console
        self._heard = heard
        self._look = look
        self._wait = wait
        self._yes = yes
        self._confirmed = False
        self._trouble = ""
        """What was said last about why it does not come on."""

    async def run(self) -> int:
        """Confirm what is to be confirmed, then wait for the last word."""
        over = 0
        while self._heard.final is None:
            if self._heard.quoted and not self._confirmed:
                code = await self._confirm()
                if code != DONE or not self._wait:
                    return code
                continue
            if not self._wait and not (self._yes and self._heard.choosing):
                return DONE
            if await self._look.closed(self._heard.rental):
                over += 1
                if over > _PATIENCE:
                    return await self._ask_how_it_ended()
            else:
                await self._say_what_is_wrong()
            await self._news_or_pause()
        return self._look.judge(self._heard.final)

    async def _say_what_is_wrong(self) -> None:
        """Once for each thing that goes wrong, so that nobody waits without knowing for what."""
        trouble = await self._look.trouble(self._heard.rental)
        if trouble and trouble != self._trouble:
            await self._console.screen.say(f"{self._heard.rental}: {trouble.rstrip('.')}. It is tried again.")
        self._trouble = trouble

    async def _confirm(self) -> int:
        """Say yes to the price, or leave the quote and tell how."""
        self._confirmed = True
        rental = self._heard.rental
        if not self._yes:
            if not self._console.screen.asks:
                await self._console.screen.say(
                    f"Nothing is rented yet. To go on: confirm {rental} (or run with --yes)."
                )
                return FAILED
            if not await self._console.ask(f"Confirm {rental}?"):
                await self._console.screen.say(
                    f"Nothing is rented. The quote stays until it expires: confirm {rental}."
                )
                return FAILED
        reply = await self._console.send(self._desk, f"confirm {rental}")
        return _EXIT.get(reply.kind, DONE)

    async def _news_or_pause(self) -> None:
        """Until something was said about the rental, or a while."""
        self._heard.changed.clear()
        news = asyncio.ensure_future(self._heard.changed.wait())
        pause = asyncio.ensure_future(self._look.pause())
        try:
            await asyncio.wait((news, pause), return_when=asyncio.FIRST_COMPLETED)
        finally:
            news.cancel()
            pause.cancel()
            await asyncio.gather(news, pause, return_exceptions=True)

    async def _ask_how_it_ended(self) -> int:
        """The last word was said elsewhere."""
        return self._look.judge(await self._console.send(self._desk, f"status {self._heard.rental}"))


def verdict(final: Reply) -> int:
    """0 when what was asked for was delivered."""
    return DONE if final.data.get("success") is True else FAILED


def ended(final: Reply) -> int:
    """0 when it is proven gone, however it came to that: nothing else was asked for."""
    return DONE if final.data.get("state") == CLOSED else FAILED
