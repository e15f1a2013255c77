"""HTTP mode at its door: what is not Slack's is refused before anything reads it, and never with a 500."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import AsyncIterator

import aiohttp
import pytest

from adapters.chat.slack.web import MOST_BYTES, PATH
from bot.domain.money import ZERO
from tests.support.slack_story import SECRET, SlackStory, slack_story
from tests.support.towns import Found

BODY = b"command=%2Fgpu&text=help&user_id=UANN&channel_id=C1&trigger_id=1.2.x&team_id=T1"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
async def story(found: Found) -> AsyncIterator[SlackStory]:
    """A bot that listens for signed requests."""
    async with slack_story(await found(auto_confirm=ZERO), mode="http") as one:
        yield one


def signed(body: bytes, at: str = "", secret: str = SECRET) -> dict[str, str]:
    """Headers as Slack makes them."""
    at = at or str(int(time.time()))
    made = hmac.new(secret.encode(), f"v0:{at}:".encode() + body, hashlib.sha256).hexdigest()
    return {**FORM, "X-Slack-Request-Timestamp": at, "X-Slack-Signature": f"v0={made}"}


async def status(story: SlackStory, headers: dict[str, str], body: bytes = BODY) -> int:
    """What is answered."""
    assert story.front.web is not None
    url = f"http://127.0.0.1:{story.front.web.port}{PATH}"
    async with aiohttp.ClientSession() as session, session.post(url, data=body, headers=headers) as answer:
        assert "Traceback" not in await answer.text()
        return answer.status


async def test_what_slack_signed_is_heard(story: SlackStory):
    """So that the refusals below mean something."""
    assert await status(story, signed(BODY)) == 200


@pytest.mark.parametrize(
    "headers",
    [
        FORM,
        signed(BODY, secret="another"),
        signed(BODY + b"x"),
        signed(BODY, at="1000000000"),
        {**signed(BODY), "X-Slack-Request-Timestamp": "yesterday"},
        {**signed(BODY), "X-Slack-Request-Timestamp": "-1"},
        {**signed(BODY), "X-Slack-Signature": "v0=ümlaut"},
        {**signed(BODY), "X-Slack-Signature": ""},
    ],
    ids=["unsigned", "other secret", "other body", "old", "no number", "negative", "not ascii", "empty"],
)
async def test_what_slack_did_not_sign_is_refused(story: SlackStory, headers: dict[str, str]):
    """401, whatever the headers hold; nothing is rented, nothing answered."""
    assert await status(story, headers) == 401
    await story.quiet()
    assert not await story.town.life.store.rentals.open_ones()


async def test_what_is_too_large_is_not_read(story: SlackStory):
    """Whatever its signature."""
    body = b"x" * (MOST_BYTES + 1)
    assert await status(story, signed(body), body) == 413
