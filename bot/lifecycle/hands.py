"""What the steps work with: the ports, the store's mid-pass write, and the limits of the house."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from bot.domain.ladder import Seen
from bot.domain.money import Usd
from bot.domain.orphan import GRACE
from bot.domain.rental import Rental
from bot.lifecycle.heartbeat import Heart
from bot.lifecycle.line import LaunchLine
from bot.lifecycle.watch import Watch
from bot.ports import Clock, Ids, Provider, Shell, Tally, Uncounted
from bot.recipes import RecipeFile
from bot.store import Claim, Store
from bot.store.rows import Entry


@dataclass(frozen=True, slots=True)
class Limits:
    """Policy that steps need, from the settings."""

    max_lifetime: timedelta
    auto_confirm: Usd
    claim: timedelta = timedelta(seconds=60)
    """How long a claim lasts without being held."""
    way_in: timedelta = timedelta(minutes=4)
    """From "running" to a port that is open."""
    next_stage: timedelta = timedelta(minutes=1)
    """From there to an accepted key, and from that to a command that runs."""
    unreachable: timedelta = timedelta(minutes=10)
    """A machine that cannot be reached for about this long is given up."""
    orphan_grace: timedelta = GRACE
    """A machine of ours that no rental knows is killed this long after it was first seen."""


@dataclass(frozen=True, slots=True)
class Hands:
    """Shared by all passes of a process."""

    clock: Clock
    ids: Ids
    store: Store
    providers: Mapping[str, Provider]
    shell: Shell
    watch: Watch
    line: LaunchLine
    recipes: Mapping[str, RecipeFile]
    results: Path
    """Folder of all results; each rental has its own below."""
    limits: Limits
    heart: Heart
    """By which machines hear that somebody watches."""
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What was set for recipes to pass on to a machine (a hub's token), by the names they know."""
    tally: Tally = field(default_factory=Uncounted)

    def count(self, before: Rental, after: Rental) -> None:
        """Teardowns that a pass has proven, once that is written."""
        gone = {one.number for one in before.attempts if one.gone_at is not None}
        for one in after.attempts:
            if one.number not in gone and one.gone_at is not None and one.destroy_asked_at is not None:
                self.tally.torn_down(one.offer.provider, one.gone_at - one.destroy_asked_at)


@dataclass(slots=True)
class Pass:
    """One pass over one rental. ``claim`` changes when facts are written in the middle."""

    hands: Hands
    claim: Claim
    seen: Seen
    soft_end: datetime | None
    entries: list[Entry] = field(default_factory=list)

    @property
    def rental(self) -> Rental:
        """The rental as last written."""
        return self.claim.rental

    @property
    def now(self) -> datetime:
        """The passed clock."""
        return self.hands.clock.now()

    @property
    def provider(self) -> Provider:
        """Of the current attempt, else of the chosen offer. Raises ``KeyError`` when it is not configured any more."""
        attempt, offer = self.rental.attempt, self.rental.offer
        chosen = attempt.offer if attempt else offer
        if chosen is None:
            raise KeyError("no offer was chosen")
        return self.hands.providers[chosen.provider]

    async def record(self, after: Rental, *entries: Entry) -> None:
        """Write facts now and go on: the intent before a call that costs. Raises ``ClaimLost``."""
        until = self.now + self.hands.limits.claim
        self.claim = await self.hands.store.claims.record(
            self.claim, after, now=self.now, entries=entries, until=until
        )
