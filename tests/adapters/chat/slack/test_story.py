"""The story of a rental in Slack: real payloads in, messages and a torn-down machine out, over both ways in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.domain.money import ZERO
from bot.domain.rental import Ending, Goal
from bot.domain.talk import Channel, Kind, Reply
from bot.store.rows import Say
from bot.store.session import migrate, open_database
from tests.support.postgres import Postgres
from tests.support.slack_story import SlackStory, slack_story
from tests.support.small_town import SmallTown
from tests.support.towns import Found


@pytest.fixture(params=[("socket", "sqlite"), ("http", "sqlite"), ("socket", "postgresql")], ids="-".join)
def ways(request: pytest.FixtureRequest) -> Iterator[tuple[str, str]]:
    """How Slack reaches us, and the database's URL if it is no SQLite file."""
    mode, database = request.param
    if database == "sqlite":
        yield mode, ""
        return
    server: Postgres = request.getfixturevalue("postgres")
    name = server.create()
    yield mode, server.url(name)
    server.drop(name)


@pytest.fixture
async def story(ways: tuple[str, str], found: Found, tmp_path: Path) -> AsyncIterator[SlackStory]:
    """Over both ways in and on both databases, with prices that somebody has to confirm."""
    mode, url = ways
    if url:
        engine = open_database(url)
        await migrate(engine)
        await engine.dispose()
    town = SmallTown(url, tmp_path, auto_confirm=ZERO) if url else await found(auto_confirm=ZERO)
    async with slack_story(town, mode=mode) as one:
        yield one
    if url:
        await town.close()


async def test_a_rental_from_its_question_to_the_closed_tab(story: SlackStory):
    """Asked, quoted, confirmed and torn down by clicks: one card in the channel, edited in place, whose buttons are
    gone at the end; the machine is gone, too."""
    tab, card = await story.quoted()
    assert "cannot cost more than" in str(card.blocks)
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
    assert not story.workspace.complaints


async def test_results_come_to_the_thread_once(story: SlackStory, tmp_path: Path):
    """Pictures and small results with the closing card, in its thread; a later edit brings them no second time."""
    picture, lora = tmp_path / "loss.png", tmp_path / "lora.safetensors"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(200))
    lora.write_bytes(bytes(5000))
    place = Channel("slack", story.gpu.id)
    card = Reply(Kind.CARD, "k7m2qd: training", rental="k7m2qd")
    store, clock = story.town.life.store, story.town.clock
    await store.outbox.put(Say("card:k7m2qd", place, card), now=clock.now(), rental="k7m2qd")
    await story.deliver()
    for title in ("k7m2qd: closed", "k7m2qd: closed, settled"):
        done = replace(card, title=title, final=True, pictures=(str(picture),), files=(str(lora),))
        await store.outbox.put(Say("card:k7m2qd", place, done), now=clock.now(), rental="k7m2qd")
        await story.deliver()
    shared = [file.name for message in story.gpu.thread(story.card("k7m2qd").ts) for file in message.files]
    assert sorted(shared) == ["lora.safetensors", "loss.png"]
