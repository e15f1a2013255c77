"""The fake Slack's Web API is as strict as the real one, by the real client."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from tests.support.fake_slack import Scene, scene


@pytest.fixture
async def there() -> AsyncIterator[Scene]:
    async with scene() as found:
        yield found


async def refused(there: Scene, method: str, **args: Any) -> str:
    with pytest.raises(SlackApiError) as raised:
        await there.call(method, **args)
    return str(raised.value.response["error"])


def section(length: int) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": "x" * length}}


def button(**more: Any) -> dict[str, Any]:
    text = {"type": "plain_text", "text": "Stop"}
    return {"type": "button", "action_id": "stop", "text": text, **more}


def buttons(*found: dict[str, Any]) -> dict[str, Any]:
    return {"type": "actions", "elements": list(found)}


def menu(count: int = 1, text: int = 1, value: int = 1) -> dict[str, Any]:
    options = [
        {"text": {"type": "plain_text", "text": "t" * text}, "value": f"{i:03d}"[-3:].rjust(value, "v")}
        for i in range(count)
    ]
    return {"type": "static_select", "action_id": "card", "options": options}


def plain(length: int) -> dict[str, Any]:
    return {"type": "plain_text", "text": "x" * length}


def asking(title: int = 1, text: int = 1, yes: int = 1) -> dict[str, Any]:
    return {"title": plain(title), "text": plain(text), "confirm": plain(yes), "deny": plain(1)}


LIMITS = [
    ("section text", lambda n: [section(n)], 3000),
    ("header", lambda n: [{"type": "header", "text": plain(n)}], 150),
    ("button text", lambda n: [buttons(button(text=plain(n)))], 75),
    ("button value", lambda n: [buttons(button(value="v" * n))], 2000),
    ("action_id", lambda n: [buttons(button(action_id="v" * n))], 255),
    ("block_id", lambda n: [{"type": "divider", "block_id": "v" * n}], 255),
    ("buttons", lambda n: [buttons(*(button(action_id=f"a{i}") for i in range(n)))], 25),
    ("fields", lambda n: [{"type": "section", "fields": [plain(1)] * n}], 10),
    ("field text", lambda n: [{"type": "section", "fields": [plain(n)]}], 2000),
    ("context", lambda n: [{"type": "context", "elements": [plain(1)] * n}], 10),
    ("blocks", lambda n: [{"type": "divider"}] * n, 50),
    ("options", lambda n: [buttons(menu(count=n))], 100),
    ("option text", lambda n: [buttons(menu(text=n))], 75),
    ("option value", lambda n: [buttons(menu(value=n))], 150),
    ("confirm title", lambda n: [buttons(button(confirm=asking(title=n)))], 100),
    ("confirm text", lambda n: [buttons(button(confirm=asking(text=n)))], 300),
    ("confirm button", lambda n: [buttons(button(confirm=asking(yes=n)))], 30),
    ("markdown", lambda n: [{"type": "markdown", "text": "x" * n}], 12_000),
]


@pytest.mark.parametrize(("make", "most"), [case[1:] for case in LIMITS], ids=[case[0] for case in LIMITS])
async def test_every_limit_holds_at_n_and_breaks_at_one_more(there: Scene, make: Any, most: int) -> None:
    """What Slack publishes (chat-platforms.md, 4.1) is accepted to the letter and refused one further."""
    await there.call("chat.postMessage", channel=there.gpu.id, text="t", blocks=make(most))
    said = await refused(there, "chat.postMessage", channel=there.gpu.id, text="t", blocks=make(most + 1))
    assert said == "invalid_blocks"
    assert len(there.gpu.messages) == 1


async def test_all_blocks_together_have_a_limit_of_their_own(there: Scene) -> None:
    """13,000 characters pass; one more is ``msg_blocks_too_long``, though each block is short enough."""
    four = [section(3000)] * 4
    await there.call("chat.postMessage", channel=there.gpu.id, text="t", blocks=[*four, section(1000)])
    said = await refused(
        there, "chat.postMessage", channel=there.gpu.id, text="t", blocks=[*four, section(1001)]
    )
    assert said == "msg_blocks_too_long"


BROKEN = [
    ("no text", {"type": "header"}),
    ("mrkdwn in a header", {"type": "header", "text": {"type": "mrkdwn", "text": "x"}}),
    ("empty text", {"type": "section", "text": plain(0)}),
    ("unknown kind", {"type": "carousel"}),
    ("unknown field", {"type": "divider", "colour": "red"}),
    ("unknown style", buttons(button(style="warning"))),
    ("two of one action_id", buttons(button(), button())),
    ("no element", {"type": "actions", "elements": []}),
    ("a text field among buttons", buttons({"type": "plain_text_input", "action_id": "t"})),
    ("picture without words", {"type": "image", "image_url": "https://example.com/a.png"}),
    ("picture that is not there", {"type": "image", "alt_text": "a", "slack_file": {"id": "F404"}}),
    ("choice that is not offered", buttons({**menu(), "initial_option": {"text": plain(1), "value": "?"}})),
]


@pytest.mark.parametrize("block", [case[1] for case in BROKEN], ids=[case[0] for case in BROKEN])
async def test_what_is_no_block_kit_is_refused(there: Scene, block: dict[str, Any]) -> None:
    """With Slack's word for it, and nothing is said."""
    said = await refused(there, "chat.postMessage", channel=there.gpu.id, text="t", blocks=[block])
    assert said == "invalid_blocks"
    assert there.gpu.messages == []


