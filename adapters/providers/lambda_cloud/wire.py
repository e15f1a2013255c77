"""Lambda's envelopes, read with distrust: what is missing, null or of another type is told apart from nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from bot.domain.errors import VendorChanged
from bot.domain.money import MICROS_PER_CENT, Usd

Row = Mapping[str, Any]

_MORE = ("page_token", "next_page_token", "next_token")


def data_of(body: Any, what: str) -> Any:
    """The payload of a success. Raises ``VendorChanged`` where there is none."""
    if not isinstance(body, dict) or body.get("data") is None:
        raise VendorChanged(f"Lambda's answer about {what} has no data")
    return body["data"]


def rows_of(body: Any, what: str) -> Sequence[Row]:
    """A complete list of objects. Raises ``VendorChanged`` for anything else: also for a list with a token for
    more, because Lambda's lists have no pages (lambda.md, 1), and half a list must not be taken for the whole."""
    data = data_of(body, what)
    if not isinstance(data, list) or not all(isinstance(row, dict) for row in data):
        raise VendorChanged(f"Lambda's list of {what} cannot be read")
    if any(body.get(name) for name in _MORE):
        raise VendorChanged(f"Lambda's list of {what} comes in pages that we do not know")
    return data


def id_of(row: Row, what: str) -> str:
    """Raises ``VendorChanged`` for a row without: it may be ours, and must not be passed over."""
    found = row.get("id")
    if not isinstance(found, str) or not found:
        raise VendorChanged(f"Lambda lists {what} without an id")
    return found


def part(row: Row, name: str) -> Row:
    """An object inside an object; empty where it is missing, null or something else."""
    found = row.get(name)
    return found if isinstance(found, dict) else {}


def text(row: Row, name: str) -> str:
    """A text; empty where it is missing, null or something else."""
    found = row.get(name)
    return found if isinstance(found, str) else ""


def texts(value: Any) -> list[str]:
    """The texts of a list; none where it is no list."""
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def whole(value: Any) -> int | None:
    """A whole number that is not negative, also where it came as ``129.0`` or as a text."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value)
    if isinstance(value, Decimal) and value.is_finite() and value == value.to_integral_value():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    return None


def price_of(instance_type: Row) -> Usd | None:
    """What the whole machine costs in an hour; None where it is not told. Nothing is free: 0 is not told either."""
    cents = whole(instance_type.get("price_cents_per_hour"))
    return Usd(cents * MICROS_PER_CENT) if cents else None
