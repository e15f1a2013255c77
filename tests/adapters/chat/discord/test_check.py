"""``lastcall check`` and Discord: what is wrong is said before anybody waits for an answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from adapters.chat.discord import Discord, DiscordLogin
from adapters.simulators.clock import SimClock
from adapters.simulators.discord.fake import FakeDiscord
from adapters.simulators.discord.town import DiscordTown
from bot.domain.market import Finding, Mark


@pytest.fixture
async def discord() -> AsyncIterator[FakeDiscord]:
    """A server."""
    async with FakeDiscord(DiscordTown(SimClock(datetime(2026, 3, 2, tzinfo=UTC)))) as one:
        yield one


async def found(discord: FakeDiscord, **login: Any) -> Finding:
    """The one line about Discord."""
    usual = {"token": discord.town.token, "url": discord.api_url, "gateway": discord.gateway_url}
    [finding] = await Discord(DiscordLogin(**{**usual, **login}), discord.town.clock).check()
    return finding


async def test_a_good_token_names_the_bot_and_its_invite(discord: FakeDiscord):
    """With the least permissions, and no "Mention everyone"."""
    finding = await found(discord, servers=(discord.town.guild("Acme"),))
    assert finding.mark is Mark.GOOD and f"client_id={discord.town.application}" in finding.sentence
    permissions = int(finding.sentence.rpartition("permissions=")[2])
    assert not permissions & (1 << 17 | 1 << 3)


@pytest.mark.parametrize(
    ("login", "said"),
    [
        ({"token": "MTIz.another.one"}, "DISCORD_BOT_TOKEN"),
        ({"url": "http://127.0.0.1:9/api/v10"}, "cannot be reached"),
    ],
)
async def test_a_bad_one_says_which_and_is_not_repeated(
    discord: FakeDiscord, login: dict[str, str], said: str
):
    """One sentence; a token is a secret."""
    finding = await found(discord, **login)
    assert finding.mark is Mark.BAD and said in finding.sentence and "MTIz" not in finding.sentence


async def test_a_server_that_it_is_not_in_is_named(discord: FakeDiscord):
    """Before anybody wonders why /gpu is not there."""
    finding = await found(discord, servers=("123456789",))
    assert finding.mark is Mark.WARN and "not in: 123456789" in finding.sentence


async def test_a_public_bot_without_listed_servers_is_a_warning(discord: FakeDiscord):
    """Whoever invites it would rent with our keys."""
    discord.town.public = True
    finding = await found(discord)
    assert finding.mark is Mark.WARN and "Anybody may invite" in finding.sentence
