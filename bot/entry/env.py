"""``lastcall env``: every setting with its default and its meaning, as a ``.env.example``."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pydantic import SecretStr

from bot.domain.money import Usd
from bot.settings import Settings

_HEAD = "# Settings of Lastcall. Copy to .env and change what you need; everything has a default.\n"


def example() -> str:
    """The text of ``.env.example``."""
    parts = [_HEAD]
    for name, field in Settings.model_fields.items():
        parts.append(f"# {field.description}\n#{Settings.variable(name)}={_shown(field.default)}\n")
    return "\n".join(parts)


def _shown(value: Any) -> str:
    if isinstance(value, Usd):
        return f"${value.dollars.normalize():f}"
    if isinstance(value, timedelta):
        return f"{value.total_seconds() / 3600:g}h"
    if isinstance(value, SecretStr):
        return ""
    return "" if value is None else str(value)
