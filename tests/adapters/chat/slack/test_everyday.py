"""What people do all day: name each other, open the app's page, attach a data set, leave."""

from __future__ import annotations

import io
import zipfile
from collections.abc import AsyncIterator
from typing import Any

import pytest

from adapters.chat.slack.people import KNOWN_FOR
from adapters.simulators.slack.things import Message, User
from bot.domain.allowance import Defaults, Role
from bot.domain.money import ZERO
from bot.domain.rental import Ending, Goal
from bot.domain.talk import Actor
from tests.support.slack_story import SlackStory, slack_story
from tests.support.towns import Found


@pytest.fixture
async def story(found: Found) -> AsyncIterator[SlackStory]:
    """Over a socket."""
    async with slack_story(await found(auto_confirm=ZERO)) as one:
        yield one


def actor(story: SlackStory, user: User) -> Actor:
    """The person as the core knows them."""
    return Actor("slack", story.workspace.team, user.id, user.name)


def zipped(story: SlackStory) -> bytes:
    """The town's two images as somebody attaches them."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for path in sorted(story.town.images.iterdir()):
            archive.writestr(path.name, path.read_bytes())
    return held.getvalue()


async def test_a_person_who_is_named_is_the_id_behind_the_name(found: Found):
    """Two people call themselves bob; the role goes to the one that was picked."""
    async with slack_story(await found(auto_confirm=ZERO)) as story:
        story.town.life.store.budgets.defaults = Defaults(admins=frozenset({actor(story, story.ann).key}))
        other = story.workspace.person("bob", id="UOTHERBOB")
        story.gpu.members.add(other.id)
        for one in (other, story.bob):
            await story.say("status", user=one)
        said = await story.say(f"budget role <@{story.bob.id}|bob> viewer")
        roles = [await story.town.life.store.budgets.role(actor(story, one)) for one in (story.bob, other)]
        assert roles == [Role.VIEWER, Role.MEMBER], said.text


async def test_what_slack_escapes_is_read_as_it_was_typed(story: SlackStory):
    """A link and an ampersand of a slash command come escaped, and are shown escaped once."""
    said = await story.say("history a&amp;b")
    assert "a&amp;b" in said.text and "&amp;amp;" not in said.text + str(said.blocks)
    said = await story.say("up <https://example.com/?a=1&amp;b=2|example.com>")
    assert "|" not in said.text and "&amp;amp;" not in said.text + str(said.blocks)


async def test_the_apps_page_shows_what_is_open_and_ends_it(story: SlackStory):
    """A click on it is answered, and the page is drawn anew without what is over."""
    tab, _ = await story.ready()
    await story.slack.stage.open_home(story.ann)
    page = await story.slack.until(lambda: story.workspace.home(story.ann))
    assert tab in str(page.blocks)
    down = next(one for one in buttons(page.blocks) if one["text"]["text"] == "Tear down")
    assert (await story.slack.stage.click(story.ann, page, down["action_id"])).acked
    await story.until_goal(tab, lambda rental: rental.goal is Goal.GONE)
    await story.quiet()
    await story.town.until_closed(tab)
    await story.slack.stage.open_home(story.ann)
    await story.quiet()
    assert "Nothing is open" in str(story.workspace.home(story.ann))


def buttons(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Every button of a page."""
    rows = [one for one in blocks if one["type"] == "actions"]
    return [one for row in rows for one in row["elements"] if one["type"] == "button"]


@pytest.mark.parametrize("where", ["mention", "direct", "thread"])
async def test_a_data_set_that_is_attached_is_trained_on(story: SlackStory, where: str):
    """A zip on the message itself, on a direct message, or shared before in the thread."""
    stage, data = story.slack.stage, zipped(story)
    line = "train tiny-lora quick on world data attached steps=8"
    if where == "mention":
        await stage.share_file(story.ann, story.gpu, "cats.zip", data, line, mention=True)
    elif where == "direct":
        await stage.share_file(story.ann, story.workspace.im(story.ann), "cats.zip", data, line)
    else:
        await stage.say(story.ann, story.gpu, "our cats")
        root = story.gpu.shown[-1].ts
        await stage.share_file(story.ann, story.gpu, "cats.zip", data, "here", thread=root)
        await stage.mention(story.ann, story.gpu, line, thread=root, also_message=True)
    await story.quiet()
    open_now = await story.town.life.store.rentals.open_ones()
    assert [one.job is not None for one in open_now] == [True], said_by_bot(story)
    tab = open_now[0].id
    await story.town.until(tab, lambda rental: rental.quoted_at)
    await story.town.ask(f"confirm {tab}", actor=actor(story, story.ann))
    await story.town.until(tab, lambda rental: rental.closed_at)
    assert (await story.town.rental(tab)).ending is Ending.DONE


def said_by_bot(story: SlackStory) -> list[Message]:
    """For the message of a failure."""
    return [one for place in story.workspace.places.values() for one in place.shown if one.bot_id]


async def test_who_left_the_company_is_heard_no_more(story: SlackStory):
    """Their rental is the team's to end; what they clicked before they left has no effect any more."""
    tab, card = await story.ready()
    lifetime = (await story.town.rental(tab)).lifetime
    story.ann.deleted = True
    story.town.clock.advance(KNOWN_FOR)
    await story.press(card, "Extend 1 h")
    await story.quiet()
    assert (await story.town.rental(tab)).lifetime == lifetime
    await story.press(story.card(tab), "Tear down", user=story.bob)
    await story.until_goal(tab, lambda rental: rental.goal is Goal.GONE)
    await story.town.until(tab, lambda rental: rental.closed_at)
    assert not story.town.world.alive()
