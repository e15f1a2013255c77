"""The ledger: days that come to the total, periods and their edges, projections, what is safe in a file."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain import budget, ledger
from bot.domain.ledger import By, Period
from bot.domain.ledger_cards import Spend, report
from bot.domain.money import ZERO, Usd
from bot.domain.rental import Attempt
from bot.domain.talk import Actor
from tests.support.rentals import ANN, HOUR, MINUTE, OFFER, START, begun, running

SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)
EPOCH = datetime(2020, 1, 1, tzinfo=UTC)


def at(*parts: int) -> datetime:
    """A moment in UTC."""
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type, misc]


@st.composite
def billed(draw: st.DrawFn) -> Attempt:
    """A machine over a few midnights, with any tariff."""
    moment = st.timedeltas(timedelta(0), timedelta(days=3)).map(lambda length: START + length)
    maybe = st.none() | moment
    offer = replace(
        OFFER,
        hourly=Usd(draw(st.integers(0, 3_000_000))),
        traffic_per_gb=Usd(draw(st.sampled_from((0, 20_000)))),
        gpu_from_running=draw(st.booleans()),
        billing_step=draw(st.sampled_from((timedelta(0), MINUTE))),
        stopped_hourly=draw(st.none() | st.just(Usd(1_234))),
    )
    offer = replace(offer, disk_hourly=Usd(offer.hourly.micros // 10))
    facts = {"running_at": draw(maybe), "stopped_at": draw(maybe), "ended_at": draw(maybe)}
    tried_at, lasted = draw(moment), draw(st.none() | st.timedeltas(timedelta(0), timedelta(days=3)))
    facts |= {"tried_at": tried_at, "gone_at": None if lasted is None else tried_at + lasted}
    facts |= {"strayed": Usd(draw(st.sampled_from((0, 9_000))))}
    return running(offer=offer, traffic_bytes=draw(st.integers(0, 10**10)), **facts)


@given(billed(), st.timedeltas(timedelta(days=6), timedelta(days=7)))
def test_the_days_of_a_rental_come_to_what_it_spent(attempt: Attempt, later: timedelta):
    """To the micro-dollar, with every way of billing, and no day is below zero."""
    rental, now = begun(attempts=(attempt,)), START + later
    lines = ledger.lines([rental], EPOCH, now)
    assert ledger.total(lines) == budget.spent(rental, now)
    assert all(line.cost > ZERO for line in lines)


@pytest.mark.parametrize(
    ("now", "begins", "end"),
    [
        (at(2026, 11, 30, 23, 59, 59), at(2026, 11, 1), at(2026, 12, 1)),
        (at(2026, 12, 31, 12), at(2026, 12, 1), at(2027, 1, 1)),
        (at(2028, 2, 29, 12), at(2028, 2, 1), at(2028, 3, 1)),
        (at(2027, 2, 28, 12), at(2027, 2, 1), at(2027, 3, 1)),
        (at(2026, 1, 31, 0), at(2026, 1, 1), at(2026, 2, 1)),
    ],
)
def test_a_month_ends_where_the_calendar_says(now: datetime, begins: datetime, end: datetime):
    """Month's end, year's end, and February with and without its 29th."""
    assert (ledger.since(Period.MONTH, now), ledger.month_end(now)) == (begins, end)


def test_a_leap_day_is_a_day_with_spend_of_its_own():
    """A machine that runs from the 28th of February to the 1st of March has three days."""
    attempt = running(tried_at=at(2028, 2, 28, 12), ended_at=at(2028, 3, 1, 12))
    days = [line.day for line in ledger.lines([begun(attempts=(attempt,))], EPOCH, at(2028, 3, 2))]
    assert [f"{day:%m-%d}" for day in days] == ["02-28", "02-29", "03-01"]


def test_a_day_on_which_clocks_are_set_has_24_hours():
    """On 29 March 2026 clocks in Europe skip an hour; in UTC, where we count, it is a day like any other."""
    attempt = running(tried_at=at(2026, 3, 28), ended_at=at(2026, 3, 31))
    costs = [line.cost for line in ledger.lines([begun(attempts=(attempt,))], EPOCH, at(2026, 4, 1))]
    assert costs == [OFFER.hourly * 24] * 3


def test_a_week_begins_on_monday_and_a_day_at_midnight():
    """Also where a week lies in two months."""
    now = at(2026, 3, 1, 8)  # a Sunday
    assert ledger.since(Period.WEEK, now) == at(2026, 2, 23)
    assert ledger.since(Period.DAY, now) == at(2026, 3, 1)


def test_on_the_first_a_few_minutes_are_no_average():
    """A dollar in the first ten minutes is a dollar a day, and not 144 of them."""
    attempt = running(
        offer=replace(OFFER, hourly=Usd.of(6)), tried_at=at(2026, 3, 1), ended_at=at(2026, 3, 1, 0, 10)
    )
    seen = ledger.outlook([begun(attempts=(attempt,))], at(2026, 3, 1, 0, 10))
    assert seen.spent == Usd.of(1) == seen.running
    assert Usd.of(31) < seen.average < Usd.of(32)


def test_what_runs_is_projected_to_its_hard_end_and_not_beyond_the_month():
    """Two hours for a dollar at $0.20/h: the second hour is still to come; at month's end only what is left of it."""
    rental = begun()
    assert ledger.outlook([rental], START + HOUR).running == Usd.of("0.40")
    late = at(2026, 3, 31, 23)
    over = begun(began_at=late, attempts=(running(tried_at=late, running_at=late),))
    assert ledger.outlook([over], late + HOUR / 2).running == Usd.of("0.20")


