"""What ``lastcall check`` says about a Lambda account, by calls that only read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from adapters.providers.lambda_cloud.judge import Inactive
from adapters.providers.lambda_cloud.keys import MOST
from adapters.providers.lambda_cloud.offers import Kind
from adapters.providers.lambda_cloud.wire import Row, text
from bot.domain import label as labels
from bot.domain.errors import NeedsHuman, ProviderError, VendorChanged
from bot.domain.market import Account, Finding, Mark

PART = "Lambda"
SKEW = timedelta(minutes=2)
_NEARLY = MOST * 9 // 10


@dataclass(frozen=True, slots=True)
class Looks:
    """The questions that are asked; each but the last raises ``ProviderError``."""

    kinds: Callable[[], Awaitable[Mapping[str, Kind]]]
    account: Callable[[], Awaitable[Account]]
    keys: Callable[[], Awaitable[Sequence[Row]]]
    skew: Callable[[], timedelta | None]
    """How far the vendor's clock is ahead, as its last answer told."""


async def findings(look: Looks) -> list[Finding]:
    """One line for each part; after a line that failed the rest is not asked."""
    found: list[Finding] = []
    for part in (_key, _machines, _keys):
        found.append(await _answered(part, look))
        if found[-1].mark is Mark.BAD:
            break
    return [*found, *_clock(look.skew())]


async def _answered(part: Callable[[Looks], Awaitable[Finding]], look: Looks) -> Finding:
    try:
        return await part(look)
    except ProviderError as error:
        return Finding(PART, Mark.BAD, error.reason, _what_to_do(error))


async def _key(look: Looks) -> Finding:
    left = sum(1 for kind in (await look.kinds()).values() if kind.regions)
    return Finding(
        PART,
        Mark.GOOD,
        f"the API key works and may do everything (Lambda has no narrower ones); {left} types can be had now",
    )


async def _machines(look: Looks) -> Finding:
    account = await look.account()
    costs = f"what runs costs {account.burn_hourly.rate()}" if account.burn_hourly is not None else "it runs"
    return Finding(PART, Mark.GOOD, f"the machines can be listed; {costs}. {account.note}")


async def _keys(look: Looks) -> Finding:
    keys = await look.keys()
    ours = sum(1 for row in keys if labels.parse(text(row, "name")) is not None)
    told = f"{len(keys)} SSH keys of at most {MOST} are registered, {ours} of them Lastcall's"
    if len(keys) < _NEARLY:
        return Finding(PART, Mark.GOOD, told)
    return Finding(PART, Mark.WARN, told, "Delete keys that nobody uses in Lambda's console, under SSH keys.")


def _clock(skew: timedelta | None) -> list[Finding]:
    if skew is None:
        return []
    seconds = round(abs(skew).total_seconds())
    if abs(skew) <= SKEW:
        return [Finding(PART, Mark.GOOD, f"its clock and ours agree within {seconds + 1} s")]
    way = "ahead of" if skew > timedelta(0) else "behind"
    fix = "Set this computer's clock by NTP; if it is right, Lambda's is wrong and nothing is to be done."
    return [Finding(PART, Mark.WARN, f"its clock is {seconds} s {way} ours", fix)]


def _what_to_do(error: ProviderError) -> str:
    match error:
        case Inactive():
            return (
                "Settle it in Lambda's console (billing) or with its support. Until then nothing can be started or "
                "ended through the API: see in the console what runs."
            )
        case NeedsHuman():
            return "Make a new API key in Lambda's console and set LAMBDA_API_KEY to it."
        case VendorChanged():
            return "See that LAMBDA_API_URL is right (https://cloud.lambda.ai/api/v1)."
        case _:
            return "Look at the network and ask again in a minute; nothing is lost meanwhile."
