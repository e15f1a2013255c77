"""Asking providers for offers: all at once, cheapest first, and a sentence for each that could not answer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from bot.domain.errors import ProviderError
from bot.domain.market import ANY, Offer, Want
from bot.ports import Provider


def matching(providers: Iterable[Provider], asked: str) -> list[Provider]:
    """Providers that the word means: all for ``any``, else by full name or by family."""
    return [one for one in providers if asked in (ANY, one.name, one.profile.family)]


async def gather(providers: Sequence[Provider], want: Want) -> tuple[list[Offer], dict[str, str]]:
    """Offers of all these providers, cheapest first (what leaves a GPU free before what takes one), and by provider
    what kept it from answering."""
    answers = await asyncio.gather(*(one.offers(want) for one in providers), return_exceptions=True)
    offers: list[Offer] = []
    problems: dict[str, str] = {}
    for provider, answer in zip(providers, answers, strict=True):
        if isinstance(answer, ProviderError):
            problems[provider.name] = answer.reason
        elif isinstance(answer, BaseException):
            raise answer
        else:
            offers.extend(answer)
    return sorted(
        offers, key=lambda offer: (offer.hourly, not offer.cpu_only, offer.provider, offer.id)
    ), problems
