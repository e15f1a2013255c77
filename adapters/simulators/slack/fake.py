"""The fake itself: one server on loopback that holds a town together with its API, sockets, faults and stage."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import TracebackType
from typing import Self

from aiohttp import web

from adapters.simulators.slack.api import allowed, answer, read_args
from adapters.simulators.slack.bell import Seen
from adapters.simulators.slack.faults import Fault, Faults
from adapters.simulators.slack.page import page
from adapters.simulators.slack.refusals import Limited, Refusal
from adapters.simulators.slack.respond import Responses
from adapters.simulators.slack.sockets import Sockets
from adapters.simulators.slack.stage import Stage
from adapters.simulators.slack.things import Call, Json, Place, User, View
from adapters.simulators.slack.town import SlackTown
from adapters.simulators.slack.webhook import Webhook
from bot.ports import Clock

ACK_LIMIT_S = 3.0
MOST_BYTES = 64 * 1024 * 1024
_LOGIN = "<!DOCTYPE html><html><title>Sign in | Slack</title><p>Sign in to your workspace</html>"


class FakeSlack:
    """``async with FakeSlack(town) as slack``: one port of 127.0.0.1, in the event loop of the app that is tried.

    ``wall`` dates signed requests in HTTP mode; Bolt checks them by the real time, so that is the clock to pass."""

    def __init__(
        self, town: SlackTown, *, wall: Clock | None = None, ack_limit_s: float = ACK_LIMIT_S, port: int = 0
    ) -> None:
        self.town = town
        self.faults = Faults()
        self.responses = Responses(town)
        self.sockets = Sockets(town, ack_limit_s)
        self.stage = Stage(town, self.responses, self.sockets)
        self._wall = wall or town.clock
        self._limit_s = ack_limit_s
        self._port = port
        self._runner: web.AppRunner | None = None

    @property
    def api_url(self) -> str:
        """For ``base_url``: with the trailing slash."""
        return f"{self.town.base_url}api/"

    def webhook(self, url: str, signing_secret: str) -> Webhook:
        """From now on everything is told by signed requests to ``url``."""
        hook = Webhook(url, signing_secret, self._wall, self._limit_s)
        self.stage.transport = hook
        return hook

    def calls(self, method: str = "") -> list[Call]:
        """Every call so far, or those of one method, refused and lost ones included."""
        return [call for call in self.town.calls if method in ("", call.method)]

    async def until(self, seen: Callable[[], Seen], limit_s: float = 5.0) -> Seen:
        """The first true value of ``seen``, looked at after each call and frame. Raises ``TimeoutError``."""
        return await self.town.bell.until(seen, limit_s)

    def page(
        self,
        what: Place | View | User,
        *,
        viewer: User | None = None,
        thread: str = "",
        dark: bool | None = None,
    ) -> str:
        """A page of HTML as ``viewer`` sees it: a channel or one of its threads, a modal, or a user's App Home."""
        return page(self.town, what, viewer=viewer, thread=thread, dark=dark)

    # -- the server

    async def __aenter__(self) -> Self:
        await self.come_back()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.go_dark()

    async def come_back(self) -> None:
        """Listen, on the same port as before."""
        app = web.Application(client_max_size=MOST_BYTES)
        app.router.add_route("*", "/{anything:.*}", self._route)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        self._port = self._runner.addresses[0][1]
        self.town.base_url = f"http://127.0.0.1:{self._port}/"

    async def go_dark(self) -> None:
        """Cut every socket and refuse every connection, until ``come_back``."""
        self.sockets.cut()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _route(self, request: web.BaseRequest) -> web.StreamResponse:
        part, _, rest = request.path.lstrip("/").partition("/")
        name = {"response": "response_url", "upload": "upload", "files-pri": "download", "link": "link"}.get(
            part, rest
        )
        fault = self.faults.take(name)
        if fault is not None and fault.how == "drop":
            self._note(name, {}, "", "drop")
            return self._cut(request)
        if fault is not None and fault.how == "status":
            await request.read()
            self._note(name, {}, "", f"http_{fault.number}")
            return web.Response(
                status=fault.number, text="<html>Service Unavailable</html>", content_type="text/html"
            )
        said = await self._part(part, request, name, fault)
        if fault is not None and fault.how == "lost":
            return self._cut(request)
        return said

    async def _part(
        self, part: str, request: web.BaseRequest, name: str, fault: Fault | None
    ) -> web.StreamResponse:
        if part == "link":
            return await self.sockets.handle(request)
        if part == "api":
            return await self._api(request, name, fault)
        if part == "response":
            return await self._response(request, fault)
        if part == "upload":
            return await self._upload(request)
        if part == "files-pri":
            return self._download(request)
        return web.Response(status=404)

    def _cut(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.transport is not None:
            request.transport.abort()
        raise ConnectionResetError

    def _note(self, name: str, args: Json, token: str, error: str = "") -> None:
        self.town.calls.append(Call(self.town.clock.now(), name, args, token, error))
        self.town.bell.ring()

    async def _api(self, request: web.BaseRequest, method: str, fault: Fault | None) -> web.StreamResponse:
        args: Json = {}
        token = ""
        try:
            args, token = await read_args(request)
            _met(fault)
            said = self._connection(token) if method == "apps.connections.open" else None
            said = said or answer(self.town, method, args, token)
        except Limited as limited:
            self._note(method, args, token, limited.error)
            wait = {"Retry-After": str(limited.retry_after)}
            return web.json_response(limited.body(), status=429, headers=wait)
        except Refusal as refused:
            self._note(method, args, token, refused.error)
            return web.json_response(refused.body())
        self._note(method, args, token, "lost" if fault is not None else "")
        return web.json_response(said)

    def _connection(self, token: str) -> Json:
        allowed(self.town, token, self.town.app_token)
        address = self.town.base_url.replace("http://", "ws://")
        return {"ok": True, "url": f"{address}{self.sockets.ticket()}"}

    async def _response(self, request: web.BaseRequest, fault: Fault | None) -> web.StreamResponse:
        args: Json = {}
        try:
            args = json.loads(await request.read())
            _met(fault)
            self.responses.take(request.path.rsplit("/", 1)[-1], args)
        except json.JSONDecodeError:
            return web.json_response({"ok": False, "error": "invalid_payload"}, status=400)
        except Limited as limited:
            self._note("response_url", args, "", limited.error)
            return web.Response(
                status=429, headers={"Retry-After": str(limited.retry_after)}, text="rate_limited"
            )
        except Refusal as refused:
            self._note("response_url", args, "", refused.error)
            gone = refused.error in ("expired_url", "used_url")
            return web.json_response(refused.body(), status=404 if gone else 400)
        self._note("response_url", args, "")
        return web.Response(text="ok")

    async def _upload(self, request: web.BaseRequest) -> web.StreamResponse:
        file = self.town.files.get(request.path.rsplit("/", 1)[-1])
        if file is None or file.data is not None:
            return web.Response(status=404, text="no such upload")
        data = await _bytes_of(request)
        if len(data) != file.size:
            return web.Response(status=400, text=f"announced {file.size} bytes, sent {len(data)}")
        file.data = data
        self._note("upload", {"file": file.id, "size": file.size}, "")
        return web.Response(text=f"OK - {len(data)}")

    def _download(self, request: web.BaseRequest) -> web.StreamResponse:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        file = self.town.files.get(request.path.split("/")[2])
        if file is None or file.data is None:
            return web.Response(status=404)
        good = token == self.town.bot_token and not self.town.revoked and "files:read" in self.town.scopes
        self._note("download", {"file": file.id}, token, "" if good else "login")
        if not good:  # what Slack shows to who is not signed in: a page, with 200
            return web.Response(text=_LOGIN, content_type="text/html")
        return web.Response(body=file.data, content_type=file.mimetype)


def _met(fault: Fault | None) -> None:
    if fault is not None and fault.how == "error":
        raise Refusal(fault.error, **fault.extra)
    if fault is not None and fault.how == "limited":
        raise Limited(fault.number)


async def _bytes_of(request: web.BaseRequest) -> bytes:
    if not request.content_type.startswith("multipart/"):
        return await request.read()
    reader = await request.multipart()
    part = await reader.next()
    return bytes(await part.read()) if part is not None and hasattr(part, "read") else b""
