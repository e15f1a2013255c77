"""Modals and App Homes: what a view may be, and what becomes of the stack of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from adapters.simulators.slack.blocks import Files, check_blocks
from adapters.simulators.slack.elements import ID_LENGTH, need, string, text
from adapters.simulators.slack.refusals import Refusal, invalid_blocks
from adapters.simulators.slack.things import Json, View
from adapters.simulators.slack.town import SlackTown

TITLE, METADATA, STACK = 24, 3000, 3
_MODAL = (
    *("title", "blocks", "submit", "close", "callback_id", "private_metadata", "external_id"),
    *("clear_on_close", "notify_on_close", "submit_disabled"),
)
_HOME = ("blocks", "callback_id", "private_metadata", "external_id")


def check_view(view: Any, files: Files, kind: str) -> Json:
    """The view with the ids that Slack adds. Raises ``invalid_arguments`` with the place in it."""
    try:
        return _checked(json.loads(view) if isinstance(view, str) else view, files, kind)
    except json.JSONDecodeError:
        raise Refusal(
            "invalid_arguments", response_metadata={"messages": ["[ERROR] view is no JSON"]}
        ) from None
    except Refusal as refused:
        meta = refused.extra.get("response_metadata", {"messages": [f"[ERROR] {refused.error}"]})
        raise Refusal("invalid_arguments", response_metadata=meta) from None


def _checked(view: Any, files: Files, kind: str) -> Json:
    modal = kind == "modal"
    need(view, "/view", _MODAL if modal else _HOME, ("type", "title") if modal else ("type",))
    if view["type"] != kind:
        raise invalid_blocks("/view/type", f"must be {kind}")
    for name in ("title", "submit", "close"):
        if name in view:
            text(view[name], f"/view/{name}", TITLE, plain=True)
    for name, longest in (
        ("callback_id", ID_LENGTH),
        ("external_id", ID_LENGTH),
        ("private_metadata", METADATA),
    ):
        if name in view:
            string(view[name], f"/view/{name}", longest, 0)
    blocks = check_blocks(view.get("blocks"), files, view=True)
    if modal and "submit" not in view and any(block["type"] == "input" for block in blocks):
        raise invalid_blocks("/view", "missing required field: submit (there are input blocks)")
    return {"private_metadata": "", "callback_id": "", **view, "blocks": blocks}


def add_view(town: SlackTown, user: str, body: Json, previous: View | None = None) -> View:
    """Put a view on the person's screen, above ``previous``."""
    _own_name(town, body, "")
    name = town.number("V")
    root = previous.root if previous else name
    above = previous.id if previous else ""
    view = View(name, user, body, _hash(town, body), root, above)
    town.views[name] = view
    return view


def push_view(town: SlackTown, user: str, body: Json) -> View:
    """One more on the stack; the fourth is refused."""
    stack = town.stack(user)
    if len(stack) >= STACK:
        raise Refusal("push_limit_reached")
    return add_view(town, user, body, stack[-1] if stack else None)


def change_view(town: SlackTown, view: View, body: Json) -> View:
    """Show something else in it. What was typed into inputs that are still there stays."""
    _own_name(town, body, view.id)
    view.body, view.hash, view.errors = body, _hash(town, body), {}
    kept = {block["block_id"] for block in body["blocks"]}
    view.values = {block: values for block, values in view.values.items() if block in kept}
    return view


def find_view(town: SlackTown, args: Mapping[str, Any]) -> View:
    """By ``view_id`` or ``external_id``; an old ``hash`` is ``hash_conflict``."""
    outside = args.get("external_id")
    found = town.views.get(str(args.get("view_id", "")))
    if found is None and outside:
        found = next(
            (v for v in town.views.values() if v.open and v.body.get("external_id") == outside), None
        )
    if found is None or not found.open:
        raise Refusal("not_found")
    check_hash(found, args)
    return found


def check_hash(view: View | None, args: Mapping[str, Any]) -> None:
    """A change that was made of an older state is refused."""
    if args.get("hash") and view is not None and args["hash"] != view.hash:
        raise Refusal("hash_conflict")


def close_views(town: SlackTown, view: View, *, whole: bool = False) -> None:
    """Close it, or the whole stack that it stands in."""
    for one in town.stack(view.user):
        if whole or one.id == view.id:
            one.open = False


def shown_view(town: SlackTown, view: View) -> Json:
    """As the API and the payloads tell it."""
    base: Json = {"title": None, "close": None, "submit": None, "external_id": "", "clear_on_close": False}
    return {
        **base,
        "notify_on_close": False,
        **view.body,
        "id": view.id,
        "hash": view.hash,
        "team_id": town.team,
        "app_id": town.app_id,
        "bot_id": town.bot_id,
        "root_view_id": view.root,
        "previous_view_id": view.previous or None,
        "state": {"values": view.values},
    }


def _own_name(town: SlackTown, body: Json, but: str) -> None:
    outside = body.get("external_id")
    taken = any(v.open and v.id != but and v.body.get("external_id") == outside for v in town.views.values())
    if outside and taken:
        raise Refusal("duplicate_external_id")


def _hash(town: SlackTown, body: Json) -> str:
    digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    return f"{town.ts()}.{digest[:8]}"
