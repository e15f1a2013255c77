"""Killer two: end what is past the time in its label, knowing nothing but the accounts themselves.

No database, no bot: each provider is listed, what is ours and due is asked to end, asked again, and believed gone only
after two complete listings and ``inspect``. A listing that cannot be had is *unknown*: neither empty nor ours to guess.
It may run beside the bot, and beside itself: every call is one that may be repeated, and *already gone* is success.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar

from bot.domain.due import SKEW, Judged, Verdict, judge
from bot.domain.errors import NeedsHuman, ProviderError, TryLater
from bot.domain.market import Machine
from bot.domain.reaped import Fate, Found, Visit
from bot.ports import Clock, Provider

log = logging.getLogger("lastcall.reap")

WITHIN = timedelta(minutes=10)
"""So long the end of what is due may take: the longest settle window and teardown of a vendor are five minutes each."""
_CALL = timedelta(minutes=2)
"""No single call may hold up the rest, also not one that stands in line because a vendor asked for an hour."""
_PACE = (2, 3, 5, 10, 15)
"""Seconds between two looks; the last one again and again."""
_LISTINGS = 3
"""Tries for the first listing: what passes by itself should wake nobody."""
_ABSENT = 2
"""Looks in a row that must know nothing of a machine."""

Pause = Callable[[timedelta], Awaitable[None]]
Skew = Callable[[Provider], timedelta | None]
T = TypeVar("T")

_LEFT = {
    Verdict.DUE: Fate.WOULD_END,
    Verdict.NOT_DUE: Fate.NOT_DUE,
    Verdict.DOUBTFUL: Fate.DOUBTFUL,
    Verdict.UNREADABLE: Fate.UNREADABLE,
    Verdict.UNREADABLE_ELSEWHERE: Fate.UNREADABLE_ELSEWHERE,
}


@dataclass(slots=True)
class _Case:
    """A machine that is due, while its end is being proven."""

    machine: Machine
    judged: Judged
    absences: int = 0
    said: str = "it was asked to end and is still there"

    @property
    def gone(self) -> bool:
        return self.absences >= _ABSENT


@dataclass(frozen=True, slots=True)
class Reaper:
    """``namespace`` None: every label of Lastcall is ours. ``pause`` lets time pass; ``skew`` is how far a vendor's
    clock is ahead of ours, as its last answer told."""

    clock: Clock
    pause: Pause
    namespace: str | None
    skew: Skew = field(default=lambda _: None)
    within: timedelta = WITHIN
    dry: bool = False
    """Only look, and say what would be done."""

    async def reap(self, providers: Sequence[Provider]) -> list[Visit]:
        """All side by side: one that cannot be asked spares no machine of another."""
        return list(await asyncio.gather(*(self._safely(one) for one in providers)))

    async def _safely(self, provider: Provider) -> Visit:
        try:
            return await self._visit(provider)
        except ProviderError as error:
            return Visit(provider.name, unknown=error.reason)
        except Exception as error:
            log.exception("a fault of ours at %s", provider.name)
            return Visit(provider.name, unknown=f"a fault of Lastcall ({type(error).__name__})")

    async def _visit(self, provider: Provider) -> Visit:
        listing = await self._first_listing(provider)
        cases: dict[str, _Case] = {}
        rest: dict[str, Found] = {}
        self._sort(provider, listing, cases, rest)
        notes = self._clocks(provider)
        if self.dry or not cases:
            ended = [_found(case, Fate.WOULD_END) for case in cases.values()]
            return Visit(provider.name, len(listing), (*ended, *rest.values()), notes=notes)
        labels = await self._chase(provider, cases, rest)
        ended = [
            _found(case, Fate.ENDED) if case.gone else _found(case, Fate.STILL_THERE, case.said)
            for case in cases.values()
        ]
        notes += await self._tidy(provider, cases, labels)
        return Visit(provider.name, len(listing), (*ended, *rest.values()), notes=notes)

    async def _first_listing(self, provider: Provider) -> Sequence[Machine]:
        for seconds in _PACE[: _LISTINGS - 1]:
            try:
                return await _bounded(provider.machines())
            except NeedsHuman:
                raise
            except ProviderError:
                await self.pause(timedelta(seconds=seconds))
        return await _bounded(provider.machines())

    def _sort(
        self,
        provider: Provider,
        listing: Sequence[Machine],
        cases: dict[str, _Case],
        rest: dict[str, Found],
    ) -> None:
        """What a complete listing shows: due into ``cases``, also what had been gone and is there again; what is told
        and left alone into ``rest``, also what was due until somebody changed its label."""
        now, skew = self.clock.now(), self.skew(provider)
        for machine in listing:
            judged = judge(machine.label, self.namespace, now, skew)
            if judged.verdict is Verdict.DUE:
                rest.pop(machine.id, None)
                case = cases.setdefault(machine.id, _Case(machine, judged))
                case.machine, case.judged, case.absences = machine, judged, 0
                continue
            cases.pop(machine.id, None)
            if judged.verdict in _LEFT:
                rest[machine.id] = _found(_Case(machine, judged), _LEFT[judged.verdict], judged.why)

    async def _chase(self, provider: Provider, cases: dict[str, _Case], rest: dict[str, Found]) -> set[str]:
        """Ask and look until all are gone or the time is over; the labels that the last listing showed."""
        shown: set[str] = set()
        for pause in self._paces():
            await asyncio.gather(*(self._ask(provider, one) for one in cases.values() if not one.absences))
            await self.pause(pause)
            try:
                listing = await _bounded(provider.machines())
            except ProviderError as error:
                for case in cases.values():
                    case.said = f"whether it is gone cannot be seen: {error.reason}"
                continue
            shown = {machine.label for machine in listing}
            self._sort(provider, listing, cases, rest)
            listed = {machine.id for machine in listing}
            missing = [one for name, one in cases.items() if name not in listed and not one.gone]
            await asyncio.gather(*(self._inspect(provider, one) for one in missing))
            if all(case.gone for case in cases.values()):
                break
        return shown

    def _paces(self) -> Iterator[timedelta]:
        """Pauses until the time is over, by the clock or by what was waited: a clock may be set back meanwhile."""
        began, waited, number = self.clock.now(), timedelta(0), 0
        while waited < self.within and self.clock.now() < began + self.within:
            pause = timedelta(seconds=_PACE[min(number, len(_PACE) - 1)])
            yield pause
            waited, number = waited + pause, number + 1

    async def _ask(self, provider: Provider, case: _Case) -> None:
        log.warning("%s: ending %s, due since %s", provider.name, case.machine.id, case.judged.until)
        try:
            await _bounded(provider.destroy(case.machine.id))
        except ProviderError as error:
            case.said = error.reason  # asked again after the next look
        else:
            case.said = "it was asked to end and is still there"

    async def _inspect(self, provider: Provider, case: _Case) -> None:
        """Not listed: once is not enough, and a vendor that cannot be asked proves nothing."""
        try:
            machine = await _bounded(provider.inspect(case.machine.id))
        except ProviderError as error:
            case.said = f"whether it is gone cannot be seen: {error.reason}"
            return
        if machine is None:
            case.absences, case.said = case.absences + 1, "it was seen to be gone only once"
        else:
            case.absences = 0

    async def _tidy(self, provider: Provider, cases: dict[str, _Case], shown: set[str]) -> tuple[str, ...]:
        """What the launches left on the account beside their machines, unless another goes by the same label. It bills
        nothing, so that what stays is told and no failure."""
        said = []
        for label in sorted({one.machine.label for one in cases.values() if one.gone} - shown):
            try:
                await _bounded(provider.tidy(label))
            except ProviderError as error:
                said.append(f"What the launch of {label} left on the account stays: {error.reason}")
        return tuple(said)

    def _clocks(self, provider: Provider) -> tuple[str, ...]:
        skew = self.skew(provider)
        if skew is None or abs(skew) <= SKEW:
            return ()
        minutes, way = round(abs(skew).total_seconds() / 60), "ahead of" if skew > timedelta(0) else "behind"
        return (f"Its clock is {minutes} min {way} this computer's; only what is due by both is ended.",)


async def _bounded(call: Awaitable[T]) -> T:
    try:
        async with asyncio.timeout(_CALL.total_seconds()):
            return await call
    except TimeoutError:
        raise TryLater("no answer within two minutes") from None


def _found(case: _Case, fate: Fate, why: str = "") -> Found:
    one = case.machine
    return Found(one.id, one.label, fate, case.judged.until, why, one.gpu, one.hourly)
