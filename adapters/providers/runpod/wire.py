"""The line to RunPod: REST v2, and GraphQL for what has no other route; both within what the vendor says is left."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Any

import httpx

from adapters.http import Answer, Http, Pause
from adapters.providers.runpod.judge import judge, sentence, told_by_graphql
from bot.domain.errors import ProviderError, TryLater, VendorChanged
from bot.ports import Clock

_EVERY = {
    "machines": timedelta(seconds=2),
    "inspect": timedelta(seconds=4),
    "SECURE": timedelta(seconds=3),
    "COMMUNITY": timedelta(seconds=3),
    "price": timedelta(seconds=1),
    "launch": timedelta(seconds=1),
    "destroy": timedelta(seconds=1),
    "words": timedelta(seconds=2),
    "account": timedelta(seconds=1),
    "bill": timedelta(seconds=1),
}
"""The quota is per window and account, and differs (60 or 180 a minute were seen): these keep one kind of call from
eating it up, ``Quota`` keeps the sum."""
_WINDOW = re.compile(r'"(\w+)"\s*;\s*r=(\d+)\s*;\s*t=(\d+)')
_POLICY = re.compile(r'"(\w+)"\s*;\s*q=(\d+)')
_MOST_PAGES = 100
_PAGE = 1000


class Quota:
    """What the vendor says is left. The last of it is kept for ends: a machine is never left running because the
    listings have used the minute up."""

    RESERVE = 10
    """Calls of a window; a sixth of it where that is less."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until: datetime | None = None
        self._length = timedelta(0)

    def note(self, headers: Mapping[str, str]) -> None:
        """``RateLimit: "minute";r=59;t=12, "hour";r=2800;t=1812``: calls left and seconds until it begins anew;
        ``RateLimit-Policy: "minute";q=60;w=60``: how many there are."""
        windows = _WINDOW.findall(headers.get("RateLimit", ""))
        kept = {
            name: min(self.RESERVE, int(q) // 6)
            for name, q in _POLICY.findall(headers.get("RateLimit-Policy", ""))
        }
        spent = [int(seconds) for name, left, seconds in windows if int(left) <= kept.get(name, self.RESERVE)]
        if windows:
            self._length = timedelta(seconds=min(max(spent, default=0), 86_400))
            self._until = self._clock.now() + self._length

    def check(self) -> None:
        """Raises ``TryLater`` until the longest window that is used up has passed."""
        left = self._until - self._clock.now() if self._until else timedelta(0)
        if timedelta(0) < left <= self._length:  # more than that: the clock was set back
            raise TryLater("RunPod's calls for this account are used up for now", after=left)


class Wire:
    """Calls of one account."""

    def __init__(
        self,
        *,
        key: str,
        url: str,
        graphql_url: str,
        clock: Clock,
        pause: Pause,
        transport: httpx.AsyncBaseTransport | None,
    ) -> None:
        self._graphql_url = graphql_url
        self._quota = Quota(clock)
        self.http = Http(
            url, key=key, clock=clock, judge=self._judge, every=_EVERY, transport=transport, pause=pause
        )

    async def read(self, kind: str, path: str, **params: str | int) -> Any:
        """The JSON of a GET."""
        self._quota.check()
        answer = await self.http.ask(kind, "GET", path, params=params)
        self._quota.note(answer.headers)
        if answer.body is None:
            raise VendorChanged(f"RunPod answered {path} with something that is no JSON")
        return answer.body

    async def pages(self, kind: str, path: str, key: str, **params: str | int) -> list[Any]:
        """All rows of a wrapped list, or an error: never a part. A body without the list is no empty list."""
        rows: list[Any] = []
        cursors: set[str] = set()
        for _ in range(_MOST_PAGES):
            page = await self.read(kind, path, **params)
            found = page.get(key) if isinstance(page, dict) else None
            if not isinstance(found, list):
                raise VendorChanged(f"RunPod's listing of {path} came without its {key}")
            rows += found
            cursor = _next(page, path)
            if cursor is None:
                return rows
            if cursor in cursors:
                raise VendorChanged(f"RunPod's listing of {path} goes round in a circle")
            cursors.add(cursor)
            params["cursor"] = cursor
        raise VendorChanged(f"RunPod's listing of {path} does not end")

    async def pods(self, kind: str = "machines") -> list[dict[str, Any]]:
        """Every pod of the account; members of clusters are hidden unless they are asked for, and bill all the same.
        Ids are unique, or the listing changed while it was read."""
        rows = await self.pages(kind, "pods", "pods", includeClusterPods="true", limit=_PAGE)
        ids = [row.get("id") if isinstance(row, dict) else None for row in rows]
        if not all(isinstance(one, str) and one for one in ids):
            raise VendorChanged("RunPod's listing has a pod without an id")
        if len(set(ids)) != len(ids):
            raise TryLater("RunPod's listing changed while it was read")
        return rows

    async def create(self, body: Mapping[str, Any]) -> Answer:
        """``POST pods``, once."""
        self._quota.check()
        answer = await self.http.write("launch", "POST", "pods", json=body)
        self._quota.note(answer.headers)
        return answer

    async def delete(self, path: str) -> Answer:
        """Asked whatever is left of the quota."""
        answer = await self.http.write("destroy", "DELETE", path)
        self._quota.note(answer.headers)
        return answer

    async def myself(self, fields: Iterable[str]) -> Mapping[str, Any]:
        """GraphQL's view of the account: the only place that tells the balance. Errors come with HTTP 200."""
        query = {"query": f"query {{ myself {{ {' '.join(fields)} }} }}"}
        body = await self.http.read("account", "POST", self._graphql_url, json=query)
        if not isinstance(body, dict):
            raise VendorChanged("RunPod's GraphQL answered something that is no object")
        errors = body.get("errors")
        if isinstance(errors, list) and errors:
            first = errors[0].get("message") if isinstance(errors[0], dict) else None
            raise told_by_graphql(self.plain(str(first)))
        found = body["data"].get("myself") if isinstance(body.get("data"), dict) else None
        if not isinstance(found, dict):
            raise VendorChanged("RunPod's GraphQL did not say whose account it is")
        return found

    def lines(self, path: str, **params: str | int) -> AbstractAsyncContextManager[AsyncIterator[str]]:
        """An event stream that never ends by itself."""
        self._quota.check()
        return self.http.stream("words", path, params=params, headers={"Accept": "text/event-stream"})

    def plain(self, text: str) -> str:
        """One line without anything that looks like a key."""
        return self.http.redact(" ".join(text.split()))[:200]

    def _judge(self, answer: Answer) -> ProviderError | None:
        self._quota.note(answer.headers)
        return judge(answer, self.plain(sentence(answer)))


def _next(page: Mapping[str, Any], path: str) -> str | None:
    """The cursor of the page after this one; None at the end. Lists came without paging until autumn 2026."""
    pagination = page.get("pagination")
    if pagination is None:
        return None
    if not isinstance(pagination, dict) or not isinstance(pagination.get("hasNextPage"), bool):
        raise VendorChanged(f"RunPod's listing of {path} does not say whether it goes on")
    cursor = pagination.get("nextCursor")
    if not pagination["hasNextPage"]:
        return None
    if not isinstance(cursor, str) or not cursor:
        raise VendorChanged(f"RunPod's listing of {path} goes on and does not say where")
    return cursor
