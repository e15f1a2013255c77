"""What is heard in Discord, and how often: commands, suggestions, forms, clicks, messages, files; each once."""

from __future__ import annotations

import asyncio
import io
import zipfile
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from adapters.simulators.discord.town import Message
from bot.domain.allowance import Role
from bot.domain.money import ZERO
from bot.domain.rental import Ending, Goal
from tests.support.discord_story import DiscordStory, discord_story, reopened
from tests.support.towns import Found


@pytest.fixture
async def story(found: Found) -> AsyncIterator[DiscordStory]:
    """With prices that somebody has to confirm."""
    async with discord_story(await found(auto_confirm=ZERO)) as one:
        yield one


async def tabs(story: DiscordStory) -> list[str]:
    """Ids of what is open."""
    return [one.id for one in await story.town.life.store.rentals.open_ones()]


async def test_typed_options_say_the_same_as_a_line(story: DiscordStory):
    """Quotes and blanks in a value are the value's own; the answer is only for who asked."""
    told = await story.discord.command(
        story.ann, story.gpu, "up", provider="world", gpu="RTX 3090", hours="2h", budget="$3"
    )
    answer = await story.discord.answered(told)
    assert answer.only_for == story.ann.id and "looking for an offer" in answer.text
    rental = (await story.town.life.store.rentals.open_ones())[0]
    assert str(rental.budget) == "$3.00" and rental.lifetime == timedelta(hours=2)


async def test_five_deliveries_are_one_rental_and_one_answer(story: DiscordStory):
    """The gateway tells an event again after a resume."""
    told = await story.discord.line(story.ann, story.gpu, "up world 3090 for 1h", deliveries=5)
    await story.discord.answered(told)
    await story.quiet()
    assert len(await tabs(story)) == 1 and len(story.gpu.seen_by(story.ann)) == 1


async def test_a_double_click_extends_once(story: DiscordStory):
    """Two clicks within a moment; both are acknowledged."""
    tab, card = await story.ready()
    before = (await story.town.rental(tab)).lifetime
    told = await asyncio.gather(*(story.discord.click(story.ann, card, "Extend 1 h") for _ in range(2)))
    assert all(one.acked for one in told)
    await story.until_goal(tab, lambda rental: rental.lifetime > before)
    await story.quiet()
    assert (await story.town.rental(tab)).lifetime == before + timedelta(hours=1)


async def test_suggestions_hold_what_can_be_had(story: DiscordStory):
    """Cards with the price of now, rentals with their cost; never more than 25, and only for who may."""
    told = await story.discord.typing(story.ann, story.gpu, "up", "gpu", "", provider="world")
    choices = told.answer["data"]["choices"]
    assert len(choices) == 25 and choices[0]["name"] == "RTX 3090, from $0.20/h on world"
    tab, _ = await story.quoted()
    told = await story.discord.typing(story.bob, story.gpu, "down", "id", tab[:2])
    assert told.answer["data"]["choices"][0]["value"] == tab
    assert not story.server.complaints


async def test_a_form_that_is_filled_in_is_a_quote(story: DiscordStory):
    """``/gpu up`` alone: five questions, filled with what is usual; what is wrong is told, and nothing rented."""
    told = await story.discord.command(story.ann, story.gpu, "up")
    modal = told.answer["data"]
    assert told.answer["type"] == 9 and 1 <= len(modal["components"]) <= 5
    wrong = await story.discord.submit(story.ann, story.gpu, modal, {"gpu": "9999", "provider": "world"})
    said = await story.discord.answered(wrong)
    assert "not right" in said.text and not await tabs(story)
    good = await story.discord.submit(story.ann, story.gpu, modal, {"gpu": "3090", "provider": "world"})
    assert "looking for an offer" in (await story.discord.answered(good)).text
    assert len(await tabs(story)) == 1 and not story.server.complaints


async def test_what_cannot_be_taken_back_asks_once(story: DiscordStory):
    """The question is for the one who clicked; the machine runs until it is meant."""
    tab, card = await story.ready()
    told = await story.discord.click(story.ann, card, "Tear down")
    sure = await story.discord.answered(told)
    assert sure.only_for == story.ann.id and (await story.town.rental(tab)).goal is Goal.READY
    told = await story.discord.click(story.ann, sure, "Tear down")
    await story.discord.answered(told)
    assert (await story.town.rental(tab)).goal is Goal.GONE


async def test_a_click_of_somebody_else_is_judged(story: DiscordStory):
    """Whoever presses it, the engine decides."""
    tab, card = await story.ready()
    before = (await story.town.rental(tab)).lifetime
    said = await story.discord.answered(await story.discord.click(story.bob, card, "Extend 1 h"))
    assert "belongs to ann" in said.text and said.only_for == story.bob.id
    assert (await story.town.rental(tab)).lifetime == before


