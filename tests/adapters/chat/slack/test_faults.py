"""What Slack, its sockets and its people do to us: nothing is lost, nothing is said twice, nobody reads a traceback."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from adapters.simulators.slack.things import Message
from bot.domain.money import ZERO
from bot.domain.talk import Channel, Kind, Reply, Request, Tone
from bot.ports import Desk
from bot.store.rows import Say
from tests.support.slack_story import SlackStory, slack_story
from tests.support.towns import Found


@pytest.fixture
async def story(found: Found) -> AsyncIterator[SlackStory]:
    """Over a socket."""
    async with slack_story(await found(auto_confirm=ZERO)) as one:
        yield one


def bots(story: SlackStory) -> list[Message]:
    """What the bot has said in the channel."""
    return [one for one in story.gpu.shown if one.bot_id]


async def put(story: SlackStory, key: str, title: str, channel: str = "", *, rental: str = "") -> None:
    """A notice that waits to be said."""
    reply = Reply(Kind.NOTICE, title, tone=Tone.ALARM, rental=rental)
    say = Say(key, Channel("slack", channel or story.gpu.id), reply)
    await story.town.life.store.outbox.put(say, now=story.town.clock.now(), rental=rental)


async def test_a_lost_answer_says_nothing_twice(story: SlackStory):
    """The message was said and Slack's answer never came: the key in its metadata is found again."""
    story.slack.faults.lose_answer("chat.postMessage", times=2)
    await put(story, "one", "two minutes left")
    await story.deliver()
    assert len(bots(story)) == 1 and not await story.town.life.store.outbox.unsaid()


@pytest.mark.parametrize("fault", ["429", "503", "drop", "internal_error"])
async def test_a_storm_delays_and_loses_nothing(story: SlackStory, fault: str):
    """Ten messages through many refusals, in order."""
    faults = story.slack.faults
    match fault:
        case "429":
            faults.rate_limit("chat.postMessage", 3, times=5)
        case "503":
            faults.http_error("chat.postMessage", 503, times=6)
        case "drop":
            faults.drop("chat.postMessage", times=6)
        case _:
            faults.fail("chat.postMessage", fault, times=6)
    for number in range(10):
        await put(story, f"n{number}", f"word {number}", rental="k7m2qd")
    for _ in range(20):
        await story.deliver()
    assert [f"word {number}" in one.text for number, one in enumerate(bots(story))] == [True] * 10


async def test_no_call_is_made_while_slack_wants_to_be_left_alone(story: SlackStory):
    """``Retry-After`` is kept to the second, per method and channel."""
    story.slack.faults.rate_limit("chat.postMessage", 30, times=1)
    await put(story, "one", "a word")
    await story.town.life.delivery.tick()
    asked = len(story.slack.calls("chat.postMessage"))
    began = story.town.clock.now()
    while (story.town.clock.now() - began).total_seconds() < 26:
        await story.deliver_once()
    assert len(story.slack.calls("chat.postMessage")) == asked
    await story.deliver()
    assert len(bots(story)) == 1


async def test_an_archived_channel_sends_the_owner_a_direct_message(story: SlackStory):
    """The card lives on there, and is closed there."""
    tab, _ = await story.ready()
    story.workspace.archive(story.gpu)
    await put(story, "last", "two minutes left", rental=tab)
    await story.deliver()
    direct = story.workspace.im(story.ann)
    assert any("two minutes left" in one.text for one in direct.shown)


async def test_a_person_who_left_and_a_channel_that_is_gone_reach_the_pager(story: SlackStory):
    """Nobody is left in the chat who could hear it."""
    tab, _ = await story.ready()
    story.workspace.archive(story.gpu)
    story.workspace.deactivate(story.ann)
    await put(story, "last", "two minutes left", rental=tab)
    await story.deliver()
    assert story.pager.told == ["two minutes left"]


async def test_a_revoked_token_keeps_what_is_to_be_said(story: SlackStory):
    """Nothing is dropped: it is said when the token is good again, or somebody takes over."""
    story.slack.faults.fail("*", "token_revoked", times=None)
    await put(story, "one", "a word")
    await story.deliver()
    assert not bots(story) and await story.town.life.store.outbox.unsaid() == 1
    story.slack.faults.recover()
    await story.slack.until(lambda: story.front.chat.ready)
    for _ in range(10):
        await story.deliver()
    assert len(bots(story)) == 1


async def test_an_expired_address_answers_privately_all_the_same(story: SlackStory):
    """``respond()`` does not raise on it; the answer goes another way."""
    story.slack.faults.fail("response_url", "expired_url", times=None)
    answer = await story.say("help")
    assert answer.only_for == story.ann.id
    story.slack.faults.fail("chat.postEphemeral", "user_not_in_channel", times=None)
    await story.slack.stage.say_command(story.ann, story.gpu, "help")
    direct = story.workspace.im(story.ann)
    await story.slack.until(lambda: direct.shown)


