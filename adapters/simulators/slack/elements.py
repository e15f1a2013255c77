"""What may stand inside a block: texts, buttons, selects, inputs. Limits: chat-platforms.md, 4.1."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from adapters.simulators.slack.refusals import invalid_blocks
from adapters.simulators.slack.things import Json

BUTTON_TEXT, BUTTON_VALUE, BUTTON_URL = 75, 2000, 3000
ID_LENGTH = 255
OPTIONS, OPTION_TEXT, OPTION_VALUE, OPTION_NOTE = 100, 75, 150, 75
OVERFLOW_OPTIONS, CHECKS = 5, 10
CONFIRM_TITLE, CONFIRM_TEXT, CONFIRM_BUTTON = 100, 300, 30
PLACEHOLDER, INPUT_VALUE = 150, 3000


def need(found: Any, where: str, known: Sequence[str], required: Sequence[str] = ()) -> Json:
    """An object with nothing but known fields and everything that is required."""
    if not isinstance(found, dict):
        raise invalid_blocks(where, "must be an object")
    if extra := [name for name in found if name not in known and name != "type"]:
        raise invalid_blocks(f"{where}/{extra[0]}", f"no more than {len(known)} known fields: {extra[0]}")
    for name in required:
        if found.get(name) in (None, "", [], {}):
            raise invalid_blocks(where, f"missing required field: {name}")
    return found


def string(found: Any, where: str, longest: int, shortest: int = 1) -> str:
    """A string whose length Slack accepts."""
    if not isinstance(found, str):
        raise invalid_blocks(where, "must be a string")
    if len(found) < shortest:
        raise invalid_blocks(where, f"must be more than {shortest - 1} characters")
    if len(found) > longest:
        raise invalid_blocks(where, f"must be less than {longest + 1} characters")
    return found


def text(found: Any, where: str, longest: int, *, plain: bool = False) -> None:
    """A text object; ``plain``: only ``plain_text`` is taken here."""
    kinds = ("plain_text",) if plain else ("plain_text", "mrkdwn")
    kind = need(found, where, ("text", "emoji", "verbatim")).get("type")
    if kind not in kinds:
        raise invalid_blocks(f"{where}/type", f"must be one of {kinds}, not {kind!r}")
    if kind == "mrkdwn" and "emoji" in found:
        raise invalid_blocks(f"{where}/emoji", "only plain_text has emoji")
    if kind == "plain_text" and "verbatim" in found:
        raise invalid_blocks(f"{where}/verbatim", "only mrkdwn has verbatim")
    string(found.get("text"), f"{where}/text", longest)


def confirm(found: Any, where: str) -> None:
    """The dialog that asks once more."""
    if found is None:
        return
    need(found, where, ("title", "text", "confirm", "deny", "style"), ("title", "text", "confirm", "deny"))
    text(found["title"], f"{where}/title", CONFIRM_TITLE, plain=True)
    text(found["text"], f"{where}/text", CONFIRM_TEXT)
    for name in ("confirm", "deny"):
        text(found[name], f"{where}/{name}", CONFIRM_BUTTON, plain=True)
    style(found, where)


def style(found: Json, where: str) -> None:
    """``primary`` or ``danger``; there is no word for the default."""
    if "style" in found and found["style"] not in ("primary", "danger"):
        raise invalid_blocks(f"{where}/style", "must be primary or danger")


def button(found: Json, where: str) -> None:
    """A button; its ``value`` comes back with the click."""
    known = ("text", "action_id", "url", "value", "style", "confirm", "accessibility_label", "block_id")
    need(found, where, known, ("text",))
    text(found["text"], f"{where}/text", BUTTON_TEXT, plain=True)
    style(found, where)
    confirm(found.get("confirm"), f"{where}/confirm")
    for name, longest in (("value", BUTTON_VALUE), ("url", BUTTON_URL), ("accessibility_label", 75)):
        if name in found:
            string(found[name], f"{where}/{name}", longest)


def option(found: Any, where: str, *, mrkdwn: bool = False) -> str:
    """One choice; returns its value."""
    need(found, where, ("text", "value", "description", "url"), ("text", "value"))
    text(found["text"], f"{where}/text", OPTION_TEXT, plain=not mrkdwn)
    if "description" in found:
        text(found["description"], f"{where}/description", OPTION_NOTE, plain=not mrkdwn)
    return string(found["value"], f"{where}/value", OPTION_VALUE)


def options(found: Any, where: str, most: int, *, mrkdwn: bool = False) -> list[Json]:
    """A list of choices. At least one, and no value twice."""
    if not isinstance(found, list) or not 1 <= len(found) <= most:
        raise invalid_blocks(where, f"must have 1 to {most} options")
    values = [option(one, f"{where}/{i}", mrkdwn=mrkdwn) for i, one in enumerate(found)]
    if len(set(values)) != len(values):
        raise invalid_blocks(where, "option values must be unique")
    return found


def chosen(found: Json, where: str, offered: list[Json]) -> None:
    """What is chosen from the start must be exactly one of what is offered."""
    initial = found.get("initial_options", [found["initial_option"]] if "initial_option" in found else [])
    for one in initial:
        if one not in offered:
            raise invalid_blocks(f"{where}/initial_option", "must match one of the options exactly")


def select(found: Json, where: str) -> None:
    """A menu of fixed options, in groups or not."""
    known = (
        "action_id placeholder options option_groups initial_option initial_options confirm focus_on_load "
        "max_selected_items"
    )
    need(found, where, known.split())
    if ("options" in found) == ("option_groups" in found):
        raise invalid_blocks(where, "needs options or option_groups, not both")
    offered: list[Json] = []
    if "options" in found:
        offered = options(found["options"], f"{where}/options", OPTIONS)
    else:
        groups = found["option_groups"]
        if not isinstance(groups, list) or not 1 <= len(groups) <= OPTIONS:
            raise invalid_blocks(f"{where}/option_groups", "must have 1 to 100 groups")
        for i, group in enumerate(groups):
            at = f"{where}/option_groups/{i}"
            need(group, at, ("label", "options"), ("label", "options"))
            text(group["label"], f"{at}/label", OPTION_TEXT, plain=True)
            offered += options(group["options"], f"{at}/options", OPTIONS)
    chosen(found, where, offered)
    _asked(found, where)


def _asked(found: Json, where: str) -> None:
    if "placeholder" in found:
        text(found["placeholder"], f"{where}/placeholder", PLACEHOLDER, plain=True)
    confirm(found.get("confirm"), f"{where}/confirm")
    if "focus_on_load" in found and not isinstance(found["focus_on_load"], bool):
        raise invalid_blocks(f"{where}/focus_on_load", "must be true or false")


def overflow(found: Json, where: str) -> None:
    """The three dots."""
    need(found, where, ("action_id", "options", "confirm"), ("options",))
    options(found["options"], f"{where}/options", OVERFLOW_OPTIONS)
    confirm(found.get("confirm"), f"{where}/confirm")


def checks(found: Json, where: str) -> None:
    """Checkboxes or radio buttons: at most ten."""
    known = ("action_id", "options", "initial_options", "initial_option", "confirm", "focus_on_load")
    need(found, where, known, ("options",))
    offered = options(found["options"], f"{where}/options", CHECKS, mrkdwn=True)
    chosen(found, where, offered)
    _asked(found, where)


def typed(found: Json, where: str) -> None:
    """A line or a box of text, or a number."""
    known = (
        "action_id initial_value multiline min_length max_length min_value max_value is_decimal_allowed "
        "placeholder focus_on_load dispatch_action_config"
    )
    need(found, where, known.split())
    if "initial_value" in found:
        string(found["initial_value"], f"{where}/initial_value", INPUT_VALUE, 0)
    if found["type"] == "number_input" and not isinstance(found.get("is_decimal_allowed"), bool):
        raise invalid_blocks(where, "missing required field: is_decimal_allowed")
    _asked(found, where)


def picker(found: Json, where: str) -> None:
    """Menus of people, channels and dates: Slack brings the choices."""
    known = (
        "action_id placeholder confirm focus_on_load initial_user initial_channel initial_conversation "
        "initial_date initial_time initial_date_time timezone filter response_url_enabled min_query_length"
    )
    need(found, where, known.split())
    _asked(found, where)


ELEMENTS: dict[str, Callable[[Json, str], None]] = {
    "button": button,
    "static_select": select,
    "multi_static_select": select,
    "overflow": overflow,
    "checkboxes": checks,
    "radio_buttons": checks,
    "plain_text_input": typed,
    "number_input": typed,
    "url_text_input": typed,
    "external_select": picker,
    "users_select": picker,
    "channels_select": picker,
    "conversations_select": picker,
    "datepicker": picker,
    "timepicker": picker,
    "datetimepicker": picker,
}
INPUTS = ELEMENTS.keys() - {"button", "overflow"}
IN_ACTIONS = ELEMENTS.keys() - {"plain_text_input", "number_input", "url_text_input"}


def element(found: Any, where: str, allowed: Sequence[str] | set[str]) -> None:
    """An interactive element of a kind that may stand here, with an ``action_id`` of at most 255 characters."""
    if not isinstance(found, dict) or found.get("type") not in allowed:
        kind = found.get("type") if isinstance(found, dict) else found
        raise invalid_blocks(where, f"unsupported type: {kind!r}")
    if "action_id" in found:
        string(found["action_id"], f"{where}/action_id", ID_LENGTH)
    ELEMENTS[found["type"]](found, where)
