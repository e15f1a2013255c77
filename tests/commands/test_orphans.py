"""``orphans``: the list, and what each decision does; what is not ours is shown and never touched."""

from __future__ import annotations

from typing import cast

import pytest

from adapters.simulators.chat import words
from adapters.simulators.faults import FaultKind
from adapters.simulators.provider import WorldProvider
from adapters.simulators.world import World
from bot.commands.spoken import Orphans
from bot.domain.market import LaunchOrder, Leftover
from bot.domain.money import Usd
from bot.domain.orphan import Fate
from bot.domain.talk import Kind, Tone
from bot.ports import Provider
from tests.commands.words import asked, place, said
from tests.support.orphans import HOME, OURS, Account, put, row, shown, sweep, world_account
from tests.support.small_town import FOR_EVER, HOUR, MINUTE, SmallTown
from tests.support.town import ANN, BEN, EVE, Wrappers
from tests.support.towns import Found

THEIRS = "lc-prod-zzzzzz-1-20260303T0900Z"


@pytest.fixture
async def town(found: Found) -> SmallTown:
    """A town with a home for its cards, whose account may have leftovers."""
    return await found(homes=(HOME,), wrap=Wrappers(provider=Account))


def elsewhere(town: SmallTown) -> World:
    """A second provider, ``other``, whose first machines are called like those of ``world``."""
    world = World(town.clock, seed=1)
    world.add_host(town.town.hosts[0])
    cast("dict[str, Provider]", town.life.desk.house.providers)["other"] = WorldProvider(world, name="other")
    return world


# --- the words --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("orphans", Orphans()),
        ("orphans all", Orphans(everything=True)),
        ("orphans kill vast/4711", Orphans(fate=Fate.KILL, machine="vast/4711")),
        ("orphans 4711 Adopt", Orphans(fate=Fate.ADOPT, machine="4711")),
        ("orphans ignore local/ws1/Ab-12", Orphans(fate=Fate.IGNORE, machine="local/ws1/Ab-12")),
        ("orphans kill xedezhzbkqlmno", Orphans(fate=Fate.KILL, machine="xedezhzbkqlmno")),
        ("orphans --machine vast/1 --do kill", Orphans(fate=Fate.KILL, machine="vast/1")),
    ],
)
def test_what_is_said_is_understood(line: str, meant: Orphans):
    """Ids are as vendors make them: numbers, letters, with the provider before or without."""
    assert said(line) == meant


@pytest.mark.parametrize(
    ("line", "at", "told"),
    [
        ("orphans kill", "kill", "needs a machine"),
        ("orphans vast/4711", "vast/4711", "not said what becomes"),
        ("orphans all 4711", "4711", "not said what becomes"),
        ("orphans kil vast/4711", "kil", "not a deed"),
        ("orphans kill foo", "foo", "not a machine"),
        ("orphans kill 4711 4712", "4712", "said twice"),
        ("orphans kill ignore 4711", "ignore", "said twice"),
        ("orphans vast", "vast", "takes none"),
    ],
)
def test_what_is_half_said_is_asked_about(line: str, at: str, told: str):
    """It is about ending machines: nothing is guessed."""
    question = asked(line)
    assert place(question) == at and told in question.sentence


# --- the list ---------------------------------------------------------------------------------------


async def test_nothing_unknown_is_good_news(town: SmallTown):
    """And a rental's machine is no orphan."""
    await town.rent("up world 3090 for 1h")
    await town.pass_time(MINUTE)
    reply = await town.ask("orphans all")
    assert reply.title == "Every machine of ours belongs to a rental, and nothing is left over."
    assert reply.tone is Tone.GOOD and reply.tables == () and len(town.world.alive()) == 1


async def test_ours_are_listed_before_and_after_the_sweep_saw_them(town: SmallTown):
    """With what they cost and what becomes of them."""
    machine = put(town)
    reply = await town.ask("orphans")
    assert reply.title == "1 machine that no rental knows, $0.20/h now"
    assert reply.tables[0].rows[0][-1] == "seen just now; its card follows"
    await sweep(town)
    reply = await town.ask("orphans")
    assert reply.tables[0].rows[0][0] == f"world/{machine.id}"
    assert reply.tables[0].rows[0][-1] == "ended at 09:16 UTC unless somebody decides"
    assert [one.label for one in reply.buttons] == ["Kill", "Adopt", "Ignore"]
    assert reply.data["orphans"][0]["label"] == OURS


