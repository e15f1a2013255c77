"""``budget``: what may be spent, what is charged, who may what; and setting it."""

from __future__ import annotations

from dataclasses import replace

from bot.commands import replies_budget
from bot.commands.house import House
from bot.commands.spoken import Budget
from bot.domain.allowance import Ask, Kind, Role, Scope, channel_key, team_key
from bot.domain.errors import Refused
from bot.domain.money import ZERO
from bot.domain.talk import Actor, Reply, Request
from bot.store.rows import Entry


async def budget(house: House, request: Request, command: Budget) -> Reply:
    """Show, or set one thing. Only admins set, and everything that they set is in the journal."""
    if command.rule is None:
        return await _shown(house, request)
    if await house.role(request.actor) is not Role.ADMIN:
        raise Refused("Only an admin sets budgets and roles.", help="'budget' shows who that is.")
    scope, kind = command.rule
    team = team_key(request.actor)
    person = await _person(house, request.actor, command.person) if command.person else None
    subject = person.key if person else channel_key(request.channel) if scope is Scope.CHANNEL else ""
    if kind is Kind.ROLE and person is None:
        raise Refused("A role is given to a person.", help="budget role @ann member")
    if kind is Kind.ROLE and person is not None and person.key in house.store.budgets.defaults.admins:
        raise Refused(f"{person.name} is an admin by the settings; no command changes that.")
    whose = (person.name or person.id) if person else scope.value
    said = replies_budget.value(kind, command.value)
    entry = Entry("budget", f"{whose} {kind}: {said}", actor=request.actor.key)
    now = house.clock.now()
    done = await house.store.budgets.set(
        team, (scope, subject, kind), command.value, now=now, key=request.key, entry=entry
    )
    return replies_budget.was_set(whose, kind, said, fresh=done)


async def _person(house: House, asker: Actor, said: str) -> Actor:
    """Who is meant: by id, or by the name of somebody who was here. An id that was never here may get a role, too."""
    known = await house.store.budgets.people(team_key(asker))
    by_id = [one for one in known if one.id == said]
    named = [one for one in known if one.name.casefold() == said.casefold()]
    if by_id:
        return by_id[0]
    if len({one.key for one in named}) > 1:
        ids = ", ".join(f"@{one.id}" for one in named)
        raise Refused(f"Several people are called {said}.", help=f"Say which by their id: {ids}")
    return named[0] if named else replace(asker, id=said, name=said)


async def _shown(house: House, request: Request) -> Reply:
    team, now = team_key(request.actor), house.clock.now()
    rules = await house.store.budgets.rules(team)
    ask = Ask(request.actor, request.channel, ZERO, ZERO, now)
    return replies_budget.shown(
        role=await house.role(request.actor),
        rules=rules,
        subjects=ask.subjects,
        charges=await house.store.budgets.charges(ask),
        terms=house.terms,
        admins=house.store.budgets.defaults.admins,
        people=await house.store.budgets.people(team),
    )