async def test_block_ids_are_unique_in_a_message(there: Scene) -> None:
    """The same id twice is refused; none at all is given one."""
    twice = [{"type": "divider", "block_id": "a"}] * 2
    assert (
        await refused(there, "chat.postMessage", channel=there.gpu.id, text="t", blocks=twice)
        == "invalid_blocks"
    )
    await there.call("chat.postMessage", channel=there.gpu.id, text="t", blocks=[{"type": "divider"}] * 2)
    assert len({block["block_id"] for block in there.gpu.messages[0].blocks}) == 2


async def test_who_cannot_post_is_told_why(there: Scene) -> None:
    """Channels that are not there, left, archived or without words to say."""
    town = there.town
    outside, old = town.channel("outside", bot=False), town.channel("old")
    hidden = town.channel("hidden", kind="private", bot=False)
    town.archive(old)
    post = "chat.postMessage"
    assert await refused(there, post, channel="C404", text="t") == "channel_not_found"
    assert await refused(there, post, channel=hidden.id, text="t") == "channel_not_found"
    assert await refused(there, post, channel=outside.id, text="t") == "not_in_channel"
    assert await refused(there, post, channel=old.id, text="t") == "is_archived"
    assert await refused(there, post, channel=there.gpu.id) == "no_text"
    assert await refused(there, post, channel=there.gpu.id, text="t", thread_ts="1.1") == "thread_not_found"
    assert await refused(there, "users.info", user="U404") == "user_not_found"
    assert await refused(there, "chat.everything") == "unknown_method"
    assert [call.error for call in there.slack.calls(post)] == [
        *("channel_not_found", "channel_not_found", "not_in_channel", "is_archived", "no_text"),
        "thread_not_found",
    ]


async def test_tokens_are_looked_at(there: Scene) -> None:
    """None, a wrong one, the other kind, one without the scope, one that was revoked."""
    with pytest.raises(SlackApiError, match="not_authed"):
        await AsyncWebClient(base_url=there.slack.api_url).auth_test()
    with pytest.raises(SlackApiError, match="invalid_auth"):
        await AsyncWebClient(token="xoxb-no", base_url=there.slack.api_url).auth_test()
    with pytest.raises(SlackApiError, match="not_allowed_token_type"):
        await there.client.apps_connections_open(app_token=there.town.bot_token)
    there.town.scopes = frozenset({"chat:write"})
    with pytest.raises(SlackApiError, match="missing_scope") as raised:
        await there.client.conversations_history(channel=there.gpu.id)
    assert raised.value.response["needed"] == "channels:history"
    there.town.revoke()
    with pytest.raises(SlackApiError, match="token_revoked"):
        await there.client.auth_test()


async def test_messages_are_changed_and_removed_by_their_author_only(there: Scene) -> None:
    """An update keeps the blocks it does not name; another's message stays as it is."""
    posted = await there.call("chat.postMessage", channel=there.gpu.id, text="a", blocks=[section(1)])
    await there.call("chat.update", channel=there.gpu.id, ts=posted["ts"], text="b")
    message = there.gpu.messages[0]
    assert (message.text, message.history, message.edited, len(message.blocks)) == ("b", ["a"], 1, 1)
    await there.call("chat.update", channel=there.gpu.id, ts=posted["ts"], text="c", blocks=[])
    assert message.blocks == []
    theirs = (await said_by_ann(there)).ts
    update = "chat.update"
    assert await refused(there, update, channel=there.gpu.id, ts=theirs, text="b") == "cant_update_message"
    assert await refused(there, update, channel=there.gpu.id, ts="1.1", text="b") == "message_not_found"
    assert (
        await refused(there, update, channel=there.gpu.id, ts=posted["ts"], text="x" * 4001) == "msg_too_long"
    )
    await there.call("chat.delete", channel=there.gpu.id, ts=posted["ts"])
    assert (
        await refused(there, update, channel=there.gpu.id, ts=posted["ts"], text="b") == "message_not_found"
    )


