"""A bot's store in a process of its own, told what to do and what time it is; for tests that kill it."""

from __future__ import annotations

import asyncio
import multiprocessing
from dataclasses import replace
from datetime import datetime, timedelta
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from bot.domain.talk import Kind, Reply
from bot.store import Claim, Store
from bot.store.rows import Entry, Say
from bot.store.session import open_database
from bot.store.vault import deployment_key

LEASE = timedelta(minutes=1)
_FORKS = multiprocessing.get_context(
    "forkserver"
)  # what is imported once need not be imported by each of them
_FORKS.set_forkserver_preload([__name__])


class Worker:
    """The test's side."""

    def __init__(self) -> None:
        self._line, theirs = _FORKS.Pipe()
        self._process: ForkServerProcess = _FORKS.Process(target=_begin, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()

    def tell(self, verb: str, *words: Any) -> None:
        """Say what to do and do not wait for the answer."""
        self._line.send((verb, words))

    async def answer(self) -> Any:
        """The answer to the oldest order that was not answered yet."""
        assert await asyncio.to_thread(self._line.poll, 60), "the worker is silent"
        return self._line.recv()

    async def ask(self, verb: str, *words: Any) -> Any:
        """Tell, and wait for the answer."""
        self.tell(verb, *words)
        return await self.answer()

    def kill(self) -> None:
        """As ``kill -9`` does: it tidies nothing up."""
        self._process.kill()
        self.end()

    def end(self) -> None:
        """Let it go in peace."""
        self._line.close()
        self._process.join(60)
        self._process.close()


class Bot:
    """The process's side: what it can be told."""

    store: Store | None = None

    def __init__(self) -> None:
        self._claims: list[Claim] = []

    async def close(self) -> None:
        if self.store is not None:
            await self.store.close()

    async def open(self, url: str, name: str) -> str:
        """Connect, without migrating."""
        self.store, self._name = Store(open_database(url), bytes, Path()), name
        return name

    async def claim(self, now: datetime, limit: int) -> list[str]:
        """Claim rows and hold them."""
        assert self.store is not None
        token = f"{self._name} {now.isoformat()}"
        self._claims = await self.store.claims.due(now=now, until=now + LEASE, token=token, limit=limit)
        return [claim.rental.id for claim in self._claims]

    async def work(self, now: datetime, limit: int) -> list[str]:
        """Carry out the first ``limit`` of the rows that are held."""
        assert self.store is not None
        mine = self._claims[:limit]
        del self._claims[:limit]
        for claim in mine:
            await self.store.claims.apply(
                claim, replace(claim.rental, note=self._name), now=now, wake_at=now + timedelta(days=1),
                entries=[Entry("worked", self._name)],
                says=[Say(f"worked:{claim.rental.id}", claim.rental.channel, _reply(claim))],
            )  # fmt: skip
        return [claim.rental.id for claim in mine]

    async def run(self, now: datetime) -> list[str]:
        """Claim and work until nothing is due."""
        done: list[str] = []
        while await self.claim(now, 7):
            done += await self.work(now, 7)
        return done

    async def key(self, folder: str) -> str:
        """The deployment's key of this data folder."""
        return deployment_key("", Path(folder))().decode()


def _reply(claim: Claim) -> Reply:
    return Reply(Kind.NOTICE, f"{claim.rental.id} was worked")


def _begin(line: Connection[Any, Any]) -> None:
    asyncio.run(_serve(line))


async def _serve(line: Connection[Any, Any]) -> None:
    bot = Bot()
    try:
        while True:
            verb, words = await asyncio.to_thread(line.recv)
            line.send(await getattr(bot, verb)(*words))
    except EOFError:
        await bot.close()
