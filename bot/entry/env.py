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
        parts.append(f"# {field.description}\n#{Settings.variable(name)}={shown(field.default)}\n")
    return "\n".join(parts)


def shown(value: Any) -> str:
    """A default as it is written in ``.env``; empty for a secret and for nothing."""
    if isinstance(value, Usd):
        return f"${value.dollars.normalize():f}"
    if isinstance(value, timedelta) and value % timedelta(minutes=15):
        return f"{value / timedelta(minutes=1):g}m"
    if isinstance(value, timedelta):
        return f"{value.total_seconds() / 3600:g}h"
    if isinstance(value, SecretStr):
        return ""
    return "" if value is None else str(value)
