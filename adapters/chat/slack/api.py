"""Slack's Web API: errors named for what the caller does next, and no call while Slack wants to be left alone.

A token stands in a header only; what Slack answers is never logged as a whole, because answers have tokens in them.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.errors import NeedsHuman, PlaceLost, Refused, TryLater
from bot.ports import Clock

CALL_S = 15
"""Seconds that a call may take; below what a delivery gives a message."""
_MOST_WAIT = timedelta(minutes=10)
_LOST = {
    "account_inactive_user": "the person is gone",
    "cannot_dm_bot": "that is a bot",
    "channel_not_found": "there is no such channel, or the bot is not in it",
    "is_archived": "the channel is archived",
    "not_in_channel": "the bot is not in the channel (type: /invite @lastcall)",
    "restricted_action": "the channel does not let the bot post",
    "restricted_action_read_only_channel": "the channel does not let the bot post",
    "user_disabled": "the person is deactivated",
    "user_not_found": "there is no such person",
    "users_not_found": "there is no such person",
    "user_not_in_channel": "the person is not in the channel",
    "user_not_visible": "the person cannot be seen",
}
"""Errors of a place, as Slack's documentation of ``chat.postMessage`` and ``conversations.open`` names them."""
_TOKEN = frozenset(
    {
        "account_inactive",
        "invalid_auth",
        "missing_scope",
        "not_allowed_token_type",
        "not_authed",
        "org_login_required",
        "team_access_not_granted",
        "token_expired",
        "token_revoked",
    }
)
_PASSING = frozenset(
    {
        "fatal_error",
        "internal_error",
        "ratelimited",
        "request_timeout",
        "service_unavailable",
        "team_added_to_org",
    }
)


class SlackRefused(Refused):
    """Slack answered with ``error``, its own word, and repeating does not help."""

    def __init__(self, error: str) -> None:
        super().__init__(f"Slack refuses it: {error}.")
        self.error = error


class Api:
    """One workspace, by its bot token."""

    def __init__(self, client: AsyncWebClient, clock: Clock) -> None:
        self.client = client
        self._clock = clock
        self._closed_until: dict[str, datetime] = {}
        self.scopes: frozenset[str] = frozenset()
        """What the token may, as Slack's last answer told; empty when it did not."""

    async def call(self, method: str, /, **words: Any) -> Mapping[str, Any]:
        """Ask once. Raises ``TryLater`` (nothing is known to be done), ``PlaceLost``, ``NeedsHuman`` (the token),
        ``SlackRefused``."""
        place = f"{method} {words.get('channel', '')}"
        now = self._clock.now()
        if (until := self._closed_until.get(place)) is not None:
            if now < until:
                raise TryLater(f"Slack wants {method} to wait", after=until - now)
            del self._closed_until[place]
        try:
            async with asyncio.timeout(CALL_S):
                answer = await self.client.api_call(method, **_body(method, words))
        except SlackApiError as error:
            raise self._meant(place, error) from None
        except (aiohttp.ClientError, SlackClientError, OSError, TimeoutError, ValueError) as error:
            raise TryLater(f"Slack cannot be reached ({type(error).__name__})") from None
        granted = answer.headers.get("x-oauth-scopes") or answer.headers.get("X-OAuth-Scopes") or ""
        self.scopes = frozenset(one.strip() for one in granted.split(",") if one.strip()) or self.scopes
        return dict(answer.data) if isinstance(answer.data, dict) else {}

    def _meant(self, place: str, error: SlackApiError) -> Exception:
        answer = error.response
        word = str(answer.get("error", "")) if isinstance(answer.data, dict) else ""
        status = answer.status_code
        if status == 429 or word == "ratelimited":
            after = _seconds(answer.headers)
            self._closed_until[place] = self._clock.now() + after
            return TryLater("Slack asks for fewer calls", after=after)
        if word in _TOKEN:
            needed = f" (it lacks {answer.get('needed')})" if word == "missing_scope" else ""
            return NeedsHuman(f"Slack does not take the bot's token: {word}{needed}")
        if word in _LOST:
            return PlaceLost(f"Slack: {_LOST[word]}.")
        if not word or status >= 500 or word in _PASSING:
            return TryLater(f"Slack has trouble ({word or status})")
        return SlackRefused(word)


def _body(method: str, words: Mapping[str, Any]) -> dict[str, Any]:
    """Slack reads JSON where something is written, and forms everywhere (api.slack.com/web#basics)."""
    said = {name: value for name, value in words.items() if value is not None}
    if method.startswith(("chat.", "views.")):
        return {"json": said}
    return {
        "data": {name: value if isinstance(value, str) else json.dumps(value) for name, value in said.items()}
    }


def _seconds(headers: Mapping[str, str]) -> timedelta:
    """``Retry-After`` in whole seconds (chat-platforms.md, 2.2); a minute where it cannot be read."""
    said = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    return min(timedelta(seconds=int(said)), _MOST_WAIT) if said.isdecimal() else timedelta(minutes=1)
