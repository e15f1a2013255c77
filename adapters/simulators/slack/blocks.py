"""Block Kit as Slack takes it: each kind of block, and the rules for a message's blocks together.

Limits from chat-platforms.md, 4.1. A text in a context block has no published limit of its own; the general one
of a text object is taken. Where something is not checked, it is not refused: pictures by address are not fetched.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from adapters.simulators.slack.elements import (
    ID_LENGTH,
    IN_ACTIONS,
    INPUTS,
    element,
    need,
    string,
    text,
)
from adapters.simulators.slack.refusals import Refusal, invalid_blocks
from adapters.simulators.slack.richtext import rich_text, table
from adapters.simulators.slack.things import Json

MESSAGE_BLOCKS, VIEW_BLOCKS = 50, 100
ALL_TEXT = 13_000
"""Over all blocks of one message, then ``msg_blocks_too_long`` (hearsay: bolt-js #2509)."""
SECTION_TEXT, FIELDS, FIELD_TEXT = 3000, 10, 2000
HEADER, CONTEXT_ELEMENTS, ACTIONS, MARKDOWN = 150, 10, 25, 12_000
ALT, IMAGE_URL, LABEL, HINT = 2000, 3000, 2000, 2000

Files = Callable[[str], bool]
"""Whether there is a complete file with this id or private address."""


def _section(found: Json, where: str, files: Files) -> None:
    need(found, where, ("text", "fields", "accessory", "block_id", "expand"))
    if "text" not in found and "fields" not in found:
        raise invalid_blocks(where, "missing required field: text or fields")
    if "text" in found:
        text(found["text"], f"{where}/text", SECTION_TEXT)
    if "fields" in found:
        fields = found["fields"]
        if not isinstance(fields, list) or not 1 <= len(fields) <= FIELDS:
            raise invalid_blocks(f"{where}/fields", f"must have 1 to {FIELDS} items")
        for i, one in enumerate(fields):
            text(one, f"{where}/fields/{i}", FIELD_TEXT)
    accessory = found.get("accessory")
    if accessory is None:
        return
    if isinstance(accessory, dict) and accessory.get("type") == "image":
        _picture(accessory, f"{where}/accessory", files)
    else:
        element(accessory, f"{where}/accessory", IN_ACTIONS)


def _header(found: Json, where: str, files: Files) -> None:
    need(found, where, ("text", "block_id"), ("text",))
    text(found["text"], f"{where}/text", HEADER, plain=True)


def _context(found: Json, where: str, files: Files) -> None:
    need(found, where, ("elements", "block_id"), ("elements",))
    for i, one in enumerate(_items(found["elements"], f"{where}/elements", CONTEXT_ELEMENTS)):
        if isinstance(one, dict) and one.get("type") == "image":
            _picture(one, f"{where}/elements/{i}", files)
        else:
            text(one, f"{where}/elements/{i}", SECTION_TEXT)


def _actions(found: Json, where: str, files: Files) -> None:
    need(found, where, ("elements", "block_id"), ("elements",))
    items = _items(found["elements"], f"{where}/elements", ACTIONS)
    for i, one in enumerate(items):
        element(one, f"{where}/elements/{i}", IN_ACTIONS)
    ids = [one["action_id"] for one in items if "action_id" in one]
    if len(set(ids)) != len(ids):
        raise invalid_blocks(f"{where}/elements", "action_id must be unique within the block")


def _items(found: Any, where: str, most: int) -> list[Any]:
    if not isinstance(found, list) or not 1 <= len(found) <= most:
        raise invalid_blocks(where, f"must have 1 to {most} items")
    return found


def _divider(found: Json, where: str, files: Files) -> None:
    need(found, where, ("block_id",))


def _picture(found: Json, where: str, files: Files) -> None:
    need(found, where, ("image_url", "slack_file", "alt_text", "title", "block_id"), ("alt_text",))
    string(found["alt_text"], f"{where}/alt_text", ALT)
    if ("image_url" in found) == ("slack_file" in found):
        raise invalid_blocks(where, "needs image_url or slack_file, not both")
    if "image_url" in found:
        if not string(found["image_url"], f"{where}/image_url", IMAGE_URL).startswith(
            ("https://", "http://")
        ):
            raise invalid_blocks(f"{where}/image_url", "must be an http address")
        return
    named = need(found["slack_file"], f"{where}/slack_file", ("id", "url"))
    if len(named) != 1 or not files(str(next(iter(named.values())))):
        raise invalid_blocks(f"{where}/slack_file", "invalid slack file")


def _image(found: Json, where: str, files: Files) -> None:
    _picture(found, where, files)
    if "title" in found:
        text(found["title"], f"{where}/title", ALT, plain=True)


def _input(found: Json, where: str, files: Files) -> None:
    known = ("label", "element", "hint", "optional", "dispatch_action", "block_id")
    need(found, where, known, ("label", "element"))
    text(found["label"], f"{where}/label", LABEL, plain=True)
    if "hint" in found:
        text(found["hint"], f"{where}/hint", HINT, plain=True)
    for name in ("optional", "dispatch_action"):
        if name in found and not isinstance(found[name], bool):
            raise invalid_blocks(f"{where}/{name}", "must be true or false")
    element(found["element"], f"{where}/element", INPUTS)


def _markdown(found: Json, where: str, files: Files) -> None:
    need(found, where, ("text", "block_id"), ("text",))
    string(found["text"], f"{where}/text", MARKDOWN)


def _rich(found: Json, where: str, files: Files) -> None:
    rich_text(found, where)


def _table(found: Json, where: str, files: Files) -> None:
    table(found, where)


KINDS: dict[str, Callable[[Json, str, Files], None]] = {
    "section": _section,
    "header": _header,
    "context": _context,
    "actions": _actions,
    "divider": _divider,
    "image": _image,
    "input": _input,
    "rich_text": _rich,
    "markdown": _markdown,
    "table": _table,
}
ONLY_IN_MESSAGES = {"markdown", "table"}


def check_blocks(blocks: Any, files: Files, *, view: bool = False) -> list[Json]:
    """The blocks with the ids that Slack adds where the app gave none. Raises ``Refusal``."""
    most = VIEW_BLOCKS if view else MESSAGE_BLOCKS
    if not isinstance(blocks, list):
        raise Refusal("invalid_blocks_format")
    if len(blocks) > most:
        raise invalid_blocks("/blocks", f"no more than {most} items allowed")
    for i, block in enumerate(blocks):
        where = f"/blocks/{i}"
        kind = block.get("type") if isinstance(block, dict) else None
        if kind not in KINDS or (view and kind in ONLY_IN_MESSAGES):
            raise invalid_blocks(f"{where}/type", f"unsupported type: {kind!r}")
        if "block_id" in block:
            string(block["block_id"], f"{where}/block_id", ID_LENGTH)
        KINDS[kind](block, where, files)
    _together(blocks, view=view)
    return [_named(block, i) for i, block in enumerate(blocks)]


def _together(blocks: list[Json], *, view: bool) -> None:
    ids = [block["block_id"] for block in blocks if "block_id" in block]
    if len(set(ids)) != len(ids):
        raise invalid_blocks("/blocks", "block_id must be unique within the message")
    if sum(block["type"] == "table" for block in blocks) > 1:
        raise Refusal("invalid_attachments", errors=["only_one_table_allowed"])
    markdown = sum(len(block["text"]) for block in blocks if block["type"] == "markdown")
    if markdown > MARKDOWN:
        raise invalid_blocks("/blocks", f"markdown blocks have no more than {MARKDOWN} characters together")
    if not view and letters(blocks) > ALL_TEXT:
        raise Refusal("msg_blocks_too_long")


def letters(found: Any) -> int:
    """The characters of every text in there, as a person would count them."""
    if isinstance(found, list):
        return sum(letters(one) for one in found)
    if isinstance(found, dict):
        own = found.get("text")
        counted = len(own) if isinstance(own, str) else 0
        return counted + sum(letters(one) for one in found.values() if isinstance(one, dict | list))
    return 0


def _named(block: Json, number: int) -> Json:
    named: Json = {"block_id": f"b{number:03d}", **block}
    if "elements" in named and block["type"] == "actions":
        named["elements"] = [
            {"action_id": f"a{number:03d}{i:02d}", **e} for i, e in enumerate(named["elements"])
        ]
    for name in ("element", "accessory"):
        if name in named and named[name]["type"] != "image":
            named[name] = {"action_id": f"a{number:03d}", **named[name]}
    return named
