"""What a person sees who opens the bot: own tabs with their buttons, the team's, and the month against its budget."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.commands.handlers import find
from bot.commands.handlers.show import row
from bot.commands.house import House
from bot.commands.unreached import sentences
from bot.domain import approval, ledger
from bot.domain.allowance import Ask, Charges, Kind, Role, Rules, Scope, money, rule, team_key
from bot.domain.cards import card
from bot.domain.ledger import Period
from bot.domain.money import ZERO, Usd
from bot.domain.policy import Deed, may
from bot.domain.rental import Rental
from bot.domain.talk import Actor, Button, Channel, Meter, Reply, Table, Tone
from bot.domain.talk import Kind as ReplyKind

MOST_CARDS = 8
_MOST_ROWS = 25
_SHOWN = ("state", "machine", "cost", "at most", "left", "ends", "length", "killers")
_DEEDS = {
    "down": Deed.END,
    "cancel": Deed.END,
    "snooze": Deed.END,
    "extend": Deed.SPEND,
    "confirm": Deed.SPEND,
}


async def home(house: House, actor: Actor) -> Sequence[Reply]:
    """The page from its top: money, what this person is asked to agree to, own rentals, the team's."""
    role = await house.role(actor)
    seen = await find.visible(house, actor)
    mine = [one for one in seen if one.owner.key == actor.key]
    others = [one for one in seen if one.owner.key != actor.key]
    replies = [await _month(house, actor, role, mine, others)]
    if role is Role.ADMIN:
        replies += await _to_decide(house, actor, others)
    replies += [_compact(house, actor, role, one) for one in mine[:MOST_CARDS]]
    if len(mine) > MOST_CARDS:
        replies.append(Reply(ReplyKind.ANSWER, f"{len(mine) - MOST_CARDS} more of yours: status"))
    if others:
        replies.append(_team(house, others))
    return tuple(replies)


async def _month(
    house: House, actor: Actor, role: Role, mine: Sequence[Rental], others: Sequence[Rental]
) -> Reply:
    """What was spent is what vendors bill; what is charged is that and what may still come of it."""
    now, team = house.clock.now(), team_key(actor)
    start = ledger.since(Period.MONTH, now)
    rentals = await house.store.ledger.between(start, now, team=team)
    lines = ledger.lines(rentals, start, now)
    own = ledger.total(one for one in lines if one.owner.key == actor.key)
    rules = await house.store.budgets.rules(team_key(actor))
    charges = await house.store.budgets.charges(Ask(actor, Channel(actor.chat, ""), ZERO, ZERO, now))
    open_ = [*mine, *others]
    burn = ledger.burn(open_)
    title = (
        f"{len(mine)} of yours open, {len(others)} of your team"
        if open_
        else "Nothing is open. Nothing costs."
    )
    whose = (Scope.PERSON, Scope.TEAM)
    told = {one: _limit(one, actor, rules, charges.get(one, Charges())) for one in whose}
    return Reply(
        ReplyKind.ANSWER,
        title,
        await _words(house, role, mine, open_),
        fields=(
            ("now", burn.rate()),
            ("you, this month", f"{own} spent{told[Scope.PERSON][0]}"),
            ("team, this month", f"{ledger.total(lines)} spent{told[Scope.TEAM][0]}"),
        ),
        meter=told[Scope.PERSON][1] or told[Scope.TEAM][1],
        tone=Tone.CALM if open_ else Tone.GOOD,
        private=True,
        data={
            "open": len(open_),
            "mine": len(mine),
            "burn_hourly_usd": str(burn.dollars),
            "role": role.value,
        },
    )


async def _to_decide(house: House, actor: Actor, others: Sequence[Rental]) -> list[Reply]:
    """Requests that wait for an admin; nobody is asked about their own."""
    asked = {
        one.rental: one for one in await house.store.approvals.waiting(team_key(actor), house.clock.now())
    }
    waiting = [one for one in others if one.id in asked and asked[one.id].asked_by.key != actor.key]
    replies = [approval.card(one, asked[one.id]) for one in waiting[:MOST_CARDS]]
    if len(waiting) > MOST_CARDS:
        replies.append(Reply(ReplyKind.ANSWER, f"{len(waiting) - MOST_CARDS} more to approve: status all"))
    return replies


async def _words(
    house: House, role: Role, mine: Sequence[Rental], open_: Sequence[Rental]
) -> tuple[str, ...]:
    """What is wrong now, and what can be done here."""
    found = [*sentences(house, open_)]
    if open_ and not await house.engine_runs():
        found.append("No engine runs now: start 'lastcall serve', or nothing is torn down in time.")
    if role is Role.VIEWER:
        found.append("You may look, and not rent here.")
    elif not mine:
        found.append("To begin: up, or train. Nothing is rented before you have seen what it costs at most.")
    return tuple(found)


def _limit(scope: Scope, actor: Actor, rules: Rules, has: Charges) -> tuple[str, Meter | None]:
    """The rest of the sentence, and the bar, where there is a limit for the month."""
    limit = money(rule(rules, scope, actor.key if scope is Scope.PERSON else "", Kind.MONTH))
    if limit is None:
        return "", None
    whose = "Your" if scope is Scope.PERSON else "The team's"
    said = f"{whose} month: {has.month} of {limit}, with what may still be spent"
    bar = Meter(min(has.month, limit).micros, limit.micros, said) if limit > Usd(0) else None
    return f"; {has.month} of {limit} charged", bar


def _compact(house: House, actor: Actor, role: Role, rental: Rental) -> Reply:
    """The live card without what is only worth reading once, and with the buttons that this person may press."""
    whole = card(rental, house.clock.now())
    return replace(
        whole,
        lines=whole.lines[:1],
        fields=tuple(one for one in whole.fields if one[0] in _SHOWN),
        tables=(),
        pictures=(),
        files=(),
        mention=(),
        buttons=tuple(one for one in whole.buttons if _may(actor, role, rental, one)),
    )


def _may(actor: Actor, role: Role, rental: Rental, button: Button) -> bool:
    return not may(actor, _DEEDS.get(button.command.partition(" ")[0], Deed.ENTER), rental, role)


def _team(house: House, others: Sequence[Rental]) -> Reply:
    rows = tuple((*row(house, one), ledger.person(one.owner)) for one in others[:_MOST_ROWS])
    left = len(others) - len(rows)
    header = ("rental", "what", "state", "machine", "cost", "at most", "ends", "whose")
    note = f"{left} more: status all" if left else ""
    return Reply(ReplyKind.ANSWER, "Your team's", tables=(Table(header, rows, note=note),))
