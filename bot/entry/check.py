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

from sqlalchemy.exc import SQLAlchemyError

from bot.domain import label as labels
from bot.domain.errors import ProviderError
from bot.domain.market import AccountNote, Finding, Mark
from bot.ports import Provider
from bot.settings import Settings
from bot.wiring import App, logins

_WIDTH = 100
_MARK, _PART = 6, 16
_PROGRAMS = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin", "/sbin"))


async def check(settings: Settings, *, as_json: bool) -> int:
    """Print what was found; 0 when nothing failed, else 1."""
    try:
        app = await App.build(settings)
    except SQLAlchemyError as error:
        found = [_database_fault(settings, error)]
    else:
        try:
            found = await findings(app)
        finally:
            await app.stop()
    _show(found, as_json=as_json)
    return 1 if any(one.mark is Mark.BAD for one in found) else 0


async def findings(app: App) -> list[Finding]:
    """All parts, the own ones first; what takes a call to a vendor is asked of all at once."""
    own = [await _database(app), _ssh(), await _engine(app)]
    asked = await asyncio.gather(*(_provider(app, one) for one in app.providers.values()))
    off = [_not_configured(app, login.family) for login in logins(app.settings) if not login.key]
    return [*own, *(finding for some in asked for finding in some), *off]


def _database_fault(settings: Settings, error: SQLAlchemyError) -> Finding:
    said = (str(getattr(error, "orig", None) or error).splitlines() or [type(error).__name__])[0]
    setting = "LASTCALL_DATABASE_URL" if settings.database_url else "LASTCALL_DATA_DIR"
    return Finding("database", Mark.BAD, f"It cannot be used: {said}.", f"Look at {setting}.")


async def _database(app: App) -> Finding:
    rentals = len(await app.store.rentals.open_ones())
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
    if await app.house.engine_runs():
        return Finding("engine", Mark.GOOD, "A process works on the rentals now.")
    rentals = await app.store.rentals.open_ones()
    if not rentals:
        return Finding("engine", Mark.GOOD, "None runs, and nothing is open.", "For a team: lastcall serve")
    return Finding(
        "engine",
        Mark.BAD,
        f"None runs, and {len(rentals)} rentals are open: nobody ends them.",
        "Start: lastcall serve",
    )


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
        return [
            Finding(
                _name(provider),
                Mark.BAD,
                f"{len(ours)} machines bear our namespace '{app.house.namespace}' and no rental of this database"
                f" knows them ({', '.join(ours[:3])}): the database was lost, or another Lastcall has the same name.",
                "See 'orphans'. If another Lastcall uses this account, give one of them another LASTCALL_NAMESPACE.",
            )
        ]
    beside = f"; other Lastcalls on this account: {', '.join(sorted(others))}" if others else ""
    count = "no machine" if not machines else f"{len(machines)} machines"
    return [Finding(_name(provider), Mark.GOOD, f"{count} on the account{beside}.")]


def _not_configured(app: App, family: str) -> Finding:
    title = next(one.title for one in app.house.profiles if one.family == family)
    return Finding(
        title, Mark.OFF, "Not configured.", f"To use it, set {Settings.variable(f'{family}_api_key')}."
    )


def _show(found: Sequence[Finding], *, as_json: bool) -> None:
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
