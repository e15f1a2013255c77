"""From tokens to a chat: who we are, whether Slack takes us, and the way in that was chosen."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import aiohttp
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from adapters.chat.slack.answers import Answers
from adapters.chat.slack.api import Api
from adapters.chat.slack.bolt import bolt_app
from adapters.chat.slack.chat import SlackChat
from adapters.chat.slack.files import Files
from adapters.chat.slack.hearing import Ear
from adapters.chat.slack.people import People
from adapters.chat.slack.socket import Socket
from adapters.chat.slack.web import PATH, web_app
from adapters.chatkit.work import Work
from adapters.web import Web
from bot.domain.errors import LastcallError, NeedsHuman, TryLater
from bot.domain.market import Finding, Mark
from bot.domain.vitals import Line
from bot.ports import Clock, Desk

log = logging.getLogger("lastcall.slack")

SCOPES = frozenset(
    {
        "app_mentions:read",
        "channels:history",
        "chat:write",
        "commands",
        "files:read",
        "files:write",
        "groups:history",
        "im:history",
        "im:write",
        "users:read",
    }
)
"""As ``deploy/slack-manifest.yaml`` asks for them."""
_KEEP_ALIVE_S = 300
_DEAF = timedelta(seconds=30)
"""A socket that was not seen alive for so long does not hear."""
_AGAIN_S = 60


@dataclass(frozen=True, slots=True)
class SlackLogin:
    """One workspace's app. ``mode`` is ``socket`` (needs ``app_token``) or ``http`` (needs ``signing_secret``)."""

    bot_token: str = field(repr=False)
    app_token: str = field(default="", repr=False)
    signing_secret: str = field(default="", repr=False)
    mode: str = "socket"
    url: str = "https://slack.com/api"
    host: str = "127.0.0.1"
    port: int = 8080
    allowed: frozenset[str] = frozenset()
    pace: float = 1.0
    """Shortens every wait of the connection, for tests."""


