"""Settings as far as they can be read: for who must work although one of them is malformed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from bot.settings import Settings
from bot.settings.values import readable_addresses


@dataclass(frozen=True, slots=True)
class Readable:
    """``settings`` has what holds without it in the place of each that cannot be read."""

    settings: Settings
    faults: Mapping[str, str] = field(default_factory=dict)
    """What is wrong, a sentence by the setting's field. The values of secrets are not in them."""


def readable() -> Readable:
    """From the environment and from ``.env``."""
    try:
        return Readable(Settings())
    except ValidationError as error:
        from bot.entry.faults import setting_faults  # noqa: PLC0415 - only for who made a mistake

        fields = {Settings.variable(one): one for one in Settings.model_fields}
        sentences = {fields[one.name]: str(one) for one in setting_faults(error) if one.name in fields}
        if not sentences:
            raise
        instead: dict[str, Any] = {one: Settings.model_fields[one].default for one in sentences}
        if (
            "local_hosts" in sentences
        ):  # it is text that only its adapter can read, and says what is wrong with
            del instead["local_hosts"], sentences["local_hosts"]
        if "notify_urls" in sentences:
            instead["notify_urls"] = readable_addresses(_typed(error, "notify_urls"))
        return Readable(Settings(**instead), sentences)


def _typed(error: ValidationError, name: str) -> str:
    """What was set there; may be a secret."""
    known = (name, Settings.variable(name))
    return next((str(one["input"]) for one in error.errors() if one["loc"] and one["loc"][0] in known), "")
