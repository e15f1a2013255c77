"""Who hears of credit that does not last, when, and when that is over. Pure.

One ladder for each person and account, however many machines they have there: it stands at the oldest of their rentals
that will not reach its end. It begins anew when the credit is short anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from bot.domain.alert import Alert, Loudness, Raise, Settle
from bot.domain.alerts import quiet_until
from bot.domain.credit import is_about
from bot.domain.rental import Rental

LAST_HOUR = timedelta(hours=1)
"""What lasts no longer than this is said once more, louder, and no snooze holds it back."""
LASTS = "The credit lasts now"
_LAST = "-1h"


def short_of(rentals: Sequence[Rental], runway: timedelta, now: datetime) -> list[Rental]:
    """Those that the credit does not carry to their hard end, in their order."""
    return [one for one in rentals if one.hard_end is not None and runway < one.hard_end - now]


def due(
    rentals: Sequence[Rental], alerts: Mapping[str, Sequence[Alert]], runway: timedelta, now: datetime
) -> list[tuple[Rental, Raise | Settle]]:
    """What is to be done about one person's ``rentals`` on one account, oldest first. ``alerts`` are all of theirs,
    ``runway`` is how long the credit lasts."""
    known = [(one, alert) for one in rentals for alert in _known(one, alerts)]
    open_ones = [(one, alert) for one, alert in known if alert.is_open]
    short = short_of(rentals, runway, now)
    if not short:
        return [(one, Settle(alert, LASTS)) for one, alert in open_ones]
    last = runway <= LAST_HOUR
    if open_ones:
        return _going_on(open_ones, last=last)
    if _wavers(known, short, runway, now):
        return []
    where = short[0]
    if not last and quiet_until(where, now, alerts.get(where.id, ())) is not None:
        return []
    # Named by what was said before, so that two who decide at once decide the same.
    rung = f"credit-{where.attempts[-1].number}-{len(_known(where, alerts))}"
    return [(where, Raise(rung + _LAST, Loudness.CHANNEL) if last else Raise(rung, Loudness.OWNER))]


def _going_on(
    open_ones: Sequence[tuple[Rental, Alert]], *, last: bool
) -> list[tuple[Rental, Raise | Settle]]:
    """The last hour takes the place of what was said before, also where somebody died between the two."""
    quieter = [(one, alert) for one, alert in open_ones if not alert.rung.endswith(_LAST)]
    settling = [(one, Settle(alert, "")) for one, alert in quieter]
    if len(quieter) < len(open_ones):
        return [*settling]
    where, before = quieter[0]
    return [(where, Raise(before.rung + _LAST, Loudness.CHANNEL)), *settling] if last else []


def _known(rental: Rental, alerts: Mapping[str, Sequence[Alert]]) -> list[Alert]:
    return [one for one in alerts.get(rental.id, ()) if one.kind == "credit" and is_about(rental, one)]


def _wavers(
    known: Sequence[tuple[Rental, Alert]], short: Sequence[Rental], runway: timedelta, now: datetime
) -> bool:
    """Over once, and short again by so little that the vendor's rounding may be all of it. An extension begins anew."""
    said = any(alert.rev == rental.rev for rental, alert in known)
    return said and not any(one.hard_end and runway * 4 < (one.hard_end - now) * 3 for one in short)