async def test_a_week_old_button_explains(found: Found):
    """After a restart, on a card of a rental that is closed."""
    town = await found(auto_confirm=ZERO)
    async with discord_story(town) as story:
        _, card = await story.quoted()
        town.clock.advance(timedelta(days=7))
        told = await story.discord.click(story.ann, card, "Confirm")
        said = await story.discord.answered(told)
        assert "older than 15 min" in said.text and "Ask anew" in said.text


async def test_a_mention_a_direct_message_and_nothing_else(story: DiscordStory):
    """Without the intent to read all messages, ``!gpu`` is not heard; edits and bots never are."""
    await story.discord.say(story.ann, story.gpu, f"<@{story.server.bot.id}> up world 3090 for 1h")
    await story.discord.say(story.ann, story.gpu, "!gpu up world 3090 for 1h")
    await story.discord.say(
        story.server.person("robot", bot=True), story.gpu, f"<@{story.server.bot.id}> up world"
    )
    direct = story.server.dm(story.ann)
    await story.discord.say(story.ann, direct, "up world 3090 for 2h")
    await story.server.until(
        lambda: len(direct.shown) == 2 and any(one.author == story.server.bot.id for one in story.gpu.shown)
    )
    await story.quiet()
    assert len(await tabs(story)) == 2
    assert not story.server.complaints


async def test_a_prefix_is_heard_where_messages_may_be_read(found: Found):
    """``!gpu`` with the intent; where Discord refuses it, everything else goes on."""
    async with discord_story(await found(), content=True) as story:
        await story.discord.say(story.ann, story.gpu, "!gpu status")
        await story.server.until(lambda: len(story.gpu.shown) == 2)


async def test_a_refused_intent_costs_only_the_prefix(found: Found, caplog: pytest.LogCaptureFixture):
    """4014: it connects without it and says what it cannot do."""
    town = await found()
    async with discord_story(town) as first:
        server = first.server
    server.allows_content = False
    async with reopened(first, content=True) as story:
        assert "Message Content is off" in caplog.text
        assert (await story.say("help")).only_for == story.ann.id


@pytest.mark.parametrize("where", ["mention", "option"])
async def test_a_data_set_that_is_attached_is_trained_on(story: DiscordStory, where: str):
    """A zip on the message."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for path in sorted(story.town.images.iterdir()):
            archive.writestr(path.name, path.read_bytes())
    line = "train tiny-lora quick on world data attached steps=8"
    place = story.gpu if where == "mention" else story.server.dm(story.ann)
    lead = f"<@{story.server.bot.id}> " if where == "mention" else ""
    await story.discord.say(story.ann, place, lead + line, files=[("cats.zip", held.getvalue())])
    await story.server.until(lambda: len(place.shown) > 1)
    await story.quiet()
    (tab,) = await tabs(story)
    await story.town.until(tab, lambda rental: rental.quoted_at)
    await story.town.ask(f"confirm {tab}", actor=story.actor(story.ann))
    await story.town.until(tab, lambda rental: rental.closed_at)
    assert (await story.town.rental(tab)).ending is Ending.DONE


async def test_a_role_of_the_server_is_a_role_here(found: Found):
    """Known by its id, looked at in every interaction."""
    async with discord_story(await found(auto_confirm=ZERO), roles={"77": Role.VIEWER}) as story:
        story.server.join(story.guild, story.bob, roles=("77",))
        said = await story.say("up world 3090 for 1h", user=story.bob)
        assert "may look" in said.text and not await tabs(story)
        story.server.join(story.guild, story.bob)
        assert "looking for an offer" in (await story.say("up world 3090 for 1h", user=story.bob)).text


async def test_a_server_that_nobody_listed_is_refused(story: DiscordStory):
    """Somebody invited the bot elsewhere, to rent with our keys."""
    other = story.server.guild("Elsewhere")
    eve = story.server.person("eve")
    story.server.join(other, eve)
    place = story.server.channel(other, "gpu")
    await story.discord.gateway.invited(other)
    said = await story.say("up world 3090 for 1h", user=eve, place=place)
    assert "does not work for this server" in said.text and not await tabs(story)
    direct = story.server.dm(eve)
    await story.discord.say(eve, direct, "up world 3090 for 1h")
    answer: Message = await story.server.until(lambda: direct.shown[1:] and direct.shown[-1])
    assert "its own servers only" in answer.text and not await tabs(story)


async def test_nobody_is_pinged_by_what_somebody_typed(story: DiscordStory):
    """Markup and mentions in a line are shown as they were typed."""
    said = await story.say("up world @everyone <@123456> **x** [a](https://evil)")
    assert said.raw["allowed_mentions"] == {"parse": [], "users": []} and "@everyone" in said.text
    assert not story.server.complaints
