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
_ABSURD = Decimal(10) ** 9


async def bill(wire: Wire, pod: str, since: datetime, until: datetime) -> Bill | None:
    """The sum of its days. Raises ``VendorChanged`` for records of another pod, of another day, of a day that was told
    already, without an amount that can be one, and where more follow than came: a part of a bill is no bill."""
    first, last = _midnight(since), _midnight(until) + _DAY
    body = await wire.read(
        "bill", "billing/pods", podId=pod, bucketSize="day", startTime=_told(first), endTime=_told(last)
    )
    records = body.get("records") if isinstance(body, dict) else None
    if not isinstance(records, list):
        raise VendorChanged("RunPod's billing came without its records")
    if not _is_whole(body, len(records)):
        raise VendorChanged("RunPod's billing does not hold as many records as it says")
    amounts, days = [_amount(one, pod) for one in records], [_start(one) for one in records]
    if any(not first <= day < last for day in days) or len(set(days)) != len(days):
        raise VendorChanged("RunPod's billing tells of other days than were asked for, or of one twice")
    return Bill(Usd.of(sum(amounts, Decimal(0)))) if amounts else None


def _is_whole(body: dict[str, Any], count: int) -> bool:
    """As far as it says how many there are. Its lists came without pages at first (runpod.md, 2.4)."""
    about, pages = body.get("metadata"), body.get("pagination")
    said = about.get("recordCount", count) if isinstance(about, dict) else count
    goes_on = pages.get("hasNextPage") is not False if isinstance(pages, dict) else pages is not None
    return said == count and not isinstance(said, bool) and not goes_on


def _amount(record: Any, pod: str) -> Decimal:
    if not isinstance(record, dict) or record.get("podId") != pod:
        raise VendorChanged("RunPod's billing tells of another pod than was asked for")
    amount = record.get("totalAmount")
    if isinstance(amount, bool) or not isinstance(amount, int | Decimal):
        raise VendorChanged("RunPod's billing has a record without its amount")
    if not Decimal(amount).is_finite() or not 0 <= amount < _ABSURD:
        raise VendorChanged("RunPod's billing has a record whose amount cannot be one")
    return Decimal(amount)


def _start(record: dict[str, Any]) -> datetime:
    try:
        moment = datetime.fromisoformat(record["startTime"])
    except (KeyError, TypeError, ValueError):
        raise VendorChanged("RunPod's billing has a record without its day") from None
    if moment.tzinfo is None:
        raise VendorChanged("RunPod's billing has a day without a time zone")
    return moment


def _midnight(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _told(moment: datetime) -> str:
    """As RFC 3339."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
