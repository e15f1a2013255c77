"""What ``lastcall check`` says about Vast.ai, from three calls that only read."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from bot.domain.clocktime import short
from bot.domain.errors import NeedsHuman, ProviderError, TryLater
from bot.domain.market import Account, Finding, Mark
from bot.domain.money import Usd

_NEW_KEY = "Make a key on cloud.vast.ai under Keys and put it into VAST_API_KEY."
_UNKNOWN = re.compile(r"invalid user key|log ?in\b", re.IGNORECASE)
"""Of a key that the vendor does not know, whatever was asked with it (vast.md, 1.1)."""
_LOW, _SHORT = Usd.of(1), timedelta(hours=6)
_MOST_SKEW = timedelta(minutes=2)


async def right(part: str, scope: str, what: str, call: Callable[[], Awaitable[Any]]) -> Finding:
    """Whether the key may do ``what``, for which it needs ``scope`` (vast.md, 1.2)."""
    try:
        await call()
    except NeedsHuman as error:
        if _UNKNOWN.search(error.reason):  # the same for every call, so that it is told once
            return Finding(
                part, Mark.BAD, f"{part} does not take the key: {error.reason.rstrip('.')}.", _NEW_KEY
            )
        fix = f"Give the key the permission {scope}. {_NEW_KEY}"
        return Finding(part, Mark.BAD, f"The key may not {what}: {error.reason}", fix)
    except TryLater as error:
        fix = "Look at VAST_API_URL and the connection, then try again."
        return Finding(part, Mark.BAD, f"{part} could not be asked: {error.reason}.", fix)
    except ProviderError as error:
        fix = "Look whether VAST_API_URL is the vendor's own address; its API may have changed."
        return Finding(part, Mark.BAD, f"The answer cannot be read ({what}): {error.reason}", fix)
    return Finding(part, Mark.GOOD, f"The key may {what}.")


def money(part: str, account: Account) -> Finding:
    """How long the credit lasts at what runs now."""
    balance, burn = account.balance or Usd(0), account.burn_hourly or Usd(0)
    left = balance.lasts(burn)
    sentence = f"The credit is {balance}"
    if burn.micros > 0:
        sentence += f", which lasts {short(left)} at {burn.rate()}"
    if balance < _LOW or left < _SHORT:
        fix = "Add credit on cloud.vast.ai under Billing: at zero every machine is stopped, and its disk bills on."
        return Finding(part, Mark.WARN, f"{sentence}.", fix)
    return Finding(part, Mark.GOOD, f"{sentence}.")


def clock(part: str, skew: timedelta | None) -> Finding | None:
    """Whether both clocks agree; None where the vendor has not told its time."""
    if skew is None:
        return None
    if abs(skew) <= _MOST_SKEW:
        return Finding(part, Mark.GOOD, "Its clock and this computer's agree.")
    which = "ahead of" if skew > timedelta(0) else "behind"
    sentence = f"Its clock is {short(abs(skew))} {which} this computer's."
    return Finding(part, Mark.WARN, sentence, "Set this computer's clock by the network (NTP).")
