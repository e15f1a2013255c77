"""The opening page: own tabs with their buttons, the team's, and the month against its budget."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.commands.home import MOST_CARDS
from bot.domain.allowance import Defaults
from bot.domain.rental import Goal
from bot.domain.talk import Actor, Kind, Reply, Tone
from tests.support.small_town import HOUR, SmallTown
from tests.support.town import ANN, BEN, EVE
from tests.support.towns import Found

BOSS = Actor("sim", ANN.team, "boss", "boss")


async def page(town: SmallTown, actor: Actor = ANN) -> Sequence[Reply]:
    """As the chat asks for it."""
    return await town.life.desk.home(actor)


async def runs(town: SmallTown, actor: Actor = ANN) -> str:
    """A machine that runs."""
    tab = await town.rent("up world 3090 for 4h", actor=actor)
    await town.until(
        tab, lambda rental: rental.goal is Goal.READY and rental.attempt and rental.attempt.ready_at
    )
    return tab


def commands(reply: Reply) -> list[str]:
    """What can be pressed."""
    return [button.command.split()[0] for button in reply.buttons]


async def test_nothing_open_is_said_in_few_words(town: SmallTown):
    """One reply, with what to do."""
    (only,) = await page(town)
    assert only.title == "Nothing is open. Nothing costs." and only.tone is Tone.GOOD and only.meter is None
    assert dict(only.fields)["now"] == "$0.00/h" and "up, or train" in only.lines[0]


async def test_own_tabs_are_cards_and_the_teams_a_table(town: SmallTown):
    """Another team's are neither; what runs costs now."""
    mine, theirs = await runs(town), await runs(town, BEN)
    strange = await runs(town, EVE)
    head, card, table = await page(town)
    assert head.title == "1 of yours open, 1 of your team"
    assert dict(head.fields)["now"] == "$0.40/h"
    assert card.rental == mine and commands(card) == ["down", "extend", "extend", "ssh"] and not card.tables
    assert [row[0] for row in table.tables[0].rows] == [theirs] and table.tables[0].rows[0][-1] == "ben"
    assert strange not in str((head, card, table))


async def test_the_month_is_held_against_the_budgets(found: Found):
    """What was spent, and what is charged with what may still come of it."""
    town = await found(defaults=Defaults(admins=frozenset({BOSS.key})))
    await town.ask("budget set team month $100", actor=BOSS)
    tab = await runs(town)
    await town.pass_time(HOUR)
    worst = (await town.rental(tab)).worst_case
    assert worst is not None
    head = (await page(town))[0]
    said = dict(head.fields)
    assert said["team, this month"] == f"$0.21 spent; {worst} of $100.00 charged"
    assert said["you, this month"] == "$0.21 spent"
    assert head.meter is not None and head.meter.caption.startswith(f"The team's month: {worst} of $100.00")
    await town.ask("budget set person month $10", actor=BOSS)
    meter = (await page(town))[0].meter
    assert meter is not None and (meter.done, meter.total) == (worst.micros, 10_000_000)
    assert (
        dict((await page(town, BEN))[0].fields)["you, this month"] == "$0.00 spent; $0.00 of $10.00 charged"
    )


async def test_a_viewer_has_the_buttons_of_a_viewer(found: Found):
    """Who may rent no more may still end what is their own."""
    town = await found(defaults=Defaults(admins=frozenset({BOSS.key})))
    await runs(town)
    await town.ask("budget role @ann viewer", actor=BOSS)
    head, card = await page(town)
    assert commands(card) == ["down"]
    assert "You may look, and not rent here." in head.lines


async def test_of_many_the_first_are_shown_and_the_rest_counted(town: SmallTown):
    """A page has an end."""
    for _ in range(MOST_CARDS + 2):
        await town.rent("up world 3090 for 1h")
    replies = await page(town)
    assert len([one for one in replies if one.rental]) == MOST_CARDS
    assert replies[-1].title == "2 more of yours: status"


async def test_a_fault_is_a_page_that_says_so(town: SmallTown):
    """Nothing escapes into the chat."""
    house = town.life.desk.house
    town.life.desk.house = replace(house, store=None)  # type: ignore[arg-type] # whatever breaks
    (only,) = await page(town)
    assert only.kind is Kind.FAULT and "reference" in only.title
