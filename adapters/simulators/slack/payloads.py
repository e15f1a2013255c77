"""What Slack tells an app, in Slack's words (chat-platforms.md, 2.4)."""

from __future__ import annotations

from adapters.simulators.slack.api_chat import shown_message
from adapters.simulators.slack.delivery import Occurrence
from adapters.simulators.slack.things import Json, Message, Place, User, View
from adapters.simulators.slack.town import SlackTown
from adapters.simulators.slack.views import shown_view

_TYPES = {"public": "channel", "private": "group", "im": "im", "mpim": "mpim"}


def slash(
    town: SlackTown, user: User, place: Place, command: str, text: str, response_url: str
) -> Occurrence:
    """A slash command: strings only."""
    payload = {
        "token": "legacy",
        "team_id": user.team,
        "team_domain": town.domain,
        "channel_id": place.id,
        "channel_name": place.name,
        "user_id": user.id,
        "user_name": user.name,
        "command": command,
        "text": text,
        "api_app_id": town.app_id,
        "is_enterprise_install": "false",
        "response_url": response_url,
        "trigger_id": town.trigger(user),
    }
    return Occurrence("slash_commands", payload)


def _interaction(town: SlackTown, user: User, kind: str) -> Json:
    return {
        "type": kind,
        "team": {"id": town.team, "domain": town.domain},
        "user": {"id": user.id, "username": user.name, "name": user.name, "team_id": user.team},
        "api_app_id": town.app_id,
        "token": "legacy",
        "trigger_id": town.trigger(user),
        "enterprise": None,
        "is_enterprise_install": False,
    }


def message_click(
    town: SlackTown, user: User, place: Place, message: Message, action: Json, response_url: str
) -> Occurrence:
    """A click in a message. That of an ephemeral one brings no ``message``, which real ones may lack."""
    container = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": place.id,
        "is_ephemeral": bool(message.only_for),
    }
    if message.thread_ts:
        container["thread_ts"] = message.thread_ts
    payload = _interaction(town, user, "block_actions") | {
        "container": container,
        "channel": {"id": place.id, "name": place.name},
        "state": {"values": {}},
        "response_url": response_url,
        "actions": [action],
    }
    if not message.only_for:
        payload["message"] = shown_message(town, message, metadata=True)
    return Occurrence("interactive", payload)


def view_click(town: SlackTown, user: User, view: View, action: Json) -> Occurrence:
    """A click in a modal or an App Home: no channel, no ``response_url``."""
    payload = _interaction(town, user, "block_actions") | {
        "container": {"type": "view", "view_id": view.id},
        "view": shown_view(town, view),
        "actions": [action],
    }
    return Occurrence("interactive", payload)


def submission(town: SlackTown, user: User, view: View) -> Occurrence:
    """A modal is sent off."""
    payload = _interaction(town, user, "view_submission")
    return Occurrence("interactive", payload | {"view": shown_view(town, view), "response_urls": []})


def closed(town: SlackTown, user: User, view: View, *, whole: bool) -> Occurrence:
    """A modal that asked for it was closed by its person."""
    payload = _interaction(town, user, "view_closed")
    del payload["trigger_id"]
    return Occurrence("interactive", payload | {"view": shown_view(town, view), "is_cleared": whole})


def event(town: SlackTown, what: Json) -> Occurrence:
    """An event, with an id of its own."""
    authorization = {
        "enterprise_id": None,
        "team_id": town.team,
        "user_id": town.bot.id,
        "is_bot": True,
        "is_enterprise_install": False,
    }
    payload: Json = {
        "token": "legacy",
        "type": "event_callback",
        "team_id": town.team,
        "api_app_id": town.app_id,
        "event_id": town.number("Ev"),
        "event_time": int(town.clock.now().timestamp()),
        "authorizations": [authorization],
        "is_ext_shared_channel": False,
        "event": what,
    }
    return Occurrence("events_api", payload, accepts_response=False)


def said(town: SlackTown, user: User, place: Place, message: Message, *, mention: bool = False) -> Json:
    """The event of a message, plain or with files; ``mention``: as ``app_mention``."""
    found = shown_message(town, message) | {
        "type": "app_mention" if mention else "message",
        "team": user.team,
        "channel": place.id,
        "event_ts": message.ts,
    }
    if not mention:
        found["channel_type"] = _TYPES[place.kind]
    if user.team != town.team:
        found |= {"user_team": user.team, "source_team": user.team}
    if user.is_bot:
        found["bot_id"] = f"B{user.id[1:]}"
    return found


def changed(town: SlackTown, place: Place, message: Message, before: Json) -> Json:
    """The event of an edit: the text is inside ``message``."""
    now = shown_message(town, message)
    return _hidden(town, place, "message_changed") | {"message": now, "previous_message": before}


def removed(town: SlackTown, place: Place, message: Message) -> Json:
    """The event of a deletion."""
    gone = {"deleted_ts": message.ts, "previous_message": shown_message(town, message)}
    return _hidden(town, place, "message_deleted") | gone


def _hidden(town: SlackTown, place: Place, subtype: str) -> Json:
    ts = town.ts()
    return {
        "type": "message",
        "subtype": subtype,
        "hidden": True,
        "channel": place.id,
        "channel_type": _TYPES[place.kind],
        "ts": ts,
        "event_ts": ts,
    }


def home_opened(town: SlackTown, user: User, tab: str) -> Json:
    """Somebody looks at the app."""
    found: Json = {"type": "app_home_opened", "user": user.id, "channel": town.im(user).id, "tab": tab}
    found["event_ts"] = town.ts()
    view = town.home(user)
    if view is not None and tab == "home":
        found["view"] = shown_view(town, view)
    return found
