"""``up`` and ``train``: open a tab at the goal QUOTED. What costs nothing to find out is found out first."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import timedelta

from bot.commands.admit import may_rent
from bot.commands.handlers.rerun import repeated
from bot.commands.house import House
from bot.commands.reach import asked
from bot.commands.spoken import Train, Up
from bot.commands.training import job_for
from bot.domain.cards import card, title
from bot.domain.clocktime import short
from bot.domain.errors import AskAgain, NotYet, Refused
from bot.domain.market import Want
from bot.domain.money import Usd
from bot.domain.recipe import FOR_RECIPES, PRESET_MINUTES, PRESETS, Recipe
from bot.domain.rental import Goal, Job, Rental
from bot.domain.talk import Kind, Reply, Request, Tone
from bot.store.rows import Entry, Say

_SHORTEST = timedelta(minutes=2)


async def up(house: House, request: Request, command: Up) -> Reply:
    """A machine, ready to be used by hand."""
    asked(house, command.want)
    return await _open(house, request, _Order(command.want, None, command.hours, command.budget))


async def train(house: House, request: Request, command: Train) -> Reply:
    """A machine, a training on it, the results, and the closed tab. Gates 1 and 2 run before anything is rented."""
    if command.rerun is not None:
        command = await repeated(house, request, command)
    recipe = trains(house, command)
    assert command.preset is not None
    want = want_of(recipe, command.want)
    asked(house, want)
    if command.attached:  # nothing is fetched for who may not rent, or for too long
        await may_rent(house, request.actor)
    right_length(house, command.hours, command.preset)
    job, warnings = await job_for(house, request, command)
    return await _open(house, request, _Order(want, job, command.hours, command.budget, warnings))


def trains(house: House, command: Train) -> Recipe:
    """The recipe, if it can be trained as was said. Raises ``NotYet`` or ``AskAgain`` for what is missing."""
    recipe = house.recipes[command.recipe].recipe
    if recipe.run is None:
        raise NotYet(
            f"{recipe.name} can be estimated and advised on; it says no training command.",
            help=f"Try: estimate {recipe.name}, or train tiny-lora quick on local",
        )
    if missing := recipe.lacks(house.secrets):
        raise Refused(
            f"{recipe.name} fetches a gated model, and {FOR_RECIPES}{missing} is not set.",
            help="Accept the model's licence, and put a token that may read it there.",
        )
    if command.preset is None:
        said = [name for name in PRESETS if name in recipe.presets]
        raise AskAgain(
            "How thorough? It decides the time and the price.",
            expected=", ".join(
                f"{name} (up to {recipe.preset(name).minutes:g} min of training)" for name in said
            ),
            nearest=f"train {recipe.name} {said[0]}" if said else "",
        )
    return recipe


def want_of(recipe: Recipe, said: Want) -> Want:
    """What the recipe needs, and what was said beyond it. A disk of the usual size is no wish."""
    asks = recipe.requirements
    disk = math.ceil(asks.disk_gb)
    return replace(
        said,
        cpu_ok=said.cpu_ok or not asks.gpu,
        vram_gb=max(said.vram_gb, int(asks.vram_gb)),
        disk_gb=disk if said.disk_gb == Want().disk_gb else max(said.disk_gb, disk),
        ram_gb=math.ceil(asks.ram_gb) if asks.ram_gb >= 1 else 0,
    )


def right_length(house: House, hours: timedelta | None, preset: str | None = None) -> timedelta:
    """How long it lives at most; ``preset`` where it trains. Raises ``Refused`` for what is too long, or too short."""
    length, longest = hours or house.terms.lifetime, house.terms.max_lifetime
    if preset is not None and length < _SHORTEST:
        raise Refused(
            f"{short(length)} is too short to train anything.", help=f"Say: for {PRESET_MINUTES[preset]}m"
        )
    if length > longest:
        told = short(longest)
        raise Refused(f"No machine lives longer than {told} here.", help=f"Say: for {told.replace(' ', '')}")
    return length


@dataclass(frozen=True, slots=True)
class _Order:
    """What is opened. ``None`` means "not said"."""

    want: Want
    job: Job | None
    hours: timedelta | None
    budget: Usd | None
    warnings: tuple[str, ...] = ()


async def _open(house: House, request: Request, order: _Order) -> Reply:
    await may_rent(house, request.actor)
    now, lifetime = house.clock.now(), right_length(house, order.hours)
    rental = Rental(
        id=house.ids.rental(),
        namespace=house.namespace,
        owner=request.actor,
        channel=request.channel,
        created_at=now,
        want=order.want,
        job=order.job,
        budget=order.budget or house.terms.budget,
        lifetime=lifetime,
        goal=Goal.QUOTED,
    )
    what = f"asked for {title(rental)}, budget {rental.budget}, {short(lifetime)}"
    says = [Say(f"card:{rental.id}", request.channel, card(rental, now))]
    opened = await house.store.rentals.open(
        rental, key=request.key, entry=Entry("asked", what, request.actor.key), says=says
    )
    house.nudge()
    return await _looking(house, await house.store.rentals.get(opened) or rental, order.warnings)


async def _looking(house: House, rental: Rental, warnings: tuple[str, ...]) -> Reply:
    lines = (*(f"Note: {one}" for one in warnings), *await house.idle_note())
    sentence = (
        f"{title(rental)}: looking for an offer. Budget {rental.budget}, up to {short(rental.lifetime)}."
    )
    data = {"rental": rental.id, "state": "choosing"}
    tone = Tone.WARN if lines else Tone.CALM
    return Reply(Kind.ANSWER, sentence, lines, rental=rental.id, tone=tone, data=data)
