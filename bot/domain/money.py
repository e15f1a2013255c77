"""Money: whole micro-dollars, rounded up where it is rounded, so that we never promise too little."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Decimal

MICROS = 1_000_000
MICROS_PER_CENT = 10_000
_HOUR_US = 3_600_000_000
_LONGEST = timedelta.max // timedelta(seconds=1)


@dataclass(frozen=True, order=True, slots=True)
class Usd:
    """An amount of US dollars as whole micro-dollars. A rate is a ``Usd`` whose name says ``hourly``."""

    micros: int

    @classmethod
    def of(cls, dollars: str | int | Decimal) -> Usd:
        """Exact from a decimal number of dollars (never a float); finer than a micro-dollar rounds up.

        Raises ``ValueError`` for what is no finite number.
        """
        value = Decimal(dollars)
        if not value.is_finite():
            raise ValueError(f"{dollars!r} is not a finite amount")
        return cls(int((value * MICROS).to_integral_value(rounding=ROUND_CEILING)))

    def __add__(self, other: Usd) -> Usd:
        return Usd(self.micros + other.micros)

    def __sub__(self, other: Usd) -> Usd:
        return Usd(self.micros - other.micros)

    def __mul__(self, times: int) -> Usd:
        return Usd(self.micros * times)

    def over(self, length: timedelta) -> Usd:
        """What this hourly rate costs over ``length``, rounded up to the micro-dollar; never negative."""
        us = max(0, length // timedelta(microseconds=1))
        return Usd(-(-self.micros * us // _HOUR_US))

    def lasts(self, hourly: Usd) -> timedelta:
        """How long this amount pays for ``hourly``, rounded down to the second; ``timedelta.max`` when free, or
        when it lasts longer than can be said."""
        if hourly.micros <= 0:
            return timedelta.max
        seconds = max(0, self.micros) * 3600 // hourly.micros
        return timedelta(seconds=seconds) if seconds <= _LONGEST else timedelta.max

    def up_to_cent(self) -> Usd:
        """Rounded up to the whole cent."""
        return Usd(-(-self.micros // MICROS_PER_CENT) * MICROS_PER_CENT)

    @property
    def dollars(self) -> Decimal:
        """The exact amount in dollars."""
        return Decimal(self.micros) / MICROS

    def __str__(self) -> str:
        """``$4.10``; an amount that is not whole cents shows the cents rounded up (``<$0.01`` never hides)."""
        cents = self.up_to_cent().micros // MICROS_PER_CENT
        sign = "-" if cents < 0 else ""
        return f"{sign}${abs(cents) // 100}.{abs(cents) % 100:02d}"

    def rate(self) -> str:
        """As an hourly rate: ``$0.40/h``, or with the digits it needs: ``$0.035/h``."""
        amount = self.dollars.quantize(Decimal("0.0001"), rounding=ROUND_HALF_EVEN).normalize()
        digits = max(2, -int(amount.as_tuple().exponent))
        return f"${amount:.{digits}f}/h"


ZERO = Usd(0)
