"""RunPod's billing: money spent by pod and bucket, of pods that were deleted, too (runpod.md, 5 and (b))."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from adapters.simulators.faces.face import Call, Said
from adapters.simulators.faces.runpod_stage import Invalid, Stage
from adapters.simulators.machine import SimMachine
from bot.domain.money import ZERO, Usd

_BUCKETS = {"hour": timedelta(hours=1), "day": timedelta(days=1)}
"""Weeks, months and years are not played."""
_KNOWN = {"startTime", "endTime", "lastN", "bucketSize", "podId"}
_USUAL = timedelta(days=30)


class Books:
    """``/v2/billing``."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def pods(self, call: Call) -> Said:
        """``GET billing/pods``: windows are widened to the edges of their buckets, the end is not in them."""
        query = call.query
        if set(query) - _KNOWN:
            raise Invalid([f"{name}: unknown parameter" for name in sorted(set(query) - _KNOWN)])
        if query.get("bucketSize", "day") not in _BUCKETS:
            raise Invalid(["bucketSize: must be hour or day"])
        bucket = _BUCKETS[query.get("bucketSize", "day")]
        first, last = self._window(query, bucket)
        told = [
            record
            for machine in self._stage.world.ever()
            if query.get("podId") in (None, machine.id)
            for record in self._records(machine, first, last, bucket)
        ]
        shown = {name: value for name, value in query.items() if name != "lastN"}
        totals = {name: sum(one[name] for one in told) for name in ("totalAmount", "gpuAmount", "diskAmount")}
        about = {
            "query": {**shown, "startTime": _told(first), "endTime": _told(last)},
            "recordCount": len(told),
            "uniquePodCount": len({one["podId"] for one in told}),
            "totals": {**totals, "cpuAmount": 0},
        }
        return Said(200, json={"records": told, "metadata": about})

    def _window(self, query: Mapping[str, str], bucket: timedelta) -> tuple[datetime, datetime]:
        now = self._stage.world.clock.now()
        if "lastN" in query and ("startTime" in query or "endTime" in query):
            raise Invalid(["lastN: not together with startTime or endTime"])
        if "lastN" in query:
            count = query["lastN"]
            if not count.isdigit() or int(count) < 1:
                raise Invalid(["lastN: must be a number above 0"])
            return _edge(now, bucket) - (int(count) - 1) * bucket, _edge(now, bucket) + bucket
        start = _moment(query.get("startTime"), now - _USUAL)
        end = _moment(query.get("endTime"), now)
        if start >= end:
            raise Invalid(["endTime: must be after startTime"])
        edge = _edge(end, bucket)
        return _edge(start, bucket), edge if edge == end else edge + bucket

    def _records(
        self, machine: SimMachine, first: datetime, last: datetime, bucket: timedelta
    ) -> Iterator[dict[str, Any]]:
        world = self._stage.world
        written = world.clock.now() - self._stage.quirks.late_books
        at = max(first, _edge(machine.spans[0].born, bucket))
        while at < min(last, written):
            amount = self._cost(machine, min(at + bucket, written)) - self._cost(machine, at)
            if amount > ZERO:
                yield _record(machine, at, bucket, amount)
            at += bucket

    def _cost(self, machine: SimMachine, moment: datetime) -> Usd:
        if moment <= machine.spans[0].born:
            return ZERO
        return machine.cost(self._stage.world.tariff, moment)


def _record(machine: SimMachine, at: datetime, bucket: timedelta, amount: Usd) -> dict[str, Any]:
    return {
        "startTime": _told(at),
        "endTime": _told(at + bucket),
        "podId": machine.id,
        "totalAmount": float(amount.dollars),
        "gpuAmount": float(amount.dollars),
        "cpuAmount": 0,
        "diskAmount": 0,
    }


def _edge(moment: datetime, bucket: timedelta) -> datetime:
    day = moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return day + (moment - day) // bucket * bucket


def _moment(text: str | None, usual: datetime) -> datetime:
    if text is None:
        return usual
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Invalid([f"{text!r} is no date-time"]) from None
    if moment.tzinfo is None:
        raise Invalid([f"{text!r} has no time zone"])
    return moment


def _told(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
