"""What is wrong with the settings: all of it at once, a sentence for each, and never the value of a secret."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from bot.domain.market import Finding, Mark
from bot.entry.env import shown
from bot.settings import Settings


@dataclass(frozen=True, slots=True)
class SettingFault:
    """One setting that cannot be read."""

    name: str
    """As it is called in the environment."""
    wrong: str
    meant: str
    """What it is for, and what holds when it is left out."""

    def __str__(self) -> str:
        return f"{self.name}: {self.wrong}."


def setting_faults(error: ValidationError) -> list[SettingFault]:
    """Every setting that was refused, in the order of ``.env.example``; also one that is looked at only when the rest
    is well, so that nobody mends one just to hear of the next."""
    told: dict[str, SettingFault] = {}
    for one in error.errors():
        field = _field(str(one["loc"][0]) if one["loc"] else "")
        told.setdefault(field, _fault(field, _wrong(one)))
    if "local_hosts" not in told and (wrong := _hosts(told)):
        told["local_hosts"] = _fault("local_hosts", wrong)
    order = list(Settings.model_fields)
    return sorted(told.values(), key=lambda one: order.index(_field(one.name)) if _field(one.name) else -1)


def as_findings(faults: Sequence[SettingFault]) -> list[Finding]:
    """For ``lastcall check``."""
    return [Finding("settings", Mark.BAD, str(one), one.meant) for one in faults]


def _field(said: str) -> str:
    """By the name of the field or of the variable; empty for what is about none of them."""
    return next((one for one in Settings.model_fields if said in (one, Settings.variable(one))), "")


def _fault(field: str, wrong: str) -> SettingFault:
    if not field:
        return SettingFault("The settings", wrong, "")
    about, name = Settings.model_fields[field], Settings.variable(field)
    usual = shown(about.default)
    without = f"{usual} holds" if usual else "it is empty"
    return SettingFault(name, wrong, f"{about.description} Without {name}, {without}.")


def _wrong(error: Any) -> str:
    """The sentence of our own validators; pydantic's own kinds in words that say what to type."""
    match error["type"]:
        case "literal_error":
            return f"{error['input']!r} is none of {error['ctx']['expected']}"
        case "int_parsing" | "int_type":
            return f"{error['input']!r} is no whole number; write it like 22"
        case "greater_than_equal" | "less_than_equal":
            bound, limit = ("at least", "ge") if "greater" in error["type"] else ("at most", "le")
            return f"must be {bound} {error['ctx'][limit]}"
    return str(error["msg"]).removeprefix("Value error, ").rstrip(".")


def _hosts(told: dict[str, SettingFault]) -> str:
    """What is wrong with the workstations, which only their adapter can read; empty when nothing is."""
    from bot.wiring import hosts_fault  # noqa: PLC0415 - only for who made a mistake

    fields = {field: Settings.model_fields[field].default for field in told if field}
    try:
        settings = Settings(**fields)
    except ValidationError:
        return ""
    return hosts_fault(settings.local_hosts).partition(": ")[2].rstrip(".")