async def test_strangers_are_shown_on_request_and_cannot_be_touched(town: SmallTown):
    """Whatever is typed; without buttons."""
    hand, prod = put(town, "ann's workstation"), put(town, THEIRS)
    nameless = put(town, "")
    assert (await town.ask("orphans")).tables == ()
    reply = await town.ask("orphans all")
    assert {row[0] for row in reply.tables[0].rows} == {f"world/{one.id}" for one in (hand, prod, nameless)}
    assert reply.buttons == () and "never touched" in reply.tables[0].note
    for machine, whose in ((hand, "ann's workstation"), (prod, "(prod)"), (nameless, "without a label")):
        for verb in Fate:
            for name in (machine.id, f"world/{machine.id}", f"WORLD/{machine.id.upper()}"):
                refusal = await town.ask(f"orphans {verb} {name}")
                assert refusal.kind is Kind.REFUSED and "not ours" in refusal.title and whose in refusal.title
    town.clock.advance(20 * MINUTE)
    await sweep(town, 2)
    assert len(town.world.alive()) == 3 and not town.world.calls.get("destroy")
    assert not await town.life.store.rentals.open_ones()


async def test_leftovers_are_listed_with_what_they_cost_a_month(town: SmallTown):
    """They bill without a machine."""
    world_account(town).left = [
        Leftover("world", "vol-1", "network volume", "cats", Usd.of(7), "EU"),
        Leftover("world", "fs-1", "file system", "", None),
    ]
    reply = await town.ask("orphans")
    assert reply.title == "2 leftovers, $7.00 a month"
    assert reply.tables[0].rows[0] == ("network volume", "cats", "world", "EU", "$7.00")
    assert reply.tables[0].rows[1][1:] == ("fs-1", "world", "", "not told")
    assert reply.data["leftovers"][0]["monthly_usd"] == "7"


async def test_who_cannot_be_asked_is_a_problem_and_never_an_empty_list(town: SmallTown):
    """What the sweep saw before is still there."""
    machine = put(town)
    await sweep(town)
    town.vendor("machines", FaultKind.NEEDS_HUMAN, times=FOR_EVER, reason="The key is not valid.")
    world_account(town).deaf = True
    reply = await town.ask("orphans all")
    assert reply.tone is Tone.WARN and len(reply.data["problems"]) == 2
    assert "The machines of world could not be listed: The key is not valid." in reply.lines
    assert "The leftovers of world could not be listed: too many requests." in reply.lines
    assert reply.tables[0].rows[0][0] == f"world/{machine.id}"
    town.world.vanish(machine.id)
    town.mend()
    await sweep(town, 2)
    town.vendor("machines", FaultKind.NEEDS_HUMAN, reason="The key is not valid.")
    assert (await town.ask("orphans")).title == "Nothing was found, and not everybody could be asked."
    town.vendor("machines", FaultKind.NEEDS_HUMAN, reason="The key is not valid.")
    refusal = await town.ask("orphans kill 4711")
    assert refusal.kind is Kind.REFUSED and "could not be listed" in words(refusal)


# --- the buttons ------------------------------------------------------------------------------------


async def test_kill_is_written_down_and_done_by_the_sweep_that_is_told(town: SmallTown):
    """The command itself asks the vendor for nothing."""
    machine = put(town)
    await sweep(town)
    told: list[str] = []
    object.__setattr__(town.life.desk.house, "sweep_soon", lambda: told.append("sweep"))
    reply = await town.ask(f"orphans kill world/{machine.id}", actor=BEN)
    assert reply.kind is Kind.ANSWER and told == ["sweep"] and not town.world.calls.get("destroy")
    await town.say_all()
    assert "ben said so" in shown(town)[0].lines[0] and not shown(town)[0].buttons
    assert await sweep(town) == [machine.id]
    await sweep(town, 2)
    assert "Gone since" in shown(town)[0].lines[0]
    refusal = await town.ask(f"orphans adopt world/{machine.id}")
    assert refusal.kind is Kind.REFUSED and "gone since 09:03 UTC" in refusal.title


async def test_one_that_the_sweep_has_not_met_can_be_killed(town: SmallTown):
    """By its id alone, where no other is called so."""
    machine = put(town)
    assert (await town.ask(f"orphans kill {machine.id}")).kind is Kind.ANSWER
    assert await sweep(town) == [machine.id]


async def test_ignored_ones_stay_on_the_list_and_are_never_ended(town: SmallTown):
    """With who said so and when; and it can be ended later."""
    machine = put(town)
    await sweep(town)
    reply = await town.ask(f"orphans ignore {machine.id}", actor=BEN)
    assert reply.kind is Kind.ANSWER and "$0.20/h" in reply.title
    town.clock.advance(30 * MINUTE)
    assert await sweep(town, 2) == [] and len(town.world.alive()) == 1
    assert (await town.ask("orphans")).tables[0].rows[0][-1] == "ignored: ben said so at 09:01 UTC"
    [card] = shown(town)
    assert [one.label for one in card.buttons] == ["Kill", "Adopt"] and "goes on costing" in card.lines[0]
    await town.ask(f"orphans kill {machine.id}")
    assert await sweep(town) == [machine.id]


