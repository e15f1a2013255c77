"""What commands put before the budgets and the approvers."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.commands.house import House
from bot.domain import approval as approvals
from bot.domain.allowance import Ask, Role, team_key, wants_approval
from bot.domain.approval import LIFE, Approval
from bot.domain.clocktime import utc
from bot.domain.errors import Refused
from bot.domain.money import ZERO, Usd
from bot.domain.rental import Rental
from bot.domain.talk import Actor, Kind, Reply, Request, Tone
from bot.store.rows import Entry, Say


def ask_of(rental: Rental, now: datetime, worst: Usd | None = None) -> Ask:
    """What this rental charges its owner, its channel and its team."""
    worst = worst if worst is not None else rental.worst_case or ZERO
    hourly = rental.offer.ceiling if rental.offer is not None else ZERO
    return Ask(rental.owner, rental.channel, worst, hourly, now)


async def may_rent(house: House, actor: Actor) -> None:
    """Raises ``Refused`` for who may only look."""
    if await house.role(actor) is Role.VIEWER:
        raise Refused(
            "You may look, and not rent here.",
            help=f"An admin can change that: budget role @{actor.id} member",
        )


async def why_approve(house: House, rental: Rental, by: Actor, worst: Usd) -> str:
    """Why somebody else has to agree to ``worst``; empty when nobody has to, or somebody did. An admin's own word
    is not enough for the admin's own rental."""
    rules = await house.store.budgets.rules(team_key(rental.owner))
    offer = rental.offer
    why = wants_approval(worst, offer.hourly if offer else ZERO, offer.gpu if offer else "", rules)
    if not why:
        return ""
    if by.key != rental.owner.key and await house.role(by) is Role.ADMIN:
        return ""
    given = await house.store.approvals.get(rental.id)
    return "" if given is not None and given.covers(worst) else why


async def put_to_approvers(house: House, request: Request, rental: Rental, why: str) -> Reply:
    """The request becomes a card in the approvers' channel; asked twice, it is the same card."""
    now, most = house.clock.now(), rental.worst_case or ZERO
    before = await house.store.approvals.get(rental.id)
    if before is None or before.verdict is not None or before.most != most or now >= before.until:
        before = Approval(rental.id, now, request.actor, now + LIFE, most, why)
        where = house.approvers or replace(rental.channel, thread="")
        says = [Say(approvals.card_key(rental.id), where, approvals.card(rental, before))]
        entry = Entry("approval", f"asked the approvers for at most {most}: {why}", actor=request.actor.key)
        await house.store.approvals.ask(before, key=request.key, entry=entry, says=says)
        house.nudge()
    return Reply(
        Kind.ANSWER,
        f"{rental.id} waits for an approval: {why}.",
        (f"An admin was asked; open until {utc(before.until)}. Nobody approves their own.",),
        tone=Tone.WARN,
        rental=rental.id,
        data={"rental": rental.id, "approval": "open", "until": before.until.isoformat()},
    )
