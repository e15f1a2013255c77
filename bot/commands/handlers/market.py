"""What could be rented, what it would cost, and what suits: nothing here changes anything."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from bot.commands.house import House
from bot.commands.reach import asked, no_spot, not_configured, not_told, set_up
from bot.commands.replies_market import advise_reply, estimate_reply, offers_reply, providers_reply
from bot.commands.spoken import Advise, Estimate, Offers, Providers
from bot.domain.advice import advise as weigh
from bot.domain.errors import ProviderError
from bot.domain.market import ANY, Account, AccountNote, Offer, Want
from bot.domain.talk import Reply, Request
from bot.market import each, gather, matching
from bot.ports import Provider


async def offers(house: House, _request: Request, command: Offers) -> Reply:
    """Live offers of all providers that were asked for, cheapest first."""
    want = replace(command.want, cpu_ok=command.want.cpu_ok or not _needs_gpu(command.want))
    able = asked(house, want)
    found, problems = await gather(able, want)
    without = no_spot(matching(house.providers.values(), want.provider)) if want.spot else ()
    notes = (*without, *not_told(able, want))
    return offers_reply(found, problems, notes, not_configured(house, want.provider))


def _needs_gpu(want: Want) -> bool:
    """Whether anything was asked for that a computer without a GPU cannot have, or does not tell."""
    host = want.reliability or want.verified or want.cuda or want.down_mbps
    return bool(want.gpu or want.vram_gb or want.count > 1 or host)


async def estimate(house: House, _request: Request, command: Estimate) -> Reply:
    """Provider by preset, training only and the whole bill."""
    recipe = house.recipes[command.recipe].recipe if command.recipe else None
    want = Want(provider=ANY, gpu=command.gpu, cpu_ok=recipe is not None and not recipe.requirements.gpu)
    if recipe is not None:
        want = replace(
            want, vram_gb=int(recipe.requirements.vram_gb), disk_gb=max(20, int(recipe.requirements.disk_gb))
        )
    found, _ = await gather(list(house.providers.values()), want)
    live: dict[str, Offer] = {}
    for offer in found:
        live.setdefault(house.providers[offer.provider].profile.family, offer)
    missing = set_up(not_configured(house))
    return estimate_reply(house.profiles, {}, recipe, command.gpu, command.rate, live, missing=missing)


async def advise(house: House, _request: Request, command: Advise) -> Reply:
    """Local or cloud, and why, from the GPUs that are really there."""
    recipe = house.recipes[command.recipe].recipe
    accounts = await _accounts(house)
    hardware = [one.hardware for many in accounts.values() for one in many if one.hardware is not None]
    return advise_reply(recipe, weigh(recipe, hardware, house.profiles), set_up(not_configured(house)))


async def providers(house: House, _request: Request, _command: Providers) -> Reply:
    """How they compare and what is configured."""
    return providers_reply(house.profiles, await _accounts(house))


async def _accounts(house: House) -> dict[str, Sequence[Account]]:
    all_ = list(house.providers.values())
    answers = await each(all_, lambda one: one.account())
    found: dict[str, list[Account]] = defaultdict(list)
    for provider, answer in zip(all_, answers, strict=True):
        found[provider.profile.family].append(_account(provider, answer))
    return dict(found)


def _account(provider: Provider, answer: Account | ProviderError) -> Account:
    if isinstance(answer, ProviderError):
        return Account(AccountNote.FAULT, note=_by_name(provider, answer.reason))
    return answer


def _by_name(provider: Provider, reason: str) -> str:
    """Which of several computers it is; a vendor has one account, and its title stands before the note anyway."""
    return reason if provider.name == provider.profile.family else f"{provider.name}: {reason}"
