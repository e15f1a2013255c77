"""Machines of ours that no rental knows: what the sweep saw of them, what people decided, and their cards.

A card is rewritten in the transaction that changes its row, so that what people read is what is so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, not_, or_, select, union_all, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.domain.allowance import Ask, Defaults
from bot.domain.market import Machine
from bot.domain.orphan import Fate, Orphan, Owner, again
from bot.domain.orphan_cards import card, card_key, place
from bot.domain.rental import Rental
from bot.domain.talk import Actor, Channel
from bot.store.admission import admit
from bot.store.rows import (
    ATTEMPTS,
    ORPHANS,
    OUTBOX,
    RENTALS,
    REQUESTS,
    Entry,
    Say,
    attempt_values,
    first_time,
    insert,
    rental_values,
    write_entries,
    write_says,
)
from bot.store.session import reading, unbroken

_FIELDS = tuple(field.name for field in fields(Orphan))
_SEEN = ("label", "gpu", "state", "hourly", "absent_at", "gone_at", "tidied_at", "note")
"""Written by the sweep whatever a person decides meanwhile."""


@unbroken
class Orphans:
    """Every change is one transaction with its journal lines and its cards."""

    def __init__(self, engine: AsyncEngine, defaults: Defaults) -> None:
        self._engine = engine
        self._defaults = defaults

    # --- the sweep -----------------------------------------------------------------------------

    async def owners(self, provider: str, machines: Sequence[Machine]) -> dict[str, Owner]:
        """By machine id, the rental of each of these machines that has one: by its label, or, where that was altered,
        by the id that a living attempt knows."""
        labels = [one.label for one in machines if one.label]
        alive = and_(ATTEMPTS.c.gone_at.is_(None), RENTALS.c.closed_at.is_(None))
        known = and_(ATTEMPTS.c.machine_id.in_([one.id for one in machines]), alive)
        query = (
            select(ATTEMPTS, RENTALS.c.owner, RENTALS.c.channel, RENTALS.c.closed_at)
            .join(RENTALS, RENTALS.c.id == ATTEMPTS.c.rental)
            .where(or_(ATTEMPTS.c.label.in_(labels), known))
        )
        async with reading(self._engine) as connection:
            rows = (await connection.execute(query)).mappings().all()
        by_label = {row["label"]: _owner(row) for row in rows}
        here = [_owner(row) for row in rows if row["offer"].provider == provider]
        by_id = {owner.machine_id: owner for owner in here if owner.lives}
        owners = {one.id: by_label.get(one.label) or by_id.get(one.id) for one in machines}
        return {machine_id: owner for machine_id, owner in owners.items() if owner is not None}

    async def unfinished(self, provider: str | None = None) -> list[Orphan]:
        """Those about which there is still something to do or to decide, oldest first."""
        query = select(ORPHANS).where(
            ORPHANS.c.tidied_at.is_(None), or_(ORPHANS.c.fate.is_(None), ORPHANS.c.fate != Fate.ADOPT)
        )
        query = query.order_by(ORPHANS.c.found_at, ORPHANS.c.provider, ORPHANS.c.machine_id)
        return await self._select(query if provider is None else query.where(ORPHANS.c.provider == provider))

    async def is_used(self, label: str, *, but: Orphan) -> bool:
        """Whether a machine other than this one goes by the label: of a rental, or of nobody."""
        attempts = select(ATTEMPTS.c.label).where(ATTEMPTS.c.label == label, ATTEMPTS.c.gone_at.is_(None))
        others = select(ORPHANS.c.label).where(
            ORPHANS.c.label == label, ORPHANS.c.gone_at.is_(None), not_(_this(but))
        )
        async with reading(self._engine) as connection:
            return (await connection.execute(union_all(attempts, others))).first() is not None

    async def found(self, orphan: Orphan, entry: Entry) -> None:
        """Write down one that is seen for the first time, or again after it was over; any other stays as it is."""
        async with self._engine.begin() as connection:
            before = await _locked(connection, orphan)
            if before is None:
                statement = insert(connection, ORPHANS).values(_values(orphan)).on_conflict_do_nothing()
                await connection.execute(statement)
            elif before.is_over:
                await _write(connection, again(before, orphan), _FIELDS)
            else:
                return
            await write_entries(connection, "", orphan.found_at, [entry])

    async def saw(self, orphan: Orphan, *, now: datetime, entries: Sequence[Entry] = ()) -> None:
        """Write down how it was seen; what a person decides meanwhile is not touched."""
        async with self._engine.begin() as connection:
            await _write(connection, orphan, _SEEN)
            await write_entries(connection, "", now, entries)
            await _rewrite_cards(connection, orphan, now)

    async def condemn(self, orphan: Orphan, *, now: datetime, entry: Entry) -> bool:
        """Write that its end is asked for, before it is; from here on nobody can keep it. False when it must not be
        ended, because somebody decided otherwise meanwhile."""
        async with self._engine.begin() as connection:
            fresh = await _locked(connection, orphan)
            if fresh is None or fresh.is_over or not fresh.should_end(now):
                return False
            if fresh.asked_at is None:
                decided_at = fresh.decided_at if fresh.fate else now
                after = replace(fresh, asked_at=now, fate=Fate.KILL, decided_at=decided_at)
                await _write(connection, after, ("asked_at", "fate", "decided_at"))
                await write_entries(connection, "", now, [entry])
                await _rewrite_cards(connection, after, now)
        return True

    async def show(self, orphan: Orphan, homes: Sequence[Channel], *, now: datetime) -> None:
        """Let its card stand in each of these places."""
        async with self._engine.begin() as connection:
            fresh = await _locked(connection, orphan)
            if fresh is not None:
                key, reply = card_key(fresh), card(fresh)
                await write_says(connection, "", now, [Say(key + place(one), one, reply) for one in homes])

    # --- people --------------------------------------------------------------------------------

    async def named(self, text: str) -> list[Orphan]:
        """Those that are called so, over or not: ``provider/machine`` or the machine's id alone, in any case."""
        typed = text.lower()
        parts = typed.split("/")
        ends = ["/".join(parts[at:]) for at in range(len(parts))]
        found = await self._select(select(ORPHANS).where(func.lower(ORPHANS.c.machine_id).in_(ends)))
        return [one for one in found if typed in (one.machine_id.lower(), one.name.lower())]

    async def decide(
        self, orphan: Orphan, fate: Fate, *, by: Actor, now: datetime, key: str, entry: Entry
    ) -> Orphan:
        """What somebody wants, if it can still be so; returns the orphan as it is afterwards. The same request key
        has no second effect."""
        async with self._engine.begin() as connection:
            fresh = await self._asked(connection, orphan, key, now, "")
            if fresh is None or not fresh.may_become(fate):
                return await self._in_vain(connection, orphan, fresh, key)
            if fresh.fate is fate:
                return fresh
            after = replace(fresh, fate=fate, decided_by=by, decided_at=now)
            await _write(connection, after, ("fate", "decided_by", "decided_at"))
            await write_entries(connection, "", now, [entry])
            await _rewrite_cards(connection, after, now)
        return after

    async def adopt(
        self,
        orphan: Orphan,
        rental: Rental,
        *,
        by: Actor,
        key: str,
        entry: Entry,
        says: Sequence[Say] = (),
        ask: Ask | None = None,
    ) -> Orphan:
        """Make it the machine of this new rental, if it can still be so; returns the orphan as it is afterwards.
        ``ask`` is what the budgets are charged. Raises ``NotAdmitted`` when they do not cover it."""
        now = rental.created_at
        async with self._engine.begin() as connection:
            fresh = await self._asked(connection, orphan, key, now, rental.id)
            if fresh is None or not fresh.may_become(Fate.ADOPT):
                return await self._in_vain(connection, orphan, fresh, key)
            charge = await admit(connection, rental.id, ask, self._defaults) if ask is not None else {}
            values = rental_values(rental) | {"wake_at": now} | charge
            await connection.execute(insert(connection, RENTALS).values(values))
            for attempt in rental.attempts:
                await connection.execute(
                    insert(connection, ATTEMPTS).values(attempt_values(rental.id, attempt))
                )
            after = replace(fresh, fate=Fate.ADOPT, decided_by=by, decided_at=now, rental=rental.id)
            await _write(connection, after, ("fate", "decided_by", "decided_at", "rental"))
            await write_entries(connection, rental.id, now, [entry])
            await write_says(connection, rental.id, now, says)
            await _rewrite_cards(connection, after, now)
        return after

    async def _asked(
        self, connection: AsyncConnection, orphan: Orphan, key: str, now: datetime, rental: str
    ) -> Orphan | None:
        """The orphan as it is now; None when this request was heard before."""
        fresh = await _locked(connection, orphan)
        return fresh if await first_time(connection, key, now, rental) else None

    async def _in_vain(
        self, connection: AsyncConnection, orphan: Orphan, fresh: Orphan | None, key: str
    ) -> Orphan:
        """Nothing is done; a request that came too late stays used, so that it means the same when it is repeated."""
        if fresh is None:
            return await _locked(connection, orphan) or orphan
        await connection.execute(
            update(REQUESTS).where(REQUESTS.c.key == key).values(effect=False, rental="")
        )
        return fresh

    async def _select(self, query: Any) -> list[Orphan]:
        async with reading(self._engine) as connection:
            return [_orphan(row) for row in (await connection.execute(query)).mappings().all()]


