"""``lastcall reap``: end what is past the time in its label, prove it, shout when that could not be done.

Needs the providers' keys and nothing else: no database is opened and none is made.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from bot.domain.label import NAMESPACE
from bot.domain.reaped import Fate, Found, Visit
from bot.entry import logs
from bot.entry.readable import Readable
from bot.lifecycle.reap import Reaper
from bot.ports import Notifier
from bot.settings import Settings
from bot.wiring import noted_namespace, notifier_of, reaping_of, vendor_skew

_WHICH = (
    "Which machines are ours? No namespace is set and none is kept in {data}: 'lastcall check' where the bot runs shows"
    " it; set LASTCALL_NAMESPACE, or say --namespace NAME, or --all-namespaces for whatever any Lastcall has rented."
)
_NOTHING = (
    "Nothing was looked at: no provider's key is set, and there are no machines of this computer in {data}."
)
_SHOUTED = frozenset({Fate.ENDED})
"""Beside what failed: a reaper that had to end something tells that the bot did not."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What was said on the command line. ``namespace`` empty: the one that is set."""

    namespace: str = ""
    all_namespaces: bool = False
    dry: bool = False
    as_json: bool = False
    within: timedelta = timedelta(minutes=10)


async def reap(read: Readable, wish: Wish) -> int:
    """0 when everything was asked and nothing that is due is left, else 1. Raises ``ValueError`` with a sentence where
    it is not known what is ours, or where there is nothing to look at; the second medium is told that, too."""
    logs.to_stderr(read.settings.log_level, as_json=read.settings.log_format == "json")
    if wish.namespace and not NAMESPACE.fullmatch(wish.namespace):
        raise ValueError("--namespace: is 1 to 20 lower-case letters and digits.")
    try:
        return await _reap(read, wish)
    except ValueError as error:
        if not wish.dry:
            await notifier_of(read.settings).shout("Lastcall's reaper did not look at anything", str(error))
        raise


async def _reap(read: Readable, wish: Wish) -> int:
    settings = read.settings
    namespace = None if wish.all_namespaces else _namespace(read, wish.namespace)
    parts = reaping_of(settings, namespace, read.faults)
    if not parts.providers and not parts.blind:
        raise ValueError(_NOTHING.format(data=settings.data))
    blind = (*parts.blind, *_unheard(read))
    notes = (*parts.notes, *_not_needed(read, blind))
    reaper = Reaper(parts.clock, parts.pause, namespace, vendor_skew, wish.within, wish.dry)
    try:
        visits = [*blind, *await reaper.reap(parts.providers)]
    finally:
        await parts.close()
    well = all(one.well for one in visits)
    untold = () if wish.dry else await _shout(notifier_of(settings), visits, namespace)
    if wish.as_json:
        _print_json(visits, namespace, notes, untold, wish)
    else:
        _print(visits, namespace, (*notes, *_silence(settings, well=well)))
    if untold:
        sys.stderr.write(
            f"lastcall: LASTCALL_NOTIFY_URLS: address {', '.join(untold)} did not take the message.\n"
        )
    return 0 if well else 1


def _namespace(read: Readable, said: str) -> str:
    """One that was set and cannot be read is not guessed from the data folder: that may be another's."""
    if said:
        return said
    if "namespace" in read.faults:
        raise ValueError(read.faults["namespace"])
    name = noted_namespace(read.settings)
    if not name:
        raise ValueError(_WHICH.format(data=read.settings.data))
    return name


def _unheard(read: Readable) -> tuple[Visit, ...]:
    """A second medium that cannot be told is found out now, not on the day it is needed."""
    wrong = read.faults.get("notify_urls")
    return (Visit("second medium", unknown=wrong),) if wrong else ()


def _not_needed(read: Readable, blind: Sequence[Visit]) -> list[str]:
    """What is wrong and stops the bot, but not this."""
    told = " ".join(one.unknown for one in blind)
    return [f"Not needed here, and to be mended: {said}" for said in read.faults.values() if said not in told]


