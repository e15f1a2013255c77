"""Commands that change a rental: each writes a goal or terms, and the engine climbs to it."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.commands import replies_down
from bot.commands.admit import ask_of, may_rent, put_to_approvers, why_approve
from bot.commands.handlers import approve, find
from bot.commands.house import House
from bot.commands.spoken import ALL, MINE, Cancel, Confirm, Down, Extend, Stop
from bot.commands.unreached import sentences
from bot.domain import label as labels
from bot.domain.budget import spent
from bot.domain.clocktime import short, utc
from bot.domain.errors import Refused
from bot.domain.ladder import QUOTE_LIFE
from bot.domain.money import ZERO, Usd
from bot.domain.policy import Deed, may
from bot.domain.rental import Ending, Goal, Rental
from bot.domain.talk import Kind, Reply, Request, Tone
from bot.store.rows import Entry

_LEAST = timedelta(minutes=1)
"""Less more money is refused: it would end before anybody has read the answer."""


async def confirm(house: House, request: Request, command: Confirm) -> Reply:
    """Yes to the price that was shown."""
    rental = await find.meant(house, request, command.rental, Deed.SPEND, "confirm", _is_quoted)
    if not _is_quoted(rental):
        return await _confirmed_before(house, rental)
    if rental.quoted_at is None or rental.offer is None:
        raise Refused(f"{rental.id} has no price yet.", help="Wait for the quote, then confirm.")
    if command.most is not None and rental.worst_case is not None and rental.worst_case > command.most:
        raise Refused(
            f"{rental.id} can cost up to {rental.worst_case} by now, not {command.most}.",
            help=f"If that is all right: confirm {rental.id} budget {rental.worst_case}",
        )
    now = house.clock.now()
    if now >= rental.quoted_at + QUOTE_LIFE:
        raise Refused(f"The price of {rental.id} is older than {short(QUOTE_LIFE)}.", help="Ask anew.")
    await may_rent(house, request.actor)
    if why := await why_approve(house, rental, request.actor, rental.worst_case or ZERO):
        return await put_to_approvers(house, request, rental, why)
    who, entry = request.actor.key, _asked(request, f"confirmed at most {rental.worst_case}")
    rentals, ask = house.store.rentals, ask_of(rental, now)
    if rental.asks_again and rental.reasked_at is not None:
        said_at = max(now, rental.reasked_at)
        done = await rentals.confirm_again(
            rental.id, now=said_at, key=request.key, entry=entry, by=who, ask=ask
        )
    else:
        done = await rentals.raise_goal(
            rental.id, rental.wished, now=now, key=request.key, entry=entry, confirmed_by=who, ask=ask
        )
    if not done and not await _done_before(house, request):
        return await _confirmed_before(house, await house.store.rentals.get(rental.id) or rental)
    await approve.settled(house, request, rental)
    house.nudge()
    return await _said(house, rental, f"Confirmed: {rental.id} cannot cost more than {rental.worst_case}.")


async def _confirmed_before(house: House, rental: Rental) -> Reply:
    if rental.goal is Goal.GONE:
        raise Refused(f"{rental.id} is over: {rental.ending or 'closed'}.", help="Ask anew.")
    return await _said(house, rental, f"{rental.id} was confirmed already.")


async def cancel(house: House, request: Request, command: Cancel) -> Reply:
    """No to a quote. What runs already is ended by ``down``."""
    rental = await find.meant(house, request, command.rental, Deed.END, "cancel", _is_quoted)
    if rental.closed_at is not None or rental.goal is Goal.GONE:
        return await _said(house, rental, f"{rental.id} is over already.", ends=True)
    if not _is_quoted(rental):
        raise Refused(f"{rental.id} is rented already.", help=f"To end it: down {rental.id}")
    await _end(house, request, rental, Ending.CANCELLED, request.key)
    fresh = await house.store.rentals.get(rental.id) or rental
    if fresh.attempts:
        return await _said(house, fresh, f"{rental.id} was confirmed meanwhile; it is torn down.", ends=True)
    return await _said(house, rental, f"Cancelled: {rental.id}. Nothing was rented.", ends=True)


async def down(house: House, request: Request, command: Down) -> Reply:
    """End one, one's own, or all that one may."""
    if command.which not in (MINE, ALL):
        rental = await find.one(house, request, command.which, Deed.END)
        if rental.closed_at is not None:
            return await _said(house, rental, f"{rental.id} is closed already.", ends=True)
        await _end(house, request, rental, _ending_of(rental), request.key)
        told = f"Tearing down {rental.id}; it is closed when the provider shows nothing of it."
        return await _said(house, rental, told, ends=True)
    role = await house.role(request.actor)
    rentals = [
        each
        for each in await find.visible(house, request.actor)
        if (command.which == ALL or each.owner.key == request.actor.key)
        and not may(request.actor, Deed.END, each, role)
    ]
    for each in rentals:
        await _end(house, request, each, _ending_of(each), f"{request.key}/{each.id}")
    if not rentals:
        return Reply(Kind.ANSWER, "Nothing is open.", tone=Tone.GOOD, data={"rentals": [], "ends": True})
    notes = (*sentences(house, rentals), *await house.idle_note())
    after = [await house.store.rentals.get(each.id) or each for each in rentals]
    return replies_down.ended(after, notes)


