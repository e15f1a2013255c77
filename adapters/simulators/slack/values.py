"""What a person has typed and chosen: by hand, and as ``state.values`` tells it."""

from __future__ import annotations

from typing import Any

from adapters.simulators.slack.things import Json, View, pressable

_DATES = {
    "datepicker": "selected_date",
    "timepicker": "selected_time",
    "datetimepicker": "selected_date_time",
}
_ONE = {
    **_DATES,
    "users_select": "selected_user",
    "channels_select": "selected_channel",
    "conversations_select": "selected_conversation",
}
_OPTION = {"static_select", "radio_buttons", "external_select", "overflow"}
_MANY = {"checkboxes", "multi_static_select"}
Chosen = str | list[str] | None


def action_of(element: Json, chosen: Chosen, ts: str) -> Json:
    """The ``actions`` entry of one click or choice."""
    action: Json = {name: element[name] for name in ("type", "action_id", "block_id")}
    if element["type"] == "button":
        action |= {name: element[name] for name in ("value", "text", "style", "url") if name in element}
    else:
        action |= value_of(element, chosen)
    return {**action, "action_ts": ts}


def value_of(element: Json, chosen: Chosen) -> Json:
    """One value as Slack tells it. An option that is not offered raises ``LookupError``: nobody can choose it."""
    kind = element["type"]
    if kind in _OPTION:
        return {"type": kind, "selected_option": None if chosen is None else _option(element, str(chosen))}
    if kind in _MANY:
        wanted = [chosen] if isinstance(chosen, str) else chosen or []
        return {"type": kind, "selected_options": [_option(element, one) for one in wanted]}
    if kind in _ONE:
        return {"type": kind, _ONE[kind]: chosen}
    if isinstance(chosen, str) and len(chosen) > element.get("max_length", 3000):
        raise ValueError(
            f"{element['action_id']} takes no more than {element.get('max_length', 3000)} characters"
        )
    return {"type": kind, "value": chosen or None}


def _option(element: Json, value: str) -> Json:
    groups = element.get("option_groups", [])
    offered = [*element.get("options", ()), *(one for group in groups for one in group["options"])]
    for one in offered:
        if one["value"] == value or one["text"]["text"] == value:
            return dict(one)
    raise LookupError(f"{value!r} is not offered: {[one['value'] for one in offered]}")


def fill(view: View, wanted: dict[str, Chosen]) -> None:
    """Write these values, by ``block_id`` or ``action_id``, into the view; the rest stays as it is."""
    elements = [one for one in pressable(view.blocks) if one["type"] not in ("button", "overflow")]
    names = {one[name] for one in elements for name in ("block_id", "action_id")}
    if lost := wanted.keys() - names:
        raise LookupError(f"{sorted(lost)} are not in the view: {sorted(names)}")
    for one in elements:
        values = view.values.setdefault(one["block_id"], {})
        key = one["block_id"] if one["block_id"] in wanted else one["action_id"]
        if key in wanted:
            values[one["action_id"]] = value_of(one, wanted[key])
        else:
            values.setdefault(one["action_id"], initial(one))


def initial(element: Json) -> Json:
    """What an element holds before anybody touched it."""
    kind = element["type"]
    names = {"initial_option": "selected_option", "initial_value": "value"}
    names |= {name.replace("selected", "initial"): name for name in _ONE.values()}
    for ours, theirs in names.items():
        if ours in element:
            return {"type": kind, theirs: element[ours]}
    if kind in _MANY:
        return {"type": kind, "selected_options": element.get("initial_options", [])}
    return value_of(element, None)


def missing(view: View) -> list[str]:
    """Inputs that must not stay empty and are: Slack does not send the view off then."""
    lost = []
    for block in view.blocks:
        if block["type"] != "input" or block.get("optional"):
            continue
        value: Any = view.values.get(block["block_id"], {}).get(block["element"].get("action_id", ""), {})
        if not any(found for name, found in value.items() if name != "type"):
            lost.append(str(block["block_id"]))
    return lost
