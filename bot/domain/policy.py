"""Who may do what to whose rental. Pure; asked for every command, from ids and never from names."""

from __future__ import annotations

from enum import StrEnum, auto

from bot.domain.allowance import Role, team_key
from bot.domain.rental import Rental
from bot.domain.talk import Actor


class Deed(StrEnum):
    """What a command would do to a rental."""

    SEE = auto()
    END = auto()
    """Tear down, or cancel a quote: it can only save money."""
    SPEND = auto()
    """Confirm, extend."""
    ENTER = auto()
    """Logs, results, the way in."""


def may_decide(role: Role) -> str:
    """Empty when this person may end, adopt or spare a machine that belongs to nobody, else the reason. Every member
    may: an end saves money, a life is on the list with who wanted it, and an adopted one has the usual budget."""
    return "You may look, and not decide about machines." if role is Role.VIEWER else ""


def may(actor: Actor, deed: Deed, rental: Rental, role: Role = Role.MEMBER) -> str:
    """Empty when allowed, else the reason. The owner may do all, an admin of the team too; a teammate may look and
    end; a viewer only looks, and ends what is their own."""
    mine = actor.key == rental.owner.key
    if not mine and team_key(actor) != team_key(rental.owner):
        return f"{rental.id} belongs to another team."
    if role is Role.ADMIN or deed is Deed.SEE or (mine and (role is Role.MEMBER or deed is Deed.END)):
        return ""
    if role is Role.VIEWER:
        return "You may look, and not do that."
    if deed is Deed.END:
        return ""
    return (
        f"{rental.id} belongs to {rental.owner.name or rental.owner.id}; only they or an admin may do that."
    )
