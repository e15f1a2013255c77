"""What Discord refuses, by its published limits (chat-platforms.md, 4.2). Each fault is one sentence."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]


def weight(text: str) -> int:
    """Characters as a browser counts them."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def message_faults(said: Json, files: int = 0) -> Iterator[str]:
    """Of a message that is to be posted."""
    content, embeds = str(said.get("content") or ""), said.get("embeds") or []
    if weight(content) > 2_000:
        yield "content is longer than 2,000"
    if not content and not embeds and not files and not said.get("components"):
        yield "an empty message"
    if len(embeds) > 10:
        yield "more than 10 embeds"
    if sum(_embed_weight(one) for one in embeds) > 6_000:
        yield "more than 6,000 characters in embeds"
    for one in embeds:
        yield from _embed(one)
    yield from component_faults(said.get("components") or [])
    if "allowed_mentions" not in said:
        yield "allowed_mentions is left to Discord"
    elif (said["allowed_mentions"] or {}).get("parse"):
        yield "anybody can be pinged"


def component_faults(rows: list[Json]) -> Iterator[str]:
    """Rows of buttons."""
    ids = [str(one.get("custom_id")) for row in rows for one in row.get("components") or ()]
    if len(rows) > 5:
        yield "more than 5 rows"
    if len(set(ids)) != len(ids):
        yield "a custom_id twice"
    for row in rows:
        inside = row.get("components") or []
        if row.get("type") != 1 or not 1 <= len(inside) <= 5:
            yield "a row of no or too many components"
        for one in inside:
            if one.get("type") == 2:
                yield from _bounds("label", str(one.get("label") or ""), 80)
                yield from _bounds("custom_id", str(one.get("custom_id") or ""), 100)


def modal_faults(said: Json) -> Iterator[str]:
    """A form of at most five questions."""
    yield from _bounds("title", str(said.get("title") or ""), 45)
    yield from _bounds("custom_id", str(said.get("custom_id") or ""), 100)
    rows = said.get("components") or []
    if not 1 <= len(rows) <= 5:
        yield "a modal of no or too many inputs"
    for row in rows:
        for one in row.get("components") or ():
            yield from _bounds("label", str(one.get("label") or ""), 45)
            yield from _bounds("custom_id", str(one.get("custom_id") or ""), 100)
            if weight(str(one.get("placeholder") or "")) > 100:
                yield "a placeholder is longer than 100"


def choice_faults(choices: list[Json]) -> Iterator[str]:
    """Suggestions while somebody types."""
    if len(choices) > 25:
        yield f"{len(choices)} choices"
    for one in choices:
        yield from _bounds("name", str(one.get("name") or ""), 100)
        yield from _bounds("value", str(one.get("value") or ""), 100)


def command_faults(command: Json, *, top: bool = True) -> Iterator[str]:
    """A command or subcommand, with its options."""
    yield from _bounds("name", str(command.get("name") or ""), 32)
    yield from _bounds("description", str(command.get("description") or ""), 100)
    if str(command.get("name")) != str(command.get("name")).lower():
        yield "a name that is not lower case"
    options = command.get("options") or []
    if len(options) > 25:
        yield "more than 25 options"
    if len({one.get("name") for one in options}) != len(options):
        yield "two options of one name"
    needed = [bool(one.get("required")) for one in options]
    if not top and needed != sorted(needed, reverse=True):
        yield "a required option after one that is not"
    for one in options:
        if one.get("choices") and one.get("autocomplete"):
            yield "choices and autocomplete"
        yield from command_faults(one, top=False)


def _embed(one: Json) -> Iterator[str]:
    yield from _most("title", str(one.get("title") or ""), 256)
    yield from _most("description", str(one.get("description") or ""), 4_096)
    yield from _most("footer", str((one.get("footer") or {}).get("text") or ""), 2_048)
    fields = one.get("fields") or []
    if len(fields) > 25:
        yield "more than 25 fields"
    for each in fields:
        yield from _bounds("field name", str(each.get("name") or ""), 256)
        yield from _bounds("field value", str(each.get("value") or ""), 1_024)


def _embed_weight(one: Json) -> int:
    parts = [one.get("title"), one.get("description"), (one.get("footer") or {}).get("text")]
    parts += [each.get(key) for each in one.get("fields") or () for key in ("name", "value")]
    return sum(weight(str(part or "")) for part in parts)


def _bounds(what: str, text: str, most: int) -> Iterator[str]:
    if not text.strip():
        yield f"an empty {what}"
    yield from _most(what, text, most)


def _most(what: str, text: str, most: int) -> Iterator[str]:
    if weight(text) > most:
        yield f"{what} is longer than {most}: {text[:40]!r}"
