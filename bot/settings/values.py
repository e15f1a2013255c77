"""The values that settings take, and what is said of others. A secret is never repeated."""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfoNotFoundError

from pydantic import BeforeValidator, SecretStr
from pydantic_settings import NoDecode

from bot.domain.allowance import is_within
from bot.domain.label import NAMESPACE
from bot.domain.money import Usd

_DATABASES = ("sqlite:///", "sqlite+aiosqlite:///", "postgres://", "postgresql://", "postgresql+asyncpg://")
_DEAREST_KWH = 10
_AMOUNT = re.compile(r"\d{1,9}(\.\d{1,6})?|\.\d{1,6}")
_MOST = Usd.of(10_000)
"""As a person may say in a line."""
_TIME_OF_DAY = re.compile(r"(?P<from>\d\d:\d\d)-(?P<to>\d\d:\d\d)(?: [A-Za-z0-9_+/-]+)?")
_KEY_BYTES = 32
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE)


def _usd(value: object) -> object:
    if not isinstance(value, str):
        return value
    said = value.strip().removeprefix("$")
    if said.startswith("-"):
        raise ValueError("must not be negative")
    if not _AMOUNT.fullmatch(said):
        raise ValueError(f"{value!r} is no amount of dollars; write it like 5 or $4.50")
    amount = Usd.of(said)
    if amount > _MOST:
        raise ValueError(f"must be at most {_MOST}")
    return amount


def _budget(value: object) -> object:
    amount = _usd(value)
    if isinstance(amount, Usd) and amount.micros == 0:
        raise ValueError("must be more than 0")
    return amount


def _hours(value: object) -> object:
    if not isinstance(value, str):
        return value
    text = value.strip().lower()
    try:
        seconds = Decimal(text.rstrip("hm")) * (60 if text.endswith("m") else 3600)
    except ArithmeticError:
        raise ValueError(f"{value!r} is no number of hours; write it like 4, 24h or 20m") from None
    if not seconds.is_finite() or not 0 < seconds <= 24 * 30 * 3600:
        raise ValueError("must be more than 0 and at most 720 hours")
    return timedelta(seconds=int(seconds))


def _namespace(value: object) -> object:
    if isinstance(value, str) and value and not NAMESPACE.fullmatch(value):
        raise ValueError("is 1 to 20 lower-case letters and digits")
    return value


