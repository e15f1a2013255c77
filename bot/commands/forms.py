"""The forms of ``up`` and ``train``: the same questions as the line, with what can be had now as choices."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from bot.commands.admit import may_rent
from bot.commands.caret import flatten
from bot.commands.form_line import CPU, FIELDS, INPUTS, YES
from bot.commands.grammar import PREFIX
from bot.commands.house import House
from bot.commands.reach import not_configured, set_up
from bot.domain import gpus
from bot.domain.clocktime import short
from bot.domain.errors import Refused
from bot.domain.form import Choice, Field, Form
from bot.domain.market import ANY, Offer, Want
from bot.domain.recipe import PRESET_MINUTES, PRESETS
from bot.domain.talk import Actor
from bot.market import PATIENCE, gather
from bot.ports import Provider

LENGTHS = tuple(timedelta(minutes=minutes) for minutes in (30, 60, 120, 240, 480, 720, 1440))
TITLES = {"up": "Rent a machine", "train": "Train a LoRA"}
_MOST_COUNT = 8
_MARGIN_S = 0.05


def open_form(text: str) -> str:
    """The command that this line names and leaves wholly open; empty for every other line."""
    flat = flatten(text)
    prefix = PREFIX.match(flat)
    word = flat[prefix.end() if prefix else 0 :].strip().lower()
    return word if word in FIELDS else ""


async def build(
    house: House, actor: Actor, command: str, values: Mapping[str, str], *, patience: timedelta = PATIENCE
) -> Form:
    """The form with live prices. Providers are asked side by side, within the market's patience."""
    title = TITLES[command]
    try:
        await may_rent(house, actor)
    except Refused as error:
        return Form(command, title, refusal=" ".join(filter(None, (error.sentence, error.help))))
    want = Want(cpu_ok=True)
    providers = list(house.providers.values())
    found, problems = await in_time(providers, want, patience)
    silent = (f"{name} could not be asked: {reason.rstrip('.')}." for name, reason in problems.items())
    gap = "Its cards are listed without a price." if problems else ""
    note = " ".join(filter(None, (*silent, gap, set_up(not_configured(house)))))
    every = {
        "provider": _provider(house),
        "gpu": _cards(found, complete=not problems, needed=command == "up"),
        "count": _count(),
        "for": _lengths(house),
        "budget": _budget(house),
        "spot": _spot(house),
        **_training(house),
    }
    fields = tuple(one for name in FIELDS[command] if (one := every[name]) is not None)
    return Form(command, title, tuple(_filled(one, values) for one in fields), note)


async def in_time(
    providers: Sequence[Provider], want: Want, patience: timedelta = PATIENCE
) -> tuple[list[Offer], dict[str, str]]:
    """As ``gather``, and also a provider that is asked alone has no longer than that: somebody looks at a form."""
    try:
        async with asyncio.timeout(patience.total_seconds() + _MARGIN_S):
            return await gather(providers, want, patience=patience)
    except TimeoutError:
        return [], {one.name: f"it did not answer within {patience.total_seconds():g} s" for one in providers}


def _filled(one: Field, values: Mapping[str, str]) -> Field:
    """With what was said before, if that can still be chosen."""
    said = values.get(one.name, "").strip()
    if not said or (one.choices and said not in {choice.value for choice in one.choices}):
        return one
    return replace(one, value=said)


def _provider(house: House) -> Field:
    named = {one.name: one.profile.title for one in house.providers.values()}
    families = {one.profile.family: one.profile.title for one in house.providers.values()}
    choices = [Choice(ANY, "Any: the cheapest of all")]
    choices += [Choice(name, title or name) for name, title in {**families, **named}.items()]
    return Field("provider", "Where", tuple(choices), value=ANY)


