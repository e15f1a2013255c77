"""``/gpu`` as Discord knows it: a subcommand for each of ours with typed options, and ``run`` for a whole line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from adapters.chat.discord import limits
from adapters.chat.discord.rest import Rest
from bot.domain.form import Option, Shape
from bot.ports import Desk

Json = dict[str, Any]
RUN, TEXT, FILE = "run", "text", "file"
_SUB, _STRING, _ATTACHMENT = 1, 3, 11
_GUILD, _BOT_DM = 0, 1
_KEPT = ("type", "name", "description", "required", "autocomplete", "choices", "options", "contexts")


@dataclass(frozen=True, slots=True)
class Said:
    """A slash command: which, its values, and the ids of attachments."""

    command: str
    values: Mapping[str, str] = field(default_factory=dict)
    focused: str = ""
    file: str = ""


def payload(desk: Desk) -> Json:
    """The one command that is registered."""
    subs = [_sub(one, is_form=bool(desk.open_form(one.command))) for one in desk.shapes()]
    whole = {
        "type": _STRING,
        "name": TEXT,
        "description": "As you would type it: up vast 3090 for 2h budget $5",
        "required": True,
    }
    subs.append(
        {
            "type": _SUB,
            "name": RUN,
            "description": "Say a whole line, as in every other chat",
            "options": [whole],
        }
    )
    return {
        "type": 1,
        "name": "gpu",
        "description": "Rent, train on, list and end GPUs",
        "options": subs[: limits.CHOICES],
        "contexts": [_GUILD, _BOT_DM],
        "integration_types": [0],
    }


def read(data: Mapping[str, Any]) -> Said:
    """Out of an interaction's ``data``; an option that is being typed is named in ``focused``."""
    sub: Mapping[str, Any] = next(iter(data.get("options") or ()), {})
    values: dict[str, str] = {}
    focused = file = ""
    for one in sub.get("options") or ():
        if one.get("type") == _ATTACHMENT:
            file = str(one.get("value") or "")
            continue
        values[str(one["name"])] = str(one.get("value") or "")
        focused = str(one["name"]) if one.get("focused") else focused
    return Said(str(sub.get("name") or ""), values, focused, file)


async def sync(rest: Rest, desk: Desk, application: str, servers: Sequence[str]) -> int:
    """Register it where it is not so yet: in the servers that are listed, where it is there at once, else everywhere.
    Discord counts registrations, so what is there already is left alone. Returns how many places were written."""
    wanted, written = payload(desk), 0
    places = [f"/applications/{application}/guilds/{one}/commands" for one in servers]
    for path in places or [f"/applications/{application}/commands"]:
        there = await rest.call("GET", path)
        if [_core(one) for one in there or ()] != [_core(wanted)]:
            await rest.call("PUT", path, [wanted])
            written += 1
    if places:
        # Registered in both ways it would be shown twice.
        everywhere = f"/applications/{application}/commands"
        if await rest.call("GET", everywhere):
            await rest.call("PUT", everywhere, [])
    return written


def _core(one: Mapping[str, Any]) -> Json:
    """What we say of a command, without what Discord adds."""
    found = {name: one[name] for name in _KEPT if one.get(name) not in (None, False, [])}
    if "options" in found:
        found["options"] = [_core(each) for each in found["options"]]
    return found


def _sub(shape: Shape, *, is_form: bool) -> Json:
    options = [_option(one, may_be_left_out=is_form) for one in shape.options]
    if any(one.name == "data" for one in shape.options):
        options.append(
            {
                "type": _ATTACHMENT,
                "name": FILE,
                "description": "A zip of pictures, as `data attached` means it",
            }
        )
    made = {"type": _SUB, "name": shape.command, "description": shape.summary[: limits.COMMAND_DESCRIPTION]}
    return {**made, "options": options[: limits.CHOICES]} if options else made


def _option(one: Option, *, may_be_left_out: bool) -> Json:
    made: Json = {
        "type": _STRING,
        "name": one.name,
        "description": one.summary[: limits.COMMAND_DESCRIPTION],
        "required": one.required and not may_be_left_out,
    }
    if one.switch:
        return {**made, "choices": [{"name": "yes", "value": "yes"}]}
    return {**made, "autocomplete": True}
