"""``lastcall check`` for RunPod: each way in which it may not work, told apart by calls that only read."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import timedelta
from typing import TypeVar

from adapters.providers.runpod.account import account
from adapters.providers.runpod.judge import Denied, Retired
from adapters.providers.runpod.offers import CLOUDS, Asked, floor, rows_of
from adapters.providers.runpod.profile import GRAPHQL_URL, PROFILE, URL
from adapters.providers.runpod.wire import Wire
from bot.domain.clocktime import short
from bot.domain.errors import NeedsHuman, ProviderError, TryLater
from bot.domain.market import Account, Finding, Mark
from bot.domain.money import ZERO, Usd
from bot.ports import Clock

T = TypeVar("T")

_REST = "RUNPOD_API_URL"
_KEYS = "console.runpod.io, Settings, API Keys"
_LEAST = Usd.of(1)
_RUNWAY = timedelta(hours=6)
_SKEW = timedelta(minutes=2)


async def findings(wire: Wire, clock: Clock) -> list[Finding]:
    """Pods, catalogue and balance are asked at once; then the clock. Raises nothing."""
    pods, shop, money = await asyncio.gather(
        _tried(wire.pods()), _tried(_catalogue(wire)), _tried(account(wire, clock))
    )
    if isinstance(pods, ProviderError):
        found = [_problem("the list of pods", pods, Mark.BAD)]
    else:
        text = f"The key is valid and reads the account's pods ({len(pods)})."
        found = [_line(Mark.GOOD, f"{text} Whether it may also create and delete shows at the first rental.")]
    if isinstance(shop, ProviderError):
        found.append(_problem("the catalogue", shop, Mark.BAD))
    else:
        found.append(_line(Mark.GOOD, f"The catalogue is there ({shop} GPU types)."))
    if isinstance(money, ProviderError):
        # Where both lines fail alike it is one problem; else it is the address that only the balance is asked at.
        alike = isinstance(pods, ProviderError) and pods.reason == money.reason
        at = (_REST, URL) if alike else ("RUNPOD_GRAPHQL_URL", GRAPHQL_URL)
        found.append(_problem("the balance", money, Mark.WARN, at))
    else:
        found.append(_balance(money))
    distinct = list(dict.fromkeys(found))  # three calls that fail alike are one problem
    return [*distinct, *_skew(wire.http.vendor_skew)]


async def _catalogue(wire: Wire) -> int:
    asked = Asked(CLOUDS[0], 1, floor(""))
    return len(rows_of(await wire.read("price", "catalog/gpus", **asked.params)))


async def _tried(call: Awaitable[T]) -> T | ProviderError:
    try:
        return await call
    except ProviderError as error:
        return error


def _problem(what: str, error: ProviderError, mark: Mark, at: tuple[str, str] = (_REST, URL)) -> Finding:
    """``at``: the setting of the address that was asked, and RunPod's own."""
    setting, address = at
    match error:
        case Denied():
            fix = f"Give the key the right to read and write in {_KEYS} (All, or Restricted with both APIs)."
            return _line(mark, f"The key is valid and may not read {what}: {error.reason}.", fix)
        case NeedsHuman():
            fix = f"Set RUNPOD_API_KEY to a key of {_KEYS}, and look at the account's billing page."
            return _line(Mark.BAD, f"{error.reason}.", fix)
        case Retired():
            fix = f"Set {setting} to {address}, or update Lastcall."
            return _line(mark, f"RunPod has retired the address of {what}: {error.reason}.", fix)
        case TryLater() if "edge" in error.reason:
            fix = "It is not the key: look at the proxy or network between this computer and api.runpod.io."
            return _line(Mark.BAD, f"{error.reason}.", fix)
        case TryLater():
            fix = f"Look at {setting} and this computer's network, and try again in some minutes."
            return _line(Mark.BAD, f"RunPod does not answer: {error.reason}.", fix)
        case _:
            fix = f"Look whether {setting} is RunPod's own address, {address}; if it is, update Lastcall."
            return _line(mark, f"RunPod's answer about {what} cannot be read: {error.reason}.", fix)


def _balance(told: Account) -> Finding:
    if told.balance is None:
        return _line(Mark.WARN, f"{told.note}.", "Look at the balance in RunPod's console from time to time.")
    sentence = f"{told.note[:1].upper()}{told.note[1:]}."
    left = told.balance.lasts(told.burn_hourly or ZERO)
    if told.balance < _LEAST or left < _RUNWAY:
        fix = "Add credit in RunPod's console: at $0 it ends pods together with their data."
        return _line(Mark.WARN, sentence, fix)
    return _line(Mark.GOOD, sentence)


def _skew(skew: timedelta | None) -> list[Finding]:
    if skew is None or abs(skew) <= _SKEW:
        return []
    way = "ahead of" if skew > timedelta(0) else "behind"
    fix = "Set this computer's clock by NTP: hard ends are kept by it."
    return [_line(Mark.WARN, f"RunPod's clock is {short(abs(skew))} {way} ours.", fix)]


def _line(mark: Mark, sentence: str, fix: str = "") -> Finding:
    return Finding(PROFILE.title, mark, sentence.replace("..", "."), fix)