def test_a_stopped_machine_burns_and_costs_its_own_rate():
    """An hour at $0.20, then an hour stopped at $0.02; where no such rate is known it bills as if it ran."""
    offer = replace(OFFER, stopped_hourly=Usd.of("0.02"))
    rental = begun(attempts=(running(offer=offer, stopped_at=START + HOUR),))
    assert budget.spent(rental, START + 2 * HOUR) == Usd.of("0.22")
    assert ledger.burn([rental]) == Usd.of("0.02")
    unknown = begun(attempts=(running(stopped_at=START + HOUR),))
    assert budget.spent(unknown, START + 2 * HOUR) == Usd.of("0.40")


def test_an_empty_period_is_told_as_such():
    """No table, no division by nothing, zero everywhere."""
    now = at(2026, 3, 1)
    reply = report(Spend("Your", By.PROVIDER, "today", now, now, now, []))
    assert reply.title == "Your spend today: nothing"
    assert reply.tables == ()
    assert reply.data["month_end_by_average_usd"] == "0.000000"


def test_a_difference_is_told_beyond_a_percent_and_a_cent():
    """Neither a cent of a small bill nor a percent of a large one."""
    assert not ledger.matters(Usd.of("0.11"), Usd.of("0.10"))
    assert ledger.matters(Usd.of("0.12"), Usd.of("0.10"))
    assert not ledger.matters(Usd.of("100.50"), Usd.of(100))
    assert ledger.matters(Usd.of("98.90"), Usd.of(100))


@pytest.mark.parametrize("evil", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r\n=cmd|' /C calc'!A0", " =1"])
def test_no_cell_of_a_file_is_a_formula(evil: str):
    """Whatever somebody calls themselves, a spreadsheet shows it and does not run it."""
    rental = begun(owner=Actor("sim", "acme", "u1", evil))
    (row,) = ledger.csv_rows(ledger.lines([rental], EPOCH, START + HOUR))
    assert row[2].startswith("'")
    assert "\n" not in row[2]
    assert row[-1] == "0.200000"


def test_a_name_of_a_hundred_thousand_characters_fits():
    """In the table, in the file, and a name without any is the id."""
    rental = begun(owner=Actor("sim", "acme", "u1", "x" * 100_000))
    now = START + HOUR
    lines = ledger.lines([rental], EPOCH, now)
    assert len(ledger.csv_rows(lines)[0][2]) == 200
    reply = report(Spend("The team's", By.PERSON, "this month", at(2026, 3, 1), now, now, [rental]))
    assert (
        max(len(cell) for table in reply.tables for row in (table.header, *table.rows) for cell in row) < 60
    )
    assert ledger.person(replace(ANN, name="")) == ANN.id


def test_what_strayed_is_in_the_days_when_the_proof_came_after_midnight():
    """Ended at five to twelve, proven gone at five past: what came back later is on the second day."""
    midnight = at(2026, 3, 2)
    attempt = running(tried_at=midnight - HOUR, running_at=midnight - HOUR, ended_at=midnight - 5 * MINUTE,
                      gone_at=midnight + 5 * MINUTE, strayed=Usd(70))  # fmt: skip
    lines = ledger.lines([begun(attempts=(attempt,))], EPOCH, midnight + DAY)
    assert [(line.day.day, line.cost) for line in lines][1:] == [(2, Usd(70))]
    assert ledger.total(lines) == budget.cost(attempt, midnight + DAY)
