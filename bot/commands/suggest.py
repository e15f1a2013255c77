"""What a value could be, while somebody types it: providers, cards with the cheapest price of now, rentals with their
cost, recipes, presets, parameters. It answers within a moment: prices that are not there yet are left out."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.commands.catalogue import BY_NAME
from bot.commands.completion import values_of
from bot.commands.form_line import INPUTS
from bot.commands.handlers import find
from bot.commands.house import House
from bot.commands.options import Slot
from bot.commands.scope import Scope
from bot.commands.shapes import name_of
from bot.domain import budget, gpus
from bot.domain.allowance import team_key
from bot.domain.cards import status as state_of
from bot.domain.form import Choice
from bot.domain.market import ANY, Offer, Want
from bot.domain.money import Usd
from bot.domain.rental import Rental
from bot.domain.talk import Actor
from bot.market import gather, matching

log = logging.getLogger("lastcall.suggest")

FRESH = timedelta(seconds=60)
"""Prices of so long ago are shown to somebody who types; the quote asks anew."""
_MOMENT_S = 0.1
_MOMENT = timedelta(seconds=2)
_TEAMS = 1_000
_MOST = 25
_LABEL = 100


@dataclass
class Prices:
    """The cheapest offer of each card, asked for in the background while people type."""

    at: datetime | None = None
    offers: Sequence[Offer] = ()
    asking: asyncio.Task[None] | None = field(default=None, repr=False)


class Suggester:
    """One for a deployment; it remembers prices for a minute."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._prices = Prices()
        self._seen: dict[str, tuple[datetime, Sequence[Rental]]] = {}

    async def suggest(
        self, actor: Actor, command: str, option: str, typed: str, values: Mapping[str, str]
    ) -> Sequence[Choice]:
        """At most 25, those that begin with what is typed before those that have it inside. ``values``: what the other
        options say already."""
        spec = BY_NAME.get(command)
        if spec is None or not spec.available:
            return ()
        if option == INPUTS:
            return _best(typed, self._inputs(values, typed))
        slot = next((one.slot for one in spec.options if name_of(one) == option), None)
        if slot is None:
            return ()
        if slot in (Slot.RENTAL, Slot.WHICH):
            return _best(typed, await self._rentals(actor, slot))
        if slot is Slot.GPU:
            return _best(typed, await self._cards(values.get("provider", ANY)))
        option_spec = next(one for one in spec.options if one.slot is slot)
        scope = Scope("", spec, self._house.vocabulary)
        known = [Choice(text, _label(text, about)) for text, about in values_of(scope, option_spec, ())]
        return _best(typed, known)

    async def _rentals(self, actor: Actor, slot: Slot) -> list[Choice]:
        now = self._house.clock.now()
        seen = sorted(await self._open(actor, now), key=lambda one: one.owner.key != actor.key)
        found = [Choice(one.id, self._rental(one, now, actor)) for one in seen]
        if slot is Slot.WHICH:
            found += [Choice("mine", "mine: all of yours"), Choice("all", "all: everybody's")]
        return found

    async def _open(self, actor: Actor, now: datetime) -> Sequence[Rental]:
        """What the team has open, read again after a moment: each letter that somebody types asks for it."""
        team = team_key(actor)
        at, known = self._seen.get(team, (now - _MOMENT, ()))
        if not timedelta(0) <= now - at < _MOMENT:
            if len(self._seen) > _TEAMS:
                self._seen.clear()
            known = await find.visible(self._house, actor)
            self._seen[team] = (now, known)
        return known

    def _rental(self, one: Rental, now: datetime, actor: Actor) -> str:
        what = one.job.recipe if one.job else (one.offer.gpu if one.offer else "machine")
        whose = "" if one.owner.key == actor.key else f", {one.owner.name or one.owner.id}'s"
        return f"{one.id}: {what}, {state_of(one)}, {budget.spent(one, now)}{whose}"

    async def _cards(self, provider: str) -> list[Choice]:
        cheapest: dict[str, Offer] = {}
        for offer in await self._offers():
            if not offer.cpu_only and gpus.model(offer.gpu) and provider in (ANY, "", *_names(offer)):
                cheapest.setdefault(gpus.slug(offer.gpu), offer)
        priced = [
            Choice(value, f"{offer.gpu}, {_price(offer.hourly)} on {offer.provider}")
            for value, offer in cheapest.items()
        ]
        rest = (one for one in gpus.CATALOGUE if gpus.slug(one.name) not in cheapest)
        return priced + [Choice(gpus.slug(one.name), one.name) for one in rest]

    async def _offers(self) -> Sequence[Offer]:
        """Those of the last minute; else they are asked for, and waited for a moment."""
        now, prices = self._house.clock.now(), self._prices
        if prices.at is not None and now - prices.at < FRESH:
            return prices.offers
        if prices.asking is None or prices.asking.done():
            prices.asking = asyncio.get_running_loop().create_task(self._ask())
        await asyncio.wait({prices.asking}, timeout=_MOMENT_S)
        return prices.offers if prices.at is not None and now - prices.at < FRESH * 10 else ()

    async def _ask(self) -> None:
        try:
            asked = matching(self._house.providers.values(), ANY)
            self._prices.offers, _ = await gather(asked, Want())
            self._prices.at = self._house.clock.now()
        except Exception:
            log.exception("prices for suggestions")

    def _inputs(self, values: Mapping[str, str], typed: str) -> Iterable[Choice]:
        """The last word is completed; what stands before it stays."""
        recipe = self._house.recipes.get(values.get("recipe", ""))
        named = sorted(recipe.recipe.inputs) if recipe is not None else self._house.vocabulary.inputs
        before, _, last = typed.rpartition(" ")
        lead = f"{before} " if before else ""
        if "=" in last:
            return [Choice(typed, typed[:_LABEL])]
        return [Choice(f"{lead}{name}=", f"{lead}{name}=") for name in named if name.startswith(last)]


def _names(offer: Offer) -> tuple[str, str]:
    return offer.provider, offer.provider.partition("/")[0]


def _price(hourly: Usd) -> str:
    return f"from {hourly.rate()}" if hourly.micros else "free"


def _label(text: str, about: str) -> str:
    return f"{text}: {about}" if about and about.casefold() != text.casefold() else text


def _best(typed: str, choices: Iterable[Choice]) -> tuple[Choice, ...]:
    low = typed.strip().casefold()
    every = [one for one in choices if low in one.value.casefold() or low in one.label.casefold()]
    every.sort(key=lambda one: not one.value.casefold().startswith(low))
    return tuple(every[:_MOST])
