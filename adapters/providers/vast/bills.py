"""Vast.ai's charges: one row for each instance and day, which fill late (vast.md, 8.1 and 8.2)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from adapters.http import Http
from adapters.providers.vast.wire import number, refuses, text
from bot.domain.errors import VendorChanged
from bot.domain.market import Bill
from bot.domain.money import Usd

_PATH = "/api/v0/charges/"
_PAGE = 500
"""The most that come at once."""
_MOST_PAGES = 40
_DAY = timedelta(days=1)


async def bill(http: Http, machine_id: str, label: str, since: datetime, until: datetime) -> Bill | None:
    """The sum of the rows that are about this instance. A row under the label of another one is not: a label can be
    altered by hand in the console, the source cannot. Raises ``VendorChanged`` for what cannot be read whole."""
    found: list[Decimal] = []
    async for row in _rows(http, since, until):
        source = _source(row)
        if source == f"instance-{machine_id}" or (not source and _label(row) == label):
            amount = number(row, "amount")
            if amount is None or amount < 0:
                raise VendorChanged("a charge without an amount that can be read")
            found.append(amount)
    return Bill(Usd.of(sum(found, Decimal(0)))) if found else None


async def _rows(http: Http, since: datetime, until: datetime) -> AsyncIterator[Mapping[str, Any]]:
    """Every row of the days, or an error: a part of a bill is no bill."""
    days = {"gte": _midnight(since), "lte": _midnight(until) + int(_DAY.total_seconds()) - 1}
    first, last = days["gte"], days["lte"] + 1
    filters = json.dumps({"day": days, "type": {"in": ["instance"]}})
    params = {"select_filters": filters, "latest_first": "false", "limit": str(_PAGE), "format": "table"}
    seen, total, token, tokens = 0, 0, "", set[str]()
    for _ in range(_MOST_PAGES):
        more = {"after_token": token} if token else {}
        rows, total, token = _page(await http.read("bill", "GET", _PATH, params={**params, **more}))
        seen += len(rows)
        for row in rows:
            if not isinstance(row, dict):
                raise VendorChanged("a charge that is no object")
            start = number(row, "start")
            if start is not None and not first <= start < last:
                raise VendorChanged("a charge of another day than was asked for")
            yield row
        if not token or token in tokens:
            break
        tokens.add(token)
    if token or seen != total:
        raise VendorChanged(f"the list of charges holds {seen} where it says {total}: it is not complete")


def _page(body: Any) -> tuple[list[Any], int, str]:
    rows = body.get("results") if isinstance(body, dict) else None
    if not isinstance(rows, list) or refuses(body):
        raise VendorChanged("a list of charges without charges")
    total, token = number(body, "total"), body.get("next_token")
    if total is None or total != int(total) or (token is not None and not isinstance(token, str)):
        raise VendorChanged("a list of charges that does not say how many there are or where it goes on")
    return rows, int(total), token or ""


def _source(row: Mapping[str, Any]) -> str:
    """Empty where there is none; one that cannot be read could be this instance's."""
    if row.get("source") is not None and not isinstance(row["source"], str):
        raise VendorChanged("a charge whose source is no text")
    return text(row, "source")


def _label(row: Mapping[str, Any]) -> str:
    about = row.get("metadata")
    return text(about, "label") if isinstance(about, dict) else ""


def _midnight(moment: datetime) -> int:
    day = moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return int(day.timestamp())
