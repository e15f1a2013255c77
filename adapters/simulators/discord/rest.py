"""The REST API of the fake: strict about tokens, limits and content types, with Discord's own codes."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from aiohttp import web

from adapters.simulators.discord.faults import Faults
from adapters.simulators.discord.limits import choice_faults, command_faults, message_faults, modal_faults
from adapters.simulators.discord.town import DM, ONLY_YOU, THREAD, DiscordTown, Json, Message, Place

_LIVES = timedelta(minutes=15)


class Refusal(Exception):
    """An answer with one of Discord's codes."""

    def __init__(self, status: int, code: int, said: str) -> None:
        super().__init__(said)
        self.status, self.code, self.said = status, code, said


def answer(said: Any, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """JSON with the very content type that discord.py insists on (chat-platforms.md, 3.2)."""
    body = json.dumps(said).encode()
    return web.Response(
        body=body, status=status, headers={"Content-Type": "application/json", **(headers or {})}
    )


class Rest:
    """Routes over a town. ``interactions``: id to what it was and what it was answered."""

    def __init__(self, town: DiscordTown, faults: Faults) -> None:
        self._town = town
        self.faults = faults
        self.calls: list[tuple[str, str, Any]] = []
        self.interactions: dict[str, Json] = {}
        self._nonces: dict[tuple[str, str], Message] = {}

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Any call below ``/api/v10``."""
        path = request.path.removeprefix("/api/v10")
        body, files = await _read(request)
        self.calls.append((request.method, path, body))
        fault = self.faults.take(request.method, path)
        if fault is not None and (refused := fault.before(request)) is not None:
            return refused
        try:
            if not path.startswith(("/interactions/", "/webhooks/")):
                self._authorized(request)
            said = self._do(request, [part for part in path.split("/") if part], body or {}, files)
        except Refusal as error:
            if error.status == 400:
                self._town.complaints.append(f"{request.method} {path}: {error.said}")
            said_no = {"code": error.code, "message": error.said}
            return answer(said_no, error.status)
        finally:
            self._town.ring()
        if fault is not None and fault.loses and request.transport is not None:
            request.transport.close()
        return answer(said) if said is not None else web.Response(status=204)

    def _authorized(self, request: web.Request) -> None:
        if request.headers.get("Authorization") != f"Bot {self._town.token}":
            raise Refusal(401, 0, "401: Unauthorized")

    def _do(self, request: web.Request, path: list[str], body: Any, files: list[tuple[str, bytes]]) -> Any:
        match request.method, path:
            case "GET", ["users", "@me"]:
                return self._town.bot.json
            case "GET", ["oauth2", "applications", "@me"]:
                return self._application()
            case "POST", ["users", "@me", "channels"]:
                return self._direct(str(body["recipient_id"]))
            case _, ["applications", _, *where]:
                return self._commands(request.method, "/".join(where), body)
            case "GET", ["guilds", guild] if guild in self._town.guilds:
                return self._town.guilds[guild]
            case "GET", ["guilds", guild, "members", user] if (guild, user) in self._town.members:
                return self._town.members[guild, user]
            case "GET", ["guilds", _, "members", _]:
                raise Refusal(404, 10007, "Unknown Member")
            case "GET", ["guilds", _]:
                raise Refusal(404, 10004, "Unknown Guild")
            case "POST", ["interactions", number, token, "callback"]:
                return self._callback(number, token, body)
            case _, ["webhooks", _, token, "messages", "@original"]:
                return self._original(request.method, token, body, files)
            case _, ["channels", id, *rest]:
                return self._channel(request, self._seen(id), rest, body, files)
        raise Refusal(404, 0, f"404: Not Found {request.method} {request.path}")

    # --- who and what ------------------------------------------------------------------------

    def _application(self) -> Json:
        town = self._town
        return {
            "id": town.application, "name": "lastcall", "icon": None, "description": "", "bot_public": town.public,
            "bot_require_code_grant": False, "verify_key": "00", "owner": town.bot.json, "flags": 0,
        }  # fmt: skip

    def _direct(self, user: str) -> Json:
        if user not in self._town.users:
            raise Refusal(400, 50033, "Invalid Recipient(s)")
        place = self._town.dm(self._town.users[user])
        return {"id": place.id, "type": DM, "recipients": [self._town.users[user].json]}

    def _commands(self, method: str, where: str, body: Any) -> Any:
        if method == "GET":
            return self._town.commands.get(where, [])
        faults = [fault for one in body for fault in command_faults(one)]
        if faults:
            raise Refusal(400, 50035, "; ".join(faults))
        self._town.syncs += 1
        made = [{**one, "id": self._town.number(), "application_id": self._town.application} for one in body]
        self._town.commands[where] = made
        return made

    # --- interactions ------------------------------------------------------------------------

    def _callback(self, number: str, token: str, body: Json) -> Any:
        asked = self.interactions.get(number)
        if asked is None or asked["token"] != token or asked["late"]:
            raise Refusal(404, 10062, "Unknown interaction")
        if asked["answer"] is not None:
            raise Refusal(400, 40060, "Interaction has already been acknowledged.")
        data, kind = body.get("data") or {}, body["type"]
        faults = {4: message_faults, 9: modal_faults}.get(kind)
        found = list(faults(data)) if faults else []
        if kind == 8:
            found = list(choice_faults(data.get("choices") or []))
        if kind in (4, 5, 6, 7, 9) and asked["kind"] == 4:
            found.append("suggestions are answered with choices")
        if found:
            raise Refusal(400, 50035, "; ".join(found))
        asked["answer"] = body
        if kind == 4:
            self._said(asked, data)
        return {"interaction": {"id": number, "type": asked["kind"], "response_message_ephemeral": True}}

    def _original(self, method: str, token: str, body: Json, files: list[tuple[str, bytes]]) -> Any:
        asked = next((one for one in self.interactions.values() if one["token"] == token), None)
        if asked is None or self._town.clock.now() - asked["at"] > _LIVES:
            raise Refusal(401, 50027, "Invalid Webhook Token")
        if asked["answer"] is None or method != "PATCH":
            raise Refusal(404, 10015, "Unknown Webhook")
        self._fits(body, files)
        if asked["answer"]["type"] == 6 and asked["message"]:
            message: Message = asked["message"]
            self._write(message, body, files)
        elif asked["original"] is not None:
            message = asked["original"]
            self._write(message, body, files)
        else:
            message = self._said(asked, body)
            message.files = files
        return self._town.told(message)

    def _said(self, asked: Json, data: Json) -> Message:
        flags = int((asked["answer"].get("data") or {}).get("flags") or data.get("flags") or 0)
        place: Place = asked["place"]
        only = asked["user"] if flags & ONLY_YOU else ""
        asked["original"] = self._town.put(
            place, self._town.bot.id, data, only_for=only, token=asked["token"]
        )
        return asked["original"]  # type: ignore[no-any-return]

    # --- channels ----------------------------------------------------------------------------

    def _seen(self, id: str) -> Place:
        place = self._town.places.get(id)
        if place is None or place.gone:
            raise Refusal(404, 10003, "Unknown Channel")
        if place.shut:
            raise Refusal(403, 50001, "Missing Access")
        return place

    def _channel(
        self, request: web.Request, place: Place, path: list[str], body: Any, files: list[tuple[str, bytes]]
    ) -> Any:
        match request.method, path:
            case "GET", []:
                return {
                    "id": place.id,
                    "type": place.kind,
                    "name": place.name,
                    "parent_id": place.parent or None,
                }
            case "POST", ["messages"]:
                return self._post(place, body, files)
            case "GET", ["messages"]:
                some = place.shown[-int(request.query.get("limit", 50)) :]
                return [self._town.told(one) for one in reversed(some)]
            case "POST", ["messages", id, "threads"]:
                return self._thread(place, id, body)
            case method, ["messages", id]:
                message = place.at(id)
                if message is None or message.only_for:
                    raise Refusal(404, 10008, "Unknown Message")
                if method == "PATCH":
                    if message.author != self._town.bot.id:
                        raise Refusal(403, 50005, "Cannot edit a message authored by another user")
                    self._fits(body, files)
                    self._write(message, body, files)
                return self._town.told(message)
        raise Refusal(404, 0, "404: Not Found")

    def _post(self, place: Place, body: Json, files: list[tuple[str, bytes]]) -> Json:
        user = self._town.users.get(place.name) if place.kind == DM else None
        if user is not None and user.closed:
            raise Refusal(403, 50007, "Cannot send messages to this user")
        self._fits(body, files)
        nonce = (place.id, str(body.get("nonce")))
        if body.get("enforce_nonce") and nonce in self._nonces:
            return self._town.told(self._nonces[nonce])
        message = self._town.put(place, self._town.bot.id, body, files=files)
        if body.get("enforce_nonce"):
            self._nonces[nonce] = message
        return self._town.told(message)

    def _thread(self, place: Place, id: str, body: Json) -> Json:
        if place.kind in (DM, THREAD):
            raise Refusal(400, 50024, "Cannot execute action on this channel type")
        if place.at(id) is None:
            raise Refusal(404, 10008, "Unknown Message")
        if id in self._town.places:
            raise Refusal(400, 160004, "A thread has already been created for this message")
        if not 1 <= len(str(body.get("name") or "")) <= 100:
            raise Refusal(400, 50035, "a thread's name")
        thread = self._town.thread(place, str(body["name"]), id)
        return {"id": thread.id, "type": THREAD, "parent_id": place.id, "name": thread.name}

    def _fits(self, body: Json, files: list[tuple[str, bytes]]) -> None:
        if faults := list(message_faults(body, len(files))):
            raise Refusal(400, 50035, "; ".join(faults))

    def _write(self, message: Message, body: Json, files: list[tuple[str, bytes]]) -> None:
        message.raw, message.edited, message.edited_at = body, message.edited + 1, self._town.now()
        message.files = [*message.files, *files]


async def _read(request: web.Request) -> tuple[Any, list[tuple[str, bytes]]]:
    if request.content_type != "multipart/form-data":
        text = await request.text()
        return (json.loads(text) if text else None), []
    body, files = None, []
    async for part in await request.multipart():
        if part.name == "payload_json":  # type: ignore[union-attr]
            body = json.loads(await part.text())  # type: ignore[union-attr]
        else:
            files.append((str(part.filename), bytes(await part.read())))  # type: ignore[union-attr]
    return body, files
