"""How fast Slack is acknowledged and answered at 50 commands a second from 100 people while 200 rentals run, beside a
bare Bolt echo under the same load in the same run."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from adapters.clock import SystemClock
from adapters.simulators.slack.fake import FakeSlack
from adapters.simulators.slack.things import Place, User
from adapters.simulators.slack.town import SlackTown
from bot.domain.money import Usd
from bot.domain.talk import Actor
from bot.store.session import migrate, open_database
from tests.support.slack_story import slack_story
from tests.support.small_town import HOUR, SECOND, SmallTown

PEOPLE, RENTALS, A_SECOND = 100, 200, 50


@dataclass(frozen=True, slots=True)
class Load:
    """Seconds of each command: until it was acknowledged, and until its answer was there."""

    acks: list[float]
    answers: list[float]
    lost: int

    def ack(self, part: float) -> float:
        """Milliseconds within which this part was acknowledged."""
        return _within(self.acks, part)

    def answer(self, part: float) -> float:
        """Milliseconds within which this part was answered."""
        return _within(self.answers, part)


def _within(seconds: list[float], part: float) -> float:
    ordered = sorted(seconds)
    return 1000 * ordered[min(len(ordered) - 1, int(part * len(ordered)))]


async def under_load(slack: FakeSlack, people: list[User], place: Place, expected: str, seconds: int) -> Load:
    """``status`` at an even pace, whether the earlier ones are answered or not."""
    acks: list[float] = []
    answers: list[float] = []
    lost = 0

    async def one(user: User) -> None:
        nonlocal lost
        seen, began = len(place.seen_by(user)), time.perf_counter()
        told = await slack.stage.say_command(user, place, "status")
        if not told.acked:
            lost += 1
            return
        acks.append(told.took)
        await slack.until(lambda: len(place.seen_by(user)) > seen, limit_s=30)
        said = place.seen_by(user)[seen].text
        assert expected in said, said
        answers.append(time.perf_counter() - began)

    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number in range(seconds * A_SECOND):
            await asyncio.sleep(max(0.0, began + number / A_SECOND - time.perf_counter()))
            group.create_task(one(people[number % len(people)]))
    return Load(acks, answers, lost)


@contextlib.asynccontextmanager
async def _echo() -> AsyncIterator[tuple[FakeSlack, list[User], Place]]:
    """Bolt alone: acknowledges and says the text back."""
    town = SlackTown(SystemClock())
    people = [town.person(f"p{number}") for number in range(PEOPLE)]
    place = town.channel("gpu", members=people)
    async with FakeSlack(town, wall=SystemClock()) as slack:
        app = AsyncApp(client=AsyncWebClient(token=town.bot_token, base_url=slack.api_url))

        @app.command("/gpu")
        async def echo(ack: Callable[..., Awaitable[Any]], respond: Callable[..., Awaitable[Any]]) -> None:
            await ack()
            await respond("echo")

        handler = AsyncSocketModeHandler(app, town.app_token)
        await handler.connect_async()  # type: ignore[no-untyped-call]
        await slack.sockets.connected()
        yield slack, people, place
        await handler.close_async()  # type: ignore[no-untyped-call]


async def rented(town: SmallTown, people: list[Actor]) -> None:
    """Two machines for each person, all ready."""
    for host in town.town.hosts:
        host.capacity = RENTALS
    tabs = []
    for number in range(RENTALS):
        reply = await town.ask("up world 3090 for 4h", actor=people[number % PEOPLE], key=f"rent-{number}")
        assert reply.rental, reply
        tabs.append(reply.rental)
    for tab in tabs:
        await town.until(tab, lambda rental: rental.attempt and rental.attempt.ready_at, within=HOUR)


async def kept_busy(town: SmallTown) -> None:
    """The engine and the delivery go on beside it, at the world's pace."""
    while True:
        await asyncio.sleep(0.2)
        town.clock.advance(SECOND / 5)
        await town.life.engine.tick()
        await town.life.delivery.tick()


async def ours(folder: Path, seconds: int) -> Load:
    """The whole bot."""
    empty = folder / "lastcall.db"
    engine = open_database(f"sqlite+aiosqlite:///{empty}")
    await migrate(engine)
    await engine.dispose()
    town = SmallTown(f"sqlite+aiosqlite:///{empty}", folder, auto_confirm=Usd.of(100))
    try:
        async with slack_story(town, pace=1.0) as story:
            people = [story.workspace.person(f"p{number}") for number in range(PEOPLE)]
            story.gpu.members |= {one.id for one in people}
            team = story.workspace.team
            await rented(town, [Actor("slack", team, one.id, one.name) for one in people])
            await story.deliver()
            busy = asyncio.create_task(kept_busy(town))
            await under_load(story.slack, people, story.gpu, "2 open", 2)
            try:
                return await under_load(story.slack, people, story.gpu, "2 open", seconds)
            finally:
                busy.cancel()
                await asyncio.gather(busy, return_exceptions=True)
    finally:
        await town.close()


async def measured(seconds: int) -> tuple[Load, Load]:
    """Ours, and a bare echo."""
    folder = Path(tempfile.mkdtemp())
    try:
        mine = await ours(folder, seconds)
    finally:
        shutil.rmtree(folder)
    async with _echo() as (slack, people, place):
        await under_load(slack, people, place, "echo", 2)
        return mine, await under_load(slack, people, place, "echo", seconds)
