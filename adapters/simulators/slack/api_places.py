"""``conversations.*`` and ``users.info``: where one can talk, what was said, and who is there."""

from __future__ import annotations

from typing import Any

from adapters.simulators.slack.api_chat import shown_message
from adapters.simulators.slack.refusals import Refusal
from adapters.simulators.slack.things import Json, Message, Place
from adapters.simulators.slack.town import SlackTown

PAGE, LONGEST_PAGE = 100, 999
_SCOPE_OF = {"public": "channels", "private": "groups", "im": "im", "mpim": "mpim"}


def scoped(town: SlackTown, place: Place, what: str) -> None:
    """The scope that reading this kind of channel takes (``channels:history``, ``im:read``)."""
    needed = f"{_SCOPE_OF[place.kind]}:{what}"
    if needed not in town.scopes:
        raise Refusal("missing_scope", needed=needed, provided=",".join(sorted(town.scopes)))


def open_im(town: SlackTown, args: Json) -> Json:
    """``conversations.open`` with one person."""
    users = args.get("users")
    names = users if isinstance(users, list) else str(users or "").split(",")
    if not users:
        raise Refusal("users_list_not_supplied")
    if len(names) != 1:
        raise Refusal("method_not_supported_for_channel_type")
    user = town.somebody(names[0])
    if user.deleted:
        raise Refusal("user_disabled")
    if user.is_bot:
        raise Refusal("cannot_dm_bot")
    return {"ok": True, "channel": {"id": town.im(user).id}}


def info(town: SlackTown, args: Json) -> Json:
    """``conversations.info``."""
    place = town.place(args.get("channel"))
    scoped(town, place, "read")
    shown: Json = {
        "id": place.id,
        "name": place.name,
        "is_channel": place.kind == "public",
        "is_group": place.kind == "private",
        "is_im": place.kind == "im",
        "is_mpim": place.kind == "mpim",
        "is_private": place.kind != "public",
        "is_archived": place.archived,
        "is_member": town.bot.id in place.members,
        "is_ext_shared": any(town.users[one].is_stranger for one in place.members),
    }
    if place.kind == "im":
        shown["user"] = next(one for one in place.members if one != town.bot.id)
    return {"ok": True, "channel": shown}


def join(town: SlackTown, args: Json) -> Json:
    """``conversations.join`` of a public channel."""
    place = town.place(args.get("channel"))
    if place.kind != "public":
        raise Refusal("method_not_supported_for_channel_type")
    if place.archived:
        raise Refusal("is_archived")
    place.members.add(town.bot.id)
    return {"ok": True, "channel": {"id": place.id, "name": place.name}}


def members(town: SlackTown, args: Json) -> Json:
    """``conversations.members``, all on one page."""
    place = town.place(args.get("channel"))
    scoped(town, place, "read")
    return {"ok": True, "members": sorted(place.members), "response_metadata": {"next_cursor": ""}}


def history(town: SlackTown, args: Json) -> Json:
    """``conversations.history``: newest first, without the replies in threads."""
    place = _readable(town, args)
    said = [one for one in place.shown if not one.thread_ts or one.thread_ts == one.ts]
    return _page(town, list(reversed(_between(said, args))), args)


def replies(town: SlackTown, args: Json) -> Json:
    """``conversations.replies``: the first message of a thread and its replies, oldest first."""
    place = _readable(town, args)
    head = place.at(str(args.get("ts", "")))
    if head is None:
        raise Refusal("thread_not_found")
    rest = _between(place.thread(head.ts), args)
    return _page(town, [head, *rest], args)


def user_info(town: SlackTown, args: Json) -> Json:
    """``users.info``."""
    user = town.somebody(args.get("user"))
    flags = (
        "is_admin",
        "is_owner",
        "is_restricted",
        "is_ultra_restricted",
        "is_bot",
        "is_stranger",
        "deleted",
    )
    shown: Json = {name: getattr(user, name) for name in flags}
    profile = {"real_name": user.real_name, "display_name": user.name, "team": user.team}
    shown |= {"id": user.id, "name": user.name, "team_id": user.team, "real_name": user.real_name}
    return {"ok": True, "user": {**shown, "profile": profile, "tz": "Europe/Berlin"}}


def _readable(town: SlackTown, args: Json) -> Place:
    place = town.place(args.get("channel"))
    scoped(town, place, "history")
    if town.bot.id not in place.members:
        raise Refusal("not_in_channel")
    return place


def _between(said: list[Message], args: Json) -> list[Message]:
    oldest, latest = float(args.get("oldest") or 0), float(args.get("latest") or "inf")
    if yes(args.get("inclusive")):
        return [one for one in said if oldest <= float(one.ts) <= latest]
    return [one for one in said if oldest < float(one.ts) < latest]


def _page(town: SlackTown, said: list[Message], args: Json) -> Json:
    limit = int(args.get("limit") or PAGE)
    if not 1 <= limit <= LONGEST_PAGE:
        raise Refusal("invalid_limit")
    cursor = str(args.get("cursor") or "0")
    if not cursor.isdigit() or int(cursor) > len(said):
        raise Refusal("invalid_cursor")
    start = int(cursor)
    rest, metadata = said[start + limit :], yes(args.get("include_all_metadata"))
    return {
        "ok": True,
        "messages": [shown_message(town, one, metadata=metadata) for one in said[start : start + limit]],
        "has_more": bool(rest),
        "response_metadata": {"next_cursor": str(start + limit) if rest else ""},
    }


def yes(found: Any) -> bool:
    """A flag, as JSON or as a form says it."""
    return found in (True, 1, "1", "true", "True")
