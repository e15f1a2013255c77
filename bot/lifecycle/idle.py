"""Idle: whether a machine that was handed over to a person is used. Asked of the machine itself every five minutes.

A look that cannot be had or read means *unknown*, and unknown is never idle. Used is: a GPU that works, somebody who is
logged in, or data that flows (a download goes on without GPU and without login).
"""

from __future__ import annotations

import logging
import re
from datetime import datetime, timedelta
from enum import Enum, auto

from bot.domain.alerts import may_be_idle
from bot.domain.clocktime import short
from bot.domain.errors import ShellError
from bot.domain.rental import Attempt, Ending, Goal, Rental
from bot.lifecycle.hands import Hands
from bot.store.rows import Entry

log = logging.getLogger("lastcall.idle")

EVERY = timedelta(minutes=5)
STALE = 3 * EVERY
"""What nobody looked at for so long (no bot ran) may have been used meanwhile: a new spell begins."""
_LIMIT = timedelta(seconds=20)
_BUSY_PERCENT = 5
"""A GPU below this does nothing that anybody waits for."""
_FLOWS = 100_000
"""Bytes a second, both ways, on average between two looks: above it something is being transferred."""

PROBE = rb"""
echo "kv idle 1"
gpu=$(nvidia-smi --query-gpu=utilization.gpu --format=csv,noheader,nounits 2>/dev/null | sort -rn | head -n 1)
echo "kv gpu ${gpu:-?}"
if command -v who >/dev/null 2>&1; then a=$(who 2>/dev/null | wc -l); else a=?; fi
echo "kv who $a"
if command -v ps >/dev/null 2>&1; then b=$(ps -eo args 2>/dev/null | grep -c '^sshd.*@pts/'); else b=?; fi
echo "kv terminals $b"
me=${SSH_CLIENT%% *}
if [ -n "$me" ] && command -v ss >/dev/null 2>&1; then
  c=$(ss -Htn state established '( sport = :22 )' 2>/dev/null | grep -vcF "$me")
else c=?; fi
echo "kv others $c"
echo "kv bytes $(awk -F'[: ]+' '/:/ && !/ lo:/ {sub(/^ +/, ""); n += $2 + $10} END {printf "%.0f", n}' \
  /proc/net/dev 2>/dev/null || echo '?')"
"""
"""``who`` misses logins where no utmp is kept (containers), ``ps`` those without a terminal (editors), ``ss`` those
from our own address: any of them that sees somebody is enough. Our own connections have no terminal."""


class Use(Enum):
    """What a look found."""

    USED = auto()
    IDLE = auto()
    UNKNOWN = auto()


def judge(text: str, flow: float | None) -> Use:
    """From the probe's words, and the bytes a second since the last look (None: not known yet)."""
    told = dict(re.findall(r"^kv (\w+) (\d+)\s*$", text, re.MULTILINE))
    people = [int(told[name]) for name in ("who", "terminals", "others") if name in told]
    # ``who`` alone proves nobody's absence: where no utmp is kept it always says so.
    if "idle" not in told or "gpu" not in told or not ("terminals" in told or "others" in told):
        busy = int(told.get("gpu", 0)) >= _BUSY_PERCENT or any(people)
        return Use.USED if "idle" in told and busy else Use.UNKNOWN
    works = int(told["gpu"]) >= _BUSY_PERCENT or any(people) or (flow is not None and flow > _FLOWS)
    return Use.USED if works else Use.IDLE


class IdleWatch:
    """One process at a time, elected by a lease. ``limit``: idle for so long it is torn down; None: never."""

    def __init__(self, hands: Hands, *, limit: timedelta | None = None) -> None:
        self._hands = hands
        self._limit = limit
        self._token = hands.ids.token()
        self._next: datetime | None = None
        self._bytes: dict[str, tuple[int, datetime]] = {}

    async def stop(self) -> None:
        """Let another process go on at once."""
        await self._hands.store.leases.release("idle", token=self._token)

    async def tick(self) -> int:
        """Look where it is time to; returns how many machines were found idle."""
        now = self._hands.clock.now()
        # A clock that was set back must not keep it from looking.
        if self._next is not None and now < self._next <= now + EVERY:
            return 0
        rentals = [one for one in await self._hands.store.rentals.open_ones() if self._is_looked_at(one)]
        if not rentals or not await self._elected(now):
            return 0
        self._next = now + EVERY
        since = await self._hands.store.alerts.idle([one.id for one in rentals], seen_since=now - STALE)
        return sum([await self._safely(one, since.get(one.id)) for one in rentals])

    async def _elected(self, now: datetime) -> bool:
        return await self._hands.store.leases.take("idle", token=self._token, now=now, until=now + 2 * EVERY)

    def _is_looked_at(self, rental: Rental) -> bool:
        """A machine of one's own costs nothing while it waits."""
        attempt = rental.attempt
        if attempt is None or attempt.access is None or not may_be_idle(rental):
            return False
        provider = self._hands.providers.get(attempt.offer.provider)
        return provider is not None and not provider.profile.owned

    async def _safely(self, rental: Rental, since: datetime | None) -> bool:
        try:
            return await self._one(rental, since)
        except Exception:
            log.exception("whether %s is used", rental.id)  # the others are looked at all the same
            return False

    async def _one(self, rental: Rental, since: datetime | None) -> bool:
        attempt = rental.attempt
        assert attempt is not None
        use, now = await self._look(rental, attempt), self._hands.clock.now()
        if use is not Use.IDLE:
            if since is not None:
                await self._hands.store.alerts.mark_idle(rental.id, attempt.number, None, now=now)
            return False
        if since is None or since > now:  # not seen before, or the clock was set back behind it
            since = now
        await self._hands.store.alerts.mark_idle(rental.id, attempt.number, since, now=now)
        if self._limit is not None and now - since >= self._limit:
            await self._end(rental, attempt, now - since)
        return True

    async def _look(self, rental: Rental, attempt: Attempt) -> Use:
        assert attempt.access is not None
        try:
            ran = await self._hands.shell.run(attempt.access, ["sh", "-s"], limit=_LIMIT, stdin=PROBE)
        except ShellError as error:
            log.info("whether %s is used cannot be seen: %s", rental.id, error.reason)
            return Use.UNKNOWN
        text = ran.stdout.decode(errors="replace")
        return judge(text, self._flow(attempt.label, text))

    def _flow(self, label: str, text: str) -> float | None:
        """Bytes a second since the last look of this process at the same machine."""
        found, now = re.search(r"^kv bytes (\d+)\s*$", text, re.MULTILINE), self._hands.clock.now()
        if found is None:
            return None
        last = self._bytes.get(label)
        self._bytes[label] = (int(found[1]), now)
        if last is None or now <= last[1] or int(found[1]) < last[0]:
            return None
        return (int(found[1]) - last[0]) / (now - last[1]).total_seconds()

    async def _end(self, rental: Rental, attempt: Attempt, length: timedelta) -> None:
        note = f"nobody used it for {short(length)}"
        await self._hands.store.rentals.raise_goal(
            rental.id,
            Goal.GONE,
            now=self._hands.clock.now(),
            key=f"idle:{attempt.label}",
            entry=Entry("goal", f"GONE: {Ending.IDLE.value} ({note})"),
            ending=Ending.IDLE,
            note=note,
        )
