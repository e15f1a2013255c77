"""Searches, as seldom as they can be: the vendor counts every row of a day, and ten searches a minute
(vast.md, 2.5)."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from adapters.http import Http
from adapters.providers.vast.wire import refuses
from bot.domain.errors import VendorChanged

_KEPT = timedelta(seconds=60)


class Market:
    """Raw rows by query. The same question within a minute gets the same answer, unless a launch came between."""

    def __init__(self, http: Http) -> None:
        self._http = http
        self._known: dict[str, tuple[datetime, list[Any]]] = {}
        self._asking: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def rows(self, query: Mapping[str, Any]) -> list[Any]:
        """One page of offers, at most a minute old."""
        name = json.dumps(query, sort_keys=True)
        async with self._asking[name]:
            now = self._http.clock.now()
            known = self._known.get(name)
            if known is not None and timedelta(0) <= now - known[0] < _KEPT:
                return known[1]
            rows = await self.live(query)
            self._known[name] = (now, rows)
        self._drop_old(now)
        return rows

    async def live(self, query: Mapping[str, Any]) -> list[Any]:
        """One page of offers as they are now. Raises ``VendorChanged`` where there is no list: that is not *none*."""
        body = await self._http.read("offers", "POST", "/api/v0/bundles/", json=query)
        rows = body.get("offers") if isinstance(body, dict) else None
        if not isinstance(rows, list) or refuses(body):
            raise VendorChanged("a search whose answer has no offers in it")
        return rows

    def forget(self) -> None:
        """Something was taken or refused: what was known is not so any more."""
        self._known.clear()

    def _drop_old(self, now: datetime) -> None:
        for name, (at, _) in list(self._known.items()):
            if not timedelta(0) <= now - at < _KEPT:
                del self._known[name]
        for name in [
            one for one, lock in self._asking.items() if one not in self._known and not lock.locked()
        ]:
            del self._asking[name]
