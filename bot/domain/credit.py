"""Credit that does not last as long as what is rented from it. Values only; ``credit_due`` decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from bot.domain.alert import Alert
from bot.domain.money import Usd
from bot.domain.rental import Rental


@dataclass(frozen=True, slots=True)
class Credit:
    """What a look at an account found, as it is kept in the words that were said of it."""

    place: str
    balance: Usd
    dry_at: datetime
    """When it is used up at what the account burns."""
    machines: tuple[tuple[str, datetime], ...]
    """This person's rentals that the vendor will stop or delete then, each with its hard end."""

    def data(self) -> dict[str, Any]:
        """For programs, and for who says it again, louder."""
        return {
            "place": self.place,
            "balance_usd": str(self.balance.dollars),
            "dry_at": self.dry_at.isoformat(),
            "machines": [[rental, end.isoformat()] for rental, end in self.machines],
        }

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Self:
        """Back from ``data``. Raises ``KeyError`` where it is none."""
        machines = tuple((rental, datetime.fromisoformat(end)) for rental, end in data["machines"])
        balance, dry_at = Usd.of(data["balance_usd"]), datetime.fromisoformat(data["dry_at"])
        return cls(data["place"], balance, dry_at, machines)


def is_about(rental: Rental, alert: Alert) -> bool:
    """Whether the machine that it was raised for is still the rental's: another one may be on another account."""
    return alert.rung.startswith(f"credit-{rental.attempts[-1].number}-")
