"""The story of a rental in Discord: interactions in, messages and a torn-down machine out."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.domain.money import ZERO
from bot.domain.rental import Ending, Goal
from tests.support.discord_story import DiscordStory, discord_story
from tests.support.towns import Found


@pytest.fixture
async def story(found_anywhere: Found) -> AsyncIterator[DiscordStory]:
    """On both databases, with prices that somebody has to confirm."""
    async with discord_story(await found_anywhere(auto_confirm=ZERO)) as one:
        yield one


async def test_a_rental_from_its_question_to_the_closed_tab(story: DiscordStory):
    """Asked, quoted, confirmed and torn down by clicks: one card in the channel, edited in place, whose buttons are
    gone at the end; the machine is gone, too."""
    tab, card = await story.quoted()
    assert "cannot cost more than" in card.text
    await story.press(card, "Confirm")
    await story.until_goal(tab, lambda rental: rental.goal > Goal.QUOTED)
    await story.town.until(tab, lambda rental: rental.attempt and rental.attempt.ready_at)
    await story.deliver()
    card = story.card(tab)
    assert "Confirm" not in str(card.buttons)
    await story.press(card, "Tear down")
    await story.until_goal(tab, lambda rental: rental.goal is Goal.GONE)
    await story.town.until_closed(tab)
    await story.deliver()
    card = story.card(tab)
    assert (await story.town.rental(tab)).ending is Ending.DOWN
    assert not card.buttons and not story.town.world.alive()
    assert story.server.places[card.id].shown, "what happened to it stands in the card's thread"
    assert not story.server.complaints
