"""Buttons: each says the command that a click stands for, and what cannot be taken back asks once."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from adapters.chat.slack import limits
from adapters.chat.slack.page import size
from adapters.chat.slack.text import Json, code, plain, words
from bot.domain.talk import Button

ROOM = 8_500
"""Of a message's characters, for its buttons: sixty with short commands."""
_ASK = "ask:"
_VERB = re.compile(r"[a-z][a-z-]{0,30}")
_ENDS = {
    "down": "{what} is torn down. What a training has made so far is brought home first; the rest of what is on the"
    " machine is gone.",
    "orphans": "{what} is ended now, with everything that is on it.",
    "decline": "{what} is declined; nothing is rented for it.",
}
"""By the command's first word, what a click on a dangerous button brings about; anything else is said by its line."""


@dataclass(frozen=True, slots=True)
class Pressable:
    """``blocks`` of buttons; ``unsaid`` are those that no button can hold, to be said in words."""

    blocks: list[Json]
    unsaid: tuple[Button, ...] = ()


def pressable(buttons: Sequence[Button], *, first: int = 0, room: int = ROOM) -> Pressable:
    """``first``: the number of the first one. Numbers make the ``action_id`` unique where several cards
    share a page."""
    made: list[Json] = []
    unsaid = []
    for number, button in enumerate(buttons, first):
        fits = button.command.strip() and len(button.command) <= limits.BUTTON_VALUE
        one = _button(number, button) if fits else {}
        if not one or size([one]) > room:
            unsaid.append(button)
            continue
        room -= size([one])
        made.append(one)
    rows = [made[at : at + limits.ACTIONS_ELEMENTS] for at in range(0, len(made), limits.ACTIONS_ELEMENTS)]
    return Pressable(
        [{"type": "actions", "elements": row} for row in rows],
        tuple(one for one in unsaid if one.command.strip()),
    )


def in_words(button: Button) -> str:
    """``Confirm: `/gpu confirm k7m2qd```, for where nothing can be pressed."""
    return f"{words(button.label) or 'Say'}: {code('/gpu ' + button.command)}"


def asked_for(action: Mapping[str, Any]) -> str:
    """What the button that was clicked asks for, out of its ``action_id``."""
    parts = str(action.get("action_id") or "").split(":", 3)
    return (parts[3] if len(parts) == 4 and parts[0] == "ask" else "") or "Your answer"


def _button(number: int, button: Button) -> Json:
    verb = button.command.strip().partition(" ")[0].lower()
    verb = verb if _VERB.fullmatch(verb) else "say"
    label = button.label.strip() or verb
    asks = plain(button.asks, 150)["text"] if button.asks else ""
    made: Json = {
        "type": "button",
        "action_id": f"{_ASK}{number}:{verb}:{asks}" if asks else f"gpu:{number}:{verb}",
        "text": plain(label, limits.BUTTON_TEXT),
        "value": button.command,
    }
    if button.primary or button.danger:
        made["style"] = "danger" if button.danger else "primary"
    if button.danger and not asks:  # a question is a second step already
        made["confirm"] = _confirm(label, verb, button.command)
    return made


def _confirm(label: str, verb: str, command: str) -> Json:
    what = command.rsplit(maxsplit=1)[-1]
    happens = _ENDS.get(verb, "Lastcall is told: /gpu {line}.").format(what=what, line=command)
    return {
        "title": plain(f"{label}?", limits.CONFIRM_TITLE),
        "text": plain(f"{happens} This cannot be taken back.", limits.CONFIRM_TEXT),
        "confirm": plain(label, limits.CONFIRM_BUTTON),
        "deny": plain("Not now", limits.CONFIRM_BUTTON),
        "style": "danger",
    }
