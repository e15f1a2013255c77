"""HTTP to a vendor: the one place where a fact of the wire becomes one of our errors.

A read is asked again with growing pauses; a write never is. Which of the two a call is decides what a lost answer
means: to a read it means *ask later*, to a write it means *the outcome is unknown*.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from adapters.http.answers import Answer, first_words, retry_after
from adapters.http.turns import Pause, Turns, wait
from bot.domain.errors import NeedsHuman, OutcomeUnknown, ProviderError, TryLater, VendorChanged
from bot.ports import Clock

USER_AGENT = "lastcall/0.1 (+https://github.com/lastcall-bot/lastcall)"
"""Our own on every call: RunPod's edge blocks some libraries' default ones (runpod.md, 2)."""
TRIES = 4
_LONGEST_PAUSE = timedelta(seconds=10)
_SOON = timedelta(seconds=1)
_LONGEST_READ = timedelta(seconds=40)
_LONGEST_WRITE = timedelta(seconds=30)
"""However slowly it drips: a call ends by then. The client's own limit is one of silence."""
_MOST_BYTES = 32 * 1024 * 1024
_SHORTEST_KEY = 6
"""What is shorter is no real key, and would black out parts of words."""
_SECRET = re.compile(r"(?i)(bearer\s+)\S+|\brpa_\w+|\b[0-9a-f]{64}\b|((?:api_key|token)=)[^&\s]+")

logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs a line for every call


Judge = Callable[[Answer], ProviderError | None]
"""A vendor's own reading of an answer that is not a success; None leaves it to the general rules."""


