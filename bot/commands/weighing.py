"""A filled form on the scales: everything that a request goes through and that costs nothing, with each refusal at the
field that it is about, and the worst case by the very sums of the quote. Nothing is written, nothing rented.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from bot.commands.admit import may_rent
from bot.commands.form_line import INPUTS, sentence, speak
from bot.commands.forms import in_time
from bot.commands.handlers.rent import right_length, trains, want_of
from bot.commands.house import House
from bot.commands.reach import asked
from bot.commands.spoken import Train, Up
from bot.commands.training import inputs_of, said_folder, sample_folder
from bot.domain import budget, gpus, traffic
from bot.domain.allowance import Ask, judge, team_key, wants_approval
from bot.domain.clocktime import short
from bot.domain.errors import AskAgain, NotYet, PersonError, Refused
from bot.domain.form import Weighed
from bot.domain.market import ANY, REMEMBERED, Offer, Want
from bot.domain.money import ZERO, Usd
from bot.domain.talk import Request
from bot.market import PATIENCE
from bot.unpack import MOST_BYTES

_LATER = "The quote names it before anything is rented."


@dataclass(frozen=True, slots=True)
class _Load:
    """What the offers are held against."""

    want: Want
    length: timedelta
    budget: Usd
    traffic_gb: int


class _At(Exception):
    """A refusal and its field."""

    def __init__(self, field: str, said: str) -> None:
        super().__init__(said)
        self.field = field
        self.said = said


async def weigh(
    house: House, request: Request, command: str, values: Mapping[str, str], *, patience: timedelta = PATIENCE
) -> Weighed:
    """What it would cost at most, or what is wrong with it."""
    spoken = speak(command, values, house.vocabulary)
    if spoken.command is None:
        return Weighed(spoken.line, errors=spoken.errors)
    try:
        load = await _load(house, request, spoken.command)
        offers, problems = await _offers(house, load, patience)
        offer = _first(house, load, offers, problems)
    except _At as wrong:
        return Weighed(spoken.line, errors={wrong.field: wrong.said})
    if offer is None:
        silent = " ".join(f"{name} could not be asked: {why.rstrip('.')}." for name, why in problems.items())
        return Weighed(spoken.line, how=f"{silent} The worst case is not known now. {_LATER}")
    worst = _worst(house, load, offer).up_to_cent()
    latency = house.providers[offer.provider].capabilities.teardown_latency
    sum_ = budget.how(offer, load.length, latency, load.traffic_gb, ZERO)
    count = f" x{offer.count}" if offer.count > 1 else ""
    how = f"{offer.gpu}{count} on {offer.provider}: {sum_}."
    errors, approval = await _budgets(house, request, offer, worst)
    return Weighed(
        spoken.line, f"This cannot cost more than {worst}.", " ".join(filter(None, (how, approval))), errors
    )


async def _load(house: House, request: Request, command: Up | Train) -> _Load:
    """What is asked for, if it may be. Raises ``_At``."""
    with _field(""):
        await may_rent(house, request.actor)
    moved, want = traffic.BY_HAND_GB, command.want
    preset = command.preset if isinstance(command, Train) else None
    if isinstance(command, Train):
        with _field("preset" if command.preset is None else "recipe"):
            want = want_of(trains(house, command), command.want)
        with _field(INPUTS):
            assert command.preset is not None
            inputs_of(house.recipes[command.recipe].recipe, command.preset, command.inputs)
        with _field("data"):
            moved = await asyncio.to_thread(_moved, house, request, command)
    with _field("spot" if want.spot else "provider"):
        asked(house, want)
    with _field("for"):
        length = right_length(house, command.hours, preset)
    return _Load(want, length, command.budget or house.terms.budget, moved)


class _field:  # noqa: N801 - reads as a word of the language
    """What a person did wrong in here is told at this field."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None:
        """Nothing is begun."""

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, NotYet):
            raise _At("recipe", str(error)) from None
        if isinstance(error, AskAgain):
            raise _At(self._name, sentence(error)) from None
        if isinstance(error, Refused):
            raise _At(self._name, " ".join(filter(None, (error.sentence, error.help)))) from None
        if isinstance(error, PersonError):
            raise _At(self._name, str(error)) from None


