"""Providers of a few lines for tests about the market: what they offer, and how they fail to."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any

from bot.domain.market import Account, AccountNote, Offer, Want
from bot.domain.money import Usd
from bot.domain.vendor import Capabilities, Profile
from bot.ports import NothingMore


def profile(family: str, **more: Any) -> Profile:
    """A vendor of this family, called like it."""
    told = {
        "title": family.title(), "best_for": "cheap runs", "gpu_options": "many", "price_range": "$0.10 to $3",
        "ease": "easy", "example_gpu": "RTX 3090", "example_hourly": Usd.of("0.20"), "boot": timedelta(minutes=3),
    }  # fmt: skip
    return Profile(family=family, **{**told, **more})


def offer(provider: str = "one", id: str = "77", hourly: str = "0.31", **more: Any) -> Offer:
    """An RTX 3090 with all that can be told of it."""
    told: dict[str, Any] = {
        "gpu": "RTX 3090", "count": 1, "vram_gb": 24, "disk_gb": 20, "host": id, "places": ("SE", "EU"),
        "reliability": 0.993, "verified": True, "cuda": "12.8", "down_mbps": 910,
    }  # fmt: skip
    return Offer(provider=provider, id=id, hourly=Usd.of(hourly), **{**told, **more})


class Vendor(NothingMore):
    """Answers with ``offers`` whatever is asked, or as ``answer`` does."""

    def __init__(
        self,
        name: str,
        offers: Sequence[Offer] = (),
        *,
        answer: Callable[[], Awaitable[Sequence[Offer]]] | None = None,
        capabilities: Capabilities = Capabilities(),  # noqa: B008 - a frozen value
        **told: Any,
    ) -> None:
        self.name = name
        self.profile = profile(name.partition("/")[0], **told)
        self.capabilities = capabilities
        self.wants: list[Want] = []
        self.cancelled = False
        self._answer = answer
        self._offers = offers

    async def offers(self, want: Want) -> Sequence[Offer]:
        self.wants.append(want)
        return await self._answer() if self._answer else self._offers

    async def account(self) -> Account:
        await self.offers(Want())
        return Account(AccountNote.READY, f"{self.name} is well.")

    async def never(self) -> Sequence[Offer]:
        """An answer that does not come, and that is told when nobody waits any more."""
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        return ()


def silent(name: str) -> Vendor:
    """A vendor that takes the question and never says anything."""
    vendor = Vendor(name)
    vendor._answer = vendor.never
    return vendor
