"""Buttons: each holds the command that a click stands for in its ``custom_id``, so that it works after a restart and
after days. What cannot be taken back asks once, by a second button that only the person sees.

``lc:`` and a mark stand before the command: ``=`` says it, ``!`` asks whether it is meant, ``?`` asks for words first.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from adapters.chat.discord import limits
from adapters.chat.discord.text import code, plain, weight, words
from bot.domain.harmless import line
from bot.domain.talk import Button

Json = dict[str, Any]
SAY, SURE, ASK = "=", "!", "?"
TEMPLATE = re.compile(r"lc:(?P<mark>[=!?])(?P<line>.+)", re.DOTALL)
_ROW, _BUTTON = 1, 2
_PRIMARY, _SECONDARY, _DANGER = 1, 2, 4


@dataclass(frozen=True, slots=True)
class Pressable:
    """``rows`` of components; ``unsaid`` are buttons that no component can hold, to be said in words."""

    rows: list[Json]
    unsaid: tuple[Button, ...] = ()


def pressable(buttons: Sequence[Button]) -> Pressable:
    """At most 25, each command once: Discord takes no ``custom_id`` twice."""
    made: list[Json] = []
    unsaid: list[Button] = []
    known: set[str] = set()
    for button in buttons:
        if not button.command.strip():
            continue
        one = _button(button)
        fits = weight(one["custom_id"]) <= limits.CUSTOM_ID and len(made) < limits.ROWS * limits.ROW_BUTTONS
        if not fits or one["custom_id"] in known:
            unsaid += [button] if one["custom_id"] not in known else []
            continue
        known.add(one["custom_id"])
        made.append(one)
    rows = [made[at : at + limits.ROW_BUTTONS] for at in range(0, len(made), limits.ROW_BUTTONS)]
    return Pressable([{"type": _ROW, "components": row} for row in rows], tuple(unsaid))


def sure(label: str, command: str) -> list[Json]:
    """The second button of a dangerous one: this time it is meant."""
    one = {
        "type": _BUTTON,
        "style": _DANGER,
        "label": plain(label, limits.BUTTON_LABEL),
        "custom_id": f"lc:{SAY}{line(command)}",
    }
    return [{"type": _ROW, "components": [one]}]


def in_words(button: Button) -> str:
    """``Confirm: `/gpu run confirm k7m2qd```, for where nothing can be pressed."""
    return f"{words(button.label) or 'Say'}: {code('/gpu run ' + button.command)}"


def _button(button: Button) -> Json:
    mark = ASK if button.asks else SURE if button.danger else SAY
    style = _DANGER if button.danger else _PRIMARY if button.primary else _SECONDARY
    label = plain(button.label.strip() or button.command.split()[0], limits.BUTTON_LABEL)
    return {"type": _BUTTON, "style": style, "label": label, "custom_id": f"lc:{mark}{line(button.command)}"}
