"""``lastcall check``: each configured part, whether it works, and what to do where it does not. Rents nothing."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta

from sqlalchemy.exc import SQLAlchemyError

from bot.commands.unreached import unreached
from bot.domain import label as labels
from bot.domain.clocktime import short, utc
from bot.domain.errors import ProviderError
from bot.domain.market import AccountNote, Finding, Mark
from bot.ports import Provider
from bot.settings import Settings
from bot.wiring import App, logins
from bot.wiring.chats import chat_findings

_WIDTH = 100
_MARK, _PART = 6, 16
_SILENT = timedelta(seconds=15)
"""An engine beats every ten seconds."""
_PROGRAMS = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin", "/sbin"))


async def check(settings: Settings, *, as_json: bool) -> int:
    """Print what was found; 0 when nothing failed, else 1."""
    try:
        app = await App.build(settings)
    except SQLAlchemyError as error:
        found = [_database_fault(settings, error)]
    except ValueError as error:  # a folder that cannot be written to, a workstation that is none
        found = [Finding("settings", Mark.BAD, str(error))]
    else:
        try:
            found = await findings(app)
        finally:
            await app.stop()
    show(found, as_json=as_json)
    return 1 if any(one.mark is Mark.BAD for one in found) else 0


async def findings(app: App) -> list[Finding]:
    """All parts, the own ones first; what takes a call to a vendor is asked of all at once."""
    own = [await _database(app), _ssh(), await _engine(app), *await _unreached(app)]
    asked = await asyncio.gather(*(_provider(app, one) for one in app.providers.values()))
    chats = await chat_findings(app.settings, app.clock)
    off = [_not_configured(app, login.family) for login in logins(app.settings) if not login.key]
    return [*own, *(finding for some in asked for finding in some), *chats, *off]


def _database_fault(settings: Settings, error: SQLAlchemyError) -> Finding:
    said = (str(getattr(error, "orig", None) or error).splitlines() or [type(error).__name__])[0]
    setting = "LASTCALL_DATABASE_URL" if settings.database_url else "LASTCALL_DATA_DIR"
    return Finding("database", Mark.BAD, f"It cannot be used: {said}.", f"Look at {setting}.")


async def _database(app: App) -> Finding:
    rentals = _count(len(await app.store.rentals.open_ones()), "rental")
    where = "PostgreSQL" if app.settings.database_url else "SQLite, for one computer"
    return Finding(
        "database", Mark.GOOD, f"{where}: {app.where}; {rentals} open, namespace {app.house.namespace}."
    )


def _ssh() -> Finding:
    missing = [] if shutil.which("ssh") else ["ssh (for people who want onto a machine by hand)"]
    missing += (
        [] if shutil.which("sshd", path=_PROGRAMS) else ["sshd (this computer is then entered directly)"]
    )
    if missing:
        return Finding(
            "SSH",
            Mark.WARN,
            f"Not installed: {', '.join(missing)}.",
            "Install OpenSSH; Lastcall's own SSH needs none.",
        )
    return Finding("SSH", Mark.GOOD, "ssh and sshd are there; Lastcall's own client needs neither.")


async def _engine(app: App) -> Finding:
    now, engines = app.clock.now(), await app.engines()
    last = engines[0].seen_at if engines else now
    seen = f"seen {short(now - last)} ago, at {utc(last)}"
    if any(one.lives for one in engines):
        if now - last <= _SILENT:
            return Finding("engine", Mark.GOOD, f"A process works on the rentals now: {seen}.")
        return Finding(
            "engine",
            Mark.WARN,
            f"A process worked on the rentals and has been silent since: {seen}. It may have been killed.",
            "Ask again in half a minute; if none runs then: lastcall serve",
        )
    none = f"None runs (one that was not ended in order was last {seen})" if engines else "None runs"
    rentals = len(await app.store.rentals.open_ones())
    if not rentals:
        return Finding("engine", Mark.GOOD, f"{none}, and nothing is open.", "For a team: lastcall serve")
    are = "is open: nobody ends it." if rentals == 1 else "are open: nobody ends them."
    said = f"{none}, and {_count(rentals, 'rental')} {are}"
    return Finding("engine", Mark.BAD, said, "Start: lastcall serve")


async def _unreached(app: App) -> list[Finding]:
    """A vendor whose key is missing is no matter of taste while a machine of ours is billed there."""
    there = unreached(app.house, await app.store.rentals.open_ones())
    return [
        Finding(one.title, Mark.BAD, one.sentence, f"Set {one.setting} again, then: lastcall serve")
        if one.setting
        else Finding(one.title, Mark.WARN, one.sentence, "See that the process which has it runs.")
        for one in there
    ]


async def _provider(app: App, provider: Provider) -> list[Finding]:
    found = list(await provider.check())
    if not found:
        found = [await _account(provider)]
    if any(one.mark is Mark.BAD for one in found):
        return found
    return [*found, *await _namespaces(app, provider)]


async def _account(provider: Provider) -> Finding:
    try:
        account = await provider.account()
    except ProviderError as error:
        return Finding(_name(provider), Mark.BAD, error.reason, "It is left out of every search meanwhile.")
    mark = Mark.GOOD if account.state is AccountNote.READY else Mark.WARN
    said = dict.fromkeys((account.note, account.hardware.sentence if account.hardware else ""))
    return Finding(_name(provider), mark, ". ".join(one for one in said if one) + ".")


def _name(provider: Provider) -> str:
    return provider.name if provider.profile.owned else provider.profile.title


async def _namespaces(app: App, provider: Provider) -> list[Finding]:
    """Machines under our namespace that our database does not know: it was lost, or somebody else uses the name."""
    try:
        machines = await provider.machines()
    except ProviderError as error:
        return [Finding(_name(provider), Mark.BAD, f"Its machines cannot be listed: {error.reason}")]
    known = await app.store.rentals.labels()
    ours, others = [], set()
    for machine in machines:
        label = labels.parse(machine.label)
        if label is None:
            continue
        if label.namespace != app.house.namespace:
            others.add(label.namespace)
        elif machine.label not in known:
            ours.append(machine.id)
    if ours:
        count, whom = _count(len(ours), "machine"), "it" if len(ours) == 1 else "them"
        return [
            Finding(
                _name(provider),
                Mark.BAD,
                f"{count} with our namespace '{app.house.namespace}', and no rental of this database knows {whom}"
                f" ({', '.join(ours[:3])}): the database was lost, or another Lastcall has the same name.",
                "See 'orphans'. If another Lastcall uses this account, give one of them another LASTCALL_NAMESPACE.",
            )
        ]
    beside = f"; other Lastcalls on this account: {', '.join(sorted(others))}" if others else ""
    count = _count(len(machines), "machine") if machines else "no machine"
    return [Finding(_name(provider), Mark.GOOD, f"{count} on the account{beside}.")]


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _not_configured(app: App, family: str) -> Finding:
    title = next(one.title for one in app.house.profiles if one.family == family)
    return Finding(
        title, Mark.OFF, "Not configured.", f"To use it, set {Settings.variable(f'{family}_api_key')}."
    )


def show(found: Sequence[Finding], *, as_json: bool) -> None:
    """Lines for people, or one JSON object."""
    if as_json:
        sys.stdout.write(json.dumps({"findings": [asdict(one) for one in found]}) + "\n")
        return
    width = min(_WIDTH, shutil.get_terminal_size((_WIDTH, 24)).columns)
    for one in found:
        head = f"{one.mark.value:<{_MARK}}{one.part:<{_PART}}"
        indent = " " * (_MARK + _PART)
        sys.stdout.write(
            textwrap.fill(one.sentence, width, initial_indent=head, subsequent_indent=indent) + "\n"
        )
        if one.fix:
            sys.stdout.write(
                textwrap.fill(f"-> {one.fix}", width, initial_indent=indent, subsequent_indent=indent) + "\n"
            )
    failed = sum(one.mark is Mark.BAD for one in found)
    sys.stdout.write(f"\n{failed} to mend.\n" if failed else "\nNothing to mend.\n")
