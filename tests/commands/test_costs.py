"""``costs`` at the desk: whose, which period, the picture, the file, and nobody else's team."""

from __future__ import annotations

import csv
import stat
from pathlib import Path

import pytest

from bot.domain.allowance import Kind as Rule
from bot.domain.allowance import Role, Scope, team_key
from bot.domain.talk import Actor, Kind
from bot.store.rows import Entry
from tests.support.rentals import HOUR
from tests.support.small_town import SmallTown
from tests.support.town import ANN, BEN, EVE
from tests.support.towns import Found


def _bytes(path: str) -> bytes:
    return Path(path).read_bytes()


def _mode(path: str) -> int:
    return stat.S_IMODE(Path(path).stat().st_mode)


async def _spent(found: Found) -> SmallTown:
    """ann has had a machine for an hour."""
    town = await found()
    tab = await town.rent("up world 3090 for 2h")
    await town.until(tab, lambda rental: rental.attempt is not None and rental.attempt.ready_at)
    town.clock.advance(HOUR)
    return town


async def test_my_costs_have_a_table_an_outlook_and_a_picture(found: Found):
    """An hour at what the machine costs, what burns now, and a PNG below the data folder."""
    town = await _spent(found)
    reply = await town.ask("costs")
    assert reply.kind is Kind.ANSWER
    fields = dict(reply.fields)
    assert (
        fields["spent"] != "$0.00" and "average" in fields["month's end"] and fields["burn now"] != "$0.00/h"
    )
    assert reply.tables[0].header[0] == "day (UTC)"
    (picture,) = reply.pictures
    assert _bytes(picture).startswith(b"\x89PNG") and Path(picture).parent.name == "exports"


async def test_the_team_sees_its_own_spend_and_no_other_team(found: Found):
    """A teammate sees ann's, a stranger nothing at all; neither does ben spend anything himself."""
    town = await _spent(found)
    assert (await town.ask("costs team", actor=BEN)).data["spent_usd"] != "0.000000"
    assert (await town.ask("costs @ann week", actor=BEN)).data["spent_usd"] != "0.000000"
    assert (await town.ask("costs", actor=BEN)).title.endswith("nothing")
    strange = await town.ask("costs team", actor=EVE)
    assert strange.title.endswith("nothing") and strange.pictures == ()


async def test_a_viewer_looks_at_everything_of_the_team_and_at_nothing_of_another(found: Found):
    """Looking is what a viewer is for; the role somebody has here opens no other team's books."""
    town = await _spent(found)
    for who in (BEN, EVE):
        rule = (Scope.PERSON, who.key, Rule.ROLE)
        await town.life.store.budgets.set(
            team_key(who),
            rule,
            Role.VIEWER,
            now=town.clock.now(),
            key=f"role-{who.id}",
            entry=Entry("budget", ""),
        )
    assert (await town.ask("up world 3090 for 1h", actor=BEN)).kind is Kind.REFUSED
    for line in ("costs team", "costs @ann", "costs @ann month csv"):
        assert (await town.ask(line, actor=BEN)).data["spent_usd"] != "0.000000", line
    assert (await town.ask("costs team", actor=EVE)).data["spent_usd"] == "0.000000"
    assert (await town.ask("costs @ann", actor=EVE)).kind is Kind.REFUSED


async def test_somebody_of_another_team_is_nobody(found: Found):
    """Asked for by name or by id, ann is told of in the same words as who does not exist."""
    town = await _spent(found)
    for name in (ANN.name, ANN.id, "nobody"):
        reply = await town.ask(f"costs @{name}", actor=EVE)
        assert reply.kind is Kind.REFUSED
        assert reply.title.replace(name, "…") == "Nobody called … has rented anything in your team."


async def test_a_file_is_private_and_holds_what_the_table_says(found: Found):
    """0600, named in the reply, with exact amounts; a name that is a formula is only a text."""
    town = await found()
    evil = Actor(ANN.chat, ANN.team, "mal", "=HYPERLINK(1)")
    tab = await town.rent("up world 3090 for 2h", actor=evil)
    await town.until(tab, lambda rental: rental.attempt is not None and rental.attempt.ready_at)
    town.clock.advance(HOUR)
    reply = await town.ask("costs team day csv", actor=ANN)
    path = reply.data["csv"]
    assert _mode(path) == 0o600 and path in reply.lines[-1]
    head, row = csv.reader(_bytes(path).decode().splitlines())
    assert head == ["day", "rental", "person", "provider", "usd"]
    assert row[2] == "'=HYPERLINK(1)" and row[4] == reply.data["spent_usd"]


@pytest.mark.parametrize(
    "line", ["costs year", "costs ann", "costs @", "costs day week", "costs csv=1", "costs me team"]
)
async def test_what_cannot_be_meant_is_asked_about(found: Found, line: str):
    """With its place in the line."""
    reply = await (await found()).ask(line)
    assert reply.kind is Kind.MISUNDERSTOOD and reply.caret is not None


async def test_order_and_case_do_not_matter(found: Found):
    """As everywhere in the grammar."""
    town = await _spent(found)
    one, other = await town.ask("costs week team"), await town.ask("COSTS Team WEEK")
    assert one.title == other.title == "The team's spend this week: " + dict(one.fields)["spent"]
