"""A look at all accounts: which machines no rental knows, and what bills without a machine. Nothing is changed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from bot.commands.house import House
from bot.commands.unreached import Unreached, unreached
from bot.domain.errors import ProviderError
from bot.domain.market import Leftover, Machine
from bot.domain.orphan import Orphan, Owner, is_ours
from bot.market import each


@dataclass(slots=True)
class Found:
    """What was found. ``known`` is as the sweep wrote it down, also where the provider cannot be asked now."""

    known: list[Orphan] = field(default_factory=list)
    new: list[Machine] = field(default_factory=list)
    """Ours, unknown, and not swept yet."""
    back: list[tuple[Machine, Owner]] = field(default_factory=list)
    """Of a rental that gave it back: the next sweep ends it."""
    owned: list[tuple[Machine, Owner]] = field(default_factory=list)
    """Of rentals that live."""
    foreign: list[Machine] = field(default_factory=list)
    leftovers: list[Leftover] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    """A sentence for each provider that could not be asked."""


async def look(house: House, *, leftovers: bool) -> Found:
    """All providers at once. One that cannot be asked is a problem, never an empty list."""
    providers = list(house.providers.values())
    listings, left = await asyncio.gather(
        each(providers, lambda one: one.machines()),
        each(providers if leftovers else [], lambda one: one.leftovers()),
    )
    found = Found(known=await house.store.orphans.unfinished())
    known = {(one.provider, one.machine_id) for one in found.known}
    for provider, listing in zip(providers, listings, strict=True):
        if isinstance(listing, ProviderError):
            found.problems.append(_problem("machines", provider.name, listing))
            continue
        owners = await house.store.orphans.owners(provider.name, listing)
        for machine in listing:
            if (provider.name, machine.id) not in known:
                _sort(found, machine, owners, house.namespace)
    for provider, answer in zip(providers, left, strict=False):
        if isinstance(answer, ProviderError):
            found.problems.append(_problem("leftovers", provider.name, answer))
        else:
            found.leftovers += answer
    found.problems += _not_asked(unreached(house, await house.store.rentals.open_ones()))
    away = sorted({one.provider for one in found.known} - house.providers.keys())
    found.problems += [f"{name} is not configured here: its machines cannot be looked at." for name in away]
    return found


def _not_asked(open_there: Sequence[Unreached]) -> list[str]:
    """A vendor without a key is nobody's problem until something of ours is open there."""
    rentals: dict[Unreached, list[str]] = {}
    for one in open_there:
        rentals.setdefault(replace(one, rental=""), []).append(one.rental)
    return [_why_not(one, ids) for one, ids in rentals.items()]


def _why_not(one: Unreached, ids: Sequence[str]) -> str:
    are = f"{', '.join(ids)} {'is' if len(ids) == 1 else 'are'} open there"
    if one.setting:
        return f"{one.title} was not asked: it has no key here (set {one.setting}), and {are}."
    return f"{one.title} was not asked: only another process has it, and {are}."


def _sort(found: Found, machine: Machine, owners: Mapping[str, Owner], namespace: str) -> None:
    owner, ours = owners.get(machine.id), is_ours(machine.label, namespace)
    if owner is not None and owner.lives:
        found.owned.append((machine, owner))
    elif owner is not None and ours:
        found.back.append((machine, owner))
    elif ours:
        found.new.append(machine)
    else:
        found.foreign.append(machine)


def _problem(what: str, provider: str, error: ProviderError) -> str:
    return f"The {what} of {provider} could not be listed: {error.reason.rstrip('.')}."
