"""Buttons, menus and fields as HTML, with what was typed and chosen in them so far."""

from __future__ import annotations

from html import escape

from adapters.simulators.slack.mrkdwn import plain
from adapters.simulators.slack.things import Json, View
from adapters.simulators.slack.values import initial

_LISTS = ("checkboxes", "radio_buttons")


def pressed(element: Json, view: View | None, block_id: str = "") -> str:
    """An element that stands for itself. One that asks once more shows an ellipsis, which Slack does not."""
    kind = element["type"]
    if kind == "button":
        ask = " <span class=confirm>…?</span>" if "confirm" in element else ""
        return f"<button class={element.get('style', 'plain')}>{plain(element['text']['text'])}{ask}</button>"
    if kind == "overflow":
        return "<button>⋯</button>"
    if kind in _LISTS:
        return _choices(element, _now(element, view, block_id))
    now = _said(_now(element, view, block_id))
    holder = element.get("placeholder", {}).get("text", "Choose")
    return f"<span class=select>{plain(now or holder)}</span>"


def asked(block: Json, view: View | None) -> str:
    """An input block: label, field, hint, and the error at it."""
    element = block["element"]
    error = view.errors.get(block["block_id"], "") if view else ""
    free = " <i>(optional)</i>" if block.get("optional") else ""
    hint = f"<div class=hint>{plain(block['hint']['text'])}</div>" if "hint" in block else ""
    wrong = f"<div class=error>{escape(error)}</div>" if error else ""
    label = f"<label>{plain(block['label']['text'])}{free}</label>"
    bad = " bad" if error else ""
    return f'<div class="input{bad}">{label}{_field(element, view, block["block_id"])}{wrong}{hint}</div>'


def _field(element: Json, view: View | None, block_id: str) -> str:
    now = _now(element, view, block_id)
    if element["type"] in _LISTS:
        return _choices(element, now)
    said = _said(now)
    holder = plain(element.get("placeholder", {}).get("text", ""))
    tall = " tall" if element.get("multiline") else ""
    menu = " ⌄" if "select" in element["type"] else ""
    if said:
        return f'<div class="field{tall}">{plain(said)}{menu}</div>'
    return f'<div class="field empty{tall}">{holder}{menu}</div>'


def _now(element: Json, view: View | None, block_id: str) -> Json:
    values = view.values if view else {}
    for block, actions in values.items():
        if block_id in ("", block) and element.get("action_id") in actions:
            found: Json = actions[str(element["action_id"])]
            return found
    return initial(element)


def _said(value: Json) -> str:
    for name, found in value.items():
        if name == "type" or not found:
            continue
        if isinstance(found, dict):
            return str(found["text"]["text"])
        if isinstance(found, list):
            return ", ".join(one["text"]["text"] for one in found)
        return str(found)
    return ""


def _choices(element: Json, value: Json) -> str:
    chosen = value.get("selected_options") or [value.get("selected_option")]
    marks = "☑☐" if element["type"] == "checkboxes" else "◉○"
    lines = []
    for one in element["options"]:
        mark = marks[0] if one in chosen else marks[1]
        note = f" <small>{plain(one['description']['text'])}</small>" if "description" in one else ""
        lines.append(f"<span class=choice>{mark} {plain(one['text']['text'])}{note}</span>")
    return "".join(lines)