async def stop(house: House, request: Request, command: Stop) -> Reply:
    """Enough: the trainer is asked to save, what it saved comes home, and the tab is closed."""
    rental = await find.meant(house, request, command.rental, Deed.END, "stop", _is_training)
    if rental.closed_at is not None or rental.goal is Goal.GONE:
        return await _said(house, rental, f"{rental.id} is over already.", ends=True)
    if rental.job is None:
        raise Refused(f"{rental.id} trains nothing.", help=f"To end it: down {rental.id}")
    if not _is_training(rental):
        raise Refused(f"{rental.id} has not begun to train.", help=f"To end it: down {rental.id}")
    await _end(house, request, rental, Ending.STOPPED, request.key)
    told = f"Finishing {rental.id} early: it saves, comes home, and is torn down."
    return await _said(house, rental, told, ends=True)


def _is_training(rental: Rental) -> bool:
    return rental.job is not None and rental.attempt is not None and rental.attempt.unit is not None


async def extend(house: House, request: Request, command: Extend) -> Reply:
    """More time, paid for by a larger budget; or more money, turned into time at the machine's rate."""
    rental = await find.one(house, request, command.rental, Deed.SPEND)
    if await _done_before(house, request):
        return await _extended(house, rental)
    _can_be_extended(rental, house.clock.now())
    by, budget = _terms(rental, command.by)
    _within_label(house, rental, by)
    await may_rent(house, request.actor)
    worst = _most_as_it_runs(rental, house.clock.now()) + budget
    if why := await why_approve(house, rental, request.actor, worst):
        raise Refused(
            f"With that {rental.id} could cost {worst}, and somebody else has to agree: {why}.",
            help="Extend it by less, or ask an admin to extend it.",
        )
    entry = _asked(request, f"extended by {short(by)}, budget by {budget}")
    done = await house.store.rentals.extend(
        rental.id,
        by=by,
        budget=budget,
        now=house.clock.now(),
        key=request.key,
        entry=entry,
        rev=rental.rev,
        ask=ask_of(rental, house.clock.now(), worst),
    )
    if not done and not await _done_before(house, request):
        raise Refused(
            f"{rental.id} was changed by somebody meanwhile.", help="Look at 'status' and try again."
        )
    house.nudge()
    return await _extended(house, await house.store.rentals.get(rental.id) or rental, by)


