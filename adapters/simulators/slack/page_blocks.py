"""Blocks as HTML."""

from __future__ import annotations

import base64
from collections.abc import Callable
from html import escape

from adapters.simulators.slack.mrkdwn import angle, emoji, mrkdwn, plain
from adapters.simulators.slack.page_inputs import asked, pressed
from adapters.simulators.slack.things import Json, SlackFile, View
from adapters.simulators.slack.town import SlackTown


def show_blocks(town: SlackTown, blocks: list[Json], view: View | None = None) -> str:
    """All of them, with what was typed into the view."""
    return "".join(f"<div class=block>{_KINDS[block['type']](town, block, view)}</div>" for block in blocks)


def words(town: SlackTown, text: Json) -> str:
    """A text object."""
    return mrkdwn(town, text["text"]) if text["type"] == "mrkdwn" else plain(text["text"])


def _section(town: SlackTown, block: Json, view: View | None) -> str:
    said = words(town, block["text"]) if "text" in block else ""
    if "fields" in block:
        cells = "".join(f"<div>{words(town, one)}</div>" for one in block["fields"])
        said += f"<div class=fields>{cells}</div>"
    accessory = block.get("accessory")
    beside = ""
    if accessory is not None:
        shown = _image(town, accessory, None) if accessory["type"] == "image" else pressed(accessory, view)
        beside = f"<div>{shown}</div>"
    return f"<div class=section><div>{said}</div>{beside}</div>"


def _header(town: SlackTown, block: Json, view: View | None) -> str:
    return f"<div class=header>{words(town, block['text'])}</div>"


def _context(town: SlackTown, block: Json, view: View | None) -> str:
    shown = [
        f'<img src="{escape(_address(town, one))}" alt="{escape(one["alt_text"])}">'
        if one["type"] == "image"
        else f"<span>{words(town, one)}</span>"
        for one in block["elements"]
    ]
    return f"<div class=context>{''.join(shown)}</div>"


def _actions(town: SlackTown, block: Json, view: View | None) -> str:
    return f"<div class=actions>{''.join(pressed(one, view) for one in block['elements'])}</div>"


def _divider(town: SlackTown, block: Json, view: View | None) -> str:
    return "<hr>"


def _image(town: SlackTown, block: Json, view: View | None) -> str:
    title = f"<figcaption>{plain(block['title']['text'])}</figcaption>" if "title" in block else ""
    picture = f'<img src="{escape(_address(town, block))}" alt="{escape(block["alt_text"])}">'
    return f"<figure>{title}{picture}</figure>"


def _address(town: SlackTown, block: Json) -> str:
    if "image_url" in block:
        return str(block["image_url"])
    named = block["slack_file"]
    found = (
        f for f in town.files.values() if f.id == named.get("id") or town.private_url(f) == named.get("url")
    )
    return inline(next(found))


def inline(file: SlackFile) -> str:
    """The bytes of a picture as an address of their own, so that the page needs nothing else."""
    return f"data:{file.mimetype};base64,{base64.b64encode(file.data or b'').decode()}"


def _input(town: SlackTown, block: Json, view: View | None) -> str:
    return asked(block, view)


def _markdown(town: SlackTown, block: Json, view: View | None) -> str:
    return f"<div style='white-space:pre-wrap'>{emoji(escape(block['text'], quote=False))}</div>"


def _rich(town: SlackTown, block: Json, view: View | None) -> str:
    return "".join(_part(town, one) for one in block["elements"])


def _part(town: SlackTown, part: Json) -> str:
    if part["type"] == "rich_text_list":
        tag = "ol" if part["style"] == "ordered" else "ul"
        return f"<{tag}>{''.join(f'<li>{_part(town, one)}</li>' for one in part['elements'])}</{tag}>"
    inside = "".join(_leaf(town, one) for one in part["elements"])
    tag = {"rich_text_preformatted": "pre", "rich_text_quote": "blockquote"}.get(part["type"], "span")
    return f"<{tag}>{inside if tag == 'pre' else inside.replace(chr(10), '<br>')}</{tag}>"


def _leaf(town: SlackTown, leaf: Json) -> str:
    shown = {
        "text": lambda: escape(leaf["text"], quote=False),
        "link": lambda: f'<a href="{escape(leaf["url"])}">{escape(leaf.get("text") or leaf["url"])}</a>',
        "user": lambda: angle(town, f"@{leaf['user_id']}"),
        "channel": lambda: angle(town, f"#{leaf['channel_id']}"),
        "emoji": lambda: emoji(f":{leaf['name']}:"),
        "broadcast": lambda: angle(town, f"!{leaf['range']}"),
    }.get(leaf["type"], lambda: escape(str(leaf.get("fallback", ""))))()
    for style, tag in (("code", "code"), ("bold", "b"), ("italic", "i"), ("strike", "s")):
        if leaf.get("style", {}).get(style):
            shown = f"<{tag}>{shown}</{tag}>"
    return shown


def _table(town: SlackTown, block: Json, view: View | None) -> str:
    aligns = [one.get("align", "left") for one in block.get("column_settings", [])]
    rows = []
    for row in block["rows"]:
        cells = [
            f"<td style='text-align:{aligns[i] if i < len(aligns) else 'left'}'>"
            f"{plain(cell['text']) if cell['type'] == 'raw_text' else _rich(town, cell, None)}</td>"
            for i, cell in enumerate(row)
        ]
        rows.append(f"<tr>{''.join(cells)}</tr>")
    return f"<table>{''.join(rows)}</table>"


_KINDS: dict[str, Callable[[SlackTown, Json, View | None], str]] = {
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
