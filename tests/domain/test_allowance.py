"""Budgets, judged: whatever is said, nothing that is not covered is admitted."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.allowance import (
    Ask,
    Charges,
    Defaults,
    Kind,
    Role,
    Scope,
    day_of,
    is_within,
    judge,
    month_of,
    role_of,
    wants_approval,
)
from bot.domain.money import ZERO, Usd
from bot.domain.talk import Actor, Channel

ANN = Actor("sim", "acme", "ann", "ann")
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def ask(worst: str = "4.10", hourly: str = "0.40", at: datetime = NOON, machines: int = 1) -> Ask:
    return Ask(ANN, Channel("sim", "general"), Usd.of(worst), Usd.of(hourly), at, machines)


def dollars(amount: str) -> str:
    return str(Usd.of(amount).micros)


def test_without_limits_everything_is_admitted():
    """A team that set nothing is held by each rental's own budget alone."""
    assert judge(ask(), {}, {}).sentence == ""


def test_what_is_left_is_told_and_rounded_down():
    """$10 a day, of which $6.905 is charged: not even a thousandth more is promised than there is."""
    rules = {(Scope.PERSON, "", Kind.DAY): dollars("10")}
    verdict = judge(ask(), {Scope.PERSON: Charges(day=Usd.of("6.905"))}, rules)
    assert verdict.sentence == "Your budget has $3.09 of $10.00 left today, and this can cost $4.10."
    assert "cheaper card" in verdict.help


def test_exactly_what_is_left_is_admitted():
    """The last cent may be spent."""
    rules = {(Scope.TEAM, "", Kind.MONTH): dollars("10")}
    assert judge(ask(), {Scope.TEAM: Charges(month=Usd.of("5.90"))}, rules).sentence == ""
    assert judge(ask(), {Scope.TEAM: Charges(month=Usd.of("5.900001"))}, rules).sentence != ""


def test_ones_own_limit_goes_before_everybodys():
    """Ann has more than the others, and Ben has the usual."""
    rules = {(Scope.PERSON, "", Kind.DAY): dollars("1"), (Scope.PERSON, ANN.key, Kind.DAY): dollars("50")}
    assert judge(ask(), {}, rules).sentence == ""


def test_machines_and_rate_at_a_time():
    """Both count what runs; more time on a machine that runs is no second machine."""
    two = {(Scope.TEAM, "", Kind.MACHINES): "2"}
    full = {Scope.TEAM: Charges(machines=2)}
    assert "2 machines at a time" in judge(ask(), full, two).sentence
    assert judge(ask(machines=0), full, two).sentence == ""
    rate = {(Scope.TEAM, "", Kind.RATE): dollars("1")}
    assert "$0.75/h run" in judge(ask(), {Scope.TEAM: Charges(rate=Usd.of("0.75"))}, rate).sentence
    assert judge(ask(), {Scope.TEAM: Charges(rate=Usd.of("0.60"))}, rate).sentence == ""


def test_what_is_free_is_never_refused_for_money():
    """A computer of one's own costs nothing, also where the month is used up."""
    rules = {(Scope.TEAM, "", Kind.MONTH): dollars("1")}
    assert judge(ask("0", "0"), {Scope.TEAM: Charges(month=Usd.of(1))}, rules).sentence == ""


@pytest.mark.parametrize(
    ("hours", "at", "allowed"),
    [
        ("08:00-20:00 UTC", datetime(2026, 3, 2, 8, 0, tzinfo=UTC), True),
        ("08:00-20:00 UTC", datetime(2026, 3, 2, 20, 0, tzinfo=UTC), False),
        ("22:00-06:00 UTC", datetime(2026, 3, 2, 23, 0, tzinfo=UTC), True),
        ("22:00-06:00 UTC", datetime(2026, 3, 2, 12, 0, tzinfo=UTC), False),
        # Summer time began in Berlin on 2026-03-29: 06:30 UTC is 07:30 the day before and 08:30 that day.
        ("08:00-20:00 Europe/Berlin", datetime(2026, 3, 28, 6, 30, tzinfo=UTC), False),
        ("08:00-20:00 Europe/Berlin", datetime(2026, 3, 29, 6, 30, tzinfo=UTC), True),
    ],
)
def test_allowed_hours_are_the_teams_own_time(hours: str, at: datetime, allowed: bool):
    """Over midnight, and on the day on which summer time begins."""
    assert is_within(hours, at) is allowed
    assert (judge(ask(at=at), {}, {(Scope.TEAM, "", Kind.HOURS): hours}).sentence == "") is allowed


def test_days_and_months_begin_at_midnight_utc():
    """Also on the leap day and at the end of a month."""
    assert day_of(datetime(2028, 2, 29, 23, 59, tzinfo=UTC)) == datetime(2028, 2, 29, tzinfo=UTC)
    assert month_of(datetime(2028, 2, 29, 23, 59, tzinfo=UTC)) == datetime(2028, 2, 1, tzinfo=UTC)
    assert month_of(datetime(2026, 3, 1, 0, 0, tzinfo=UTC)) == datetime(2026, 3, 1, tzinfo=UTC)


def test_approval_is_wanted_above_each_threshold():
    """Total, rate and card, each alone; at the threshold itself nobody has to agree."""
    total = {(Scope.APPROVAL, "", Kind.TOTAL): dollars("4.10")}
    assert wants_approval(Usd.of("4.10"), ZERO, "RTX 3090", total) == ""
    assert "more than $4.10" in wants_approval(Usd.of("4.11"), ZERO, "RTX 3090", total)
    rate = {(Scope.APPROVAL, "", Kind.RATE): dollars("1")}
    assert "$1.00/h" in wants_approval(ZERO, Usd.of("1.01"), "RTX 3090", rate)
    cards = {(Scope.APPROVAL, "", Kind.CARDS): "h100,A100"}
    assert wants_approval(ZERO, ZERO, "H100 SXM", cards) == "H100 SXM needs it"
    assert wants_approval(ZERO, ZERO, "RTX 3090", cards) == ""


def test_roles_settings_stand_above_commands():
    """An admin of the settings cannot be taken away, and the console is who runs the bot."""
    demoted = {(Scope.PERSON, ANN.key, Kind.ROLE): "viewer"}
    assert role_of(ANN, demoted, Defaults()) is Role.VIEWER
    assert role_of(ANN, demoted, Defaults(admins=frozenset({ANN.key}))) is Role.ADMIN
    assert role_of(Actor("console", "host", "0"), {}, Defaults(role=Role.VIEWER)) is Role.ADMIN
    assert role_of(ANN, {}, Defaults(role=Role.VIEWER)) is Role.VIEWER


@given(
    limit=st.integers(1, 10**9),
    charged=st.integers(0, 10**9),
    worst=st.integers(1, 10**9),
    scope=st.sampled_from([Scope.PERSON, Scope.CHANNEL, Scope.TEAM]),
    kind=st.sampled_from([Kind.DAY, Kind.MONTH]),
)
def test_nothing_beyond_a_limit_is_ever_admitted(
    limit: int, charged: int, worst: int, scope: Scope, kind: Kind
):
    """Whatever the numbers: admitted exactly when charged and asked fit."""
    has = Charges(day=Usd(charged)) if kind is Kind.DAY else Charges(month=Usd(charged))
    wanted = Ask(ANN, Channel("sim", "general"), Usd(worst), ZERO, NOON)
    verdict = judge(wanted, {scope: has}, {(scope, "", kind): str(limit)})
    assert (verdict.sentence == "") == (charged + worst <= limit)
