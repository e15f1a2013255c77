"""``chat.*``: what the bot says, changes and takes back."""

from __future__ import annotations

from typing import Any

from adapters.simulators.slack.blocks import check_blocks
from adapters.simulators.slack.refusals import Refusal
from adapters.simulators.slack.things import Json, Message, Place
from adapters.simulators.slack.town import SlackTown

CUT_AT, UPDATE_TEXT = 40_000, 4_000
"""A post's text is cut, an update's refused (Slack's reference of both methods; the latter not seen by us)."""


def post_message(town: SlackTown, args: Json) -> Json:
    """``chat.postMessage``."""
    place = town.writable(args.get("channel"))
    message = _message(town, place, args)
    town.put(place, message)
    return {"ok": True, "channel": place.id, "ts": message.ts, "message": shown_message(town, message)}


def post_ephemeral(town: SlackTown, args: Json) -> Json:
    """``chat.postEphemeral``: seen by one member of the channel, kept by nobody."""
    place = town.writable(args.get("channel"))
    user = town.somebody(args.get("user"))
    if user.id not in place.members:
        raise Refusal("user_not_in_channel")
    message = _message(town, place, args, only_for=user.id)
    town.put(place, message)
    return {"ok": True, "message_ts": message.ts}


def update(town: SlackTown, args: Json) -> Json:
    """``chat.update`` of a message of the bot's own. Fields that are not given stay as they were."""
    place, message = _own(town, args, "cant_update_message")
    change_message(town, message, args)
    shown = shown_message(town, message)
    return {"ok": True, "channel": place.id, "ts": message.ts, "text": message.text, "message": shown}


def delete(town: SlackTown, args: Json) -> Json:
    """``chat.delete`` of a message of the bot's own."""
    place, message = _own(town, args, "cant_delete_message")
    message.deleted = True
    return {"ok": True, "channel": place.id, "ts": message.ts}


def _own(town: SlackTown, args: Json, not_yours: str) -> tuple[Place, Message]:
    if args.get("channel") in town.users:
        raise Refusal("channel_not_found")
    place = town.place(args.get("channel"))
    if place.archived:
        raise Refusal("is_inactive")
    message = place.at(str(args.get("ts", "")))
    if message is None:
        raise Refusal("message_not_found")
    if message.user != town.bot.id:
        raise Refusal(not_yours)
    if town.bot.id not in place.members:
        raise Refusal("not_in_channel")
    return place, message


def _message(town: SlackTown, place: Place, args: Json, only_for: str = "") -> Message:
    words, blocks = args.get("text") or "", said_blocks(town, args)
    if not isinstance(words, str):
        raise Refusal("invalid_arguments")
    if not words and not blocks:
        raise Refusal("no_text")
    return Message(
        channel=place.id,
        ts=town.ts(),
        user=town.bot.id,
        bot_id=town.bot_id,
        text=words[:CUT_AT],
        thread_ts=str(args.get("thread_ts") or ""),
        blocks=blocks,
        metadata=_metadata(args.get("metadata")),
        only_for=only_for,
        args=args,
    )


def change_message(town: SlackTown, message: Message, args: Json) -> None:
    """Write the new text and blocks over the old ones, if they are such as Slack takes."""
    words = args.get("text")
    if not words and not args.get("blocks"):
        raise Refusal("no_text")
    if len(words or "") > UPDATE_TEXT:
        raise Refusal("msg_too_long")
    blocks = message.blocks if args.get("blocks") is None else said_blocks(town, args)
    metadata = message.metadata if args.get("metadata") is None else _metadata(args["metadata"])
    message.history.append(message.text)
    message.text = words or message.text
    message.blocks, message.metadata, message.args = blocks, metadata, args
    message.edited += 1


def said_blocks(town: SlackTown, args: Json) -> list[Json]:
    """The blocks of a message, checked; none where none were given."""
    if args.get("blocks") is None:
        return []
    return check_blocks(args["blocks"], town.has_file)


def _metadata(found: Any) -> Json:
    if found is None:
        return {}
    if not isinstance(found, dict) or not isinstance(found.get("event_type"), str):
        raise Refusal("invalid_metadata_format")
    if not isinstance(found.get("event_payload"), dict):
        raise Refusal("invalid_metadata_format")
    return found


def shown_message(town: SlackTown, message: Message, *, metadata: bool = False) -> Json:
    """A message as the API and the payloads tell it."""
    shown: Json = {
        "type": "message",
        "user": message.user,
        "text": message.text,
        "ts": message.ts,
        "team": town.team,
    }
    if message.bot_id:
        shown |= {"bot_id": message.bot_id, "app_id": town.app_id}
    for name in ("subtype", "thread_ts", "blocks"):
        if getattr(message, name):
            shown[name] = getattr(message, name)
    if message.files:
        shown["files"] = [town.shown_file(one) for one in message.files]
    if message.edited:
        shown["edited"] = {"user": message.user, "ts": message.ts}
    if metadata and message.metadata:
        shown["metadata"] = message.metadata
    return shown
