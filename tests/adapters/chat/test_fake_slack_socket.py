"""The fake Slack's Socket Mode, with the real Bolt on the other side."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.webhook.async_client import AsyncWebhookClient

from adapters.simulators.slack.things import Json
from tests.support.fake_slack import Scene, over_socket, scene


@pytest.fixture
async def there() -> AsyncIterator[Scene]:
    async with scene() as found:
        yield found


def app_of(there: Scene) -> AsyncApp:
    """Answers to ``/gpu WORD`` in the ways of the table (chat-platforms.md, 2.3), and counts what it hears."""
    app = AsyncApp(client=there.client)
    app.heard = []  # type: ignore[attr-defined] - for the tests to look at

    @app.command("/gpu")
    async def command(ack: Any, body: Json) -> None:
        app.heard.append(body)  # type: ignore[attr-defined]
        match body["text"]:
            case "bare":
                await ack()
            case "hello":
                await ack("hello")
            case "loud":
                await ack(text="all", response_type="in_channel")
            case "raise":
                raise ValueError("before the acknowledgement")

    @app.event("app_mention")
    async def mention(event: Json, body: Json) -> None:
        app.heard.append((body["event_id"], event))  # type: ignore[attr-defined]

    return app


ACKS = [
    ("bare", {"envelope_id"}, {}),
    ("hello", {"envelope_id", "payload"}, {"text": "hello"}),
    ("loud", {"envelope_id", "payload"}, {"text": "all", "response_type": "in_channel"}),
]


@pytest.mark.parametrize(("word", "fields", "payload"), ACKS, ids=[case[0] for case in ACKS])
async def test_acknowledgements_come_back_as_frames(
    there: Scene, word: str, fields: set[str], payload: Json
) -> None:
    """Bare, with a text, with fields: as chat-platforms.md, 2.3 has them; and people see what they carry."""
    async with over_socket(there, app_of(there)):
        told = await there.slack.stage.say_command(there.ann, there.gpu, word)
    assert (told.acked, told.payload) == (True, payload)
    assert told.took < 0.3
    assert there.slack.sockets.frames[-1].keys() == fields
    private = [one.text for one in there.gpu.seen_by(there.ann)]
    public = [one.text for one in there.gpu.shown]
    assert (private, public) == {"bare": ([], []), "hello": (["hello"], []), "loud": ([], ["all"])}[word]


@pytest.mark.parametrize("word", ["raise", "silent"])
async def test_no_acknowledgement_is_a_timeout_that_the_person_sees(there: Scene, word: str) -> None:
    """A handler that raises before, or never acknowledges: nothing comes back, and Slackbot says so."""
    async with over_socket(there, app_of(there)):
        told = await there.slack.stage.say_command(there.ann, there.gpu, word)
    assert (told.acked, told.why) == (False, "timeout")
    assert [one.text for one in there.gpu.seen_by(there.ann)] == [
        '/gpu failed with the error "operation_timeout"'
    ]


async def test_an_app_that_is_not_there_is_told_to_the_person(there: Scene) -> None:
    """Without a socket Slack fails the command at once."""
    told = await there.slack.stage.say_command(there.ann, there.gpu, "hello")
    assert (told.acked, told.why, told.took) == (False, "no_connection", 0.0)


async def test_an_event_is_told_again_under_the_same_id(there: Scene) -> None:
    """A mention as two events of one ``ts``; the redelivery has the first one's ``event_id``."""
    app = app_of(there)
    async with over_socket(there, app):
        told = await there.slack.stage.mention(there.ann, there.gpu, "status", deliveries=2)
        await there.slack.stage.again(told)
        await there.slack.until(lambda: len(there.slack.sockets.frames) >= 3)
    heard = app.heard  # type: ignore[attr-defined]
    assert len({event_id for event_id, _ in heard}) == 1
    assert heard[0][1]["text"] == "<@U0BOT> status"
    async with over_socket(there, app):
        both = await there.slack.stage.mention(there.ann, there.gpu, "status", also_message=True)
    mention, message = both.sent.payload, both.again[-1].sent.payload
    assert mention["event"]["ts"] == message["event"]["ts"]
    assert mention["event_id"] != message["event_id"]
    assert (both.acked, both.again[-1].acked) == (True, False)  # nobody listens to messages: no answer


