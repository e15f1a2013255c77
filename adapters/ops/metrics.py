"""The numbers as Prometheus reads them: one collector, asked at each scrape, in a registry of its own.

What comes from the database is the same at every replica (``max`` over them); what a process counts is its (``sum``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
)
from prometheus_client.registry import Collector

from adapters.ops.tally import PASS_S, Counts, Spread
from bot.domain.vitals import Rows, Vitals, Waiting

Family = CounterMetricFamily | GaugeMetricFamily | HistogramMetricFamily | InfoMetricFamily


class Metrics(Collector):
    """``text`` shows one moment; the counters are read as they are then."""

    def __init__(self, counts: Counts) -> None:
        self._counts = counts
        self._vitals = Vitals("", None)
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._registry.register(self)

    def text(self, vitals: Vitals) -> bytes:
        """In Prometheus's text format."""
        self._vitals = vitals
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Family]:
        """Every family, also those without a value: an alert may name it before the first one comes."""
        vitals = self._vitals
        yield InfoMetricFamily("lastcall", "Which deployment this is.", {"namespace": vitals.namespace})
        up = GaugeMetricFamily("lastcall_database_up", "1 while the database answers.")
        up.add_metric([], float(vitals.rows is not None))
        yield up
        yield from _rows(vitals.rows or Rows(), known=vitals.rows is not None)
        yield from _chats(vitals)
        yield from self._process(vitals)

    def _process(self, vitals: Vitals) -> Iterator[Family]:
        calls = CounterMetricFamily(
            "lastcall_vendor_calls", "Requests to a vendor.", labels=["provider", "kind"]
        )
        for keys, many in vitals.calls.items():
            calls.add_metric(keys, many)
        yield calls
        errors = CounterMetricFamily(
            "lastcall_vendor_errors", "Requests that did not succeed.", labels=["provider", "error"]
        )
        for keys, many in vitals.errors.items():
            errors.add_metric(keys, many)
        yield errors
        yield _ages("lastcall_beat_age_seconds", "Since a beat last ended well.", "beat", vitals.beats)
        yield _ages(
            "lastcall_sweep_age_seconds",
            "Since this process last swept a provider well; only the elected one has it.",
            "provider",
            vitals.sweeps,
        )
        passes = self._counts.passes if any(self._counts.passes.buckets) else Spread(PASS_S)
        yield _spread("lastcall_pass_seconds", "How long passes took.", "", {"": passes})
        yield _spread(
            "lastcall_teardown_seconds",
            "From the first request to end a machine to the proof that it is gone.",
            "provider",
            self._counts.teardowns,
        )


def _rows(rows: Rows, *, known: bool) -> Iterator[Family]:
    yield _gauge("lastcall_rentals", "Open rentals by state.", "state", rows.rentals)
    closed = CounterMetricFamily("lastcall_rentals_closed", "Rentals that are closed.", labels=["ending"])
    for ending, many in rows.closed.items():
        closed.add_metric([ending], many)
    yield closed
    rates = {name: float(usd.dollars) for name, usd in rows.hourly.items()}
    yield _gauge("lastcall_spend_usd_per_hour", "What is billed an hour now.", "provider", rates)
    limits = {team: float(one.limit.dollars) for team, one in rows.budgets.items()}
    left = {team: float(one.left.dollars) for team, one in rows.budgets.items()}
    yield _gauge("lastcall_budget_limit_usd", "A team's budget of the month.", "team", limits)
    yield _gauge("lastcall_budget_left_usd", "What is left of it; worst cases are charged.", "team", left)
    reminders = CounterMetricFamily("lastcall_reminders", "Reminders that were decided.", labels=["rung"])
    for rung, many in rows.reminders.items():
        reminders.add_metric([rung], many)
    yield reminders
    yield from _waiting("lastcall_teardowns", "Teardowns that are not proven", "provider", rows.teardowns)
    yield from _waiting("lastcall_outbox", "Messages that are due", "chat", rows.outbox)
    plain = {
        "lastcall_orphans": ("Machines that no rental knows and that are not proven gone.", rows.orphans),
        "lastcall_orphans_usd_per_hour": ("What they are billed.", float(rows.orphans_hourly.dollars)),
        "lastcall_pass_lag_seconds": (
            "How long the longest due rental waits for a pass.",
            rows.lag.total_seconds(),
        ),
        "lastcall_hard_end_overdue_seconds": (
            "How far a rental is past its hard end.",
            rows.overdue.total_seconds(),
        ),
    }
    for name, (about, value) in plain.items():
        gauge = GaugeMetricFamily(name, about)
        if known:  # nothing is better than a zero that nobody knows
            gauge.add_metric([], float(value))
        yield gauge


def _chats(vitals: Vitals) -> Iterator[Family]:
    connected = {name: float(one.connected) for name, one in vitals.chats.items()}
    yield _gauge("lastcall_chat_connected", "1 while a chat hears and can be told.", "chat", connected)
    ages = {name: one.silence for name, one in vitals.chats.items() if one.silence is not None}
    about = "Since the socket of a chat was last seen alive."
    yield _ages("lastcall_chat_socket_age_seconds", about, "chat", ages)


def _gauge(name: str, about: str, label: str, values: Mapping[str, float]) -> Family:
    gauge = GaugeMetricFamily(name, about, labels=[label])
    for key, value in values.items():
        gauge.add_metric([key], value)
    return gauge


def _ages(name: str, about: str, label: str, ages: Mapping[str, timedelta]) -> Family:
    return _gauge(name, about, label, {key: max(0.0, age.total_seconds()) for key, age in ages.items()})


def _waiting(name: str, about: str, label: str, values: Mapping[str, Waiting]) -> Iterator[Family]:
    yield _gauge(f"{name}_waiting", f"{about}.", label, {key: one.many for key, one in values.items()})
    oldest = {key: one.oldest for key, one in values.items()}
    yield _ages(f"{name}_oldest_seconds", f"{about}: how long the oldest waits.", label, oldest)


def _spread(name: str, about: str, label: str, spreads: Mapping[str, Spread]) -> Family:
    family = HistogramMetricFamily(name, about, labels=[label] if label else [])
    for key, spread in spreads.items():
        summed, buckets = 0, list[tuple[str, float]]()
        for bound, many in zip((*spread.bounds, None), spread.buckets, strict=True):
            summed += many
            buckets.append(("+Inf" if bound is None else str(bound), summed))
        family.add_metric([key] if label else [], buckets, spread.seconds)
    return family
