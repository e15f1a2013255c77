"""``up`` and ``train``: open a tab at the goal QUOTED. What costs nothing to find out is found out first."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot.commands.house import House
from bot.commands.spoken import Train, Up
from bot.commands.training import job_for
from bot.domain.cards import card, title
from bot.domain.clocktime import short
from bot.domain.errors import AskAgain, NotYet, Refused
from bot.domain.market import ANY, Want
from bot.domain.money import Usd
from bot.domain.recipe import PRESET_MINUTES, PRESETS
from bot.domain.rental import Goal, Job, Rental
from bot.domain.talk import Kind, Reply, Request, Tone
from bot.market import matching
from bot.store.rows import Entry, Say


async def up(house: House, request: Request, command: Up) -> Reply:
    """A machine, ready to be used by hand."""
    _available(house, command.want)
    return await _open(house, request, command.want, None, command.hours, command.budget)


async def train(house: House, request: Request, command: Train) -> Reply:
    """A machine, a training on it, the results, and the closed tab. Gates 1 and 2 run before anything is rented."""
    recipe = house.recipes[command.recipe].recipe
    if recipe.run is None:
        raise NotYet(
            f"{recipe.name} can be estimated and advised on; training it comes with a later release.",
            help=f"Try: estimate {recipe.name}, or train tiny-lora quick on local",
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
    asks = recipe.requirements
    want = replace(
        command.want,
        cpu_ok=command.want.cpu_ok or not asks.gpu,
        vram_gb=max(command.want.vram_gb, int(asks.vram_gb)),
        disk_gb=max(command.want.disk_gb, int(asks.disk_gb)),
        ram_gb=int(asks.ram_gb),
    )
    _available(house, want)
    job, warnings = await job_for(house, request, command)
    _long_enough(house, job, command.hours)
    return await _open(house, request, want, job, command.hours, command.budget, warnings)


def _available(house: House, want: Want) -> None:
    """Whether the provider that was named is there, and can do what is asked."""
    coming = next((one for one in house.profiles if one.family == want.provider and not one.available), None)
    named = matching(house.providers.values(), want.provider)
    if coming is not None and not named:
        there = next(iter(house.providers), "")
        raise NotYet(
            f"{coming.title} comes with a later release.", help=f"Now there is: up {there}" if there else ""
        )
    if not named:
        raise Refused(f"{want.provider} is not configured.", help="'providers' shows what is.")
    if want.spot and not any(one.capabilities.spot for one in named):
        where = "None of your providers" if want.provider == ANY else f"{named[0].profile.title} never"
        raise Refused(f"{where} rents spot machines.", help="Leave 'spot' out.")


def _long_enough(house: House, job: Job, hours: timedelta | None) -> None:
    length = hours or house.terms.lifetime
    if length < timedelta(minutes=2):
        raise Refused(
            f"{short(length)} is too short to train anything.", help=f"Say: for {PRESET_MINUTES[job.preset]}m"
        )


async def _open(
    house: House,
    request: Request,
    want: Want,
    job: Job | None,
    hours: timedelta | None,
    budget: Usd | None,
    warnings: tuple[str, ...] = (),
) -> Reply:
    lifetime = hours or house.terms.lifetime
    if lifetime > house.terms.max_lifetime:
        raise Refused(
            f"No machine lives longer than {short(house.terms.max_lifetime)} here.",
            help=f"Say: for {short(house.terms.max_lifetime).replace(' ', '')}",
        )
    now = house.clock.now()
    rental = Rental(
        id=house.ids.rental(),
        namespace=house.namespace,
        owner=request.actor,
        channel=request.channel,
        created_at=now,
        want=want,
        job=job,
        budget=budget or house.terms.budget,
        lifetime=lifetime,
        goal=Goal.QUOTED,
    )
    entry = Entry(
        "asked", f"asked for {title(rental)}, budget {rental.budget}, {short(lifetime)}", request.actor.key
    )
    says = [Say(f"card:{rental.id}", request.channel, card(rental, now))]
    id = await house.store.rentals.open(rental, key=request.key, entry=entry, says=says)
    house.nudge()
    known = await house.store.rentals.get(id) or rental
    lines = [f"Note: {one}" for one in warnings]
    lines += await house.idle_note()
    sentence = f"{title(known)}: looking for an offer. Budget {known.budget}, up to {short(known.lifetime)}."
    tone = Tone.WARN if lines else Tone.CALM
    return Reply(
        Kind.ANSWER, sentence, tuple(lines), rental=id, tone=tone, data={"rental": id, "state": "choosing"}
    )
