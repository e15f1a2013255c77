"""``budget`` at the desk: what holds, who may change it, and what a rental is told that it does not cover."""

from __future__ import annotations

from typing import Any

import pytest

from bot.domain.allowance import Defaults
from bot.domain.money import Usd
from bot.domain.talk import Actor, Kind
from tests.support.small_town import SmallTown
from tests.support.town import ANN, BEN, EVE
from tests.support.towns import Found

BOSS = Actor("sim", ANN.team, "boss", "boss")
ADMINS = Defaults(admins=frozenset({BOSS.key}))


async def _town(found: Found, **more: Any) -> SmallTown:
    return await found(auto_confirm=Usd(0), defaults=ADMINS, **more)


async def _quoted(town: SmallTown, text: str = "up world 3090 for 2h", actor: Actor = ANN) -> str:
    tab = await town.rent(text, actor=actor)
    await town.until(tab, lambda rental: rental.quoted_at)
    return tab


async def test_budget_shows_what_holds_what_is_charged_and_who_one_is(found: Found):
    """A line for each limit, also for those that are not set."""
    town = await _town(found)
    await town.ask("budget set team month $300", actor=BOSS)
    await town.ask(f"confirm {await _quoted(town)}")
    reply = await town.ask("budget")
    assert reply.kind is Kind.ANSWER and reply.private
    rows = {row[:2]: row[2:] for row in reply.tables[0].rows}
    assert rows["the team", "this month"][1] == "$300.00"
    assert rows["you", "today"][0] == rows["the team", "this month"][0] != "$0.00"
    assert rows["you", "machines"] == ("1", "no limit")
    assert any("You are a member" in line and "boss" in line for line in reply.lines)


async def test_only_an_admin_sets_and_it_is_in_the_journal(found: Found):
    """A member is refused; what the admin says holds at once, and who said it is written down."""
    town = await _town(found)
    refused = await town.ask("budget set team month $300", actor=BEN)
    assert refused.kind is Kind.REFUSED and "Only an admin" in refused.title
    told = await town.ask("budget set person day 50c", actor=BOSS)
    assert told.title == "Set: person day: $0.50."
    assert "person day: $0.50" in await town.told("", "budget")


async def test_a_confirm_that_no_budget_covers_says_what_would_help(found: Found):
    """Nothing is rented, the quote stands, and after the limit is raised the same word works."""
    town = await _town(found)
    await town.ask("budget set person day 10c", actor=BOSS)
    tab = await _quoted(town)
    reply = await town.ask(f"confirm {tab}")
    assert reply.kind is Kind.REFUSED
    assert reply.title.startswith("Your budget has $0.10 of $0.10 left today, and this can cost $")
    assert any("shorter time" in line for line in reply.lines)
    assert (await town.rental(tab)).attempts == ()
    await town.ask(f"budget set @{ANN.id} day $20", actor=BOSS)
    assert (await town.ask(f"confirm {tab}")).kind is Kind.ANSWER
    await town.until(tab, lambda rental: rental.attempts)


async def test_what_needs_no_confirm_needs_a_budget_all_the_same(found: Found):
    """Where policy would not ask, an empty purse does: it stays a quote, and says so in the journal."""
    town = await found(auto_confirm=Usd.of(100), defaults=ADMINS)
    await town.ask("budget set team machines 0", actor=BOSS)
    tab = await town.rent("up world 3090 for 2h")
    rental = await town.until(tab, lambda rental: rental.quoted_at)
    assert rental.attempts == ()
    assert "0 machines at a time" in (await town.ask(f"confirm {tab}")).title


async def test_an_extension_is_held_to_the_same_budgets(found: Found):
    """More time is more money, and not more than there is."""
    town = await _town(found)
    tab = await _quoted(town)
    worst = (await town.rental(tab)).worst_case
    assert worst is not None
    await town.ask(f"budget set person day ${(worst + Usd.of('0.05')).dollars}", actor=BOSS)
    await town.ask(f"confirm {tab}")
    await town.until(tab, lambda rental: rental.attempt is not None and rental.attempt.ready_at)
    end = (await town.rental(tab)).hard_end
    reply = await town.ask(f"extend {tab} 2h")
    assert reply.kind is Kind.REFUSED and "left today" in reply.title
    assert (await town.rental(tab)).hard_end == end


async def test_roles_viewers_look_and_admins_may_all(found: Found):
    """A viewer neither rents nor ends; an admin spends for others; nobody demotes an admin of the settings."""
    town = await _town(found)
    tab = await _quoted(town)
    assert (await town.ask(f"budget role @{BEN.id} viewer", actor=BOSS)).kind is Kind.ANSWER
    for line in ("up world 3090", f"down {tab}", f"extend {tab} 1h"):
        assert (await town.ask(line, actor=BEN)).kind is Kind.REFUSED, line
    assert (await town.ask("status all", actor=BEN)).kind is Kind.ANSWER
    refused = await town.ask(f"budget role @{BOSS.id} viewer", actor=BOSS)
    assert refused.kind is Kind.REFUSED and "by the settings" in refused.title
    await town.ask(f"confirm {tab}", actor=BOSS)
    await town.until(tab, lambda rental: rental.attempts)


async def test_another_teams_admin_has_no_word_here(found: Found):
    """Budgets belong to a team; a stranger sets their own."""
    town = await found(auto_confirm=Usd(0), defaults=Defaults(admins=frozenset({BOSS.key, EVE.key})))
    await town.ask("budget set team month 10c", actor=EVE)
    tab = await _quoted(town)
    assert (await town.ask(f"confirm {tab}")).kind is Kind.ANSWER


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("budget set team month $0", "more than"),
        ("budget set team month -5", "-5"),
        ("budget set team month NaN", "NaN"),
        ("budget set team month $1e9", "1e9"),
        ("budget set team month $999999999", "$10000"),
        ("budget set team machines 1.5", "0 to 1000"),
        ("budget set team hours 25-26", "time of day"),
        ("budget set team hours 08:00-20:00 Mars/Base", "time of day"),
        ("budget set approval cards toaster", "list of GPUs"),
        ("budget set team", "what to limit"),
        ("budget set moon month $5", "has no budget"),
        ("budget set team colour $5", "cannot be limited"),
        ("budget role @ann king", "no role"),
        ("budget role", "given to a person"),
        ("budget burn", "nothing that"),
    ],
)
async def test_bad_limits_are_asked_about_at_their_place(found: Found, line: str, says: str):
    """Nothing is set; the place is shown, and what would work."""
    town = await _town(found)
    reply = await town.ask(line, actor=BOSS)
    assert reply.kind is Kind.MISUNDERSTOOD and reply.caret is not None
    assert says in " ".join((reply.title, *reply.lines)), (reply.title, reply.lines)
    assert reply.data["expected"]
    assert await town.told("", "budget") == []
