"""Rich text and tables: the two kinds of block that are trees."""

from __future__ import annotations

from typing import Any

from adapters.simulators.slack.elements import need, string
from adapters.simulators.slack.refusals import Refusal, invalid_blocks
from adapters.simulators.slack.things import Json

ROWS, COLUMNS, TABLE_TEXT = 100, 20, 10_000
"""Of a table block (Slack's reference of the table block; not checked by us)."""
_PARTS = ("rich_text_section", "rich_text_preformatted", "rich_text_quote", "rich_text_list")
_LEAVES = {
    "text": "text",
    "link": "url",
    "user": "user_id",
    "channel": "channel_id",
    "usergroup": "usergroup_id",
    "emoji": "name",
    "broadcast": "range",
    "date": "timestamp",
    "color": "value",
}
"""A leaf's type, and the field that it cannot be without."""
_STYLES = {"bold", "italic", "strike", "code", "underline", "highlight", "client_highlight", "unlink"}


def rich_text(found: Json, where: str) -> None:
    """A ``rich_text`` block or cell: a list of sections, code, quotes and lists."""
    need(found, where, ("elements", "block_id"), ("elements",))
    for i, part in enumerate(_listed(found["elements"], f"{where}/elements")):
        at = f"{where}/elements/{i}"
        kind = part.get("type") if isinstance(part, dict) else None
        if kind not in _PARTS:
            raise invalid_blocks(f"{at}/type", f"unsupported type: {kind!r}")
        need(part, at, ("elements", "border", "style", "indent", "offset", "language"))
        _part(part, at)


def _part(part: Json, where: str) -> None:
    elements = _listed(part.get("elements"), f"{where}/elements")
    if part["type"] != "rich_text_list":
        for i, leaf in enumerate(elements):
            _leaf(leaf, f"{where}/elements/{i}")
        return
    if part.get("style") not in ("bullet", "ordered"):
        raise invalid_blocks(f"{where}/style", "must be bullet or ordered")
    for i, section in enumerate(elements):
        at = f"{where}/elements/{i}"
        if not isinstance(section, dict) or section.get("type") != "rich_text_section":
            raise invalid_blocks(at, "a list has sections only")
        _part(section, at)


def _listed(found: Any, where: str) -> list[Any]:
    if not isinstance(found, list):
        raise invalid_blocks(where, "must be a list")
    return found


def _leaf(leaf: Any, where: str) -> None:
    kind = leaf.get("type") if isinstance(leaf, dict) else None
    if kind not in _LEAVES:
        raise invalid_blocks(f"{where}/type", f"unsupported type: {kind!r}")
    if leaf.get(_LEAVES[kind]) in (None, ""):
        raise invalid_blocks(where, f"missing required field: {_LEAVES[kind]}")
    styles = leaf.get("style", {})
    if not isinstance(styles, dict) or set(styles) - _STYLES:
        raise invalid_blocks(f"{where}/style", "unknown style")


def table(found: Json, where: str) -> None:
    """A ``table`` block: rows of ``raw_text`` and ``rich_text`` cells."""
    need(found, where, ("rows", "column_settings", "block_id"), ("rows",))
    rows = _listed(found["rows"], f"{where}/rows")
    if len(rows) > ROWS:
        raise invalid_blocks(f"{where}/rows", f"no more than {ROWS} rows")
    for i, row in enumerate(rows):
        if len(_listed(row, f"{where}/rows/{i}")) > COLUMNS:
            raise invalid_blocks(f"{where}/rows/{i}", f"no more than {COLUMNS} cells")
        for j, cell in enumerate(row):
            _cell(cell, f"{where}/rows/{i}/{j}")
    settings = _listed(found.get("column_settings", []), f"{where}/column_settings")
    if len(settings) > COLUMNS:
        raise invalid_blocks(f"{where}/column_settings", f"no more than {COLUMNS} columns")
    for i, one in enumerate(settings):
        align = need(one, f"{where}/column_settings/{i}", ("align", "is_wrapped")).get("align", "left")
        if align not in ("left", "center", "right"):
            raise invalid_blocks(f"{where}/column_settings/{i}/align", "must be left, center or right")
    if _raw(rows) > TABLE_TEXT:
        raise Refusal("invalid_attachments", errors=["table_characters_exceeded"])


def _cell(cell: Any, where: str) -> None:
    kind = cell.get("type") if isinstance(cell, dict) else None
    if kind == "raw_text":
        string(cell.get("text"), f"{where}/text", TABLE_TEXT)
    elif kind == "rich_text":
        rich_text(cell, where)
    else:
        raise invalid_blocks(f"{where}/type", f"unsupported type: {kind!r}")


def _raw(rows: list[Any]) -> int:
    return sum(len(cell.get("text", "")) for row in rows for cell in row)