def _moved(house: House, request: Request, command: Train) -> int:
    """GB of traffic, from the sizes of the files alone: gate 1 looks into them later. Raises ``Refused``."""
    file = house.recipes[command.recipe]
    rules = file.recipe.dataset
    if command.attached:
        if not request.attached:
            raise Refused(
                "A form cannot take a file.", help="Say it as a message, with the zip attached to it."
            )
        return traffic.of_training(file.recipe, MOST_BYTES)
    if command.data is None:
        if not rules.sample:
            raise Refused("Which images? No data set was named.")
        # A sample that was not made yet is small, and not nothing.
        return traffic.of_training(file.recipe, max(1, _bytes(sample_folder(house, file), ("*",))))
    folder = said_folder(request.folder, command.data)
    if not folder.is_dir():
        raise Refused("There is no such folder on Lastcall's computer.", help="Write the whole path.")
    size = _bytes(folder, (*rules.image_types, "txt"))
    if not size:
        raise Refused(
            "This folder holds no images.", help=f"Put {', '.join(rules.image_types)} files into it."
        )
    return traffic.of_training(file.recipe, size)


def _bytes(folder: Path, suffixes: Sequence[str]) -> int:
    """At least as much as will travel."""
    total = 0
    try:
        for one in folder.iterdir():
            if "*" in suffixes or one.name.rpartition(".")[2].lower() in suffixes:
                total += one.stat().st_size
    except FileNotFoundError:
        return total
    except OSError:
        raise Refused("This folder cannot be read by Lastcall.", help="Change its permissions.") from None
    return total


async def _offers(house: House, load: _Load, patience: timedelta) -> tuple[list[Offer], dict[str, str]]:
    """As the quote asks for them: hosts that failed lately are taken only where there is nothing else."""
    want, able = replace(load.want, lifetime=load.length), asked(house, load.want)
    bad = await house.store.rentals.bad_hosts(since=house.clock.now() - REMEMBERED)
    found, problems = await in_time(able, replace(want, avoid=bad), patience)
    if not found and not problems and bad:
        return await in_time(able, want, patience)
    return found, problems


def _worst(house: House, load: _Load, offer: Offer) -> Usd:
    latency = house.providers[offer.provider].capabilities.teardown_latency
    return budget.most(offer, load.length, latency, load.traffic_gb)


def _first(house: House, load: _Load, offers: Sequence[Offer], problems: Mapping[str, str]) -> Offer | None:
    """The offer that the quote would take; None when that cannot be said now. Raises ``_At``."""
    within = next((one for one in offers if _worst(house, load, one) <= load.budget), None)
    if within is not None or problems:
        return within  # whoever could not be asked may have a cheaper one
    if offers:
        worst = min(_worst(house, load, one) for one in offers).up_to_cent()
        said = f"The cheapest that fits can cost {worst}, and the budget is {load.budget}."
        raise _At("budget", f"{said} {_instead(house, load, offers[0])}")
    want = load.want
    count = f" x{want.count}" if want.count > 1 else ""
    place = "anywhere" if want.provider == ANY else f"on {want.provider}"
    said = f"No {want.gpu or ('machine' if want.cpu_ok else 'card')}{count} is free {place} now."
    if want.gpu and (known := gpus.model(want.gpu)) and known.vram_gb and known.vram_gb < want.vram_gb:
        raise _At("gpu", f"{want.gpu} has {known.vram_gb} GB, and this needs {want.vram_gb} GB.")
    raise _At("gpu" if want.gpu or want.provider == ANY else "provider", f"{said} Take another one.")


def _instead(house: House, load: _Load, offer: Offer) -> str:
    latency = house.providers[offer.provider].capabilities.teardown_latency
    length = budget.lifetime_within(load.budget, offer, latency, load.traffic_gb)
    if length > timedelta(minutes=5):
        return f"It pays for {short(length)}."
    return "Take a larger one."


async def _budgets(house: House, request: Request, offer: Offer, worst: Usd) -> tuple[Mapping[str, str], str]:
    """What no budget covers, at the field that would help; and why somebody else would have to agree."""
    rules = await house.store.budgets.rules(team_key(request.actor))
    ask = Ask(request.actor, request.channel, worst, offer.ceiling, house.clock.now())
    charges = await house.store.budgets.charges(ask)
    steps = (
        ("", replace(ask, worst=ZERO, hourly=ZERO)),
        ("gpu", replace(ask, worst=ZERO)),
        ("budget", ask),
    )
    for field, part in steps:
        verdict = judge(part, charges, rules)
        if verdict.sentence:
            return {field: f"{verdict.sentence} {verdict.help}"}, ""
    why = wants_approval(worst, offer.hourly, offer.gpu, rules)
    return {}, f"Somebody else has to agree: {why}." if why else ""