def _can_be_extended(rental: Rental, now: datetime) -> None:
    """Raises ``Refused`` with what to do instead."""
    if rental.goal is Goal.GONE or rental.closed_at is not None:
        raise Refused(f"{rental.id} is over; it cannot be extended.", help="Ask anew.")
    if rental.hard_end is not None and now >= rental.hard_end:
        ended = utc(rental.hard_end)
        raise Refused(
            f"The time of {rental.id} was over at {ended}; it is being torn down.", help="Ask anew."
        )
    if not rental.attempts:
        raise Refused(f"{rental.id} has not begun.", help="Cancel it and ask again with the time you want.")
    if rental.asks_again:
        raise Refused(
            f"{rental.id} waits for a yes to its new price.",
            help=f"First: confirm {rental.id}, or cancel it.",
        )


async def _extended(house: House, rental: Rental, by: timedelta | None = None) -> Reply:
    more = f"has {short(by)} more" if by else "was extended already"
    until = f" It ends at {utc(rental.hard_end)} at the latest" if rental.hard_end else ""
    return await _said(house, rental, f"{rental.id} {more}.{until} and costs at most {rental.worst_case}.")


def _terms(rental: Rental, by: timedelta | Usd) -> tuple[timedelta, Usd]:
    last = rental.attempts[-1]
    hourly = last.offer.hourly if last.running_at else last.offer.ceiling
    if isinstance(by, timedelta):
        return by, hourly.over(by).up_to_cent()
    if hourly <= ZERO:
        raise Refused(f"{rental.id} costs nothing an hour.", help=f"Extend it by time: extend {rental.id} 1h")
    length = by.lasts(hourly)
    if length < _LEAST:
        raise Refused(
            f"{by} pays for {short(length)} at {hourly.rate()}.", help="Say more money, or a time: 1h"
        )
    return length, by


def _most_as_it_runs(rental: Rental, now: datetime) -> Usd:
    """The worst case; more where the vendor raised the price of a machine that runs."""
    hourly = rental.attempts[-1].offer.hourly
    left = max(timedelta(0), rental.hard_end - now) if rental.hard_end is not None else timedelta(0)
    return max(rental.worst_case or ZERO, (spent(rental, now) + hourly.over(left)).up_to_cent())


def _within_label(house: House, rental: Rental, by: timedelta) -> None:
    """The time in the label is a promise to the reaper: nothing is extended past it."""
    end = rental.hard_end
    label = labels.parse(rental.attempts[-1].label) if rental.attempts else None
    longest = house.terms.max_lifetime
    # An adopted machine may carry a label that says nothing: then from when we know of it.
    limit = label.until if label else rental.attempts[0].tried_at + longest
    if end is None or by <= limit - end:
        return
    raise Refused(
        f"{rental.id} may exist until {utc(limit)} at most (no machine lives longer than {short(longest)}).",
        help=f"It can get {short(limit - end)} more."
        if limit > end
        else "Start a new one when this one ends.",
    )


def _is_quoted(rental: Rental) -> bool:
    return rental.goal is Goal.QUOTED or (rental.asks_again and rental.goal is not Goal.GONE)


def _ending_of(rental: Rental) -> Ending:
    return Ending.CANCELLED if rental.goal is Goal.QUOTED else Ending.DOWN


async def _end(house: House, request: Request, rental: Rental, ending: Ending, key: str) -> None:
    who = request.actor.name or request.actor.id
    await house.store.rentals.raise_goal(
        rental.id,
        Goal.GONE,
        now=house.clock.now(),
        key=key,
        entry=_asked(request, f"asked for the end of {rental.id}"),
        ending=ending,
        note=who,
    )
    house.nudge()


async def _done_before(house: House, request: Request) -> bool:
    return await house.store.rentals.done_before(request.key)


def _asked(request: Request, text: str) -> Entry:
    return Entry("asked", text, actor=request.actor.key)


async def _said(house: House, rental: Rental, sentence: str, *, ends: bool = False) -> Reply:
    """``ends``: the end was asked for, so that whoever waits has what they wanted when it is proven gone."""
    return Reply(
        Kind.ANSWER,
        sentence,
        (*sentences(house, [rental]), *await house.idle_note()),
        rental=rental.id,
        data={"rental": rental.id, "said": sentence, **({"ends": True} if ends else {})},
    )
