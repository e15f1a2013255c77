"""The list of everything on the account: all pages and a count that fits, or an error (vast.md, 4.1)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from adapters.http import Http
from adapters.providers.vast.machines import identity
from adapters.providers.vast.wire import refuses
from bot.domain.errors import TryLater, VendorChanged

_PATH = "/api/v1/instances/"
_PAGE = 25
"""More than that never come at once."""
_ORDER = '[{"col": "id", "dir": "asc"}]'


@dataclass(slots=True)
class _Read:
    """What was read so far. ``totals``: how many there are, as each page told."""

    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    totals: set[int] = field(default_factory=set)
    tokens: set[str] = field(default_factory=set)

    @property
    def whole(self) -> bool:
        return self.totals == {len(self.rows)}


async def everything(http: Http) -> list[dict[str, Any]]:
    """All rows. A list that changes while it is read is read once more; then it is an error, never a part."""
    read = await _pages(http)
    if not read.whole:
        read = await _pages(http)
    if read.whole:
        return list(read.rows.values())
    if len(read.totals) > 1:
        raise TryLater("the list of instances keeps changing while it is read")
    raise VendorChanged(
        f"the list of instances holds {len(read.rows)} where it says {min(read.totals)}: it is not complete"
    )


async def _pages(http: Http) -> _Read:
    read, token = _Read(), ""
    while True:
        params = {"select_filters": "{}", "order_by": _ORDER, "limit": str(_PAGE)}
        body = await http.read(
            "machines", "GET", _PATH, params={**params, **({"after_token": token} if token else {})}
        )
        rows, total, told = _page(body)
        read.rows |= {identity(row): row for row in rows}
        read.totals.add(total)
        if not told:
            return read
        if told in read.tokens:
            raise VendorChanged("the list of instances has no end: a page comes twice")
        read.tokens.add(told)
        token = told


def _page(body: Any) -> tuple[list[Any], int, str]:
    """Rows, the count of all, and where to go on. A page without one of them is unreadable, never empty."""
    rows = body.get("instances") if isinstance(body, dict) else None
    if not isinstance(rows, list) or refuses(body):
        raise VendorChanged("a list of instances without instances")
    total, token = body.get("total_instances"), body.get("next_token")
    total = int(total) if isinstance(total, str) and total.isdigit() else total
    if isinstance(total, bool) or not isinstance(total, int):
        raise VendorChanged("a list of instances that does not say how many there are")
    if token is not None and not isinstance(token, str):
        raise VendorChanged("a list of instances whose next page cannot be named")
    return rows, total, token or ""