class Slack:
    """Holds the parts together; ``chat`` is what the bot is given."""

    def __init__(self, login: SlackLogin, clock: Clock) -> None:
        self._login = login
        client = AsyncWebClient(token=login.bot_token, base_url=login.url.rstrip("/") + "/")
        # By itself it repeats what was cut off, and would say it twice; whoever calls knows what may be repeated.
        client.retry_handlers = []
        self._clock = clock
        self._api = Api(client, clock)
        self._people = People(self._api, clock, login.allowed)
        self._files = Files(self._api, login.bot_token)
        self._answers = Answers(self._api, self._files)
        self.chat = SlackChat(self._api, self._files, self._answers, clock, self._listen)
        self._work: Work | None = None
        self._bound: socket.socket | None = None
        self.web: Web | None = None
        """The server of HTTP mode, while it listens."""
        self._socket: Socket | None = None

    async def settled(self) -> None:
        """Everything that was heard up to now is done and answered."""
        if self._work is not None:
            await self._work.idle()

    @property
    def line(self) -> Line:
        """How the way in is."""
        if self._login.mode != "socket":
            return Line(self.chat.ready and self.web is not None and bool(self.web.port))
        heard = self._socket.heard_at if self._socket is not None else 0.0
        silence = timedelta(seconds=time.monotonic() - heard) if heard else None
        return Line(self.chat.ready and silence is not None and silence < _DEAF, silence)

    async def _listen(self, desk: Desk) -> None:
        work = self._work = Work()
        ear = Ear(
            desk,
            api=self._api,
            people=self._people,
            answers=self._answers,
            files=self._files,
            clock=self._clock,
            work=work,
        )
        try:
            await self._introduced(ear)
            app = bolt_app(self._api.client, ear, work, signing_secret=self._login.signing_secret)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._way_in(app))
                group.create_task(self._stay(ear))
        finally:
            self.chat.ready = False
            await work.drain()

    def _way_in(self, app: AsyncApp) -> Coroutine[Any, Any, None]:
        login = self._login
        if login.mode == "socket":
            self._socket = Socket(app, login.app_token, prove=self._prove_way_in, pace=login.pace)
            return self._socket.run()
        assert self._bound is not None
        self.web = Web(web_app(app), self._bound)
        log.info("Slack may send to http://%s:%d%s", login.host, login.port, PATH)
        return self.web.run()

    async def _introduced(self, ear: Ear) -> None:
        """Until Slack takes the tokens. What only a person can mend is said once, in one sentence."""
        told = ""
        while True:
            try:
                await self._greet(ear)
                await self._prove_way_in()
            except LastcallError as error:
                said = str(error)
                if said != told:
                    log.warning("Slack is not connected: %s. The rest of Lastcall goes on.", said.rstrip("."))
                told = said
                await asyncio.sleep((_AGAIN_S if isinstance(error, NeedsHuman) else 5) * self._login.pace)
                continue
            self.chat.ready = True
            return

    async def check(self) -> tuple[Finding, ...]:
        """What ``lastcall check`` says of it: the token and its scopes, and the way in. Nothing listens by it."""
        try:
            me = await self._api.call("auth.test")
            await self._prove_way_in()
        except LastcallError as error:
            return (Finding("Slack", Mark.BAD, f"{str(error).rstrip('.')}.", "See docs/slack.md."),)
        finally:
            if self._bound is not None:
                self._bound.close()
        said = f"{me.get('user')} in {me.get('team')} ({me.get('team_id')}), {self._login.mode} mode."
        missing = sorted(SCOPES - self._api.scopes) if self._api.scopes else []
        if missing:
            return (
                Finding(
                    "Slack",
                    Mark.WARN,
                    f"{said} It lacks: {', '.join(missing)}.",
                    "Add them under OAuth & Permissions and install the app anew.",
                ),
            )
        return (Finding("Slack", Mark.GOOD, said),)

    async def _greet(self, ear: Ear) -> None:
        me = await self._api.call("auth.test")
        self._people.team, ear.bot = str(me["team_id"]), str(me["user_id"])
        log.info("Slack: %s in %s", me.get("user"), me.get("team"))

    async def _prove_way_in(self) -> None:
        """Bolt checks neither: with a bad app token it tries for ever, without a secret it answers 500."""
        login = self._login
        if login.mode == "http":
            if not login.signing_secret:
                raise NeedsHuman("SLACK_MODE=http needs SLACK_SIGNING_SECRET (Basic Information of the app)")
            self._bound = _listening(login.host, login.port)
            return
        if not login.app_token.startswith("xapp-"):
            raise NeedsHuman(
                "SLACK_APP_TOKEN is no app-level token; it begins with xapp- and has connections:write"
            )
        try:
            await self._api.client.apps_connections_open(app_token=login.app_token)
        except SlackApiError as error:
            word = str(error.response.get("error")) if isinstance(error.response.data, dict) else ""
            if word in ("invalid_auth", "not_authed", "token_revoked", "account_inactive", "missing_scope"):
                raise NeedsHuman(f"Slack does not take SLACK_APP_TOKEN ({word})") from None
            raise TryLater(f"Slack gives no socket ({word or error.response.status_code})") from None
        except (aiohttp.ClientError, SlackClientError, OSError, TimeoutError) as error:
            raise TryLater(f"Slack cannot be reached ({type(error).__name__})") from None

    async def _stay(self, ear: Ear) -> None:
        """Whether the token still holds, every few minutes: a revoked one must not swallow reminders."""
        while True:
            await asyncio.sleep((_KEEP_ALIVE_S if self.chat.ready else _AGAIN_S) * self._login.pace)
            try:
                await self._greet(ear)
            except NeedsHuman as error:
                if self.chat.ready:
                    log.warning("Slack has shut us out: %s. The rest of Lastcall goes on.", error)
                self.chat.ready = False
            except LastcallError as error:
                log.info("Slack: %s", error)
            else:
                self.chat.ready = True


def _listening(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or error
        raise NeedsHuman(f"LASTCALL_HTTP_PORT {port} of {host} cannot be listened on ({why})") from None
