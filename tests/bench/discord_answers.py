"""How fast Discord is acknowledged, answered and given suggestions at 50 interactions a second from 100 people while
200 rentals run, beside a bare discord.py echo under the same load in the same run."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import discord
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route

from adapters.clock import SystemClock
from adapters.simulators.discord.fake import Delivered, FakeDiscord
from adapters.simulators.discord.town import DiscordTown, Place, User
from bot.domain.money import Usd
from bot.domain.talk import Actor
from bot.store.session import migrate, open_database
from tests.bench.slack_answers import A_SECOND, PEOPLE, Load, kept_busy, rented
from tests.support.discord_story import discord_story
from tests.support.small_town import SmallTown

Act = Callable[[User], Awaitable[Delivered]]


async def under_load(fake: FakeDiscord, people: list[User], act: Act, expected: str, seconds: int) -> Load:
    """``act`` at an even pace, whether the earlier ones are answered or not. ``expected``: what the answer says; empty
    when the acknowledgement is the answer."""
    acks: list[float] = []
    answers: list[float] = []
    lost = 0

    async def one(user: User) -> None:
        nonlocal lost
        began = time.perf_counter()
        told = await act(user)
        if not told.acked:
            lost += 1
            return
        acks.append(told.took)
        if expected:
            said = await fake.answered(told, limit_s=30)
            assert expected in said.text, said.text
        answers.append(time.perf_counter() - began)

    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number in range(seconds * A_SECOND):
            await asyncio.sleep(max(0.0, began + number / A_SECOND - time.perf_counter()))
            group.create_task(one(people[number % len(people)]))
    return Load(acks, answers, lost)


@contextlib.asynccontextmanager
async def _echo() -> AsyncIterator[tuple[FakeDiscord, list[User], Place]]:
    """discord.py alone: defers, and says a word."""
    town = DiscordTown(SystemClock())
    guild = town.guild("Acme")
    people = [town.person(f"p{number}") for number in range(PEOPLE)]
    for one in people:
        town.join(guild, one)
    place = town.channel(guild, "gpu")
    client = discord.Client(intents=discord.Intents.none(), allowed_mentions=discord.AllowedMentions.none())

    @client.event
    async def on_interaction(interaction: discord.Interaction[discord.Client]) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        await interaction.edit_original_response(content="echo")

    async with FakeDiscord(town) as fake:
        Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = fake.api_url, yarl.URL(fake.gateway_url)
        running = asyncio.create_task(client.start(town.token))
        try:
            await fake.gateway.connected()
            yield fake, people, place
        finally:
            await client.close()
            await asyncio.gather(running, return_exceptions=True)


async def ours(folder: Path, seconds: int) -> tuple[Load, Load]:
    """The whole bot: ``status``, and suggestions for ``down``."""
    url = f"sqlite+aiosqlite:///{folder / 'lastcall.db'}"
    engine = open_database(url)
    await migrate(engine)
    await engine.dispose()
    town = SmallTown(url, folder, auto_confirm=Usd.of(100))
    try:
        async with discord_story(town, pace=1.0) as story:
            people = [story.server.person(f"p{number}") for number in range(PEOPLE)]
            for one in people:
                story.server.join(story.guild, one)
            await rented(town, [Actor("discord", story.guild, one.id, one.name) for one in people])
            await story.deliver()
            busy = asyncio.create_task(kept_busy(town))
            fake, place = story.discord, story.gpu

            async def status(user: User) -> Delivered:
                return await fake.command(user, place, "status")

            async def typing(user: User) -> Delivered:
                return await fake.typing(user, place, "down", "id", "")

            try:
                await under_load(fake, people, status, "2 open", 2)
                said = await under_load(fake, people, status, "2 open", seconds)
                return said, await under_load(fake, people, typing, "", seconds)
            finally:
                busy.cancel()
                await asyncio.gather(busy, return_exceptions=True)
    finally:
        await town.close()


async def measured(seconds: int) -> tuple[Load, Load, Load]:
    """Ours, our suggestions, and a bare echo."""
    folder = Path(tempfile.mkdtemp())
    try:
        mine, typed = await ours(folder, seconds)
    finally:
        shutil.rmtree(folder)
    async with _echo() as (fake, people, place):

        async def echo(user: User) -> Delivered:
            return await fake.command(user, place, "status")

        await under_load(fake, people, echo, "echo", 2)
        return mine, typed, await under_load(fake, people, echo, "echo", seconds)