async def test_a_press_that_is_delivered_again_has_one_effect(town: SmallTown):
    """Chats deliver twice, also much later, when something else was decided."""
    machine = put(town)
    await sweep(town)
    for _ in range(2):
        reply = await town.ask(f"orphans ignore world/{machine.id}", key="press-1")
        assert reply.kind is Kind.ANSWER
    await town.ask(f"orphans kill world/{machine.id}")
    refusal = await town.ask(f"orphans ignore world/{machine.id}", key="press-1")
    assert refusal.kind is Kind.REFUSED and (await row(town, machine)).fate is Fate.KILL
    decided = [one.text for one in await town.life.store.journal.lines() if one.actor == ANN.key]
    assert [one.split(":")[0] for one in decided if "lc-test" in one] == ["ignore", "kill"]


async def test_what_is_being_ended_cannot_be_kept(town: SmallTown):
    """The vendor was asked already; a kill that was not asked yet can be taken back."""
    machine = put(town)
    await sweep(town)
    await town.ask(f"orphans kill {machine.id}")
    assert (await town.ask(f"orphans ignore {machine.id}")).kind is Kind.ANSWER
    await town.ask(f"orphans kill {machine.id}")
    town.vendor("destroy", FaultKind.SHRUG)
    await sweep(town)
    for verb in ("ignore", "adopt"):
        refusal = await town.ask(f"orphans {verb} {machine.id}")
        assert refusal.kind is Kind.REFUSED and "being ended" in refusal.title
    assert (await town.ask(f"orphans kill {machine.id}")).kind is Kind.ANSWER
    assert not await town.life.store.rentals.open_ones()


async def test_anybody_may_end_what_belongs_to_nobody(town: SmallTown):
    """Also from another team."""
    machine = put(town)
    await sweep(town)
    assert (await town.ask(f"orphans kill {machine.id}", actor=EVE)).kind is Kind.ANSWER
    assert (await row(town, machine)).decided_by == EVE


# --- which one --------------------------------------------------------------------------------------


async def test_an_id_that_two_providers_have_is_asked_about(town: SmallTown):
    """The whole name decides, swept or not."""
    other = elsewhere(town)
    mine, theirs = put(town), other.put(town.town.hosts[0], LaunchOrder(OURS, "ssh-ed25519 AAAA", 20))
    assert mine.id == theirs.id
    for _ in range(2):
        question = await town.ask(f"orphans kill {mine.id}")
        assert question.kind is Kind.MISUNDERSTOOD and "several" in question.title.lower()
        assert f"other/{mine.id}, world/{mine.id}" in words(question)
        await sweep(town)
    assert (await town.ask(f"orphans kill other/{mine.id}")).kind is Kind.ANSWER
    await sweep(town)
    assert not other.alive() and len(town.world.alive()) == 1


async def test_what_a_rental_has_is_ended_by_down(town: SmallTown):
    """By its machine, or by its id."""
    tab = await town.rent("up world 3090 for 1h")
    await town.until(tab, lambda rental: rental.attempt is not None and rental.attempt.ready_at)
    machine = town.world.alive()[0]
    for line in (
        f"orphans kill world/{machine.id}",
        f"orphans adopt {machine.id}",
        f"orphans kill {tab}",
    ):
        refusal = await town.ask(line)
        assert refusal.kind is Kind.REFUSED and f"down {tab}" in words(refusal), line
    assert "There is no machine 4711" in (await town.ask("orphans kill 4711")).title


async def test_what_a_closed_rental_gave_back_is_ended_without_anybodys_help(town: SmallTown):
    """The list says so, and a decision is not needed."""
    tab = await town.rent("up world 3090 for 1h")
    await town.until(tab, lambda rental: rental.attempt is not None and rental.attempt.ready_at)
    town.vendor("destroy", FaultKind.RETURNS, late=HOUR)
    await town.ask(f"down {tab}")
    await town.until(tab, lambda rental: rental.closed_at)
    town.clock.advance(2 * HOUR)
    [machine] = town.world.alive()
    assert (await town.ask("orphans")).tables[0].rows[0][-1] == f"of {tab}, which gave it back: ended next"
    refusal = await town.ask(f"orphans ignore {machine.id}")
    assert refusal.kind is Kind.REFUSED and "next sweep ends it" in refusal.title
    assert await sweep(town) == [machine.id]
