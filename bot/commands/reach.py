"""Whom a wish is about: the providers that can be asked, and the reason for each that can not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bot.commands.house import House
from bot.domain.errors import Refused
from bot.domain.market import ANY, Want
from bot.domain.vendor import Profile
from bot.market import matching
from bot.ports import Provider

_FACTS = {
    "region": "the region",
    "reliability": "the reliability",
    "verified": "whether a host is verified",
    "cuda": "the CUDA version",
    "down_mbps": "the network speed",
}
"""What may be asked of a host and is not told by every vendor, by its field of ``Want``."""


def asked(house: House, want: Want) -> list[Provider]:
    """The providers that the wish means and that could fulfil it.

    Raises ``Refused`` where none of them is configured, and where spot is asked of those that have none."""
    named = matching(house.providers.values(), want.provider)
    if not named:
        missing = not_configured(house, want.provider)
        raise Refused(
            set_up(missing) or f"{want.provider} is not configured.", help="'providers' shows what is."
        )
    return with_spot(named, house.providers.values()) if want.spot else named


def with_spot(named: Sequence[Provider], everybody: Iterable[Provider] = ()) -> list[Provider]:
    """Those of ``named`` that rent spot machines. Raises ``Refused`` with the reason where none does."""
    able = [one for one in named if one.capabilities.spot]
    if able:
        return able
    others = names(one.name for one in everybody if one.capabilities.spot)
    way_out = f"Leave 'spot' out, or ask {others}." if others else "Leave 'spot' out."
    raise Refused(" ".join(no_spot(named)), help=way_out)


def no_spot(named: Iterable[Provider]) -> tuple[str, ...]:
    """A sentence for each that rents no spot machines, with its reason where there is one."""
    return tuple(
        f"{one.profile.title} rents no spot machines{f': {why}' if (why := one.capabilities.no_spot) else ''}."
        for one in _families(named)
        if not one.capabilities.spot
    )


def not_told(named: Iterable[Provider], want: Want) -> tuple[str, ...]:
    """A sentence for each thing that is asked for and that some provider never tells: its offers are left out."""
    usual, told = Want(), []
    for fact, words in _FACTS.items():
        silent = names(one.profile.title for one in _families(named) if fact in one.capabilities.untold)
        if silent and getattr(want, fact) != getattr(usual, fact):
            told.append(f"Left out, for {words} is not told there: {silent}.")
    return tuple(told)


def not_configured(house: House, provider: str = ANY) -> list[Profile]:
    """Providers that the word means, that there is an adapter for, and that nobody has set up."""
    there = {one.profile.family for one in house.providers.values()}
    return [one for one in house.profiles if one.family not in there and provider in (ANY, one.family)]


def set_up(missing: Sequence[Profile]) -> str:
    """``RunPod and Lambda are not configured: set RUNPOD_API_KEY, LAMBDA_API_KEY.``; empty for none."""
    if not missing:
        return ""
    settings = ", ".join(one.setting for one in missing if one.setting)
    verb = "are" if len(missing) > 1 else "is"
    todo = f": set {settings}" if settings else ""
    return f"{names(one.title for one in missing)} {verb} not configured{todo}."


def names(all_: Iterable[str]) -> str:
    """``one, two and three``."""
    several = list(dict.fromkeys(all_))
    return " and ".join([", ".join(several[:-1]), several[-1]]) if len(several) > 1 else "".join(several)


def _families(named: Iterable[Provider]) -> list[Provider]:
    """One of each family: several computers of a team are asked about once."""
    return list({one.profile.family: one for one in named}.values())