def _kwh(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        price = Decimal(value.strip().removeprefix("$"))
    except ArithmeticError:
        raise ValueError(f"{value!r} is no price of a kWh in dollars; write it like 0.30") from None
    if not price.is_finite() or not 0 <= price <= _DEAREST_KWH:
        raise ValueError(f"must be 0 to {_DEAREST_KWH} dollars")
    return price


def _database(value: object) -> object:
    if isinstance(value, str) and value and not value.startswith(_DATABASES):
        raise ValueError(
            "is no database of ours; write it like postgresql://user:password@host/name, or leave it empty"
        )
    return value


def _key(value: object) -> object:
    """A key that cannot seal is found out now, not when the first machine is rented."""
    if not isinstance(value, str) or not value:
        return value
    try:
        long_enough = len(base64.urlsafe_b64decode(value)) == _KEY_BYTES
    except ValueError:
        long_enough = False
    if not long_enough:
        raise ValueError("is no key; it is 32 bytes in urlsafe base64, or empty")
    return value


def _folder(value: object) -> object:
    if isinstance(value, str) and value and not Path(value).expanduser().is_dir():
        raise ValueError(f"{value!r} is no folder")
    return Path(value).expanduser() if isinstance(value, str) and value else value


def _url(value: object) -> object:
    if isinstance(value, str):
        value = value.strip().rstrip("/")
        if not value.startswith(("https://", "http://")) or len(value) < len("http://a"):
            raise ValueError(f"{value!r} is no address; write it like https://host/path")
    return value


def _token(value: object) -> object:
    """A key goes into a header: what cannot stand there is a slip of the hand."""
    if isinstance(value, str):
        value = value.strip()
        if not value.isascii() or not value.isprintable() or " " in value:
            raise ValueError("is no API key: it has spaces or characters that no key has")
    return value


def _addresses(value: object) -> object:
    """Only their form; which services there are is known where they are told. An address is never repeated: its secret
    is a part of it."""
    if not isinstance(value, str):
        return value
    for number, one in enumerate(split_addresses(value), 1):
        if not _ADDRESS.fullmatch(one):
            raise ValueError(
                f"address {number} is none; write it like ntfy://topic or mailto://user:password@host"
            )
    return value.strip()


def readable_addresses(text: str) -> str:
    """Those of the addresses that have the form of one: who must shout shouts where it can."""
    return " ".join(one for one in split_addresses(text) if _ADDRESS.fullmatch(one))


def split_addresses(text: str) -> tuple[str, ...]:
    """At blanks, and at commas before another address: an address may have commas of its own."""
    return tuple(
        one for one in re.split(r"[\s,]*\s[\s,]*|,+(?=[a-z][a-z0-9+.-]*://)", text.strip(" ,\n\t")) if one
    )


def _limit(value: object) -> object:
    """A budget of nothing would stop everybody; empty means that there is none."""
    if not isinstance(value, str):
        return value
    if not value.strip():
        return None
    amount = _usd(value)
    if isinstance(amount, Usd) and amount.micros == 0:
        raise ValueError("must be more than 0; leave it empty for no limit")
    return amount


def _rate(value: object) -> object:
    return _limit(re.sub(r"\s*/\s*h(our)?$", "", value)) if isinstance(value, str) else value


def _time_of_day(value: object) -> object:
    """``08:00-20:00 Europe/Berlin``."""
    if not isinstance(value, str) or not value.strip():
        return value
    try:
        said = _TIME_OF_DAY.fullmatch(value.strip())
        if said is None or said["from"] == said["to"]:
            raise ValueError
        is_within(value.strip(), datetime(2026, 1, 1, tzinfo=UTC))
    except (ValueError, ZoneInfoNotFoundError, OSError):
        raise ValueError(f"{value!r} is no time of day; write it like 08:00-20:00 Europe/Berlin") from None
    return value.strip()


def _people(value: object) -> object:
    if isinstance(value, str):
        for one in filter(None, re.split(r"[\s,]+", value)):
            if one.count(":") < 2:
                raise ValueError(
                    f"{one!r} is nobody's key; write it like slack:T024:U07, with commas between"
                )
    return value


def _place(value: object) -> object:
    if isinstance(value, str) and value and not re.fullmatch(r"[a-z]+:\S+", value):
        raise ValueError(f"{value!r} is no channel; write it like slack:C024")
    return value


def _teams(value: object) -> object:
    if isinstance(value, str):
        joined_teams(value)
    return value


def joined_teams(text: str) -> dict[str, str]:
    """``acme=slack:T024,discord:81; lab=console`` to ``{"slack:T024": "acme", …}``. Raises ``ValueError``."""
    found: dict[str, str] = {}
    for one in filter(None, (part.strip() for part in text.split(";"))):
        name, equals, places = one.partition("=")
        name = name.strip()
        if not equals or not re.fullmatch(r"[A-Za-z0-9_-]{1,40}", name):
            raise ValueError(f"{one!r} names no team; write it like acme=slack:T024,discord:8123")
        for place in filter(None, (part.strip() for part in places.split(","))):
            if not re.fullmatch(r"[a-z]+:[^\s:]+", place):
                raise ValueError(f"{place!r} is no workspace or server; write it like slack:T024")
            if found.setdefault(place, name) != name:
                raise ValueError(f"{place} is in two teams, {found[place]} and {name}; leave one out")
    return found


def _places(value: object) -> object:
    if isinstance(value, str):
        for one in filter(None, re.split(r"[\s,]+", value)):
            _place(one)
    return value


Key = Annotated[SecretStr, BeforeValidator(_token)]
Addresses = Annotated[SecretStr, BeforeValidator(_addresses)]
Url = Annotated[str, BeforeValidator(_url)]
Money = Annotated[Usd, NoDecode, BeforeValidator(_usd)]
Budget = Annotated[Usd, NoDecode, BeforeValidator(_budget)]
Hours = Annotated[timedelta, NoDecode, BeforeValidator(_hours)]
Database = Annotated[str, BeforeValidator(_database)]
Namespace = Annotated[str, BeforeValidator(_namespace)]
SealingKey = Annotated[str, BeforeValidator(_key)]
Folder = Annotated[Path | None, BeforeValidator(_folder)]
Kwh = Annotated[Decimal, BeforeValidator(_kwh)]
Rate = Annotated[Usd | None, NoDecode, BeforeValidator(_rate)]
Patience = Annotated[timedelta | None, NoDecode, BeforeValidator(_hours)]
Limit = Annotated[Usd | None, NoDecode, BeforeValidator(_limit)]
TimeOfDay = Annotated[str, BeforeValidator(_time_of_day)]
People = Annotated[str, BeforeValidator(_people)]
Place = Annotated[str, BeforeValidator(_place)]
Teams = Annotated[str, BeforeValidator(_teams)]
Places = Annotated[str, BeforeValidator(_places)]
