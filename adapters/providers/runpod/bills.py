"""RunPod's billing: what a pod came to, by day, also after it was deleted (runpod.md, 5). How late a day fills is not
documented."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from adapters.providers.runpod.wire import Wire
from bot.domain.errors import VendorChanged
from bot.domain.market import Bill
from bot.domain.money import Usd

_DAY = timedelta(days=1)


async def bill(wire: Wire, pod: str, since: datetime, until: datetime) -> Bill | None:
    """The sum of its days. Raises ``VendorChanged`` for records of another pod or without an amount."""
    body = await wire.read(
        "bill",
        "billing/pods",
        podId=pod,
        bucketSize="day",
        startTime=_told(since),
        endTime=_told(until + _DAY),
    )
    records = body.get("records") if isinstance(body, dict) else None
    if not isinstance(records, list):
        raise VendorChanged("RunPod's billing came without its records")
    amounts = [_amount(one, pod) for one in records]
    return Bill(Usd.of(sum(amounts, Decimal(0)))) if amounts else None


def _amount(record: Any, pod: str) -> Decimal:
    if not isinstance(record, dict) or record.get("podId") != pod:
        raise VendorChanged("RunPod's billing tells of another pod than was asked for")
    amount = record.get("totalAmount")
    if isinstance(amount, bool) or not isinstance(amount, int | Decimal) or not Decimal(amount).is_finite():
        raise VendorChanged("RunPod's billing has a record without its amount")
    return Decimal(amount)


def _told(moment: datetime) -> str:
    """A UTC midnight as RFC 3339; windows are widened to whole days anyway."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT00:00:00Z}"