async def said_by_ann(there: Scene) -> Any:
    await there.slack.stage.say(there.ann, there.gpu, "hello")
    return there.gpu.messages[-1]


async def test_history_tells_what_was_said_with_its_key(there: Scene) -> None:
    """Newest first, page by page, metadata only when asked for; replies are in their thread."""
    key = {"event_type": "lastcall", "event_payload": {"key": "k1"}}
    first = await there.call("chat.postMessage", channel=there.gpu.id, text="1", metadata=key)
    await there.call("chat.postMessage", channel=there.gpu.id, text="1a", thread_ts=first["ts"])
    there.clock.advance(timedelta(seconds=1))
    await there.call("chat.postMessage", channel=there.gpu.id, text="2")
    page = await there.client.conversations_history(channel=there.gpu.id, limit=1, include_all_metadata=True)
    assert [one["text"] for one in page["messages"]] == ["2"]
    cursor = page["response_metadata"]["next_cursor"]
    rest = await there.client.conversations_history(
        channel=there.gpu.id, cursor=cursor, include_all_metadata=True
    )
    assert [(one["text"], one["metadata"]) for one in rest["messages"]] == [("1", key)]
    plain_page = await there.client.conversations_history(channel=there.gpu.id)
    assert all("metadata" not in one for one in plain_page["messages"])
    thread = await there.client.conversations_replies(channel=there.gpu.id, ts=first["ts"])
    assert [one["text"] for one in thread["messages"]] == ["1", "1a"]
    assert await refused(there, "conversations.replies", channel=there.gpu.id, ts="1.1") == "thread_not_found"


async def test_people_direct_messages_and_ephemerals(there: Scene) -> None:
    """A guest is known as one; a message to a user's id lands in their direct messages; outsiders see no ephemerals."""
    carl = there.town.person("carl", is_ultra_restricted=True)
    dora = there.town.person("dora", team="T2")
    assert (await there.client.users_info(user=carl.id))["user"]["is_ultra_restricted"] is True
    stranger = (await there.client.users_info(user=dora.id))["user"]
    assert (stranger["is_stranger"], stranger["team_id"]) == (True, "T2")
    opened = await there.client.conversations_open(users=there.ann.id)
    await there.call("chat.postMessage", channel=there.ann.id, text="hello")
    assert [one.text for one in there.town.places[opened["channel"]["id"]].shown] == ["hello"]
    await there.call("chat.postEphemeral", channel=there.gpu.id, user=there.ann.id, text="psst")
    assert [one.text for one in there.gpu.seen_by(there.ann)] == ["psst"]
    assert there.gpu.seen_by(there.bob) == []
    there_not = await refused(there, "chat.postEphemeral", channel=there.gpu.id, user=carl.id, text="t")
    assert there_not == "user_not_in_channel"
    there.town.deactivate(there.ann)
    with pytest.raises(SlackApiError, match="user_disabled"):
        await there.client.conversations_open(users=there.ann.id)


async def test_a_file_is_uploaded_in_three_steps_and_read_with_a_token(there: Scene) -> None:
    """The library's own v2 flow; who brings no token is shown a page to sign in at."""
    done = await there.client.files_upload_v2(
        channel=there.gpu.id, filename="loss.png", content=b"\x89PNG", title="Loss", initial_comment="curve"
    )
    message = there.gpu.messages[0]
    assert (message.text, message.files[0].data, message.files[0].title) == ("curve", b"\x89PNG", "Loss")
    url = done["file"]["url_private"]
    async with aiohttp.ClientSession() as session:
        async with session.get(url, headers={"Authorization": f"Bearer {there.town.bot_token}"}) as answer:
            assert await answer.read() == b"\x89PNG"
        async with session.get(url) as answer:
            assert (answer.status, answer.content_type) == (200, "text/html")
    picture = {"type": "image", "alt_text": "loss", "slack_file": {"id": done["file"]["id"]}}
    await there.call("chat.postMessage", channel=there.gpu.id, text="t", blocks=[picture])


async def test_an_upload_must_be_what_was_announced(there: Scene) -> None:
    """Another length is refused, and what was not sent cannot be completed."""
    told = await there.client.files_getUploadURLExternal(filename="a.zip", length=3)
    async with aiohttp.ClientSession() as session, session.post(told["upload_url"], data=b"12") as answer:
        assert answer.status == 400
    with pytest.raises(SlackApiError, match="file_not_found"):
        await there.client.files_completeUploadExternal(files=[{"id": told["file_id"], "title": "a"}])
