"""Between rows and domain values, by field name; and the few statements that differ between the two databases."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Table, case, literal, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.allowance import channel_key, team_key
from bot.domain.money import Usd
from bot.domain.outlet import topic_of
from bot.domain.rental import Attempt, Rental
from bot.domain.talk import Channel, Reply
from bot.store import tables, team_tables


def table(row: type) -> Table:
    """The Core table of a row class."""
    found: Table = row.__table__  # type: ignore[attr-defined]
    return found


RENTALS = table(tables.RentalRow)
ATTEMPTS = table(tables.AttemptRow)
JOURNAL = table(tables.JournalRow)
OUTBOX = table(tables.OutboxRow)
REQUESTS = table(tables.RequestRow)
LEASES = table(tables.LeaseRow)
SECRETS = table(tables.SecretRow)
MARKS = table(tables.MarkRow)
ORPHANS = table(tables.OrphanRow)
TEAMS = table(team_tables.TeamRow)
ALLOWANCES = table(team_tables.AllowanceRow)
APPROVALS = table(team_tables.ApprovalRow)
ALERTS = table(team_tables.AlertRow)
OUTLETS = table(team_tables.OutletRow)

RENTAL_FIELDS = tuple(field.name for field in fields(Rental) if field.name != "attempts")
ATTEMPT_FIELDS = tuple(field.name for field in fields(Attempt))
PERSON_FIELDS = frozenset(
    (
        "budget",
        "lifetime",
        "goal",
        "ending",
        "ending_note",
        "confirmed_at",
        "confirmed_by",
        "approval_until",
        "rev",
    )
)
"""Written by commands at any time; a pass never overwrites them."""
PASS_FIELDS = tuple(
    name
    for name in RENTAL_FIELDS
    if name not in PERSON_FIELDS
    and name not in ("id", "namespace", "owner", "channel", "created_at", "want", "job")
)


@dataclass(frozen=True, slots=True)
class Entry:
    """A line for the journal."""

    kind: str
    text: str
    actor: str = ""
    cost: Usd | None = None


@dataclass(frozen=True, slots=True)
class Say:
    """Something to be said. The same ``key`` is one message: a second one rewrites it."""

    key: str
    channel: Channel
    reply: Reply
    once: bool = False
    """A notice: what was put under this key first stays; deciding it a second time changes nothing."""


def insert(connection: AsyncConnection, into: Table) -> Any:
    """An INSERT that knows ON CONFLICT, in the connection's dialect."""
    return sqlite_insert(into) if connection.dialect.name == "sqlite" else postgresql_insert(into)


def rental_values(rental: Rental) -> dict[str, Any]:
    """Column values of a new row."""
    return {name: getattr(rental, name) for name in RENTAL_FIELDS} | {
        "owner_key": rental.owner.key,
        "team_key": team_key(rental.owner),
        "channel_key": channel_key(rental.channel),
    }


def attempt_values(rental: str, attempt: Attempt) -> dict[str, Any]:
    """Column values of an attempt."""
    return {name: getattr(attempt, name) for name in ATTEMPT_FIELDS} | {"rental": rental}


async def rentals_from(connection: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> list[Rental]:
    """Domain values of rental rows, attempts joined by one query."""
    attempts = await attempts_of(connection, [row["id"] for row in rows])
    return [
        Rental(**{name: row[name] for name in RENTAL_FIELDS}, attempts=tuple(attempts[row["id"]]))
        for row in rows
    ]


async def attempts_of(connection: AsyncConnection, ids: Iterable[str]) -> dict[str, list[Attempt]]:
    """Attempts by rental, in their order."""
    found: dict[str, list[Attempt]] = defaultdict(list)
    wanted = list(ids)
    if wanted:
        query = (
            select(ATTEMPTS)
            .where(ATTEMPTS.c.rental.in_(wanted))
            .order_by(ATTEMPTS.c.rental, ATTEMPTS.c.number)
        )
        for row in (await connection.execute(query)).mappings():
            found[row["rental"]].append(Attempt(**{name: row[name] for name in ATTEMPT_FIELDS}))
    return found


async def write_entries(
    connection: AsyncConnection, rental: str, at: datetime, entries: Sequence[Entry]
) -> None:
    """Add lines to the journal."""
    if entries:
        rows = [
            {"at": at, "rental": rental, "actor": e.actor, "kind": e.kind, "text": e.text, "cost": e.cost}
            for e in entries
        ]
        await connection.execute(JOURNAL.insert(), rows)


async def write_says(connection: AsyncConnection, rental: str, at: datetime, says: Sequence[Say]) -> None:
    """Put messages into the outbox; a known key is rewritten and due again, unless it reads the same."""
    for say in says:
        heard = _echo(rental, at) if "@" not in say.key and topic_of(say.key) else None
        statement = insert(connection, OUTBOX).values(
            echo_at=heard,
            key=say.key,
            rental=rental,
            chat=say.channel.chat,
            channel=say.channel,
            reply=say.reply,
            created_at=at,
            due_at=at,
            version=1,
            said=0,
            tries=0,
            dropped="",
        )
        if say.once:
            await connection.execute(statement.on_conflict_do_nothing(index_elements=["key"]))
            continue
        statement = statement.on_conflict_do_update(
            index_elements=["key"],
            set_={
                "reply": statement.excluded.reply,
                "version": OUTBOX.c.version + 1,
                "due_at": at,
                "echo_at": heard,
            },
            where=OUTBOX.c.reply != statement.excluded.reply,
        )
        await connection.execute(statement)


def _echo(rental: str, at: datetime) -> Any:
    """``at`` where the rental's team has notification channels, else null: nobody else pays for them."""
    team = select(RENTALS.c.team_key).where(RENTALS.c.id == rental).scalar_subquery()
    some = select(OUTLETS.c.id).where(OUTLETS.c.team_key == team).exists()
    return case((some, literal(at, OUTBOX.c.echo_at.type)), else_=None)


async def first_time(connection: AsyncConnection, key: str, at: datetime, rental: str) -> bool:
    """Whether this request key was never used; takes the key in the caller's transaction."""
    values = {"key": key, "at": at, "rental": rental, "effect": True}
    statement = insert(connection, REQUESTS).values(values).on_conflict_do_nothing()
    return bool((await connection.execute(statement)).rowcount)
