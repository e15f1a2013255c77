"""The Web API: who asks, whether they may, and which method it is (chat-platforms.md, 2.2)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web

from adapters.simulators.slack import api_chat, api_files, api_places, api_views
from adapters.simulators.slack.refusals import Refusal
from adapters.simulators.slack.things import Json
from adapters.simulators.slack.town import SlackTown

Method = Callable[[SlackTown, Json], Json]
IN_FORMS_AS_JSON = ("blocks", "attachments", "metadata", "view")


def _auth_test(town: SlackTown, args: Json) -> Json:
    return {
        "ok": True,
        "url": f"https://{town.domain}.slack.com/",
        "team": town.domain.title(),
        "team_id": town.team,
        "user": town.bot.name,
        "user_id": town.bot.id,
        "bot_id": town.bot_id,
        "is_enterprise_install": False,
    }


METHODS: dict[str, tuple[Method, str]] = {
    "auth.test": (_auth_test, ""),
    "chat.postMessage": (api_chat.post_message, "chat:write"),
    "chat.postEphemeral": (api_chat.post_ephemeral, "chat:write"),
    "chat.update": (api_chat.update, "chat:write"),
    "chat.delete": (api_chat.delete, "chat:write"),
    "conversations.open": (api_places.open_im, "im:write"),
    "conversations.info": (api_places.info, ""),
    "conversations.members": (api_places.members, ""),
    "conversations.join": (api_places.join, "channels:join"),
    "conversations.history": (api_places.history, ""),
    "conversations.replies": (api_places.replies, ""),
    "users.info": (api_places.user_info, "users:read"),
    "views.open": (api_views.open_view, ""),
    "views.push": (api_views.push, ""),
    "views.update": (api_views.update_view, ""),
    "views.publish": (api_views.publish, ""),
    "files.getUploadURLExternal": (api_files.upload_url, "files:write"),
    "files.completeUploadExternal": (api_files.complete_upload, "files:write"),
    "files.info": (api_files.file_info, "files:read"),
}
"""With the scope that each needs; what depends on the kind of channel is asked for in the method."""


def answer(town: SlackTown, method: str, args: Json, token: str) -> Json:
    """What the method says. Raises ``Refusal``; ``apps.connections.open`` is the sockets' own."""
    allowed(town, token, town.bot_token)
    if method not in METHODS:
        raise Refusal("unknown_method", req_method=method)
    function, scope = METHODS[method]
    if scope and scope not in town.scopes:
        raise Refusal("missing_scope", needed=scope, provided=",".join(sorted(town.scopes)))
    return function(town, args)


def allowed(town: SlackTown, token: str, right: str) -> None:
    """Refuse every token but the right one, by the name of what is wrong with it."""
    if not token:
        raise Refusal("not_authed")
    if token not in (town.bot_token, town.app_token):
        raise Refusal("invalid_auth")
    if town.revoked:
        raise Refusal("token_revoked")
    if token != right:
        raise Refusal("not_allowed_token_type")


async def read_args(request: web.BaseRequest) -> tuple[Json, str]:
    """The arguments and the token of a call, whether they came in the address, as a form or as JSON."""
    args: Json = dict(request.query)
    if request.content_type == "application/json":
        try:
            found = await request.json()
        except json.JSONDecodeError:
            raise Refusal("invalid_json") from None
        if not isinstance(found, dict):
            raise Refusal("json_not_object")
        args |= found
    else:
        args |= _of_form(await request.post())
    by_hand = str(args.pop("token", ""))
    header = request.headers.get("Authorization", "")
    return args, header.removeprefix("Bearer ") if header.startswith("Bearer ") else by_hand


def _of_form(form: Mapping[str, Any]) -> Json:
    args: Json = {}
    for name, value in form.items():
        args[name] = value
        if name in IN_FORMS_AS_JSON and isinstance(value, str):
            try:
                args[name] = json.loads(value)
            except json.JSONDecodeError:
                raise Refusal("invalid_arguments") from None
    return args
