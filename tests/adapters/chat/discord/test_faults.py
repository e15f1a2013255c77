"""What Discord and its gateway do to us: nothing is lost, nothing is said twice, nobody reads a traceback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from adapters.simulators.discord.town import Message
from bot.domain.money import ZERO
from bot.domain.rental import Goal
from bot.domain.talk import Channel, Kind, Reply, Request, Tone
from bot.ports import Desk
from bot.store.rows import Say
from tests.support.discord_story import DiscordStory, discord_story, reopened
from tests.support.towns import Found


@pytest.fixture
async def story(found: Found) -> AsyncIterator[DiscordStory]:
    """With prices that somebody has to confirm."""
    async with discord_story(await found(auto_confirm=ZERO)) as one:
        yield one


def bots(story: DiscordStory) -> list[Message]:
    """What the bot has said in the channel."""
    return [one for one in story.gpu.shown if one.author == story.server.bot.id]


async def put(story: DiscordStory, key: str, title: str, channel: str = "", *, rental: str = "") -> None:
    """A notice that waits to be said."""
    reply = Reply(Kind.NOTICE, title, tone=Tone.ALARM, rental=rental)
    say = Say(key, Channel("discord", channel or story.gpu.id), reply)
    await story.town.life.store.outbox.put(say, now=story.town.clock.now(), rental=rental)


async def test_a_lost_answer_says_nothing_twice(story: DiscordStory):
    """The message was said and Discord's answer never came: it is found again by its small print."""
    story.discord.faults.lose_answer("POST /channels/*/messages", times=2)
    await put(story, "one", "two minutes left")
    await story.deliver()
    assert len(bots(story)) == 1 and not await story.town.life.store.outbox.unsaid()


@pytest.mark.parametrize("fault", ["429", "503", "drop", "500"])
async def test_a_storm_delays_and_loses_nothing(story: DiscordStory, fault: str):
    """Ten messages through many refusals, in order."""
    faults, route = story.discord.faults, "POST /channels/*/messages"
    if fault == "429":
        faults.rate_limit(route, 3, times=5)
    elif fault == "drop":
        faults.drop(route, times=6)
    else:
        faults.fail(route, int(fault), times=6)
    for number in range(10):
        await put(story, f"n{number}", f"word {number}", rental="k7m2qd")
    for _ in range(40):
        await story.deliver()
        if not await story.town.life.store.outbox.unsaid():
            break
    assert [one.text.split("word ")[1][0] for one in bots(story)] == list("0123456789")


async def test_a_deleted_channel_sends_the_owner_a_direct_message(story: DiscordStory):
    """The card lives on there, and is closed there."""
    tab, _ = await story.ready()
    story.gpu.gone = True
    await story.town.ask(f"down {tab}", actor=story.actor(story.ann))
    await story.town.until(tab, lambda rental: rental.closed_at)
    await story.deliver()
    direct = story.server.dm(story.ann)
    assert any("closed" in one.text for one in direct.shown)


async def test_who_takes_no_direct_messages_reaches_the_pager(story: DiscordStory):
    """The channel is gone, and nobody is left in the chat who could hear it."""
    tab, _ = await story.ready()
    story.gpu.gone = story.ann.closed = True
    await put(story, "alarm", "two minutes left", rental=tab)
    await story.deliver()
    assert story.pager.told == ["two minutes left"]


async def test_an_expired_token_answers_by_direct_message(story: DiscordStory):
    """After fifteen minutes "thinking…" cannot be written any more."""
    story.discord.faults.fail("PATCH /webhooks/*", 401, 50027, times=None)
    told = await story.discord.line(story.ann, story.gpu, "help")
    assert told.acked
    direct = story.server.dm(story.ann)
    await story.server.until(lambda: direct.shown)
    assert "What you can say" in direct.shown[0].text


async def test_an_event_that_cannot_be_read_ends_nothing(story: DiscordStory):
    """discord.py's client dies of it; a command beside it is heard, and a new client hears the next."""
    identifies = story.discord.gateway.identifies
    await story.discord.gateway.raw("MESSAGE_CREATE", {"id": "1"})
    await story.server.until(lambda: story.discord.gateway.identifies > identifies, limit_s=10)
    await story.discord.gateway.connected()
    assert (await story.say("help")).only_for == story.ann.id


async def test_a_gateway_that_is_away_at_first_is_tried_again(found: Found):
    """discord.py stumbles over its own feet then (issue 10520)."""
    async with discord_story(await found(), refusals=3) as story:
        assert (await story.say("help")).only_for == story.ann.id


