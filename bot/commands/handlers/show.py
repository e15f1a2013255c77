"""What there is: status, history, help."""

from __future__ import annotations

from collections.abc import Sequence

from bot.commands.catalogue import BY_NAME, COMMANDS, CommandSpec
from bot.commands.handlers import find
from bot.commands.handlers.notify import troubles
from bot.commands.house import House
from bot.commands.spoken import ALL, MINE, Help, History, Later, Status
from bot.commands.unreached import sentences
from bot.domain import budget
from bot.domain.allowance import team_key
from bot.domain.cards import card, facts, title
from bot.domain.cards import status as state_of
from bot.domain.clocktime import short, utc
from bot.domain.errors import NotYet
from bot.domain.money import ZERO
from bot.domain.policy import Deed, may
from bot.domain.rental import Rental
from bot.domain.talk import Kind, Reply, Request, Table, Tone

_RECENT = 10
_LINES = 200
_SEARCHED = 500
"""So many closed rentals of everybody are looked through for those that this person may see."""
_USAGE = 48
"""Columns of a usage in the list of all commands."""


async def status(house: House, request: Request, command: Status) -> Reply:
    """One rental as a card, or a table of what is open with what it costs."""
    if command.which not in (MINE, ALL):
        return await _whole(house, await find.one(house, request, command.which, Deed.SEE))
    now = house.clock.now()
    rentals, others = await _open(house, request, whole=command.which == ALL)
    runs = await house.engine_runs()
    rows = tuple(row(house, each) for each in rentals)
    lines = [*sentences(house, rentals), *_troubles(rentals)]
    lines += [one for one in await troubles(house, request.actor) if one]
    lines += [f"{others} more of your team: status all"] if others else []
    if rentals and not runs:
        lines.append("No engine runs now: start 'lastcall serve', or nothing is torn down in time.")
    burn = sum((one.offer.hourly for each in rentals for one in each.attempts if one.gone_at is None), ZERO)
    spent = sum((budget.spent(each, now) for each in rentals), ZERO)
    head = (
        f"{len(rentals)} open, {burn.rate()} now, {spent} so far"
        if rentals
        else "Nothing is open. Nothing costs."
    )
    table = Table(("rental", "what", "state", "machine", "cost", "at most", "ends"), rows)
    tone = Tone.CALM if rentals else Tone.GOOD
    return Reply(
        Kind.ANSWER,
        head,
        tuple(lines),
        tables=(table,) if rows else (),
        tone=tone,
        data={"rentals": [facts(each, now) for each in rentals], "engine": runs},
    )


async def _open(house: House, request: Request, *, whole: bool) -> tuple[list[Rental], int]:
    """What is open of the whole team, or of the person, and how many of the team are not among it."""
    if whole:
        return await find.visible(house, request.actor), 0
    mine = await house.store.rentals.open_ones(owner=request.actor.key)
    return mine, await house.store.rentals.count_open(team=team_key(request.actor)) - len(mine)


def _troubles(rentals: Sequence[Rental]) -> list[str]:
    """What goes wrong now, so that nobody has to look into a journal to learn that a teardown sticks."""
    return [f"{each.id}: {each.note.rstrip('.')}." for each in rentals if each.stumbles and each.note]


def row(house: House, rental: Rental) -> tuple[str, ...]:
    """One rental in a table: what, state, machine, cost, at most, end."""
    now = house.clock.now()
    what = f"{rental.job.recipe} {rental.job.preset}" if rental.job else "machine"
    machine = f"{rental.offer.gpu} on {rental.offer.provider}" if rental.offer else rental.want.provider
    end = f"{utc(rental.hard_end)} ({short(rental.hard_end - now)})" if rental.hard_end else ""
    most = str(rental.worst_case) if rental.worst_case is not None else ""
    return (rental.id, what, state_of(rental), machine, str(budget.spent(rental, now)), most, end)


async def _whole(house: House, rental: Rental) -> Reply:
    """The card, with gate 3's report and the last lines of the journal."""
    shown = card(rental, house.clock.now())
    tables = list(shown.tables)
    report = next((one.report for one in reversed(rental.attempts) if one.report), ())
    if report:
        rows = tuple(
            (one.verdict, one.name, one.sentence + (f" {one.fix}" if one.fix else "")) for one in report
        )
        tables.append(Table(("gate 3", "check", "what was found"), rows))
    lines = await house.store.journal.lines(rental=rental.id, limit=_RECENT)
    journal = tuple((f"{line.at:%H:%M:%S}", line.kind, line.text) for line in lines)
    tables.append(Table(("UTC", "what", "journal"), journal))
    report_data = [
        {"check": one.name, "verdict": one.verdict, "sentence": one.sentence, "fix": one.fix}
        for one in report
    ]
    return Reply(
        Kind.ANSWER,
        shown.title,
        (*shown.lines, *sentences(house, [rental])),
        shown.fields,
        tuple(tables),
        meter=shown.meter,
        buttons=shown.buttons,
        pictures=shown.pictures,
        tone=shown.tone,
        rental=rental.id,
        data={**shown.data, "gate3": report_data},
    )


