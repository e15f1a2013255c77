"""A whole bot with Slack as its chat: the real slack-bolt against the fake workspace, on a simulated cloud."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from adapters.chat.slack import Slack, SlackLogin
from adapters.clock import SystemClock
from adapters.simulators.clock import SimIds
from adapters.simulators.slack.fake import FakeSlack
from adapters.simulators.slack.things import Message, Place, User, View
from adapters.simulators.slack.town import SlackTown
from bot.delivery import Delivery
from bot.domain.rental import Goal
from bot.domain.talk import Channel
from tests.support.small_town import SECOND, SmallTown
from tests.support.town import same

SECRET = "signing-secret-of-a-test"
PACE = 0.02
"""Waits of the connection, as a part of the real ones."""


@dataclass
class Pager:
    """The second medium."""

    told: list[str] = field(default_factory=list)

    async def shout(self, title: str, text: str) -> Sequence[str]:
        self.told.append(title)
        return ()


@dataclass
class SlackStory:
    """Who, where and what a test speaks of."""

    town: SmallTown
    workspace: SlackTown
    slack: FakeSlack
    front: Slack
    pager: Pager
    ann: User
    bob: User
    gpu: Place

    async def say(self, text: str, *, user: User | None = None, place: Place | None = None) -> Message:
        """A slash command, and what the person reads then."""
        who, where = user or self.ann, place or self.gpu
        seen = len(where.seen_by(who))
        told = await self.slack.stage.say_command(who, where, text)
        assert told.acked, told
        return (await self.slack.until(lambda: where.seen_by(who)[seen:]))[0]

    async def deliver(self) -> None:
        """What waits in the outbox is said."""
        for _ in range(30):
            await self.town.life.delivery.tick()
            if not await self.town.life.store.outbox.unsaid():
                return
            self.town.clock.advance(2 * SECOND)

    async def deliver_once(self) -> None:
        """One look at the outbox, and two seconds."""
        await self.town.life.delivery.tick()
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

    def filled_form(self, user: User) -> View | None:
        """The person's modal, once it has its fields."""
        view = self.workspace.modal(user)
        return view if view is not None and any(one["type"] == "input" for one in view.blocks) else None

    def card(self, tab: str, place: Place | None = None) -> Message:
        """The one card of a rental in a channel."""
        cards = [
            one
            for one in (place or self.gpu).shown
            if (one.metadata.get("event_payload") or {}).get("key") == f"card:{tab}"
        ]
        assert len(cards) == 1, f"{len(cards)} cards of {tab}"
        return cards[0]

    async def press(self, message: Message, label: str, *, user: User | None = None) -> None:
        """A click on the button with this label, acknowledged."""
        told = await self.slack.stage.click(user or self.ann, message, message.button(label))
        assert told.acked, told

    async def until_goal(self, tab: str, true: Callable[[Any], Any]) -> None:
        """Wait in real time for what a click changes in the store, then let the town work until it is so."""
        for _ in range(500):
            if true(await self.town.rental(tab)):
                return
            await asyncio.sleep(0.01)
        raise AssertionError(f"it did not come true: {await self.town.rental(tab)}")


@contextlib.asynccontextmanager
async def slack_story(
    town: SmallTown, *, mode: str = "socket", around: Callable[[Any], Any] = same, pace: float = PACE
) -> AsyncIterator[SlackStory]:
    """A workspace of two people and one channel, and the town's bot that listens in it. ``around`` wraps its desk."""
    workspace = SlackTown(town.clock)
    ann, bob = workspace.person("ann"), workspace.person("bob")
    gpu = workspace.channel("gpu", members=[ann, bob])
    async with FakeSlack(workspace, wall=SystemClock()) as slack:
        login = SlackLogin(
            bot_token=workspace.bot_token,
            app_token=workspace.app_token,
            signing_secret=SECRET,
            mode=mode,
            url=slack.api_url,
            port=0,
            pace=pace,
        )
        front, pager = Slack(login, town.clock), Pager()
        town.life.delivery = Delivery(
            town.life.store, [front.chat], town.clock, SimIds(), homes=lambda: HOMES, notifier=pager
        )
        listening = asyncio.create_task(front.chat.listen(around(town.life.desk)))
        try:
            await _connected(slack, front, mode)
            yield SlackStory(town, workspace, slack, front, pager, ann, bob, gpu)
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)


HOMES: tuple[Channel, ...] = ()


async def _connected(slack: FakeSlack, front: Slack, mode: str) -> None:
    if mode == "socket":
        await slack.sockets.connected()
        return
    for _ in range(500):
        if front.web is not None and front.web.port:
            slack.webhook(f"http://127.0.0.1:{front.web.port}/slack/events", SECRET)
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it does not listen")
