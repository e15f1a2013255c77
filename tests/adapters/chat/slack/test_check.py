"""``lastcall check`` and Slack: what is wrong is said before anybody waits for an answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from adapters.chat.slack import Slack, SlackLogin
from adapters.chat.slack.opening import SCOPES
from adapters.clock import SystemClock
from adapters.simulators.clock import SimClock
from adapters.simulators.slack.fake import FakeSlack
from adapters.simulators.slack.town import SlackTown
from bot.domain.market import Finding, Mark

MANIFEST = Path(__file__).parents[4] / "deploy" / "slack-manifest.yaml"


@pytest.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    """A workspace."""
    async with FakeSlack(SlackTown(SimClock(datetime(2026, 3, 2, tzinfo=UTC))), wall=SystemClock()) as one:
        yield one


async def found(slack: FakeSlack, **login: Any) -> Finding:
    """The one line about Slack."""
    usual = {"bot_token": slack.town.bot_token, "app_token": slack.town.app_token, "url": slack.api_url}
    [finding] = await Slack(SlackLogin(**{**usual, **login}), SystemClock()).check()
    return finding


async def test_good_tokens_name_bot_and_workspace(slack: FakeSlack):
    """So that nobody watches the wrong one."""
    finding = await found(slack)
    assert finding.mark is Mark.GOOD and slack.town.team in finding.sentence


@pytest.mark.parametrize(
    ("login", "said"),
    [
        ({"bot_token": "xoxb-other"}, "invalid_auth"),
        ({"app_token": "xapp-other"}, "SLACK_APP_TOKEN"),
        ({"app_token": "xoxb-swapped"}, "xapp-"),
        ({"mode": "http"}, "SLACK_SIGNING_SECRET"),
        ({"url": "http://127.0.0.1:9/api"}, "cannot be reached"),
    ],
)
async def test_a_bad_one_says_which_and_is_not_repeated(slack: FakeSlack, login: dict[str, str], said: str):
    """One sentence; a token is a secret."""
    finding = await found(slack, **login)
    assert finding.mark is Mark.BAD and said in finding.sentence
    assert not any(value in finding.sentence for value in login.values() if value.startswith("xo"))


def test_the_manifest_asks_for_the_scopes_that_are_used():
    """No more, and none is forgotten."""
    asked = yaml.safe_load(MANIFEST.read_text(encoding="utf-8"))
    assert set(asked["oauth_config"]["scopes"]["bot"]) == SCOPES
    assert asked["features"]["slash_commands"][0]["command"] == "/gpu"


def test_the_manifest_lets_people_arrive_as_ids():
    """Unescaped, ``@bob`` in a slash command is a name that anybody can take."""
    asked = yaml.safe_load(MANIFEST.read_text(encoding="utf-8"))
    assert [one["should_escape"] for one in asked["features"]["slash_commands"]] == [True]