async def history(house: House, request: Request, command: History) -> Reply:
    """The journal of one rental, or the last ones that were closed."""
    if command.rental is not None:
        rental = await find.one(house, request, command.rental, Deed.SEE)
        return await _journal(house, rental, command.count or _LINES)
    closed = await house.store.rentals.closed_ones(limit=_SEARCHED)
    seen = [each for each in closed if not may(request.actor, Deed.SEE, each)][: command.count or _RECENT]
    rows = tuple(_past(each) for each in seen)
    total = sum((budget.spent(each, each.closed_at or house.clock.now()) for each in seen), ZERO)
    head = f"The last {len(seen)} closed rentals: {total}" if seen else "Nothing was rented yet."
    table = Table(("rental", "what", "closed (UTC)", "how", "time", "cost"), rows)
    data = {"rentals": [facts(each, each.closed_at or house.clock.now()) for each in seen]}
    return Reply(Kind.ANSWER, head, tables=(table,) if rows else (), data=data)


async def _journal(house: House, rental: Rental, count: int) -> Reply:
    lines = await house.store.journal.lines(rental=rental.id, limit=count)
    rows = tuple(
        (f"{line.at:%m-%d %H:%M:%S}", line.kind, line.text, "" if line.cost is None else str(line.cost))
        for line in lines
    )
    table = Table(("UTC", "what", "journal", "cost"), rows)
    told = [
        {"at": line.at.isoformat(), "kind": line.kind, "text": line.text, "actor": line.actor}
        for line in lines
    ]
    data = {"rental": rental.id, "lines": told}
    return Reply(Kind.ANSWER, title(rental), tables=(table,), rental=rental.id, data=data)


def _past(rental: Rental) -> tuple[str, ...]:
    what = f"{rental.job.recipe} {rental.job.preset}" if rental.job else (rental.want.gpu or "machine")
    end = rental.closed_at
    assert end is not None
    how = rental.ending.value if rental.ending else ""
    length = short(end - (rental.began_at or rental.created_at))
    return (rental.id, what, f"{end:%m-%d %H:%M}", how, length, str(budget.spent(rental, end)))


async def help_(house: House, _request: Request, command: Help) -> Reply:
    """All commands, or one with its options and examples."""
    if command.command is not None:
        return _one(house, BY_NAME[command.command])
    rows = tuple((_short(one), one.summary) for one in COMMANDS if one.available)
    later = ", ".join(one.name for one in COMMANDS if not one.available)
    lines = (
        "Lastcall rents GPUs and always closes the tab. Prices and the worst case are shown before anything is rented.",
    )
    table = Table(("command", "what it does"), rows, note=f"Not yet: {later}. More: help <command>.")
    return Reply(
        Kind.ANSWER,
        "What you can say",
        lines,
        tables=(table,),
        data={"commands": [one.usage for one in COMMANDS if one.available]},
    )


def _short(spec: CommandSpec) -> str:
    """Usage that fits beside its summary; ``help <command>`` has the rest."""
    if len(spec.usage) <= _USAGE:
        return spec.usage
    shown = spec.usage[:_USAGE].rpartition(" [")[0]
    return f"{shown} …"


def _one(house: House, spec: CommandSpec) -> Reply:
    options = tuple((one.sample, one.summary) for one in spec.options)
    tables = (Table(("you may add", "which means"), options),) if options and spec.available else ()
    lines = tuple(line for line in (f"{spec.summary}.", spec.after) if line)
    examples = "\n".join(spec.examples(house.vocabulary))
    if not spec.available:
        lines = (*lines, "It comes with a later release.")
    return Reply(Kind.ANSWER, spec.usage, lines, tables=tables, code=examples, data={"usage": spec.usage})


async def later(_house: House, _request: Request, command: Later) -> Reply:
    """A command that a later release brings."""
    spec = BY_NAME[command.command]
    raise NotYet(f"'{spec.name}' comes with a later release.", help=spec.after)