@pytest.mark.parametrize("way", ["cut", "reconnect", "resumable", "invalid"])
async def test_a_broken_session_is_begun_anew(story: DiscordStory, way: str):
    """And nothing is heard twice."""
    gateway = story.discord.gateway
    before = gateway.identifies + gateway.resumes
    if way == "cut":
        await gateway.cut()
    elif way == "reconnect":
        await gateway.reconnect()
    else:
        await gateway.invalidate(resumable=way == "resumable")
    await story.server.until(lambda: gateway.identifies + gateway.resumes > before, limit_s=15)
    await gateway.connected()
    assert (await story.say("help")).only_for == story.ann.id
    await story.quiet()
    assert len(story.gpu.seen_by(story.ann)) == 1


async def test_a_revoked_token_is_named_and_keeps_what_is_to_be_said(
    story: DiscordStory, caplog: pytest.LogCaptureFixture
):
    """Nothing is dropped; the token itself is in no log."""
    good, story.server.token = story.server.token, "MTIz.another.one"
    await story.discord.gateway.cut()
    await story.server.until(lambda: "DISCORD_BOT_TOKEN" in caplog.text, limit_s=15)
    await put(story, "one", "two minutes left")
    await story.town.life.delivery.tick()
    assert not bots(story) and await story.town.life.store.outbox.unsaid()
    story.server.token = good
    await story.discord.gateway.connected(limit_s=15)
    await story.deliver()
    assert len(bots(story)) == 1 and good not in caplog.text


class Breaking:
    """A desk that breaks on one word."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def __getattr__(self, name: str) -> Any:
        return getattr(self._desk, name)

    async def handle(self, request: Request) -> Reply:
        if "break" in request.text:
            raise RuntimeError("secret-of-the-house")
        return await self._desk.handle(request)


async def test_a_fault_after_the_acknowledgement_stops_nobody_else(found: Found):
    """Discord is answered, others are answered, and nobody reads what broke."""
    async with discord_story(await found(auto_confirm=ZERO), around=Breaking) as story:
        assert (await story.discord.line(story.ann, story.gpu, "break")).acked
        assert (await story.say("help", user=story.bob)).only_for == story.bob.id
        assert "secret-of-the-house" not in str([one.raw for one in story.gpu.messages])


async def test_commands_are_registered_once(story: DiscordStory):
    """In the listed server, where they are there at once; a restart finds them and leaves them alone."""
    assert list(story.server.commands) == [f"guilds/{story.guild}/commands"] and story.server.syncs == 1
    async with reopened(story):
        assert story.server.syncs == 1
    assert not story.server.complaints


async def test_the_story_goes_on_in_a_new_process(story: DiscordStory):
    """The card of the old one has buttons that work in the new."""
    tab, card = await story.ready()
    async with reopened(story) as again:
        await again.press(card, "Tear down")
        await again.until_goal(tab, lambda rental: rental.goal is Goal.GONE)
        await again.town.until(tab, lambda rental: rental.closed_at)
        await again.deliver()
        assert not again.card(tab).buttons


async def test_results_come_with_the_card_and_words_without_them(story: DiscordStory, tmp_path: Path):
    """Pictures and small results with the closing card, once; where they are refused the words are said."""
    picture = tmp_path / "loss.png"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(200))
    store, place = story.town.life.store, Channel("discord", story.gpu.id)
    for key, refused in (("one", False), ("two", True)):
        if refused:
            story.discord.faults.fail("P* /channels/*/messages*", 413, 40005)
        for title in ("closed", "closed, settled"):
            card = Reply(Kind.CARD, f"{key}: {title}", rental=key, final=True, pictures=(str(picture),))
            say = Say(f"card:{key}", place, card)
            await store.outbox.put(say, now=story.town.clock.now(), rental=key)
            await story.deliver()
    first, second = bots(story)
    assert ([name for name, _ in first.files], second.text) == (["loss.png"], second.text)
    assert "two: closed, settled" in second.text and not await store.outbox.unsaid()


async def test_a_gateway_that_is_killed_again_and_again_loses_no_command(story: DiscordStory):
    """Thirty commands, and the gateway is cut right after each: every one that Discord delivered is one rental."""
    heard = []
    for number in range(30):
        await story.discord.gateway.connected(limit_s=15)
        told = asyncio.create_task(
            story.discord.line(story.ann, story.gpu, f"up world 3090 for {number + 10}m")
        )
        await asyncio.sleep(0)
        if number % 3:
            await story.discord.gateway.cut()
        heard.append((await told).acked)
    await story.quiet()
    rentals = await story.town.life.store.rentals.open_ones()
    lengths = [one.lifetime for one in rentals]
    assert len(set(lengths)) == len(lengths) == sum(heard) == 30
