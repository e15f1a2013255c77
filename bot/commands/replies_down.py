"""What ``down`` of many says: machine by machine, what is proved gone and what is not yet."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.rental import Attempt, Rental
from bot.domain.talk import Kind, Reply, Table, Tone

_HEADER = ("rental", "machine", "what is known")


def ended(rentals: Sequence[Rental], notes: Sequence[str]) -> Reply:
    """``rentals`` as they are after their end was asked for."""
    rows = tuple(row for rental in rentals for row in _rows(rental))
    ids = [rental.id for rental in rentals]
    open_ = [row for row in rows if row[2] not in (_GONE, _NOTHING)]
    note = "A card says closed when its provider shows nothing of it any more; ask again with 'status all'."
    return Reply(
        Kind.ANSWER,
        f"Tearing down {', '.join(ids)}.",
        tuple(notes),
        tables=(Table(_HEADER, rows, note=note if open_ else ""),),
        tone=Tone.WARN if open_ else Tone.GOOD,
        data={
            "rentals": ids,
            "ends": True,
            "machines": [{"rental": rental, "machine": what, "known": known} for rental, what, known in rows],
        },
    )


_GONE, _NOTHING = "proved gone", "nothing was rented"


def _rows(rental: Rental) -> list[tuple[str, str, str]]:
    rented = [one for one in rental.attempts if not one.refused]
    if not rented:
        return [(rental.id, "none", _NOTHING)]
    return [(rental.id, _name(one), _known(one)) for one in rented]


def _name(attempt: Attempt) -> str:
    return f"{attempt.offer.provider}/{attempt.machine_id or attempt.label}"


def _known(attempt: Attempt) -> str:
    if attempt.gone_at is not None:
        return _GONE
    if attempt.absent_at is not None:
        return "not listed any more; one more look proves it"
    if attempt.destroy_asked_at is not None:
        return "asked to end, not proved gone yet"
    return "to be asked to end; still billed"
