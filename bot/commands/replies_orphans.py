"""The list of what no rental knows: machines of ours, leftovers, and on request everybody else's machines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.commands.orphan_look import Found
from bot.domain import label
from bot.domain.market import Leftover, Machine
from bot.domain.money import ZERO, Usd
from bot.domain.orphan_cards import buttons, condition, facts
from bot.domain.talk import Kind, Reply, Table, Tone


def orphans_reply(found: Found, *, everything: bool) -> Reply:
    """The tables. What could not be asked is said, so that an empty list is never mistaken for "nothing there"."""
    tables = [table for table in (_ours(found), _leftovers(found.leftovers)) if table.rows]
    lines = list(found.problems)
    if everything:
        tables += [_foreign(found.foreign)] if found.foreign else []
        lines += [] if found.foreign else ["Machines of others: none that could be seen."]
    waiting = [one for one in found.known if buttons(one)]
    return Reply(
        kind=Kind.ANSWER,
        title=_title(found),
        lines=tuple(lines),
        tables=tuple(tables),
        buttons=buttons(waiting[0]) if len(waiting) == 1 else (),
        tone=Tone.WARN if found.problems or _count(found) else Tone.GOOD,
        data=_data(found, everything=everything),
    )


def owner_of(machine: Machine, namespace: str) -> str:
    """Whose a machine is that is not ours, as far as its label tells."""
    parsed = label.parse(machine.label)
    if parsed is not None and parsed.namespace != namespace:
        return f"another deployment ({parsed.namespace})"
    return f"labelled {machine.label}" if machine.label else "without a label"


def _count(found: Found) -> int:
    return len(found.new) + len(found.back) + sum(one.gone_at is None for one in found.known)


def _title(found: Found) -> str:
    count, left = _count(found), len(found.leftovers)
    hourly = [one.hourly for one in found.known if one.gone_at is None]
    hourly += [one.hourly for one in (*found.new, *(machine for machine, _ in found.back))]
    parts = []
    if count:
        noun = "machine that no rental knows" if count == 1 else "machines that no rental knows"
        parts.append(f"{count} {noun}, {_sum(hourly).rate()} now")
    if left:
        noun = "leftover" if left == 1 else "leftovers"
        parts.append(f"{left} {noun}, {_sum([one.monthly for one in found.leftovers])} a month")
    if parts:
        return "; ".join(parts)
    if found.problems:
        return "Nothing was found, and not everybody could be asked."
    return "Every machine of ours belongs to a rental, and nothing is left over."


def _sum(amounts: Sequence[Usd | None]) -> Usd:
    return sum((one for one in amounts if one is not None), ZERO)


def _ours(found: Found) -> Table:
    rows = [
        (one.name, one.gpu, _rate(one.hourly), one.label, one.state.value, condition(one))
        for one in found.known
    ]
    rows += [(*_row(one), "seen just now; its card follows") for one in found.new]
    rows += [(*_row(one), f"of {owner.rental}, which gave it back: ended next") for one, owner in found.back]
    return Table(("machine", "GPU", "price", "label", "state", "what becomes of it"), tuple(rows))


def _row(machine: Machine) -> tuple[str, str, str, str, str]:
    name = f"{machine.provider}/{machine.id}"
    return name, machine.gpu, _rate(machine.hourly), machine.label, machine.state.value


def _leftovers(leftovers: Sequence[Leftover]) -> Table:
    rows = tuple(
        (
            one.what,
            one.name or one.id,
            one.provider,
            one.where,
            "not told" if one.monthly is None else str(one.monthly),
        )
        for one in leftovers
    )
    note = "These bill without a machine. Lastcall does not touch them; end them in the provider's console."
    return Table(("leftover", "name", "provider", "where", "a month"), rows, note=note)


def _foreign(machines: Sequence[Machine]) -> Table:
    note = "Not ours: shown because you asked, and never touched."
    return Table(("others' machine", "GPU", "price", "label", "state"), tuple(map(_row, machines)), note=note)


def _rate(hourly: Usd | None) -> str:
    return "not told" if hourly is None else hourly.rate()


def _data(found: Found, *, everything: bool) -> dict[str, Any]:
    data: dict[str, Any] = {
        "orphans": [facts(one) for one in found.known],
        "unswept": [_told(one) for one in (*found.new, *(machine for machine, _ in found.back))],
        "leftovers": [
            {
                "provider": one.provider,
                "id": one.id,
                "what": one.what,
                "name": one.name,
                "where": one.where,
                "monthly_usd": str(one.monthly.dollars) if one.monthly is not None else None,
            }
            for one in found.leftovers
        ],
        "problems": found.problems,
        "complete": not found.problems,
    }
    return data | ({"foreign": [_told(one) for one in found.foreign]} if everything else {})


def _told(machine: Machine) -> dict[str, Any]:
    return {
        "machine": f"{machine.provider}/{machine.id}",
        "label": machine.label,
        "gpu": machine.gpu or None,
        "state": machine.state.value,
        "hourly_usd": str(machine.hourly.dollars) if machine.hourly is not None else None,
    }
