"""Modals: a form's first questions as text, and a question that a button asks.

Discord shows five at most and tells nothing until a modal is sent off: the worst case stands on the quote that follows,
which somebody has to confirm.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapters.chat.discord import limits
from adapters.chat.discord.text import plain
from bot.domain.form import Field, Form
from bot.domain.harmless import line

Json = dict[str, Any]
FORM, ASKED = "lc:form:", "lc:~"
_ROW, _INPUT, _SHORT = 1, 4, 1
_FIRST = {
    "up": ("gpu", "provider", "for", "budget", "count"),
    "train": ("recipe", "preset", "data", "gpu", "budget"),
}
"""What is asked; everything else has its usual value, or is said with the command's options."""


def form(asked: Form) -> Json:
    """A form's modal."""
    fields = {one.name: one for one in asked.fields}
    names = [name for name in _FIRST.get(asked.command, ()) if name in fields] or [*fields]
    rows = [_input(fields[name]) for name in names[: limits.MODAL_INPUTS]]
    return {
        "custom_id": f"{FORM}{asked.command}",
        "title": plain(asked.title, limits.MODAL_TITLE),
        "components": rows,
    }


def asking(label: str, question: str, command: str) -> Json:
    """What a button asks for before its command is said."""
    one = Field("answer", question)
    return {
        "custom_id": f"{ASKED}{line(command)}"[: limits.CUSTOM_ID],
        "title": plain(label, limits.MODAL_TITLE),
        "components": [_input(one)],
    }


def values(data: Mapping[str, Any]) -> dict[str, str]:
    """Field to what was typed; rows and labels alike."""
    found: dict[str, str] = {}
    for row in data.get("components") or ():
        inside = row.get("components") or ([row["component"]] if row.get("component") else [])
        for one in inside:
            found[str(one.get("custom_id") or "")] = str(one.get("value") or "")
    return found


def _input(one: Field) -> Json:
    hint = one.hint or ", ".join(choice.value for choice in one.choices)
    made: Json = {
        "type": _INPUT,
        "custom_id": one.name,
        "style": _SHORT,
        "label": plain(one.label, limits.INPUT_LABEL),
        "required": not one.optional,
        "max_length": 1_000,
    }
    if one.value:
        made["value"] = one.value[:1_000]
    if hint:
        made["placeholder"] = plain(hint, limits.INPUT_PLACEHOLDER)
    return {"type": _ROW, "components": [made]}
