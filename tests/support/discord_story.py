"""A whole bot with Discord as its chat: the real discord.py against the fake, on a simulated cloud."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from adapters.chat.discord import Discord, DiscordLogin
from adapters.simulators.clock import SimIds
from adapters.simulators.discord.fake import FakeDiscord
from adapters.simulators.discord.town import DiscordTown, Message, Place, User
from bot.delivery import Delivery
from bot.domain.allowance import Role
from bot.domain.rental import Goal
from bot.domain.talk import Actor
from tests.support.slack_story import Pager
from tests.support.small_town import SECOND, SmallTown
from tests.support.town import same

PACE = 0.02
"""Waits of the connection, as a part of the real ones."""


@dataclass
class DiscordStory:
    """Who, where and what a test speaks of."""

    town: SmallTown
    server: DiscordTown
    discord: FakeDiscord
    front: Discord
    pager: Pager
    ann: User
    bob: User
    guild: str
    gpu: Place

    def actor(self, user: User) -> Actor:
        """The person as the core knows them."""
        return Actor("discord", self.guild, user.id, user.name)

    async def say(self, text: str, *, user: User | None = None, place: Place | None = None) -> Message:
        """``/gpu run text``, and what the person reads then."""
        told = await self.discord.line(user or self.ann, place or self.gpu, text)
        assert told.acked, told
        return await self.discord.answered(told)

    async def deliver(self) -> None:
        """What waits in the outbox is said."""
        for _ in range(30):
            await self.town.life.delivery.tick()
            if not await self.town.life.store.outbox.unsaid():
                return
            self.town.clock.advance(2 * SECOND)

    async def quoted(self, text: str = "up world 3090 for 1h") -> tuple[str, Message]:
        """Ask for something; its rental and its card."""
        await self.say(text)
        tab = max(await self.town.life.store.rentals.open_ones(), key=lambda one: one.created_at).id
        await self.town.until(tab, lambda rental: rental.quoted_at)
        await self.deliver()
        return tab, self.card(tab)

    async def ready(self) -> tuple[str, Message]:
        """A machine that runs; its card as it is then."""
        tab, card = await self.quoted()
        await self.press(card, "Confirm")
        await self.until_goal(tab, lambda rental: rental.goal > Goal.QUOTED)
        await self.town.until(tab, lambda rental: rental.attempt and rental.attempt.ready_at)
        await self.deliver()
        return tab, self.card(tab)

    async def quiet(self) -> None:
        """Until everything that was heard is answered."""
        await self.front.settled()

    def card(self, tab: str, place: Place | None = None) -> Message:
        """The one card of a rental in a channel."""
        cards = [
            one
            for one in (place or self.gpu).shown
            if f"{tab} · " in one.text and one.raw.get("components") is not None
        ]
        assert len(cards) == 1, f"{len(cards)} cards of {tab}"
        return cards[0]

    async def press(self, message: Message, label: str, *, user: User | None = None) -> Message | None:
        """A click on the button with this label, meant: what asks whether it is, is told so."""
        told = await self.discord.click(user or self.ann, message, label)
        assert told.acked, told
        if told.answer["type"] == 4:
            sure = await self.discord.answered(told)
            told = await self.discord.click(user or self.ann, sure, sure.buttons[0]["label"])
            assert told.acked, told
        return None

    async def until_goal(self, tab: str, true: Callable[[Any], Any]) -> None:
        """Wait in real time for what a click changes in the store."""
        for _ in range(500):
            if true(await self.town.rental(tab)):
                return
            await asyncio.sleep(0.01)
        raise AssertionError(f"it did not come true: {await self.town.rental(tab)}")


@contextlib.asynccontextmanager
async def discord_story(
    town: SmallTown,
    *,
    around: Callable[[Any], Any] = same,
    roles: Mapping[str, Role] | None = None,
    content: bool = False,
    listed: bool = True,
    refusals: int = 0,
    pace: float = PACE,
) -> AsyncIterator[DiscordStory]:
    """A server of two people and one channel, and the town's bot that listens in it. ``around`` wraps its desk."""
    server = DiscordTown(town.clock)
    ann, bob = server.person("ann"), server.person("bob")
    guild = server.guild("Acme")
    for one in (ann, bob):
        server.join(guild, one)
    gpu = server.channel(guild, "gpu")
    async with FakeDiscord(server) as discord:
        discord.gateway.refuse(refusals)
        login = DiscordLogin(
            token=server.token,
            url=discord.api_url,
            gateway=discord.gateway_url,
            servers=(guild,) if listed else (),
            roles=dict(roles or {}),
            content=content,
            pace=pace,
        )
        front, pager = Discord(login, town.clock), Pager()
        town.life.delivery = Delivery(town.life.store, [front.chat], town.clock, SimIds(), notifier=pager)
        listening = asyncio.create_task(front.chat.listen(around(town.life.desk)))
        try:
            await discord.gateway.connected(limit_s=15)
            yield DiscordStory(town, server, discord, front, pager, ann, bob, guild, gpu)
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)


@contextlib.asynccontextmanager
async def reopened(story: DiscordStory, *, content: bool = False) -> AsyncIterator[DiscordStory]:
    """A new process on the same server, people and rows."""
    async with FakeDiscord(story.server) as discord:
        login = DiscordLogin(
            token=story.server.token,
            url=discord.api_url,
            gateway=discord.gateway_url,
            servers=(story.guild,),
            content=content,
            pace=PACE,
        )
        front = Discord(login, story.town.clock)
        story.town.life.delivery = Delivery(story.town.life.store, [front.chat], story.town.clock, SimIds())
        listening = asyncio.create_task(front.chat.listen(story.town.life.desk))
        try:
            await discord.gateway.connected(limit_s=10)
            yield replace(story, discord=discord, front=front)
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
