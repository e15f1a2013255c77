"""How budgets read: one line a limit, with what is charged already."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from bot.commands.house import Terms
from bot.domain.allowance import Charges, Kind, Role, Rules, Scope, money, rule
from bot.domain.clocktime import short
from bot.domain.money import Usd
from bot.domain.talk import Actor, Reply, Table, Tone
from bot.domain.talk import Kind as ReplyKind

_TITLES = {Scope.PERSON: "you", Scope.CHANNEL: "this channel", Scope.TEAM: "the team"}
_MONEY = (Kind.DAY, Kind.MONTH, Kind.TOTAL)


def value(kind: Kind, said: str | None) -> str:
    """A limit as people read it."""
    if said is None:
        return "as the settings say"
    if said == "":
        return "no limit"
    if kind in _MONEY:
        return str(Usd(int(said)))
    return Usd(int(said)).rate() if kind is Kind.RATE else said


def was_set(whose: str, kind: Kind, said: str, *, fresh: bool) -> Reply:
    """What holds from now on."""
    head = f"Set: {whose} {kind}: {said}." if fresh else f"Was set already: {whose} {kind}: {said}."
    return Reply(
        ReplyKind.ANSWER, head, tone=Tone.GOOD, data={"whose": whose, "kind": kind.value, "value": said}
    )


def shown(
    *,
    role: Role,
    rules: Rules,
    subjects: Mapping[Scope, str],
    charges: Mapping[Scope, Charges],
    terms: Terms,
    admins: Collection[str],
    people: Sequence[Actor],
) -> Reply:
    """The limits that hold for who asks, what is charged, and who is an admin."""
    rows = [
        row
        for scope in (Scope.PERSON, Scope.CHANNEL, Scope.TEAM)
        for row in _rows(scope, subjects[scope], rules, charges.get(scope, Charges()))
    ]
    rental = (
        f"up to {terms.budget} and {short(terms.lifetime)}, never longer than {short(terms.max_lifetime)}"
    )
    lines = [f"A rental: {rental}, unless something else is said."]
    if hours := rules.get((Scope.TEAM, "", Kind.HOURS)):
        lines.append(f"Renting is allowed {hours.replace('-', ' to ', 1)}.")
    if approval := _approval(rules):
        lines.append(f"Somebody else has to agree {approval}.")
    lines.append(
        f"You are {'an' if role is Role.ADMIN else 'a'} {role}. Admins: {_admins(rules, admins, people)}."
    )
    table = Table(
        ("whose", "what", "charged", "limit"), tuple(rows), note="Charged: what may still be spent counts."
    )
    data = {
        "role": role.value,
        "charged": {
            scope.value: {"day_usd": str(one.day.dollars), "month_usd": str(one.month.dollars)}
            for scope, one in charges.items()
        },
        "limits": [{"whose": whose, "what": what, "limit": limit} for whose, what, _, limit in rows],
    }
    return Reply(ReplyKind.ANSWER, "Budgets", tuple(lines), tables=(table,), private=True, data=data)


def _rows(scope: Scope, subject: str, rules: Rules, has: Charges) -> list[tuple[str, str, str, str]]:
    whose = _TITLES[scope]
    found: list[tuple[str, str, str, str]] = []
    for kind, charged in (
        (Kind.DAY, str(has.day)),
        (Kind.MONTH, str(has.month)),
        (Kind.RATE, has.rate.rate()),
        (Kind.MACHINES, str(has.machines)),
    ):
        limit = rule(rules, scope, subject, kind)
        found.append((whose, _WHAT[kind], charged, value(kind, limit or "")))
    return found


_WHAT = {Kind.DAY: "today", Kind.MONTH: "this month", Kind.RATE: "at a time", Kind.MACHINES: "machines"}


def _approval(rules: Rules) -> str:
    total = money(rules.get((Scope.APPROVAL, "", Kind.TOTAL)))
    rate = money(rules.get((Scope.APPROVAL, "", Kind.RATE)))
    cards = rules.get((Scope.APPROVAL, "", Kind.CARDS))
    parts = [
        f"above {total}" if total is not None else "",
        f"above {rate.rate()}" if rate is not None else "",
        f"for {cards.replace(',', ', ')}" if cards else "",
    ]
    return ", ".join(part for part in parts if part)


def _admins(rules: Rules, admins: Collection[str], people: Sequence[Actor]) -> str:
    names = {one.key: one.name or one.id for one in people}
    keys = set(admins) | {
        subject for (_, subject, kind), said in rules.items() if kind is Kind.ROLE and said == Role.ADMIN
    }
    told = sorted(names.get(key, key.rpartition(":")[2]) for key in keys)
    return ", ".join(told) or "whoever runs Lastcall"
