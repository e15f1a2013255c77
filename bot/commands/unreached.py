"""Open rentals whose machine this process cannot end: it has no key for their vendor, or not their computer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bot.commands.house import House
from bot.domain.rental import Rental


@dataclass(frozen=True, slots=True)
class Unreached:
    """A rental with a machine, or the chance of one, at a provider that is not configured here."""

    rental: str
    provider: str
    title: str
    setting: str
    """What has to be set before the provider can be asked; empty for a computer of another process."""

    @property
    def sentence(self) -> str:
        """What is so and what is missing."""
        if self.setting:
            return f"{self.rental} is open on {self.title} and cannot be ended without {self.setting}."
        return f"{self.rental} is open on {self.title}, which only another process has: it cannot be ended from here."


def unreached(house: House, rentals: Iterable[Rental]) -> list[Unreached]:
    """One for each rental and provider. An attempt that is proven gone, or was clearly refused, bills nothing."""
    found = dict.fromkeys(
        (rental.id, attempt.offer.provider)
        for rental in rentals
        for attempt in rental.attempts
        if rental.is_open and attempt.gone_at is None and not attempt.refused
    )
    return [_named(house, *one) for one in found if one[1] not in house.providers]


def sentences(house: House, rentals: Iterable[Rental]) -> tuple[str, ...]:
    """For whoever asks about these rentals."""
    return tuple(one.sentence for one in unreached(house, rentals))


def _named(house: House, rental: str, provider: str) -> Unreached:
    family, _, computer = provider.partition("/")
    profile = next((one for one in house.profiles if one.family == family), None)
    if profile is None or computer:
        return Unreached(rental, provider, provider, "")
    return Unreached(rental, provider, profile.title, profile.setting)
