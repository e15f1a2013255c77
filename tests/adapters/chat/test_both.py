"""One rental in Slack and Discord at once, through the real libraries: confirmed in one, extended in the other."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import pytest

from adapters.simulators.clock import SimIds
from bot.delivery import Delivery
from bot.domain.allowance import Defaults, Role, Scope
from bot.domain.allowance import Kind as Limit
from bot.domain.money import ZERO
from bot.domain.rental import Goal
from bot.domain.talk import Actor, Kind
from bot.lifecycle.echoes import Echoes
from bot.store.rows import Entry
from tests.support.discord_story import DiscordStory, discord_story
from tests.support.slack_story import SlackStory, slack_story
from tests.support.small_town import HOUR, MINUTE, SECOND, SmallTown
from tests.support.towns import Found

ROOT = Actor("console", "server", "0", "root")


@dataclass
class Both:
    """One team in a workspace and a server; a notification channel in the server."""

    town: SmallTown
    slack: SlackStory
    discord: DiscordStory
    echoes: Echoes

    async def deliver(self) -> None:
        """Copy, relay and say what there is."""
        for _ in range(40):
            looked, said = await self.echoes.tick(), await self.town.life.delivery.tick()
            if not looked and not said and not await self.town.life.store.outbox.unsaid():
                return
            self.town.clock.advance(2 * SECOND)

    async def turn(self, length: timedelta) -> None:
        """Time goes by, with everything that a process does in it."""
        for step in range(length // (5 * SECOND)):
            self.town.clock.advance(5 * SECOND)
            await self.town.life.engine.run_due()
            if step % 3 == 0:
                await self.town.life.reminders.tick()
            await self.echoes.tick()
            await self.town.life.delivery.tick()


@pytest.fixture
async def both(found_anywhere: Found) -> AsyncIterator[Both]:
    """Ann of Discord is an admin of the team; prices have to be confirmed."""
    joined: dict[str, str] = {"console:server": "acme"}
    town = await found_anywhere(auto_confirm=ZERO, defaults=Defaults(joined=joined))
    async with slack_story(town) as slack, discord_story(town) as discord:
        joined[f"slack:{slack.workspace.team}"] = joined[f"discord:{discord.guild}"] = "acme"
        store = town.life.store
        town.life.delivery = Delivery(store, [slack.front.chat, discord.front.chat], town.clock, SimIds())
        await store.budgets.set(
            "team:acme",
            (Scope.PERSON, discord.actor(discord.ann).key, Limit.ROLE),
            Role.ADMIN,
            now=town.clock.now(),
            key="role",
            entry=Entry("budget", "ann admin"),
        )
        one = Both(town, slack, discord, Echoes(store, town.clock))
        assert "Added" in (await discord.say("notify add here")).text
        yield one


async def test_confirmed_in_slack_extended_in_discord_one_card_each_both_true(both: Both):
    """One rental, one machine, one card in each chat that says the same to the end, and one receipt in each."""
    tab, card = await both.slack.quoted()
    await both.deliver()
    assert "cannot cost more than" in both.discord.card(tab).text
    await both.slack.press(card, "Confirm")
    await both.slack.until_goal(tab, lambda rental: rental.goal > Goal.QUOTED)
    await both.town.until(tab, lambda rental: rental.attempt and rental.attempt.ready_at)
    await both.deliver()
    before = await both.town.rental(tab)
    await both.discord.press(both.discord.card(tab), "Extend 1 h")
    await both.discord.until_goal(tab, lambda rental: rental.lifetime == before.lifetime + HOUR)
    await both.turn(MINUTE)
    await both.deliver()
    end = (await both.town.rental(tab)).hard_end
    assert end is not None and len(both.town.world.alive()) == 1
    assert (
        f"{end:%H:%M}" in both.slack.card(tab).text or str(int(end.timestamp())) in both.slack.card(tab).text
    )
    assert (
        str(int(end.timestamp())) in both.discord.card(tab).text
        or f"{end:%H:%M}" in both.discord.card(tab).text
    )
    await both.slack.press(both.slack.card(tab), "Tear down")
    await both.slack.until_goal(tab, lambda rental: rental.goal is Goal.GONE)
    await both.town.until(tab, lambda rental: rental.goal is Goal.GONE)
    for _ in range(40):
        await both.turn(10 * SECOND)
        if (await both.town.rental(tab)).closed_at:
            break
    await both.deliver()
    both.town.town.proven_closed()
    assert not both.discord.card(tab).buttons
    receipts = [one for one in both.discord.gpu.shown if "closed" in one.text and tab in one.text]
    assert receipts and not both.discord.server.complaints


async def test_with_slack_gone_the_last_minutes_are_said_in_discord(both: Both):
    """Slack takes nothing any more: ten and two minutes before the end it is read in Discord."""
    tab, card = await both.slack.quoted("up world 3090 for 2h")
    await both.slack.press(card, "Confirm")
    await both.slack.until_goal(tab, lambda rental: rental.goal > Goal.QUOTED)
    await both.town.until(tab, lambda rental: rental.attempt and rental.attempt.ready_at)
    await both.deliver()
    end = (await both.town.rental(tab)).hard_end
    assert end is not None
    await both.slack.slack.__aexit__(None, None, None)
    both.town.clock.advance(end - both.town.clock.now() - 11 * MINUTE)
    await both.turn(10 * MINUTE)
    read = [
        one.text for place in both.discord.server.places.values() for one in place.shown if tab in one.text
    ]
    assert any("torn down in 9 min 55 s" in one for one in read), read
    assert any("torn down in 115 s" in one for one in read), read
    reply = await both.town.ask("status all", actor=ROOT)
    assert reply.kind is Kind.ANSWER and tab in str(reply.tables)
