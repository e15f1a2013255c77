"""The week's digest: each Monday, 09:00 UTC, what the team spent in the week before, in its own channel.

Said once for each ISO week and channel, by its key in the outbox: replicas, restarts and clocks that jump say nothing
twice, and a bot that slept through Monday says it when it wakes up in that week. A week without any spend is not told.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.domain import ledger
from bot.domain.allowance import team_key
from bot.domain.ledger import By, Period
from bot.domain.ledger_cards import Spend, report
from bot.domain.rental import Rental
from bot.domain.talk import Channel, Kind
from bot.lifecycle.hands import Hands
from bot.store.rows import Say

_HOUR = timedelta(hours=9)
_WEEK = timedelta(days=7)


class Digest:
    """``homes``: the channels that hear of it, filled when the chats begin."""

    def __init__(self, hands: Hands, homes: Callable[[], Sequence[Channel]]) -> None:
        self._hands = hands
        self._homes = homes
        self._said: set[tuple[str, Channel]] = set()
        """What this process has put into the outbox (or found to be nothing), so that it does not look again."""

    async def tick(self) -> int:
        """Returns how many digests were written."""
        now = self._hands.clock.now()
        monday = ledger.since(Period.WEEK, now)
        if now < monday + _HOUR:
            return 0
        start = monday - _WEEK
        week = f"{start:%G-W%V}"
        homes = [one for one in self._homes() if (week, one) not in self._said]
        if not homes:
            return 0
        # The outlook is that of the month that is running.
        since = min(start, ledger.since(Period.MONTH, now))
        rentals = await self._hands.store.ledger.between(since, now)
        said = 0
        for home in homes:
            said += await self._tell(home, week, start, rentals)
            self._said = {one for one in self._said if one[0] == week} | {(week, home)}
        return said

    async def _tell(self, home: Channel, week: str, start: datetime, rentals: Sequence[Rental]) -> bool:
        now, team = self._hands.clock.now(), _team(home, rentals)
        if team is None:
            return False
        end = start + _WEEK - timedelta(microseconds=1)
        theirs = [one for one in rentals if team_key(one.owner) == team]
        spend = Spend("The team's", By.PERSON, f"last week ({week})", start, end, now, theirs)
        if not spend.lines:
            return False
        name = hashlib.sha256(f"{team}\0{home.id}\0{home.thread}".encode()).hexdigest()[:20]
        reply = replace(report(spend), kind=Kind.NOTICE)
        await self._hands.store.outbox.put(Say(f"digest:{name}:{week}", home, reply, once=True), now=now)
        return True


def _team(home: Channel, rentals: Sequence[Rental]) -> str | None:
    """Whose channel it is: the only team that this chat knows, else the only one that rents from there. Where that
    does not decide it nobody hears of anybody's spend."""
    here = [one for one in rentals if one.owner.chat == home.chat]
    known = {team_key(one.owner) for one in here}
    if len(known) > 1:
        known = {team_key(one.owner) for one in here if one.channel.id == home.id}
    return known.pop() if len(known) == 1 else None
