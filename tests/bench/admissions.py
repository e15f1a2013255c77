"""Ten thousand confirms at once against one team's budget: never overdrawn, none lost, on both databases.

``python -m tests.bench.admissions [how many]``; exit code 1 when a dollar too much or too little was admitted.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.domain.allowance import Ask, Defaults, Kind, Scope
from bot.domain.errors import Refused
from bot.domain.market import Want
from bot.domain.money import Usd
from bot.domain.rental import Goal, Rental
from bot.domain.talk import Actor, Channel
from bot.store import Store
from bot.store.rows import Entry
from tests.support.postgres import running_postgres

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
HERE = Channel("bench", "bench")
COVERED = 250
"""So many of them the budget covers."""
PRICE = Usd.of("1.37")


@dataclass(frozen=True, slots=True)
class Rush:
    """What became of it."""

    asked: int
    admitted: int
    refused: int
    charged: Usd
    seconds: float

    @property
    def is_right(self) -> bool:
        """As many as fit, each of the others refused, and exactly their worst cases charged."""
        fits = min(self.asked, COVERED)
        return (self.admitted, self.refused, self.charged) == (fits, self.asked - fits, PRICE * fits)


async def rush(url: str, keys: Path, asked: int) -> Rush:
    """Quotes of as many people, all confirmed in the same moment."""
    rules = {(Scope.TEAM, "", Kind.MONTH): str((PRICE * COVERED).micros + 99)}
    store = await Store.open(url, lambda: b"", keys, Defaults(rules))
    try:
        people = [Actor("bench", "bench", f"p{number}") for number in range(asked)]
        for number, person in enumerate(people):
            entry = Entry("asked", "bench")
            await store.rentals.open(_quote(number, person), key=f"open-{number}", entry=entry)
        began = time.perf_counter()
        done = await asyncio.gather(*(_confirm(store, number, one) for number, one in enumerate(people)))
        seconds = time.perf_counter() - began
        ask = Ask(people[0], HERE, PRICE, PRICE, NOW)
        charged = (await store.budgets.charges(ask))[Scope.TEAM].month
        return Rush(asked, done.count(True), done.count(False), charged, seconds)
    finally:
        await store.close()


async def _confirm(store: Store, number: int, person: Actor) -> bool:
    try:
        return await store.rentals.raise_goal(
            f"{number:06}",
            Goal.READY,
            now=NOW,
            key=f"confirm-{number}",
            entry=Entry("asked", "confirmed"),
            confirmed_by=person.key,
            ask=Ask(person, HERE, PRICE, PRICE, NOW),
        )
    except Refused:
        return False


def _quote(number: int, person: Actor) -> Rental:
    return Rental(
        id=f"{number:06}",
        namespace="bench",
        owner=person,
        channel=HERE,
        created_at=NOW,
        want=Want(),
        job=None,
        budget=Usd.of(5),
        lifetime=timedelta(hours=4),
        goal=Goal.QUOTED,
        worst_case=PRICE,
    )


def main() -> int:
    """Both databases, one after the other."""
    asked = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    right = True
    with tempfile.TemporaryDirectory() as folder, running_postgres() as postgres:
        for name, url in (
            ("SQLite", f"sqlite+aiosqlite:///{folder}/bench.db"),
            ("PostgreSQL", postgres.url(postgres.create())),
        ):
            found = asyncio.run(rush(url, Path(folder), asked))
            right = right and found.is_right
            sys.stdout.write(
                f"{name}: {found.asked} at once, {found.admitted} admitted, {found.refused} refused, charged"
                f" {found.charged}, {found.seconds:.1f} s: {'right' if found.is_right else 'WRONG'}\n"
            )
    return 0 if right else 1


if __name__ == "__main__":
    raise SystemExit(main())
