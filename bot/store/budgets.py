"""Limits and roles that admins set, and what is charged to whom."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.domain.allowance import Ask, Charges, Defaults, Key, Kind, Role, Rules, Scope, role_of, team_key
from bot.domain.talk import Actor
from bot.store.admission import charges, team_rules
from bot.store.rows import ALLOWANCES, RENTALS, Entry, first_time, insert, write_entries
from bot.store.session import reading, unbroken


@unbroken
class Budgets:
    """Every change is one transaction with its request key and its journal line."""

    def __init__(self, engine: AsyncEngine, defaults: Defaults) -> None:
        self._engine = engine
        self.defaults = defaults

    async def rules(self, team: str) -> Rules:
        """What holds for this team."""
        async with reading(self._engine) as connection:
            return await team_rules(connection, team, self.defaults)

    async def role(self, actor: Actor) -> Role:
        """What this person may do here."""
        return role_of(actor, await self.rules(team_key(actor)), self.defaults)

    async def set(
        self, team: str, rule: Key, value: str | None, *, now: datetime, key: str, entry: Entry
    ) -> bool:
        """Set a limit or a role; None forgets what the team said, the empty text takes a setting's limit away.
        False when the request key was used before."""
        scope, subject, kind = rule
        here = (
            ALLOWANCES.c.team_key == team,
            ALLOWANCES.c.scope == scope,
            ALLOWANCES.c.subject == subject,
            ALLOWANCES.c.kind == kind,
        )
        async with self._engine.begin() as connection:
            if not await first_time(connection, key, now, ""):
                return False
            await connection.execute(delete(ALLOWANCES).where(*here))
            if value is not None:
                values = {"team_key": team, "scope": scope, "subject": subject, "kind": kind, "value": value}
                await connection.execute(insert(connection, ALLOWANCES).values(values))
            await write_entries(connection, "", now, [entry])
        return True

    async def charges(self, ask: Ask) -> Mapping[Scope, Charges]:
        """What is charged now, for whoever wants to see it."""
        async with reading(self._engine) as connection:
            return await charges(connection, ask)

    async def admins(self, team: str) -> list[Actor]:
        """Everybody who is an admin of this team by settings or by command, by key."""
        query = select(ALLOWANCES.c.subject).where(
            ALLOWANCES.c.team_key == team,
            ALLOWANCES.c.scope == Scope.PERSON,
            ALLOWANCES.c.kind == Kind.ROLE,
            ALLOWANCES.c.value == Role.ADMIN,
        )
        async with reading(self._engine) as connection:
            said = {row.subject for row in await connection.execute(query)}
        keys = sorted(said | self.defaults.admins)
        named = [self.defaults.seated(Actor(*one.split(":", 2))) for one in keys]
        return [one for one in named if team_key(one) == team]

    async def people(self, team: str) -> list[Actor]:
        """Everybody of the team who ever asked for something, by key; as they were called last."""
        query = (
            select(RENTALS.c.owner_key, RENTALS.c.owner)
            .where(RENTALS.c.team_key == team)
            .order_by(RENTALS.c.created_at)
        )
        async with reading(self._engine) as connection:
            found = {row.owner_key: row.owner for row in await connection.execute(query)}
        return [found[key] for key in sorted(found)]