def _cards(found: Sequence[Offer], *, complete: bool, needed: bool) -> Field:
    """What is on offer with its lowest price, cheapest first; then, where somebody could not be asked, what else is
    known. A card that cannot be asked for by name is reached by `any`."""
    cheapest: dict[str, Offer] = {}
    for offer in found:
        if offer.cpu_only or gpus.model(offer.gpu):
            cheapest.setdefault(CPU if offer.cpu_only else gpus.slug(offer.gpu), offer)
    on_cards = [one for one in found if not one.cpu_only]
    choices = [Choice(ANY, f"Any card{_from(on_cards[0]) if on_cards else ''}")]
    for value, offer in cheapest.items():
        name = "No card" if offer.cpu_only else offer.gpu
        choices.append(Choice(value, f"{name}{_from(offer)}"))
    if not complete:
        known = (one for one in gpus.CATALOGUE if gpus.slug(one.name) not in cheapest)
        choices += [Choice(gpus.slug(one.name), f"{one.name}, price not known") for one in known]
    return Field("gpu", "Card", tuple(choices), value=ANY if needed else "")


def _from(offer: Offer) -> str:
    price = f"from {offer.hourly.rate()}" if offer.hourly.micros else "free"
    return f", {price} on {offer.provider}"


def _count() -> Field:
    choices = tuple(Choice(str(number), str(number)) for number in range(1, _MOST_COUNT + 1))
    return Field("count", "How many cards", choices, value="1")


def _lengths(house: House) -> Field:
    usual, longest = house.terms.lifetime, house.terms.max_lifetime
    lengths = sorted({one for one in LENGTHS if one <= longest} | {usual})
    choices = tuple(Choice(span(one), short(one)) for one in lengths)
    return Field("for", "For how long at most", choices, value=span(usual))


def span(length: timedelta) -> str:
    """As a line says it: ``90m``, ``2h``."""
    minutes, seconds = divmod(int(length.total_seconds()), 60)
    if seconds:
        return f"{minutes * 60 + seconds}s"
    return f"{minutes}m" if minutes % 60 else f"{minutes // 60}h"


def _budget(house: House) -> Field:
    hint = "The most that all of it may cost, such as $5"
    return Field("budget", "Budget", value=str(house.terms.budget), hint=hint)


def _spot(house: House) -> Field | None:
    if not any(one.capabilities.spot for one in house.providers.values()):
        return None
    choices = (Choice("no", "No: it stays until it ends"), Choice(YES, "Yes: cheaper, and may be taken away"))
    return Field("spot", "Interruptible", choices, value="no")


def _training(house: House) -> dict[str, Field]:
    recipes = {name: one.recipe for name, one in house.recipes.items() if one.recipe.run is not None}
    chosen = next(iter(recipes), "")
    inputs = sorted({name for one in recipes.values() for name in one.inputs})
    presets = [name for name in PRESETS if any(name in one.presets for one in recipes.values())]
    return {
        "recipe": Field(
            "recipe",
            "What to train",
            tuple(Choice(name, one.title) for name, one in sorted(recipes.items())),
            value=chosen if len(recipes) == 1 else "",
            optional=False,
        ),
        "preset": Field(
            "preset",
            "How thoroughly",
            tuple(
                Choice(name, _preset(name, (one.preset(name).minutes for one in recipes.values())))
                for name in presets
            ),
            value=presets[0] if presets else "",
            optional=False,
        ),
        "data": Field(
            "data", "Pictures", hint=_pictures(any(one.dataset.sample for one in recipes.values()))
        ),
        INPUTS: Field(INPUTS, "Parameters", hint=f"name=value …: {', '.join(inputs)}"),
    }


def _preset(name: str, minutes: Iterable[float]) -> str:
    longest = max(minutes, default=PRESET_MINUTES[name])
    return f"{name.capitalize()}, up to {longest:g} min of training"


def _pictures(sample: bool) -> str:
    rest = "; empty: the recipe's sample" if sample else ""
    return f"A folder on Lastcall's computer{rest}. For a zip: say 'train … data attached' and attach it"