async def test_each_envelope_goes_to_one_of_several_sockets(there: Scene) -> None:
    """A second process is a spare: both are used, nothing comes twice."""
    one, two = app_of(there), app_of(there)
    async with over_socket(there, one), over_socket(there, two):
        await there.slack.sockets.connected(2)
        for _ in range(4):
            assert (await there.slack.stage.say_command(there.ann, there.gpu, "bare")).acked
    assert (len(one.heard), len(two.heard)) == (2, 2)  # type: ignore[attr-defined]


@pytest.mark.parametrize("how", ["refresh", "cut", "dark"])
async def test_the_real_client_comes_back(there: Scene, how: str) -> None:
    """After a refresh, an aborted connection, and a Slack that nobody reached for a moment."""
    async with over_socket(there, app_of(there)):
        if how == "refresh":
            await there.slack.sockets.refresh()
        elif how == "cut":
            there.slack.sockets.cut()
        else:
            await there.slack.go_dark()
            await there.slack.come_back()
        await there.slack.until(lambda: there.slack.sockets.opened == 2 and there.slack.sockets.hearing)
        assert (await there.slack.stage.say_command(there.ann, there.gpu, "bare")).acked


async def test_a_deaf_socket_is_open_and_dead(there: Scene) -> None:
    """No pong: the library finds out after four of its ping intervals, and takes a new one, which hears."""
    async with over_socket(there, app_of(there), ping_s=0.05) as handler:
        there.slack.sockets.go_deaf()
        told = await there.slack.stage.say_command(there.ann, there.gpu, "bare")
        assert (told.acked, told.why) == (False, "deaf")
        await there.slack.until(lambda: there.slack.sockets.hearing, limit_s=10)
        assert handler.client is not None
        assert there.slack.sockets.opened == 2


async def test_a_refused_ticket_is_refused_for_good(there: Scene) -> None:
    """The wedge of chat-platforms.md, 1.6: the library shows the same ticket again and again; a new one is taken."""
    async with over_socket(there, app_of(there), ping_s=0.02) as handler:
        there.slack.sockets.refuse_tickets(1)
        there.slack.sockets.cut()
        await there.slack.until(lambda: there.slack.sockets.tried >= 5)
        assert len(there.slack.calls("apps.connections.open")) == 2
        handler.client.wss_uri = None
        await there.slack.sockets.connected()
        assert (await there.slack.stage.say_command(there.ann, there.gpu, "bare")).acked


async def test_a_trigger_opens_one_modal_within_three_seconds(there: Scene) -> None:
    """Once, not twice, and not after 3 s of the town's clock."""
    async with over_socket(there, app_of(there)):
        first = await there.slack.stage.say_command(there.ann, there.gpu, "bare")
        late = await there.slack.stage.say_command(there.ann, there.gpu, "bare")
    view = {"type": "modal", "title": {"type": "plain_text", "text": "Rent"}, "blocks": []}
    await there.client.views_open(trigger_id=first.sent.payload["trigger_id"], view=view)
    with pytest.raises(SlackApiError, match="exchanged_trigger_id"):
        await there.client.views_open(trigger_id=first.sent.payload["trigger_id"], view=view)
    there.clock.advance(timedelta(seconds=3, microseconds=1))
    with pytest.raises(SlackApiError, match="expired_trigger_id"):
        await there.client.views_open(trigger_id=late.sent.payload["trigger_id"], view=view)


async def test_a_response_url_takes_five_posts_in_thirty_minutes(there: Scene) -> None:
    """The sixth is a 404, and so is the first after half an hour; the real client does not raise on it."""
    async with over_socket(there, app_of(there)):
        used = (await there.slack.stage.say_command(there.ann, there.gpu, "bare")).sent.payload
        old = (await there.slack.stage.say_command(there.ann, there.gpu, "bare")).sent.payload
    respond = AsyncWebhookClient(used["response_url"])
    answers = [(await respond.send(text=f"{n}")).status_code for n in range(6)]
    assert answers == [200] * 5 + [404]
    assert [one.text for one in there.gpu.seen_by(there.ann)] == ["0", "1", "2", "3", "4"]
    there.clock.advance(timedelta(minutes=30))
    assert (await AsyncWebhookClient(old["response_url"]).send(text="in time")).status_code == 200
    there.clock.advance(timedelta(seconds=1))
    assert (await AsyncWebhookClient(old["response_url"]).send(text="too late")).status_code == 404
