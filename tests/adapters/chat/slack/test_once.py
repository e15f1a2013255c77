"""At most one effect: whatever Slack delivers twice, people press twice, and somebody replays."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from adapters.simulators.slack.webhook import Webhook
from bot.domain.money import ZERO
from bot.domain.rental import Goal
from tests.support.slack_story import SlackStory, slack_story
from tests.support.towns import Found


@pytest.fixture(params=["socket", "http"])
async def story(request: pytest.FixtureRequest, found: Found) -> AsyncIterator[SlackStory]:
    """Over both ways in."""
    async with slack_story(await found(auto_confirm=ZERO), mode=request.param) as one:
        yield one


async def open_ones(story: SlackStory) -> int:
    """How many rentals there are."""
    return len(await story.town.life.store.rentals.open_ones())


async def test_five_deliveries_of_a_command_are_one_rental_and_one_answer(story: SlackStory):
    """Slack tells it again when it believes that nobody heard."""
    told = await story.slack.stage.say_command(story.ann, story.gpu, "up world 3090 for 1h", deliveries=5)
    assert told.acked and all(one.acked for one in told.again)
    await story.slack.until(lambda: story.gpu.seen_by(story.ann))
    await story.quiet()
    assert await open_ones(story) == 1
    assert len(story.gpu.seen_by(story.ann)) == 1


async def test_a_mention_that_comes_as_two_events_is_one_line(story: SlackStory):
    """Both have the same time; each is delivered twice."""
    await story.slack.stage.mention(
        story.ann, story.gpu, "up world 3090 for 1h", also_message=True, deliveries=2
    )
    await story.slack.until(lambda: [one for one in story.gpu.shown if one.bot_id])
    await story.quiet()
    assert await open_ones(story) == 1
    assert len([one for one in story.gpu.shown if one.bot_id]) == 1


async def test_an_edited_message_is_no_new_command(story: SlackStory):
    """Somebody mends a slip of the pen in a direct message."""
    await story.slack.stage.dm(story.ann, "up world 3090 for 1h")
    place = story.workspace.im(story.ann)
    await story.slack.until(lambda: [one for one in place.shown if one.bot_id])
    mine = next(one for one in place.shown if not one.bot_id)
    await story.slack.stage.edit(mine, "up world 3090 for 2h")
    await story.quiet()
    assert await open_ones(story) == 1


async def test_a_double_click_extends_once(story: SlackStory):
    """Two clicks within a moment, the first of them delivered twice."""
    tab, card = await story.ready()
    before = (await story.town.rental(tab)).lifetime
    button = card.button("Extend 1 h")
    await asyncio.gather(
        story.slack.stage.click(story.ann, card, button, deliveries=2),
        story.slack.stage.click(story.ann, card, button),
    )
    await story.until_goal(tab, lambda rental: rental.lifetime > before)
    await story.quiet()
    assert (await story.town.rental(tab)).lifetime.total_seconds() == before.total_seconds() + 3600


async def test_a_view_that_is_sent_off_twice_is_one_rental(story: SlackStory):
    """The form of ``/gpu up``: chosen, weighed, sent off twice."""
    await story.slack.stage.say_command(story.ann, story.gpu, "up")
    view = await story.slack.until(lambda: story.filled_form(story.ann))
    told = await story.slack.stage.submit(story.ann, {}, view=view, deliveries=2)
    assert told.acked, told
    assert not view.errors
    await story.slack.until(lambda: story.gpu.seen_by(story.ann))
    await story.quiet()
    assert await open_ones(story) == 1


async def test_a_replayed_signed_request_has_no_second_effect(found: Found):
    """Bolt takes the same signed request twice; the engine knows better."""
    async with slack_story(await found(auto_confirm=ZERO), mode="http") as story:
        told = await story.slack.stage.say_command(story.ann, story.gpu, "up world 3090 for 1h")
        await story.slack.until(lambda: story.gpu.seen_by(story.ann))
        web = story.slack.stage.transport
        assert isinstance(web, Webhook)
        for _ in range(3):
            assert (await web.replay(told)).status == 200
        await story.quiet()
        assert await open_ones(story) == 1
        assert len(story.gpu.seen_by(story.ann)) == 1


async def test_a_button_of_a_closed_rental_explains(story: SlackStory):
    """A click that was on its way when the tab was closed."""
    tab, card = await story.ready()
    pressed = next(one for one in card.buttons if one["text"]["text"] == "Extend 1 h")
    await story.say(f"down {tab}")
    await story.until_goal(tab, lambda rental: rental.goal is Goal.GONE)
    await story.town.until_closed(tab)
    await story.slack.stage.stale_click(story.ann, story.card(tab), pressed)
    await story.slack.until(lambda: [one for one in story.gpu.seen_by(story.ann) if "over" in one.text])
