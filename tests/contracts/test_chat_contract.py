"""What every chat promises the core, held against Slack, Discord and the terminal alike.

A chat without a capability degrades in one way: without edits a card is said anew, without buttons they are named as
commands, without pictures their paths are named, without threads everything is said in one place.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bot.domain.errors import PlaceLost, TryLater
from bot.domain.money import ZERO
from bot.domain.talk import Button, Channel, Kind, Reply, Table, Tone
from tests.support.chat_stands import ChatStand, console_stand, discord_stand, slack_stand
from tests.support.discord_story import discord_story
from tests.support.slack_story import slack_story
from tests.support.towns import Found, empty_database, found

__all__ = ["empty_database", "found"]

CARD = Reply(
    Kind.CARD,
    "k7m2qd: running",
    ("step 3 of 8",),
    (("state", "training"), ("cost", "$0.12")),
    buttons=(Button("Tear down", "down k7m2qd", danger=True),),
    rental="k7m2qd",
)


@pytest.fixture(params=["slack", "discord", "console"])
async def stand(request: pytest.FixtureRequest, found: Found) -> AsyncIterator[ChatStand]:
    """A chat that is connected."""
    match request.param:
        case "slack":
            async with slack_story(await found(auto_confirm=ZERO)) as slack:
                yield slack_stand(slack)
        case "discord":
            async with discord_story(await found(auto_confirm=ZERO)) as discord:
                yield discord_stand(discord)
        case _:
            yield console_stand()


@pytest.fixture(params=["slack", "discord"])
async def far(request: pytest.FixtureRequest, found: Found) -> AsyncIterator[ChatStand]:
    """A chat that is reached over a network."""
    if request.param == "slack":
        async with slack_story(await found(auto_confirm=ZERO)) as slack:
            yield slack_stand(slack)
    else:
        async with discord_story(await found(auto_confirm=ZERO)) as discord:
            yield discord_stand(discord)


async def test_what_is_posted_is_read_and_has_a_reference(stand: ChatStand):
    """All that a card says: title, lines, values."""
    assert await stand.chat.post(stand.channel, CARD, key="card:k7m2qd", retried=False)
    said = "\n".join(stand.texts())
    assert all(word in said for word in ("k7m2qd: running", "training", "$0.12"))


async def test_an_edit_takes_the_place_of_what_was_said(far: ChatStand):
    """One message, with the new words and without the old."""
    ref = await far.chat.post(far.channel, CARD, key="card:k7m2qd", retried=False)
    await far.chat.edit(far.channel, ref, replace(CARD, title="k7m2qd: pulling", lines=()))
    (only,) = far.texts()
    assert "k7m2qd: pulling" in only and "k7m2qd: running" not in only and "step 3" not in only


async def test_the_same_key_said_again_after_a_lost_answer_is_one_message(stand: ChatStand):
    """Whoever lost the answer says so; the first reference would have been the same."""
    if stand.lose_answer is not None:
        stand.lose_answer()
        with pytest.raises(TryLater):
            await stand.chat.post(stand.channel, CARD, key="card:k7m2qd", retried=False)
    else:
        await stand.chat.post(stand.channel, CARD, key="card:k7m2qd", retried=False)
    ref = await stand.chat.post(stand.channel, CARD, key="card:k7m2qd", retried=True)
    assert ref and len(stand.texts()) == 1


async def test_nothing_is_said_by_a_chat_that_is_away(far: ChatStand):
    """The outbox is told to come again."""
    assert far.outage is not None
    far.outage()
    with pytest.raises(TryLater):
        await far.chat.post(far.channel, CARD, key="card:k7m2qd", retried=False)
    assert not far.texts()


async def test_a_place_that_is_lost_is_told_from_a_chat_that_is_away(far: ChatStand):
    """What was to be said there goes elsewhere."""
    assert far.lose_place is not None
    far.lose_place()
    with pytest.raises(PlaceLost):
        await far.chat.post(far.channel, CARD, key="card:k7m2qd", retried=False)


async def test_editing_what_somebody_deleted_is_no_fault(far: ChatStand):
    """There is nobody who could read it."""
    ref = await far.chat.post(far.channel, CARD, key="card:k7m2qd", retried=False)
    assert far.remove is not None
    far.remove()
    await far.chat.edit(far.channel, ref, replace(CARD, title="k7m2qd: closed", final=True))
    assert not far.texts()


async def test_the_last_word_has_no_buttons(far: ChatStand):
    """What can be done is offered while it can be done."""
    ref = await far.chat.post(far.channel, CARD, key="card:k7m2qd", retried=False)
    assert far.pressable() == ["Tear down"]
    await far.chat.edit(far.channel, ref, replace(CARD, title="k7m2qd: closed", final=True))
    assert far.pressable() == []


async def test_other_chats_channels_are_not_its_own(stand: ChatStand):
    """A message is said by the chat that it is for."""
    assert stand.chat.serves(stand.channel) and not stand.chat.serves(Channel("elsewhere", stand.channel.id))


@pytest.mark.parametrize("tone", list(Tone))
async def test_anything_can_be_said(stand: ChatStand, tone: Tone):
    """Long, empty, full of markup: it is cut or kept as a file, never refused."""
    rows = tuple((f"r{number}", "<@everyone> *`" * 9) for number in range(200))
    odd = Reply(
        Kind.NOTICE,
        "x" * 5_000,
        ("", "```", "<!channel> @everyone"),
        tables=(Table(("a", "b"), rows),),
        tone=tone,
    )
    assert await stand.chat.post(stand.channel, odd, key=f"odd:{tone}", retried=False)
