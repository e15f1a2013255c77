"""What there is in a workspace: people, places, messages, files, views. Plain values that the fake changes in place."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

Json = dict[str, Any]
Kind = Literal["public", "private", "im", "mpim"]


@dataclass(slots=True)
class User:
    """Somebody. ``team`` of another workspace makes a stranger who is here by Slack Connect."""

    id: str
    name: str
    team: str
    real_name: str = ""
    is_admin: bool = False
    is_owner: bool = False
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    is_bot: bool = False
    is_stranger: bool = False
    deleted: bool = False


@dataclass(slots=True)
class SlackFile:
    """A file on Slack. ``data`` is None until its bytes were sent, ``shared`` the channels it was put in."""

    id: str
    name: str
    size: int
    owner: str
    title: str = ""
    alt: str = ""
    data: bytes | None = None
    complete: bool = False
    shared: list[str] = field(default_factory=list)

    @property
    def mimetype(self) -> str:
        """By the ending of its name, as Slack does for what people see."""
        return MIME.get(self.name.rsplit(".", 1)[-1].lower(), "application/octet-stream")


MIME = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "gif": "image/gif",
    "svg": "image/svg+xml",
    "zip": "application/zip",
    "txt": "text/plain",
    "log": "text/plain",
    "csv": "text/csv",
    "json": "application/json",
}


@dataclass(slots=True)
class Message:
    """Something said in a channel. ``only_for`` names the one person who sees it (an ephemeral one)."""

    channel: str
    ts: str
    user: str
    text: str = ""
    thread_ts: str = ""
    """The first message of its thread; its own ``ts`` once it has replies; empty otherwise."""
    blocks: list[Json] = field(default_factory=list)
    files: list[SlackFile] = field(default_factory=list)
    metadata: Json = field(default_factory=dict)
    bot_id: str = ""
    subtype: str = ""
    edited: int = 0
    """How many times it was changed."""
    deleted: bool = False
    only_for: str = ""
    args: Json = field(default_factory=dict)
    """The arguments it was posted with (``unfurl_links`` and the like), of the last write."""
    history: list[str] = field(default_factory=list)
    """The texts it had before."""

    @property
    def buttons(self) -> list[Json]:
        """Every button that a person could press in it, in order."""
        return [one for one in pressable(self.blocks) if one.get("type") == "button"]

    def button(self, label: str) -> str:
        """The ``action_id`` of the button that shows ``label``. Raises ``LookupError`` when there is none."""
        for one in self.buttons:
            if one["text"]["text"] == label:
                return str(one["action_id"])
        raise LookupError(f"no button {label!r} in {[one['text']['text'] for one in self.buttons]}")


@dataclass(slots=True)
class View:
    """A modal or an App Home. ``errors`` are what the last submission was answered with, by block."""

    id: str
    user: str
    body: Json
    hash: str
    root: str
    previous: str = ""
    open: bool = True
    errors: dict[str, str] = field(default_factory=dict)
    values: dict[str, Json] = field(default_factory=dict)
    """What was typed and chosen in it so far, by block and action."""

    @property
    def kind(self) -> str:
        """``modal`` or ``home``."""
        return str(self.body["type"])

    @property
    def blocks(self) -> list[Json]:
        """What it shows."""
        return list(self.body["blocks"])

    @property
    def metadata(self) -> str:
        """The app's ``private_metadata``."""
        return str(self.body.get("private_metadata", ""))


@dataclass(slots=True)
class Place:
    """A channel, a direct message (``im``) or a group of them. ``members`` are user ids, the bot's among them."""

    id: str
    name: str
    kind: Kind = "public"
    members: set[str] = field(default_factory=set)
    archived: bool = False
    messages: list[Message] = field(default_factory=list)
    """What everybody there sees, in order, deleted ones with ``deleted`` set."""
    ephemerals: list[Message] = field(default_factory=list)

    @property
    def shown(self) -> list[Message]:
        """The messages that are still there."""
        return [message for message in self.messages if not message.deleted]

    def at(self, ts: str) -> Message | None:
        """The message with this ``ts``, if it is still there."""
        return next((one for one in self.messages if one.ts == ts and not one.deleted), None)

    def thread(self, ts: str) -> list[Message]:
        """The replies below the message ``ts``, in order."""
        return [one for one in self.shown if one.thread_ts == ts != one.ts]

    def seen_by(self, user: User) -> list[Message]:
        """What only this person sees there, in order."""
        return [one for one in self.ephemerals if one.only_for == user.id and not one.deleted]


@dataclass(frozen=True, slots=True)
class Call:
    """One call as it came in. ``error``: Slack's word for a refusal, ``http_503``, ``drop`` or ``lost``; else empty."""

    at: datetime
    method: str
    args: Json
    token: str = field(repr=False)
    error: str = ""


def pressable(blocks: list[Json]) -> list[Json]:
    """Every interactive element with its block's id added under ``block_id``, in order of sight."""
    found: list[Json] = []
    for block in blocks:
        elements = [*block.get("elements", ()), block.get("accessory"), block.get("element")]
        found += [
            {**one, "block_id": block.get("block_id", "")}
            for one in elements
            if isinstance(one, dict) and "action_id" in one
        ]
    return found