class Http:
    """One vendor's API at one address with one key."""

    def __init__(
        self,
        base_url: str,
        *,
        key: str,
        clock: Clock,
        judge: Judge,
        every: Mapping[str, timedelta],
        transport: httpx.AsyncBaseTransport | None = None,
        pause: Pause = wait,
        timeout: timedelta = timedelta(seconds=20),
    ) -> None:
        """``every``: least time between two calls of a kind. ``transport`` and ``pause`` are the simulators' doors."""
        self._key = key
        self._judge = judge
        self._pause = pause
        self.clock = clock
        self.turns = Turns(clock, pause, every)
        self.vendor_skew: timedelta | None = None
        """How far the vendor's clock is ahead of ours, as its last answer told."""
        self.calls: dict[str, int] = {}
        """Requests that were sent, by kind: what ``make bench`` and the metrics report."""
        self.errors: Counter[str] = Counter()
        """Requests that did not succeed: by status, ``no answer`` or ``too slow``."""
        self._client = httpx.AsyncClient(
            base_url=base_url.rstrip("/"),
            headers={
                "User-Agent": USER_AGENT,
                "Accept": "application/json",
                "Authorization": f"Bearer {key}",
            },
            timeout=httpx.Timeout(timeout.total_seconds(), connect=10.0),
            follow_redirects=False,
            transport=transport,
            limits=httpx.Limits(max_connections=20, max_keepalive_connections=5),
        )

    async def close(self) -> None:
        """Drop the connections."""
        await self._client.aclose()

    async def read(self, kind: str, method: str, path: str, **request: Any) -> Any:
        """The JSON of a call that changes nothing; asked again when it was lost, throttled or failed over there."""
        answer = await self.ask(kind, method, path, **request)
        if answer.body is None:
            raise VendorChanged(self._say(f"an answer that is no JSON (status {answer.status})"))
        return answer.body

    async def ask(self, kind: str, method: str, path: str, **request: Any) -> Answer:
        """The same with status and headers; only successes come back, everything else is raised."""
        try:
            async with asyncio.timeout(_LONGEST_READ.total_seconds()):
                return await self._asked(kind, method, path, request)
        except TimeoutError:
            self.errors["too slow"] += 1
            raise TryLater(self._say("no whole answer in time"), after=_SOON) from None

    async def _asked(self, kind: str, method: str, path: str, request: dict[str, Any]) -> Answer:
        for tried in range(1, TRIES + 1):
            await self.turns.take(kind, "any")
            try:
                answer = await self._send(kind, method, path, request)
            except httpx.RequestError as error:
                problem: ProviderError = TryLater(self._say(f"no answer ({_named(error)})"), after=_SOON)
            else:
                if answer.ok:
                    return answer
                problem = self._problem(kind, answer, wrote=False)
            if not isinstance(problem, TryLater) or tried == TRIES or problem.after > _LONGEST_PAUSE:
                raise problem
            await self._pause(_backoff(tried, problem.after))
        raise AssertionError("the loop above returns or raises")

    async def write(self, kind: str, method: str, path: str, **request: Any) -> Answer:
        """One call that may change something, sent once. Raises ``TryLater`` where it surely did nothing and
        ``OutcomeUnknown`` where nobody knows; a refusal is raised as the vendor's judge reads it."""
        await self.turns.take(kind, "any")
        try:
            async with asyncio.timeout(_LONGEST_WRITE.total_seconds()):
                answer = await self._send(kind, method, path, request)
        except TimeoutError:
            self.errors["too slow"] += 1
            raise OutcomeUnknown(self._say("no whole answer in time")) from None
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise TryLater(self._say(f"no connection ({_named(error)})")) from None
        except httpx.RequestError as error:
            raise OutcomeUnknown(self._say(f"the answer was lost ({_named(error)})")) from None
        if answer.ok:
            return answer
        raise self._problem(kind, answer, wrote=True)

    @asynccontextmanager
    async def stream(self, kind: str, path: str, **request: Any) -> AsyncIterator[AsyncIterator[str]]:
        """The lines of an answer that may never end. Raises ``TryLater`` and ``VendorChanged``."""
        await self.turns.take(kind, "any")
        self.calls[kind] = self.calls.get(kind, 0) + 1
        try:
            async with self._client.stream("GET", path, **request) as response:
                if response.status_code != 200:
                    raise VendorChanged(self._say(f"no stream (status {response.status_code})"))
                yield response.aiter_lines()
        except httpx.RequestError as error:
            raise TryLater(self._say(f"the stream broke ({_named(error)})")) from None

    def redact(self, text: str) -> str:
        """Without our key and whatever else looks like one."""
        plain = text.replace(self._key, "***") if len(self._key) >= _SHORTEST_KEY else text
        return _SECRET.sub(lambda found: f"{found[1] or found[2] or ''}***", plain)

    async def _send(self, kind: str, method: str, path: str, request: dict[str, Any]) -> Answer:
        self.calls[kind] = self.calls.get(kind, 0) + 1
        try:
            response = await self._client.request(method, path, **request)
        except httpx.RequestError:
            self.errors["no answer"] += 1
            raise
        if response.status_code >= 300:
            self.errors[str(response.status_code)] += 1
        if len(response.content) > _MOST_BYTES:
            raise VendorChanged("an answer that is far too long")
        self._note_skew(response.headers.get("Date", ""))
        text = response.text
        try:
            body = json.loads(text, parse_float=Decimal) if text.strip() else None
        except ValueError:
            body = None
        return Answer(response.status_code, body, text, response.headers)

    def _note_skew(self, date: str) -> None:
        try:
            told = parsedate_to_datetime(date)
        except (TypeError, ValueError):
            return
        if told.tzinfo is not None:
            self.vendor_skew = told - self.clock.now()

    def _problem(self, kind: str, answer: Answer, *, wrote: bool) -> ProviderError:
        """The vendor's judge first, then what the status means everywhere."""
        judged = self._judge(answer)
        if judged is None:
            judged = self._general(answer, wrote=wrote)
            doubtful = isinstance(judged, NeedsHuman | VendorChanged) and answer.status != 401
            if kind == "launch" and wrote and doubtful:
                # A refusal that the vendor's judge does not know is no proof that nothing was created; a key that
                # was not let in is.
                judged = OutcomeUnknown(judged.reason)
        if isinstance(judged, TryLater) and answer.status == 429:
            self.turns.hold(kind, judged.after)
        return judged

    def _general(self, answer: Answer, *, wrote: bool) -> ProviderError:
        said = self._say(first_words(answer))
        match answer.status:
            case 429:
                return TryLater(said, after=retry_after(answer.headers, self.clock.now()))
            case 401 | 402 | 403:
                return NeedsHuman(said)
            case status if status >= 500:
                if wrote:
                    return OutcomeUnknown(f"status {status}: {said}")
                return TryLater(
                    f"status {status}: {said}", after=retry_after(answer.headers, self.clock.now())
                )
            case status:
                return VendorChanged(f"status {status}: {said}")

    def _say(self, text: str) -> str:
        return " ".join(self.redact(text).split())[:300]


def _backoff(tried: int, asked: timedelta) -> timedelta:
    """Never shorter than what was asked, longer each time."""
    return min(max(asked, timedelta(milliseconds=500) * (1 << tried)), _LONGEST_PAUSE)


def _named(error: Exception) -> str:
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(error).__name__).lower()
    return words.removesuffix(" error")
