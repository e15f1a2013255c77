"""Finding the rental that a command is about, and asking policy."""

from __future__ import annotations

from collections.abc import Callable

from bot.commands.house import House
from bot.domain.allowance import team_key
from bot.domain.errors import AskAgain, Refused
from bot.domain.nearest import nearest
from bot.domain.policy import Deed, may
from bot.domain.rental import Rental
from bot.domain.talk import Actor, Request


async def one(house: House, request: Request, id: str, deed: Deed) -> Rental:
    """The rental with this id, if the person may. Raises ``Refused``."""
    rental = await house.store.rentals.get(id.lower())
    if rental is None:
        mine = [each.id for each in await visible(house, request.actor)]
        near = nearest(id.lower(), mine)
        hint = f"Did you mean {near}?" if near else "'status all' shows what there is."
        raise Refused(f"There is no rental {id}.", help=hint)
    if reason := may(request.actor, deed, rental, await house.role(request.actor)):
        raise Refused(reason)
    return rental


async def visible(house: House, actor: Actor) -> list[Rental]:
    """Open rentals that this person may see, oldest first."""
    rentals = await house.store.rentals.open_ones(team=team_key(actor))
    return [each for each in rentals if not may(actor, Deed.SEE, each)]


async def meant(
    house: House, request: Request, id: str | None, deed: Deed, verb: str, fits: Callable[[Rental], bool]
) -> Rental:
    """The rental that was named, else the person's only one that ``fits``. Raises ``AskAgain`` when there are
    several: it never guesses."""
    if id is not None:
        return await one(house, request, id, deed)
    mine = [each for each in await house.store.rentals.open_ones(owner=request.actor.key) if fits(each)]
    if not mine:
        raise Refused(f"You have nothing to {verb}.", help="'status' shows your rentals.")
    if len(mine) > 1:
        raise AskAgain(
            f"Which one to {verb}?", expected=", ".join(f"{verb} {each.id}" for each in mine), nearest=""
        )
    return mine[0]
