"""The fake itself, one server on loopback, and what people do before it."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from adapters.simulators.discord.faults import Faults
from adapters.simulators.discord.gateway import Gateway
from adapters.simulators.discord.rest import Rest
from adapters.simulators.discord.town import DM, DiscordTown, Json, Message, Place, User

_COMMAND, _CLICK, _TYPING, _MODAL = 2, 3, 4, 5
_IN_PLACE = 6
_ACK_S = 3.0


@dataclass(frozen=True, slots=True)
class Delivered:
    """How an interaction was answered first; ``took`` in seconds."""

    acked: bool
    took: float
    answer: Json
    sent: Json


class FakeDiscord:
    """``async with FakeDiscord(town) as discord``."""

    def __init__(self, town: DiscordTown, *, ack_s: float = _ACK_S) -> None:
        self.town = town
        self.faults = Faults()
        self.rest = Rest(town, self.faults)
        self._ack_s = ack_s
        self._runner: web.AppRunner | None = None
        self._port = 0
        self.gateway = Gateway(town, "")

    @property
    def api_url(self) -> str:
        """For ``DISCORD_API_URL``."""
        return f"http://127.0.0.1:{self._port}/api/v10"

    @property
    def gateway_url(self) -> str:
        """For ``DISCORD_GATEWAY_URL``."""
        return f"ws://127.0.0.1:{self._port}/gw"

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_route("GET", "/gw", self.gateway.handle)
        app.router.add_route("GET", "/gw/", self.gateway.handle)
        app.router.add_route("GET", "/files/{id}/{name}", self._file)
        app.router.add_route("*", "/api/v10/{tail:.*}", self.rest.handle)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]
        self.gateway.base = self.gateway_url
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    async def _file(self, request: web.Request) -> web.Response:
        for place in self.town.places.values():
            message = place.at(request.match_info["id"])
            for name, data in message.files if message else ():
                if name == request.match_info["name"]:
                    return web.Response(body=data)
        return web.Response(status=404)

    # --- what people do ----------------------------------------------------------------------

    async def command(
        self, user: User, place: Place, name: str, deliveries: int = 1, **options: str
    ) -> Delivered:
        """``/gpu name option: value``."""
        said = [{"name": key, "type": 3, "value": value} for key, value in options.items()]
        data = {"id": "1", "name": "gpu", "type": 1, "options": [{"name": name, "type": 1, "options": said}]}
        return await self._interact(_COMMAND, user, place, data, deliveries=deliveries)

    async def line(self, user: User, place: Place, text: str, deliveries: int = 1) -> Delivered:
        """``/gpu run text``."""
        return await self.command(user, place, "run", deliveries, text=text)

    async def typing(
        self, user: User, place: Place, name: str, option: str, typed: str, **said: str
    ) -> Delivered:
        """A half-typed option."""
        options: list[Json] = [{"name": key, "type": 3, "value": value} for key, value in said.items()]
        options.append({"name": option, "type": 3, "value": typed, "focused": True})
        data = {
            "id": "1",
            "name": "gpu",
            "type": 1,
            "options": [{"name": name, "type": 1, "options": options}],
        }
        return await self._interact(_TYPING, user, place, data)

    async def click(self, user: User, message: Message, label: str, deliveries: int = 1) -> Delivered:
        """Press a button that is there now."""
        button = message.button(label)
        data = {"custom_id": button["custom_id"], "component_type": 2}
        place = self.town.places[message.channel]
        return await self._interact(_CLICK, user, place, data, message=message, deliveries=deliveries)

    async def submit(self, user: User, place: Place, modal: Json, values: dict[str, str]) -> Delivered:
        """Send a modal off, with what is filled in and ``values`` over it."""
        rows = []
        for row in modal["components"]:
            one = row["components"][0]
            said = values.get(one["custom_id"], one.get("value") or "")
            rows.append(
                {"type": 1, "components": [{"type": 4, "custom_id": one["custom_id"], "value": said}]}
            )
        return await self._interact(
            _MODAL, user, place, {"custom_id": modal["custom_id"], "components": rows}
        )

    async def say(
        self, user: User, place: Place, text: str, *, files: list[tuple[str, bytes]] | None = None
    ) -> Message:
        """A message. Its content comes only where the bot may read it (chat-platforms.md, 3.6)."""
        message = self.town.put(place, user.id, {"content": text}, files=files or [])
        told = self.town.told(message)
        told["attachments"] = [
            {
                "id": f"{message.id}{n}",
                "filename": name,
                "size": len(data),
                "url": f"http://127.0.0.1:{self._port}/files/{message.id}/{name}",
                "proxy_url": "",
            }
            for n, (name, data) in enumerate(message.files)
        ]
        mentioned = f"<@{self.town.bot.id}>" in text
        told["mentions"] = [self.town.bot.json] if mentioned else []
        if not mentioned and place.kind != DM and not self.gateway.intents & (1 << 15):
            told["content"] = ""
        if place.guild:
            told["member"] = {key: value for key, value in self._member(user, place).items() if key != "user"}
        await self.gateway.tell("MESSAGE_CREATE", told)
        return message

    # --- inside ------------------------------------------------------------------------------

    def _member(self, user: User, place: Place) -> Json:
        return self.town.members.get((place.guild, user.id)) or {"user": user.json, "roles": [], "flags": 0}

    async def _interact(
        self,
        kind: int,
        user: User,
        place: Place,
        data: Json,
        *,
        message: Message | None = None,
        deliveries: int = 1,
    ) -> Delivered:
        number = self.town.number()
        asked: Json = {
            "token": f"token-of-{number}", "kind": kind, "answer": None, "late": False, "user": user.id,
            "place": place, "message": message, "original": None, "at": self.town.clock.now(),
            "edits": message.edited if message else 0,
        }  # fmt: skip
        self.rest.interactions[number] = asked
        who = (
            {"member": {**self._member(user, place), "permissions": "0"}}
            if place.guild
            else {"user": user.json}
        )
        sent: Json = {
            "id": number, "application_id": self.town.application, "type": kind, "token": asked["token"],
            "version": 1, "attachment_size_limit": 10_485_760, "channel_id": place.id, "data": data,
            "channel": {"id": place.id, "type": place.kind}, "entitlements": [],
            "authorizing_integration_owners": {}, **who,
            **({"guild_id": place.guild} if place.guild else {}),
            **({"message": self.town.told(message)} if message else {}),
        }  # fmt: skip
        began = time.perf_counter()
        for _ in range(deliveries):
            await self.gateway.tell("INTERACTION_CREATE", sent)
        try:
            await self.town.until(lambda: asked["answer"] is not None, self._ack_s)
        except TimeoutError:
            asked["late"] = True
            return Delivered(False, time.perf_counter() - began, {}, sent)
        return Delivered(True, time.perf_counter() - began, asked["answer"], sent)

    async def answered(self, delivered: Delivered, limit_s: float = 5.0) -> Message:
        """What the person reads in place of "thinking…"."""
        asked = self.rest.interactions[delivered.sent["id"]]

        def seen() -> Any:
            message, edits = asked["message"], asked["edits"]
            in_place = (asked["answer"] or {}).get("type") == _IN_PLACE and message.edited > edits
            return asked["original"] or (message if in_place else None)

        found: Message = await self.town.until(seen, limit_s)
        await asyncio.sleep(0)
        return found