async def test_an_expired_trigger_says_how_else(story: SlackStory):
    """The form cannot be opened any more; the line can be typed."""
    story.slack.faults.fail("views.open", "expired_trigger_id")
    answer = await story.say("up")
    assert "help up" in str(answer.blocks)


class Breaking:
    """A desk that has a fault of ours."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def __getattr__(self, name: str) -> Any:
        return getattr(self._desk, name)

    async def handle(self, request: Request) -> Reply:
        if "status" in request.text:
            raise RuntimeError("xoxb-1-secret")
        return await self._desk.handle(request)


async def test_a_fault_after_the_acknowledgement_takes_nothing_back(found: Found):
    """Slack is answered, others are answered, and nobody reads what broke."""
    async with slack_story(await found(auto_confirm=ZERO), around=Breaking) as story:
        told = await story.slack.stage.say_command(story.ann, story.gpu, "status")
        assert told.acked
        answer = await story.say("help")
        assert "RuntimeError" not in str(answer.blocks) and "xoxb" not in str(answer.blocks)


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ({"is_restricted": True}, "guests"),
        ({"is_ultra_restricted": True}, "guests"),
        ({"is_bot": True}, "bots"),
        ({"is_stranger": True, "team": "T0OTHER"}, "workspace"),
    ],
)
async def test_who_is_no_member_is_refused_politely(story: SlackStory, flags: dict[str, Any], said: str):
    """And privately; nothing is rented."""
    team = flags.pop("team", "")
    eve = story.workspace.person("eve", team=team, **flags)
    story.gpu.members.add(eve.id)
    answer = await story.say("up world 3090 for 1h", user=eve)
    assert said in answer.text
    assert not await story.town.life.store.rentals.open_ones()


async def test_a_deaf_socket_is_healed(story: SlackStory):
    """No pong, and nothing is heard: the client is made anew by itself."""
    story.slack.sockets.go_deaf()
    opened = story.slack.sockets.opened
    await story.slack.until(lambda: story.slack.sockets.opened > opened, limit_s=90 * 0.02 + 3)
    story.slack.sockets.hear()
    await story.slack.sockets.connected()
    assert (await story.say("help")).only_for == story.ann.id


async def test_a_refused_ticket_does_not_wedge_the_socket(story: SlackStory):
    """The library would ask with the same ticket for ever."""
    opened = story.slack.sockets.opened
    story.slack.sockets.refuse_tickets(3)
    story.slack.sockets.cut()
    await story.slack.until(lambda: story.slack.sockets.opened > opened, limit_s=90 * 0.02 + 8)
    await story.slack.sockets.connected()
    assert (await story.say("help")).only_for == story.ann.id


async def test_a_revoked_app_token_is_named_and_what_is_said_goes_on(
    story: SlackStory, caplog: pytest.LogCaptureFixture
):
    """No socket for ever: the reason stands in the log, cards and reminders go out, and a good token is enough."""
    story.slack.faults.fail("apps.connections.open", "token_revoked", times=None)
    story.slack.sockets.cut()
    await story.slack.until(lambda: "SLACK_APP_TOKEN (token_revoked)" in caplog.text, limit_s=20)
    await put(story, "one", "two minutes left")
    await story.deliver()
    assert [one.text for one in bots(story)] and story.workspace.app_token not in caplog.text
    story.slack.faults.recover()
    await story.slack.sockets.connected(limit_s=20)
    assert (await story.say("help")).only_for == story.ann.id


async def test_nobody_is_pinged_by_what_somebody_typed(story: SlackStory):
    """``<!channel>`` in a line is shown as it was typed."""
    answer = await story.say("up world <!channel> <@U0VICTIM> <https://evil|good>")
    shown = answer.text + str(answer.blocks)
    assert "<!channel>" not in shown and "<@U0VICTIM>" not in shown and "<https://evil" not in shown


async def test_a_workspace_that_takes_no_files_still_hears_the_words(story: SlackStory, tmp_path: Path):
    """The card is said once and can be edited later; nothing behind it waits."""
    picture = tmp_path / "loss.png"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(200))
    story.slack.faults.fail("files.getUploadURLExternal", "missing_scope", times=None)
    card = Reply(Kind.CARD, "k7m2qd: closed", rental="k7m2qd", final=True, pictures=(str(picture),))
    say = Say("card:k7m2qd", Channel("slack", story.gpu.id), card)
    await story.town.life.store.outbox.put(say, now=story.town.clock.now(), rental="k7m2qd")
    await put(story, "next", "and then", rental="k7m2qd")
    await story.deliver()
    assert ["closed" in bots(story)[0].text, "and then" in bots(story)[1].text] == [True, True]
    assert not await story.town.life.store.outbox.unsaid()
