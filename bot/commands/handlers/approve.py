"""``approve`` and ``decline``: somebody else's word on a rental that needs one."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from datetime import datetime

from bot.commands.admit import ask_of
from bot.commands.handlers import find
from bot.commands.house import House
from bot.commands.spoken import Approve, Decline
from bot.domain import approval as approvals
from bot.domain.allowance import Role
from bot.domain.approval import Approval, Verdict
from bot.domain.errors import Refused
from bot.domain.market import Offer
from bot.domain.policy import Deed
from bot.domain.rental import Ending, Goal, Rental
from bot.domain.talk import Kind, Reply, Request, Tone
from bot.market import gather, matching
from bot.store.rows import Entry, Say


async def approve(house: House, request: Request, command: Approve) -> Reply:
    """Yes: the price is looked at once more, the budgets are charged, and it is rented."""
    rental, approval = await _open(house, request, command.rental)
    if request.actor.key in (rental.owner.key, approval.asked_by.key):
        raise Refused("Nobody approves their own.", help="Ask another admin.")
    if command.most is not None and approval.most > command.most:
        raise Refused(
            f"{rental.id} asks for up to {approval.most} by now, not {command.most}.",
            help=f"If that is all right: approve {rental.id} budget {approval.most}",
        )
    if rental.worst_case is None or rental.worst_case > approval.most:
        raise Refused(f"The price of {rental.id} rose after it was asked.", help="It has to be asked anew.")
    await _still_at(house, rental)
    now, who = house.clock.now(), request.actor.key
    entry = Entry("approved", f"approved at most {rental.worst_case}", actor=who)
    if rental.asks_again and rental.reasked_at is not None:
        said_at = max(now, rental.reasked_at)
        await house.store.rentals.confirm_again(
            rental.id, now=said_at, key=request.key, entry=entry, by=who, ask=ask_of(rental, now)
        )
    else:
        await house.store.rentals.raise_goal(
            rental.id,
            rental.wished,
            now=now,
            key=request.key,
            entry=entry,
            confirmed_by=who,
            ask=ask_of(rental, now),
        )
    fresh = await house.store.rentals.get(rental.id) or rental
    if fresh.goal is Goal.GONE or fresh.closed_at is not None:
        raise Refused(f"{rental.id} is over: {fresh.ending or 'closed'}.")
    await _decide(house, request, fresh, approval, Verdict.APPROVED, "")
    house.nudge()
    return _said(
        rental, f"Approved: {rental.id} cannot cost more than {rental.worst_case}.", Verdict.APPROVED
    )


async def decline(house: House, request: Request, command: Decline) -> Reply:
    """No, and why: the quote is over."""
    rental, approval = await _open(house, request, command.rental)
    who = request.actor.name or request.actor.id
    await _decide(house, request, rental, approval, Verdict.DECLINED, command.reason)
    await house.store.rentals.raise_goal(
        rental.id,
        Goal.GONE,
        now=house.clock.now(),
        key=request.key,
        entry=Entry("declined", f"declined: {command.reason or 'no reason given'}", actor=request.actor.key),
        ending=Ending.DECLINED,
        note=f"by {who}" + (f": {command.reason}" if command.reason else ""),
    )
    house.nudge()
    return _said(rental, f"Declined: {rental.id}. Nothing was rented.", Verdict.DECLINED)


async def _open(house: House, request: Request, id: str) -> tuple[Rental, Approval]:
    """The rental and what is asked of the approvers. Raises ``Refused`` for everybody else and when it is over."""
    rental = await find.one(house, request, id, Deed.SEE)
    if await house.role(request.actor) is not Role.ADMIN:
        raise Refused("Only an admin approves or declines.", help="'budget' shows who that is.")
    approval = await house.store.approvals.get(rental.id)
    if approval is None:
        raise Refused(f"{rental.id} waits for no approval.", help="'status all' shows what waits.")
    if approval.verdict not in (None, Verdict.LAPSED):
        by = approval.decided_by
        told = f" by {by.name or by.id}" if by else ""
        raise Refused(f"{rental.id} was {approval.verdict} already{told}.")
    if rental.goal is Goal.GONE or rental.closed_at is not None:
        raise Refused(f"{rental.id} is over: {rental.ending or 'closed'}.", help="It has to be asked anew.")
    if rental.goal > Goal.QUOTED and not rental.asks_again:
        raise Refused(f"{rental.id} was confirmed already and runs.", help=f"To end it: down {rental.id}")
    if house.clock.now() >= approval.until:
        raise Refused(f"The request for {rental.id} is too old.", help="It has to be asked anew.")
    return rental, approval


async def settled(house: House, request: Request, rental: Rental) -> None:
    """It was confirmed by somebody whose word is enough: a request that is still open has nothing to ask any more."""
    approval = await house.store.approvals.get(rental.id)
    if approval is not None and approval.verdict is None:
        with contextlib.suppress(Refused):  # somebody decided on it just now
            await _decide(house, request, rental, approval, Verdict.APPROVED, "")


async def _still_at(house: House, rental: Rental) -> None:
    """Raises ``Refused`` when the price is no more what the approver sees. What cannot be looked at now is looked at
    by the launch, which never takes more than was agreed."""
    offer = rental.offer
    if offer is None:
        raise Refused(f"{rental.id} has no price yet.")
    asked = matching(house.providers.values(), offer.provider)
    found, problems = await gather(
        asked, replace(rental.want, lifetime=rental.want.lifetime or rental.lifetime)
    )
    same: Offer | None = next((one for one in found if one.id == offer.id), None)
    if same is None and (found or problems):
        return  # gone, or not told: the launch looks for another one within the same worst case
    if same is not None and same.hourly > offer.ceiling:
        raise Refused(
            f"{rental.id} costs {same.hourly.rate()} by now; {offer.hourly.rate()} was asked for.",
            help="Nothing was approved; it has to be asked anew.",
        )


async def _decide(
    house: House, request: Request, rental: Rental, approval: Approval, verdict: Verdict, said: str
) -> None:
    now: datetime = house.clock.now()
    after = replace(approval, verdict=verdict, decided_by=request.actor, decided_at=now, said=said)
    where = house.approvers or replace(rental.channel, thread="")
    says = [Say(approvals.card_key(rental.id), where, approvals.card(rental, after))]
    entry = Entry("approval", f"{verdict} at most {approval.most}", actor=request.actor.key)
    done = await house.store.approvals.decide(
        approval, verdict, by=request.actor, said=said, now=now, entry=entry, says=says
    )
    if done is None:
        raise Refused(f"Somebody else decided on {rental.id} just now.", help="'status all' shows how.")


def _said(rental: Rental, sentence: str, verdict: Verdict) -> Reply:
    data = {"rental": rental.id, "approval": verdict.value, "said": sentence}
    return Reply(Kind.ANSWER, sentence, tone=Tone.GOOD, rental=rental.id, data=data)