def _owner(row: Mapping[Any, Any]) -> Owner:
    lives = row["gone_at"] is None and row["closed_at"] is None
    return Owner(row["rental"], row["owner"], row["channel"], row["machine_id"], lives)


def _orphan(row: Mapping[Any, Any]) -> Orphan:
    return Orphan(**{name: row[name] for name in _FIELDS})


def _values(orphan: Orphan, names: Sequence[str] = _FIELDS) -> dict[str, Any]:
    return {name: getattr(orphan, name) for name in names}


def _this(orphan: Orphan) -> Any:
    return and_(ORPHANS.c.provider == orphan.provider, ORPHANS.c.machine_id == orphan.machine_id)


async def _locked(connection: AsyncConnection, orphan: Orphan) -> Orphan | None:
    """The row as it is now, for this transaction alone."""
    row = (
        (await connection.execute(select(ORPHANS).where(_this(orphan)).with_for_update())).mappings().first()
    )
    return _orphan(row) if row else None


async def _write(connection: AsyncConnection, orphan: Orphan, names: Sequence[str]) -> None:
    await connection.execute(update(ORPHANS).where(_this(orphan)).values(_values(orphan, names)))


async def _rewrite_cards(connection: AsyncConnection, orphan: Orphan, now: datetime) -> None:
    """Every card of it, wherever it stands, says what is so now."""
    fresh = await _locked(connection, orphan)
    assert fresh is not None
    reply = card(fresh)
    shown = and_(OUTBOX.c.key.startswith(card_key(fresh), autoescape=True), OUTBOX.c.reply != reply)
    newer = {"reply": reply, "version": OUTBOX.c.version + 1, "due_at": now}
    await connection.execute(update(OUTBOX).where(shown).values(newer))
