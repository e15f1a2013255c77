"""A sample of the outages that ``python -m tests.bench.outages`` plays a thousand of."""

from __future__ import annotations

from bot.domain.money import ZERO
from tests.support.outages import outage
from tests.support.slack_story import slack_story
from tests.support.towns import Found


async def test_what_is_said_in_an_outage_is_said_once(found: Found):
    """Refused, dropped, limited, lost after they were said: each word is there once when Slack is back."""
    async with slack_story(await found(auto_confirm=ZERO)) as story:
        assert [wrong for seed in range(12) for wrong in await outage(story, seed)] == []
