"""A terminal on a running app: the session's lease, the rentals it began, and leaving without forgetting any."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import os
import socket
import sys
from collections.abc import AsyncIterator, Container
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from bot.domain.rental import Goal, Rental
from bot.domain.talk import Actor
from bot.entry import logs
from bot.ports import Clock
from bot.settings import Settings
from bot.wiring import (
    App,
    ConsoleChat,
    Interrupts,
    Seat,
    here,
    is_dead,
    open_console,
    run_once,
    what_is_left,
)

_LEASE = timedelta(seconds=30)


class Sessions(Container[str]):
    """Terminals of the same person that are gone: what was to be said there is said here."""

    def __init__(self, app: App, person: str) -> None:
        self._app = app
        self._person = person
        self._live: frozenset[str] = frozenset()

    async def look(self) -> None:
        """Which terminals are alive now."""
        live = await self._app.store.leases.live("console:", now=self._app.clock.now())
        self._live = frozenset(name.rpartition(":")[2] for name in live if not is_dead(name))

    def __contains__(self, session: object) -> bool:
        return (
            isinstance(session, str) and session.startswith(f"{self._person}/") and session not in self._live
        )


class Terminal:
    """One person at one terminal."""

    def __init__(self, app: App, *, interactive: bool, json: bool = False, story: bool = False) -> None:
        self.app = app
        self.before = ""
        """What has to be said before a command so that another process finds this one's rentals."""
        person = f"{_user()}@{socket.gethostname()}"
        self.sessions = Sessions(app, person)
        self.seat = Seat(
            session=f"{person}/{app.ids.token()[:8]}",
            actor=Actor("console", socket.gethostname(), str(os.getuid()), _user()),
            clock=app.clock,
            new_key=app.ids.token,
            folder=str(Path.cwd()),
        )
        self._ids: list[str] = []
        self.console: ConsoleChat = open_console(
            self.seat,
            interactive=interactive,
            json=json,
            complete=lambda line: app.complete(line, self._ids),
            history=app.settings.data / "chat_history",
            adopted=(lambda: self.sessions) if interactive else tuple,
            leaving=self.what_would_be_left if interactive else None,
            story=story,
        )

    async def begin(self) -> None:
        """Take the session's lease and let the beats begin."""
        await self._alive()
        await self.app.start([self.console], homes=[self.seat.channel])
        self.app.ticker.every("terminal", lambda: _LEASE / 3, self._alive)
        self.app.ticker.every("names", lambda: timedelta(seconds=5), self._look_at_ids)

    async def end(self) -> None:
        """Give the lease back and leave the terminal as it was found."""
        await self.console.close()
        with contextlib.suppress(Exception):
            await self.app.store.leases.release(self.lease, token=self.app.token)
        await self.app.stop()

    @property
    def lease(self) -> str:
        """By which others know that somebody sits here."""
        return f"console:{here()}:{self.seat.session}"

    async def _alive(self) -> None:
        now = self.app.clock.now()
        await self.app.store.leases.take(
            self.lease, token=self.app.token, now=now, until=now + _LEASE * self.app.speed
        )
        await self.sessions.look()

    async def _look_at_ids(self) -> None:
        self._ids = [one.id for one in await self.app.store.rentals.open_ones()]

    async def mine(self) -> list[Rental]:
        """Open rentals that this session began."""
        mine = await self.app.store.rentals.open_ones(owner=self.seat.actor.key)
        return [one for one in mine if one.channel.id == self.seat.session]

    async def closed(self, rental: str) -> bool:
        """Whether it is proven closed."""
        found = await self.app.store.rentals.get(rental)
        return found is None or found.closed_at is not None

    async def trouble(self, rental: str) -> str:
        """Why its teardown does not come on; empty while it does."""
        found = await self.app.store.rentals.get(rental)
        if found is None or found.goal is not Goal.GONE or not found.stumbles:
            return ""
        return found.note

    async def unattended(self) -> list[str]:
        """Open rentals, whoever began them, that nobody looks after when this process ends."""
        if any(one.name != self.app.lease and one.lives for one in await self.app.engines()):
            return []
        return [one.id for one in await self.app.store.rentals.open_ones()]

    async def what_would_be_left(self) -> str:
        """A question for who leaves while this process is the only one that looks after open rentals."""
        left = await self.unattended()
        if not left:
            return ""
        names = ", ".join(left)
        return f"{names}: still open, and nobody else looks after them (no 'lastcall serve' runs). Leave all the same?"

    async def run(self, line: str, *, wait: bool, yes: bool) -> int:
        """One command; Ctrl-C ends what it began before leaving, a second one leaves at once."""
        left: list[str] = []

        async def tear_down() -> None:
            left[:] = [one.id for one in await self.mine()]
            if not left:
                work.cancel()
                return
            await self.console.screen.say("Tearing down before leaving. Ctrl-C again leaves at once.")
            for rental in left:
                await self.console.send(self.app.desk, f"down {rental}")
            await self._all_closed(left)

        def say_what_is_left() -> None:
            sys.stderr.write("\n" + what_is_left(left, self.before) + "\n")

        work = asyncio.ensure_future(
            run_once(
                self.app.desk,
                self.console,
                line,
                wait=wait,
                yes=yes,
                closed=self.closed,
                trouble=self.trouble,
            )
        )
        with Interrupts(tear_down, say_what_is_left) as interrupts:
            try:
                code = await work
            except asyncio.CancelledError:
                code = 130
            if interrupts.task is not None:
                await interrupts.task
                code = 130
            await self.say_the_rest()
        return code

    async def _all_closed(self, rentals: list[str]) -> None:
        """Until each had its last word, or the store says that it is closed."""
        news = asyncio.Event()
        stop = self.console.watch(lambda _, reply: news.set() if reply.final else None)
        try:
            while any([not await self.closed(rental) for rental in rentals]):
                await news.wait()
                news.clear()
        finally:
            stop()

    async def say_the_rest(self) -> None:
        """What is still to be said here, before leaving; the beat may be in the middle of saying it."""
        assert self.app.delivery is not None
        said = 1
        while said:
            await self.app.ticker.rest("delivery")
            said = await self.app.delivery.tick()


@asynccontextmanager
async def open_terminal(
    settings: Settings,
    *,
    interactive: bool,
    json: bool = False,
    story: bool = False,
    clock: Clock | None = None,
    speed: int = 1,
) -> AsyncIterator[Terminal]:
    """An app with a terminal on it, begun and ended in order. ``clock`` and ``speed`` as in ``App.build``."""
    logs.to_file(settings.data, settings.log_level)
    app = await App.build(settings, aside=True, clock=clock, speed=speed)
    terminal = Terminal(app, interactive=interactive, json=json, story=story)
    await terminal.begin()
    try:
        yield terminal
    finally:
        await terminal.end()


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid{os.getuid()}"