def _silence(settings: Settings, *, well: bool) -> tuple[str, ...]:
    if well or settings.notify_addresses:
        return ()
    return ("Nobody else was told: LASTCALL_NOTIFY_URLS is not set.",)


async def _shout(notifier: Notifier, visits: Sequence[Visit], namespace: str | None) -> Sequence[str]:
    loud = [
        replace(one, machines=tuple(two for two in one.machines if two in one.failed or two.fate in _SHOUTED))
        for one in visits
    ]
    loud = [one for one in loud if one.machines or one.unknown]
    if not loud:
        return ()
    ended = sum(two.fate is Fate.ENDED for one in loud for two in one.machines)
    if all(one.well for one in loud):
        title = (
            f"Lastcall's reaper ended {ended} overdue machine{'s' if ended > 1 else ''}: is the bot running?"
        )
    else:
        title = "Lastcall's reaper could not make sure that nothing runs overdue"
    return await notifier.shout(title, f"Namespace: {namespace or 'all'}\n" + "\n".join(_lines(loud)))


def _lines(visits: Sequence[Visit]) -> list[str]:
    said = []
    for one in visits:
        if one.unknown:
            said.append(f"{one.provider}: unknown, it could not be asked: {one.unknown}")
        said += [_line(one.provider, machine) for machine in one.machines]
        said += [f"{one.provider}: {note}" for note in one.notes]
    return said


def _line(provider: str, one: Found) -> str:
    about = [_due(one.until)] if one.until else []
    about += [one.gpu] if one.gpu else []
    about += [f"{one.hourly}/h"] if one.hourly is not None else []
    why = f": {one.why}" if one.why else ""
    beside = f" ({', '.join(about)})" if about else ""
    return f"{provider}/{one.id} {one.label}: {one.fate}{beside}{why}"


def _due(until: datetime) -> str:
    return f"due {until:%Y-%m-%d %H:%M} UTC"


def _print(visits: Sequence[Visit], namespace: str | None, notes: Sequence[str]) -> None:
    sys.stdout.write(f"Namespace: {namespace or 'all'}\n")
    for one in visits:
        if not one.unknown:
            ours = len(one.machines)
            sys.stdout.write(
                f"{one.provider}: {one.listed} on the account, {ours} with a label to look at.\n"
            )
    for line in (*_lines(visits), *notes):
        sys.stdout.write(line + "\n")
    failed = sum(len(one.failed) + bool(one.unknown) for one in visits)
    due = sum(two.fate is Fate.WOULD_END for one in visits for two in one.machines)
    ends = [f"{failed} to look at."] if failed else []
    ends += [f"{due} would be ended."] if due else []
    sys.stdout.write(f"\n{' '.join(ends) or 'Nothing that is due is left.'}\n")


def _print_json(
    visits: Sequence[Visit], namespace: str | None, notes: Sequence[str], untold: Sequence[str], wish: Wish
) -> None:
    said = {
        "ok": all(one.well for one in visits),
        "dry_run": wish.dry,
        "namespace": namespace,
        "providers": [_visit(one) for one in visits],
        "notes": list(notes),
        "untold": list(untold),
    }
    sys.stdout.write(json.dumps(said) + "\n")


def _visit(one: Visit) -> dict[str, Any]:
    return {
        "provider": one.provider,
        "unknown": one.unknown or None,
        "listed": None if one.unknown else one.listed,
        "machines": [
            {
                "id": two.id,
                "label": two.label,
                "fate": two.fate.value,
                "until": two.until.isoformat() if two.until else None,
                "why": two.why or None,
                "gpu": two.gpu or None,
                "usd_per_hour": str(two.hourly.dollars) if two.hourly is not None else None,
            }
            for two in one.machines
        ],
        "notes": list(one.notes),
    }
