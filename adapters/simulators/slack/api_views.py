"""``views.*``: modals and App Homes."""

from __future__ import annotations

from adapters.simulators.slack.refusals import Refusal
from adapters.simulators.slack.things import Json, View
from adapters.simulators.slack.town import SlackTown
from adapters.simulators.slack.views import (
    add_view,
    change_view,
    check_hash,
    check_view,
    find_view,
    push_view,
    shown_view,
)


def _answer(town: SlackTown, view: View) -> Json:
    return {"ok": True, "view": shown_view(town, view)}


def open_view(town: SlackTown, args: Json) -> Json:
    """``views.open``: in the place of whatever modal the person has open."""
    body = check_view(args.get("view"), town.has_file, "modal")
    user = town.take_trigger(args.get("trigger_id"))
    for one in town.stack(user):
        one.open = False
    return _answer(town, add_view(town, user, body))


def push(town: SlackTown, args: Json) -> Json:
    """``views.push``: above the modal that is open; three at most."""
    body = check_view(args.get("view"), town.has_file, "modal")
    user = town.take_trigger(args.get("trigger_id"))
    return _answer(town, push_view(town, user, body))


def update_view(town: SlackTown, args: Json) -> Json:
    """``views.update`` of one that is still open."""
    view = find_view(town, args)
    return _answer(town, change_view(town, view, check_view(args.get("view"), town.has_file, view.kind)))


def publish(town: SlackTown, args: Json) -> Json:
    """``views.publish``: the App Home of one person."""
    body = check_view(args.get("view"), town.has_file, "home")
    user = town.somebody(args.get("user_id"))
    if user.deleted or user.is_bot:
        raise Refusal("user_not_found")
    current = town.home(user)
    check_hash(current, args)
    if current is not None:
        return _answer(town, change_view(town, current, body))
    view = add_view(town, user.id, body)
    town.homes[user.id] = view.id
    return _answer(town, view)
