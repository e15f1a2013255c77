"""What people do in the fake Slack: clicks, modals, the App Home, files, signed requests; and its faults."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError

from adapters.simulators.slack.things import Json
from tests.support.fake_slack import SECRET, Scene, over_http, over_socket, scene


@pytest.fixture
async def there() -> AsyncIterator[Scene]:
    async with scene() as found:
        yield found


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def modal(title: str = "Rent", **more: Any) -> Json:
    hours = {"type": "plain_text_input", "action_id": "hours", "max_length": 4}
    blocks = [{"type": "input", "block_id": "hours", "label": plain("Hours"), "element": hours}]
    base = {"type": "modal", "callback_id": "rent", "title": plain(title), "submit": plain("Rent")}
    return {**base, "blocks": blocks, **more}


STOP = {"type": "button", "action_id": "stop", "text": plain("Stop"), "value": "rental-1"}
CARD = [{"type": "actions", "block_id": "acts", "elements": [STOP]}]
HOME = {"type": "home", "blocks": CARD}


def app_of(there: Scene, **more: Any) -> AsyncApp:
    """``/gpu form`` opens a modal, whose submission is answered by what was typed; clicks are counted."""
    app = AsyncApp(client=there.client, **more)
    app.clicks = []  # type: ignore[attr-defined] - for the tests to look at

    @app.command("/gpu")
    async def command(ack: Any, body: Json, client: Any) -> None:
        await ack("hello")
        if body["text"] == "form":
            await client.views_open(trigger_id=body["trigger_id"], view=modal())

    @app.view("rent")
    async def submitted(ack: Any, view: Json) -> None:
        match view["state"]["values"]["hours"]["hours"]["value"]:
            case "none":
                await ack(response_action="errors", errors={"hours": "Not a number."})
            case "more":
                await ack(response_action="push", view=modal("More"))
            case "next":
                await ack(response_action="update", view=modal("Next"))
            case "bad":
                await ack(response_action="errors", errors={"elsewhere": "Not there."})
            case _:
                await ack()

    @app.action("stop")
    async def stop(ack: Any, body: Json, action: Json) -> None:
        await ack()
        app.clicks.append((action["value"], body.get("response_url"), "message" in body))  # type: ignore[attr-defined]

    @app.event("app_home_opened")
    async def home(event: Json, client: Any) -> None:
        await client.views_publish(user_id=event["user"], view=HOME)

    @app.event("message")
    async def message() -> None:
        pass

    return app


async def opened(there: Scene) -> None:
    await there.slack.stage.say_command(there.ann, there.gpu, "form")
    await there.slack.until(lambda: there.town.modal(there.ann))


async def test_a_modal_is_filled_in_and_answered(there: Scene) -> None:
    """Errors stay at the field, a push lies on top, an update replaces, nothing closes."""
    stage, town = there.slack.stage, there.town
    async with over_socket(there, app_of(there)):
        await opened(there)
        view = town.modal(there.ann)
        assert view is not None
        await stage.submit(there.ann, {"hours": "none"})
        assert view.errors == {"hours": "Not a number."}
        await stage.submit(there.ann, {"hours": "more"})
        assert [one.body["title"]["text"] for one in town.stack(there.ann.id)] == ["Rent", "More"]
        await stage.submit(there.ann, {"hours": "next"})
        top = town.modal(there.ann)
        assert top is not None
        assert (top.body["title"]["text"], top.values["hours"]["hours"]["value"]) == ("Next", "next")
        await stage.submit(there.ann, {"hours": "5"})
        await stage.submit(there.ann, {"hours": "bad"})
        assert town.modal(there.ann) is view
        assert len(town.complaints) == 1
        await stage.submit(there.ann, {"hours": "5"})
    assert town.modal(there.ann) is None


async def test_what_slack_would_not_send_cannot_be_sent(there: Scene) -> None:
    """An empty input, a text that is too long, a field or a button that is not there."""
    stage = there.slack.stage
    async with over_socket(there, app_of(there)):
        await opened(there)
        with pytest.raises(ValueError, match="empty"):
            await stage.submit(there.ann)
        with pytest.raises(ValueError, match="no more than 4"):
            await stage.submit(there.ann, {"hours": "12345"})
        with pytest.raises(LookupError):
            await stage.submit(there.ann, {"days": "1"})
        with pytest.raises(LookupError):
            await stage.submit(there.bob, {"hours": "1"})
        await there.call("chat.postMessage", channel=there.gpu.id, text="card", blocks=CARD)
        with pytest.raises(LookupError):
            await stage.click(there.ann, there.gpu.messages[0], "start")
        there.gpu.messages[0].deleted = True
        with pytest.raises(LookupError):
            await stage.click(there.ann, there.gpu.messages[0], "stop")


async def test_clicks_come_from_messages_ephemerals_and_the_home(there: Scene) -> None:
    """Only the first brings its message; the App Home brings no ``response_url``."""
    app, stage = app_of(there), there.slack.stage
    async with over_socket(there, app):
        await there.call("chat.postMessage", channel=there.gpu.id, text="card", blocks=CARD)
        await there.call(
            "chat.postEphemeral", channel=there.gpu.id, user=there.ann.id, text="card", blocks=CARD
        )
        card, private = there.gpu.messages[0], there.gpu.ephemerals[0]
        assert (await stage.click(there.bob, card, card.button("Stop"))).acked
        assert (await stage.click(there.ann, private, "stop")).acked
        with pytest.raises(LookupError):
            await stage.click(there.bob, private, "stop")
        await stage.open_home(there.ann)
        home = await there.slack.until(lambda: there.town.home(there.ann))
        assert home is not None
        assert (await stage.click(there.ann, home, "stop")).acked
    values, urls, messages = zip(*app.clicks, strict=True)  # type: ignore[attr-defined]
    assert set(values) == {"rental-1"}
    assert [url is not None for url in urls] == [True, True, False]
    assert messages == (True, False, False)


async def test_a_view_that_changed_meanwhile_is_not_overwritten(there: Scene) -> None:
    """``hash_conflict`` with an old hash, in the App Home and in a modal; what was closed is ``not_found``."""
    first = await there.client.views_publish(user_id=there.ann.id, view=HOME)
    await there.client.views_publish(user_id=there.ann.id, view=HOME, hash=first["view"]["hash"])
    with pytest.raises(SlackApiError, match="hash_conflict"):
        await there.client.views_publish(user_id=there.ann.id, view=HOME, hash=first["view"]["hash"])
    async with over_socket(there, app_of(there)):
        await opened(there)
        view = there.town.modal(there.ann)
        assert view is not None
        await there.client.views_update(view_id=view.id, view=modal("New"), hash=view.hash)
        with pytest.raises(SlackApiError, match="hash_conflict"):
            await there.client.views_update(view_id=view.id, view=modal("Old"), hash="old")
        await there.slack.stage.close(there.ann)
        with pytest.raises(SlackApiError, match="not_found"):
            await there.client.views_update(view_id=view.id, view=modal())


VIEWS = [
    ("title", lambda n: modal("t" * n), 24),
    ("submit", lambda n: modal(submit=plain("s" * n)), 24),
    ("private_metadata", lambda n: modal(private_metadata="m" * n), 3000),
    ("callback_id", lambda n: modal(callback_id="c" * n), 255),
    ("blocks", lambda n: modal(blocks=[{"type": "divider"}] * n), 100),
]


@pytest.mark.parametrize(("make", "most"), [case[1:] for case in VIEWS], ids=[case[0] for case in VIEWS])
async def test_a_views_limits_hold_at_n_and_break_at_one_more(there: Scene, make: Any, most: int) -> None:
    """Refused as ``invalid_arguments``, without the trigger being spent."""
    trigger = there.town.trigger(there.ann)
    with pytest.raises(SlackApiError, match="invalid_arguments"):
        await there.client.views_open(trigger_id=trigger, view=make(most + 1))
    await there.client.views_open(trigger_id=trigger, view=make(most))


async def test_http_mode_is_signed_and_can_be_forged_and_replayed(there: Scene) -> None:
    """Commands, clicks and events by POST; a replay is taken by Bolt, a changed byte and an old date are not."""
    app = app_of(there, signing_secret=SECRET)
    async with over_http(there, app) as hook:
        told = await there.slack.stage.say_command(there.ann, there.gpu)
        assert (told.acked, told.status, told.text) == (True, 200, "hello")
        assert told.wire is not None
        assert (await hook.replay(told)).status == 200
        body, headers = told.wire
        assert (await hook.raw(body + b"x", headers))[0] == 401
        assert (await hook.raw(body, {"Content-Type": headers["Content-Type"]}))[0] == 401
        assert (await hook.raw(body, headers | hook.signed(body, secret="other")))[0] == 401
        assert (await hook.raw(body, headers | hook.signed(body, at=1_000_000_000)))[0] == 401
        await there.call("chat.postMessage", channel=there.gpu.id, text="card", blocks=CARD)
        assert (await there.slack.stage.click(there.ann, there.gpu.messages[-1], "stop")).acked
        assert (await there.slack.stage.dm(there.ann, "status")).status == 200
        assert (await there.slack.stage.say_command(there.ann, there.gpu, command="/other")).why == "http_404"


async def test_files_edits_and_removals_come_as_events(there: Scene) -> None:
    """With the subtypes of the real ones."""
    stage, told = there.slack.stage, []
    async with over_socket(there, app_of(there)):
        told.append(await stage.share_file(there.ann, there.gpu, "data.zip", b"PK", "train"))
        told.append(await stage.edit(there.gpu.messages[0], "train it"))
        told.append(await stage.delete(there.gpu.messages[0]))
    assert [one.acked for one in told] == [True] * 3
    shared, edited, removed = (one.sent.payload["event"] for one in told)
    assert (shared["subtype"], shared["files"][0]["name"]) == ("file_share", "data.zip")
    assert (edited["subtype"], edited["message"]["text"]) == ("message_changed", "train it")
    assert (removed["subtype"], removed["previous_message"]["text"]) == ("message_deleted", "train it")


async def test_faults_are_met_in_order_and_end(there: Scene) -> None:
    """An error, a limit, a broken page, a cut before and a cut after: only the last one was said."""
    post = {"channel": there.gpu.id, "text": "t"}
    faults = there.slack.faults
    faults.fail("chat.postMessage", "fatal_error")
    faults.rate_limit("chat.postMessage", 7)
    faults.http_error("chat.postMessage", 503)
    faults.drop("chat.postMessage")
    faults.lose_answer("chat.postMessage")
    with pytest.raises(SlackApiError, match="fatal_error"):
        await there.client.chat_postMessage(**post)
    with pytest.raises(SlackApiError) as limited:
        await there.client.chat_postMessage(**post)
    assert (limited.value.response.status_code, limited.value.response.headers["Retry-After"]) == (429, "7")
    with pytest.raises(SlackApiError):
        await there.client.chat_postMessage(**post)
    there.client.retry_handlers.clear()
    for said in (0, 1):
        with pytest.raises(aiohttp.ClientError):
            await there.client.chat_postMessage(**post)
        assert len(there.gpu.messages) == said
    await there.client.chat_postMessage(**post)
    faults.outage()
    for _ in range(3):
        with pytest.raises(SlackApiError):
            await there.client.auth_test()
    faults.recover()
    await there.client.auth_test()


async def test_a_page_shows_what_a_person_sees(there: Scene) -> None:
    """Markup as markup, foreign HTML as text, others' ephemerals not at all."""
    town = there.town
    card = [
        {"type": "section", "text": {"type": "mrkdwn", "text": "*bold* `a*b*c` <@UANN> &lt;script&gt;"}},
        *CARD,
    ]
    await there.call("chat.postMessage", channel=there.gpu.id, text="card", blocks=card)
    await there.call("chat.postEphemeral", channel=there.gpu.id, user=there.bob.id, text="psst")
    shown = there.slack.page(there.gpu, viewer=there.ann)
    assert "<b>bold</b> <code>a*b*c</code> <span class=mention>@ann</span> &lt;script&gt;" in shown
    assert "<button class=plain>Stop</button>" in shown
    assert "psst" not in shown
    assert "psst" in there.slack.page(there.gpu, viewer=there.bob)
    await there.client.views_open(trigger_id=town.trigger(there.ann), view=modal())
    view = town.modal(there.ann)
    assert view is not None
    view.errors = {"hours": "Not <a> number."}
    assert "Not &lt;a&gt; number." in there.slack.page(view)
