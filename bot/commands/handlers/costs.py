"""What was spent: of oneself, of the team, or of somebody in it; never of another team."""

from __future__ import annotations

import asyncio
import csv
import io
import logging
import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from bot.commands.house import House
from bot.commands.spend_picture import draw_spend
from bot.commands.spoken import ME, TEAM, Costs
from bot.domain import ledger
from bot.domain.allowance import team_key
from bot.domain.errors import Refused
from bot.domain.ledger import By, Period
from bot.domain.ledger_cards import Spend, report, title_of
from bot.domain.nearest import nearest
from bot.domain.talk import Actor, Reply, Request

log = logging.getLogger("lastcall.costs")

_PRIVATE = 0o600
_KEPT = timedelta(days=30)
"""Pictures and files that are older go when the next one is made: everything in them can be asked for again."""


async def costs(house: House, request: Request, command: Costs) -> Reply:
    """The report, with its picture, and with a file when one was asked for."""
    now, team = house.clock.now(), team_key(request.actor)
    start = ledger.since(command.period, now)
    owner = await _person(house, request.actor, command.whose)
    # The outlook is the month's, whatever the period is.
    rentals = await house.store.ledger.between(min(start, ledger.since(Period.MONTH, now)), now, team=team)
    spend = Spend(
        whose=_whose(command.whose, owner),
        by=By.PERSON if owner is None else By.PROVIDER,
        what=title_of(command.period),
        start=start,
        end=now,
        now=now,
        rentals=[one for one in rentals if owner is None or one.owner.key == owner.key],
    )
    reply = report(spend)
    folder = house.data / "exports"
    await asyncio.to_thread(_tidy, folder, now.timestamp() - _KEPT.total_seconds())
    stem = f"costs-{now:%Y%m%d-%H%M%S}-{house.ids.token()[:8]}"
    reply = await _with_picture(spend, reply, folder / f"{stem}.png")
    if not command.csv:
        return reply
    path = folder / f"{stem}.csv"
    try:
        await asyncio.to_thread(_write, path, ledger.csv_rows(spend.lines))
    except OSError as error:
        raise Refused(
            f"The file cannot be written: {error.strerror}.", help=f"Is there room in {folder}?"
        ) from None
    return replace(reply, lines=(*reply.lines, f"As a file: {path}"), data={**reply.data, "csv": str(path)})


async def _person(house: House, actor: Actor, whose: str) -> Actor | None:
    """Whose spend it is; None for the whole team. Raises ``Refused`` for who is nobody of this team, in the same
    words whether there is such a person elsewhere or not."""
    if whose == ME:
        return actor
    if whose == TEAM:
        return None
    people, wanted = await house.store.ledger.people(team_key(actor)), whose.removeprefix("@")
    by_id = [one for one in people if one.id == wanted]
    found = by_id or [one for one in people if one.name.casefold() == wanted.casefold()]
    if len(found) == 1:
        return found[0]
    shown = wanted if len(wanted) <= _SHOWN else f"{wanted[:_SHOWN]}…"
    if found:
        ids = ", ".join(f"@{one.id}" for one in found[:_MOST_NAMES])
        raise Refused(f"Several people here are called {shown}.", help=f"Say which one by id: {ids}.")
    near = nearest(wanted, [one.name for one in people if one.name])
    hint = f"Did you mean @{near}?" if near else "'costs team' shows who spent anything."
    raise Refused(f"Nobody called {shown} has rented anything in your team.", help=hint)


_SHOWN = 40
_MOST_NAMES = 5


def _whose(said: str, owner: Actor | None) -> str:
    if owner is None:
        return "The team's"
    return "Your" if said == ME else f"{ledger.person(owner)}'s"


async def _with_picture(spend: Spend, reply: Reply, path: Path) -> Reply:
    """A picture that cannot be drawn is no reason to say nothing."""
    try:
        drawn = await asyncio.to_thread(draw_spend, spend.days, spend.names, path, reply.title)
    except OSError:
        log.exception("the picture of the costs cannot be written")
        return reply
    return reply if drawn is None else replace(reply, pictures=(str(drawn),))


def _write(path: Path, rows: list[tuple[str, ...]]) -> None:
    """Readable by the bot's own user only, and whole or not at all."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows([ledger.CSV_HEADER, *rows])
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.part")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PRIVATE)
    with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
        file.write(text.getvalue())
    os.replace(fresh, path)


def _tidy(folder: Path, before: float) -> None:
    """What was made before that moment goes."""
    for old in folder.glob("costs-*"):
        try:
            if old.stat().st_mtime < before:
                old.unlink()
        except OSError:
            log.exception("%s cannot be removed", old)
