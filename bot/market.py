"""Asking providers for offers: all at once, cheapest first, and a sentence for each that could not answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import timedelta
from typing import TypeVar

from bot.domain import gpus
from bot.domain.errors import ProviderError, TryLater
from bot.domain.market import ANY, Offer, Want, fits
from bot.domain.money import Usd
from bot.ports import Provider

_T = TypeVar("_T")
PATIENCE = timedelta(seconds=12)
"""So long the answers of the others wait for one provider."""


def matching(providers: Iterable[Provider], asked: str) -> list[Provider]:
    """Providers that the word means: all for ``any``, else by full name or by family."""
    return [one for one in providers if asked in (ANY, one.name, one.profile.family)]


async def each(
    providers: Sequence[Provider],
    question: Callable[[Provider], Awaitable[_T]],
    *,
    patience: timedelta = PATIENCE,
) -> list[_T | ProviderError]:
    """Ask all of them at once; answers in their order, with the error of who could not. One that takes longer than
    ``patience`` is cut off, so that it does not hold up the others; one that is asked alone has only its own limits.

    An error that is no ``ProviderError`` is a fault of ours, and is raised when all have answered."""
    limit = patience if len(providers) > 1 else None
    answers = await asyncio.gather(
        *(_within(limit, question(one)) for one in providers), return_exceptions=True
    )
    told: list[_T | ProviderError] = []
    for answer in answers:
        if isinstance(answer, BaseException) and not isinstance(answer, ProviderError):
            raise answer
        told.append(answer)
    return told


async def _within(limit: timedelta | None, answer: Awaitable[_T]) -> _T:
    deadline = asyncio.timeout(limit.total_seconds() if limit else None)
    try:
        async with deadline:
            return await answer
    except TimeoutError:
        if limit is None or not deadline.expired():
            raise
        raise TryLater(f"it did not answer within {limit.total_seconds():g} s") from None


async def gather(
    providers: Sequence[Provider], want: Want, *, patience: timedelta = PATIENCE
) -> tuple[list[Offer], dict[str, str]]:
    """Offers of all these providers, cheapest first, and by provider what kept it from answering.

    Every answer is looked through again: what a vendor was asked to filter is not taken on trust."""
    answers = await each(providers, lambda one: one.offers(want), patience=patience)
    offers: list[Offer] = []
    problems: dict[str, str] = {}
    for provider, answer in zip(providers, answers, strict=True):
        if isinstance(answer, ProviderError):
            problems[provider.name] = answer.reason
        else:
            offers.extend(offer for offer in answer if is_wanted(offer, want))
    return sorted(offers, key=_cheapest_first), problems


def is_wanted(offer: Offer, want: Want) -> bool:
    """Whether an offer is what was asked for, its GPU included."""
    return fits(offer, want) and (want.gpu is None or gpus.covers(want.gpu, offer.gpu))


def _cheapest_first(offer: Offer) -> tuple[Usd, bool, str]:
    """Of one price, what leaves a GPU free comes before what takes one; else a provider's own order stays."""
    return offer.hourly, not offer.cpu_only, offer.provider
