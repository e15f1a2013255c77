"""Spinning up and validating: no room, lost answers, late births, machines that are not what was promised."""

from __future__ import annotations

import pytest

from adapters.simulators.faults import FaultKind
from adapters.simulators.machine import Fate, SimHost
from adapters.simulators.probe import probe_text
from bot.domain.money import Usd
from bot.domain.rental import Ending, Rental, Step
from tests.support.small_town import FOR_EVER, MINUTE, SECOND, TRAIN, SmallTown


def _hosts(rental: Rental) -> list[str]:
    return [attempt.offer.host for attempt in rental.attempts]


async def test_an_offer_without_room_gives_way_to_the_next(town: SmallTown):
    """The vendor's clear no costs nothing and names the next number."""
    town.vendor("launch", FaultKind.NO_CAPACITY)
    rental = await town.until_closed(await town.rent())
    assert rental.ending is Ending.DONE
    assert _hosts(rental) == ["cheap", "dear"]
    assert rental.attempts[0].refused and len(town.world.ever()) == 1


async def test_no_room_anywhere_is_said_and_closed(town: SmallTown):
    """With what was tried; nothing was ever rented."""
    town.vendor("launch", FaultKind.NO_CAPACITY, times=FOR_EVER)
    tab = await town.rent()
    rental = await town.until_closed(tab, within=5 * MINUTE)
    assert rental.ending is Ending.FAILED and not town.world.ever()
    assert "No other offer is left after: simulated" in town.card(tab)


async def test_a_lost_answer_is_found_again_by_its_label(town: SmallTown):
    """One call, one machine: what the lost launch brought is adopted."""
    town.vendor("launch", FaultKind.LOST_AFTER)
    tab = await town.rent()
    rental = await town.until_closed(tab)
    assert rental.ending is Ending.DONE and len(rental.attempts) == 1
    assert town.world.calls["launch"] == 1 and len(town.world.ever()) == 1
    assert len(await town.told(tab, "adopt")) == 1


async def test_a_launch_that_never_arrived_is_waited_out_and_tried_under_a_new_label(town: SmallTown):
    """Only when the settle window is over is it certain that nothing comes."""
    town.vendor("launch", FaultKind.LOST_BEFORE)
    rental = await town.until_closed(await town.rent())
    assert rental.ending is Ending.DONE
    first, second = rental.attempts
    assert first.label != second.label
    assert (second.tried_at - first.tried_at).total_seconds() >= 90


async def test_an_answer_that_cannot_be_read_is_treated_as_a_lost_one(town: SmallTown):
    """It may have worked."""
    town.vendor("launch", FaultKind.GARBLED)
    rental = await town.until_closed(await town.rent())
    assert rental.ending is Ending.DONE and len(rental.attempts) == 2


@pytest.mark.parametrize("late", [5, 40, 85])
async def test_a_machine_that_is_born_late_is_adopted(town: SmallTown, late: int):
    """Anywhere within the settle window, and it stays the only one."""
    town.vendor("launch", FaultKind.LATE, late=late * SECOND)
    rental = await town.until_closed(await town.rent())
    assert rental.ending is Ending.DONE and len(rental.attempts) == 1
    assert len(town.world.ever()) == 1


async def test_a_late_birth_after_the_way_down_began_is_ended_too(town: SmallTown):
    """The launch had no answer, the person said down: what comes is destroyed, not forgotten."""
    town.vendor("launch", FaultKind.LATE, late=60 * SECOND)
    tab = await town.rent()
    await town.until(tab, lambda rental: rental.attempts)
    await town.ask(f"down {tab}")
    rental = await town.until_closed(tab)
    assert rental.ending is Ending.DOWN
    assert len(town.world.ever()) == 1


async def test_a_vendor_that_asks_to_wait_is_waited_for(town: SmallTown):
    """Nothing was done, so the same offer is asked for again."""
    town.vendor("launch", FaultKind.TRY_LATER, times=2)
    rental = await town.until_closed(await town.rent())
    assert rental.ending is Ending.DONE
    assert _hosts(rental) == ["cheap"] * 3


async def test_a_vendor_that_asks_to_wait_for_ever_is_given_up(town: SmallTown):
    """After a dozen tries a person is told, not after a day."""
    town.vendor("launch", FaultKind.TRY_LATER, times=FOR_EVER)
    tab = await town.rent()
    rental = await town.until_closed(tab)
    assert rental.ending is Ending.FAILED and len(rental.attempts) == 12
    assert "puts every launch off" in town.card(tab)


async def test_a_key_that_is_not_accepted_needs_a_person(town: SmallTown):
    """Repeating does not help, and no other offer of that account would."""
    town.vendor("launch", FaultKind.NEEDS_HUMAN, reason="The API key was revoked.")
    tab = await town.rent()
    rental = await town.until_closed(tab)
    assert rental.ending is Ending.FAILED and len(rental.attempts) == 1
    assert "The API key was revoked." in town.card(tab)


async def test_offers_that_cannot_be_had_for_a_moment_are_asked_for_again(town: SmallTown):
    """A vendor's hiccup ends no rental."""
    town.vendor("offers", FaultKind.LOST_BEFORE, times=2)
    assert (await town.until_closed(await town.rent())).ending is Ending.DONE


async def test_offers_that_cannot_be_had_at_all_are_told_with_the_vendors_words(town: SmallTown):
    """No offer, and why."""
    town.vendor("offers", FaultKind.NEEDS_HUMAN, times=FOR_EVER, reason="The account is not paid.")
    tab = await town.rent()
    rental = await town.until_closed(tab)
    assert rental.ending is Ending.NO_OFFER and not rental.attempts
    assert "The account is not paid" in town.card(tab)


@pytest.mark.parametrize("fate", [Fate(boot=None), Fate(stops_after=1 * SECOND), Fate(vanishes_after=1 * SECOND)],
                         ids=["never boots", "stops", "vanishes"])  # fmt: skip
async def test_a_machine_that_does_not_come_up_is_ended_and_another_one_taken(town: SmallTown, fate: Fate):
    """Its host is not asked a second time."""
    town.world.fates.append(fate)
    rental = await town.until_closed(await town.rent())
    assert rental.ending is Ending.DONE
    assert _hosts(rental) == ["cheap", "dear"]


async def test_a_machine_with_another_gpu_is_destroyed_and_its_host_avoided(town: SmallTown):
    """Gate 3 fails with a sentence, the next offer is taken, and the first report is kept."""
    town.world.add_host(SimHost("aaa", "RTX 3090", Usd.of("0.20"), real_gpu="RTX 3060", capacity=5))
    tab = await town.rent()
    rental = await town.until_closed(tab)
    assert rental.ending is Ending.DONE and _hosts(rental) == ["aaa", "cheap"]
    failed = rental.attempts[0].report[-1]
    assert (failed.name, failed.verdict) == ("model", "FAIL")
    assert "It is a RTX 3060, and a RTX 3090 was promised." in (rental.attempts[0].condemned or "")
    assert any("RTX 3060" in text for text in await town.told(tab, "failure"))


async def test_three_bad_machines_are_enough(town: SmallTown):
    """Somebody must look before more money is spent on trying."""
    town.world.hosts.clear()
    for name in "abcd":
        town.world.add_host(SimHost(name, "RTX 3090", Usd.of("0.20"), real_gpu="RTX 3060"))
    tab = await town.rent()
    rental = await town.until_closed(tab)
    assert rental.ending is Ending.FAILED and _hosts(rental) == ["a", "b", "c"]
    assert "gate 3, model" in town.card(tab)


@pytest.mark.parametrize("hourly", ["0.20", "0.60", "1.20"])
async def test_a_second_machine_at_the_same_price_is_taken(town: SmallTown, hourly: str):
    """Also where the worst case is whole cents, and the rounding of two lines would pass it by a millionth."""
    town.world.hosts.clear()
    town.world.add_host(SimHost("a", "RTX 3090", Usd.of(hourly), real_gpu="RTX 3060"))
    town.world.add_host(SimHost("b", "RTX 3090", Usd.of(hourly)))
    rental = await town.until_closed(await town.rent(TRAIN + " for 1h"))
    assert rental.ending is Ending.DONE and _hosts(rental) == ["a", "b"]


@pytest.mark.parametrize(
    "lines", [{"disk_free_kb": "1000"}, {"python": "none"}, {"end": None}], ids=["disk", "python", "cut"]
)
async def test_gate_three_condemns_what_would_fail_later(town: SmallTown, lines: dict[str, str | None]):
    """Before anything is installed or sent."""
    town.shell.probe = lambda machine: probe_text(
        machine, lines if machine.host.fingerprint == "cheap" else None
    )
    rental = await town.until_closed(await town.rent())
    assert rental.ending is Ending.DONE and _hosts(rental) == ["cheap", "dear"]
    assert town.shell.calls["send"] == 3


async def test_the_gates_report_is_kept_and_shown_by_status(town: SmallTown):
    """With the rental, also when it is closed."""
    tab = await town.rent()
    rental = await town.until_closed(tab)
    assert len(rental.attempts[0].report) == 12
    reply = await town.ask(f"status {tab}")
    table = next(table for table in reply.tables if table.header[0] == "gate 3")
    assert ("PASS", "model", "It is what was promised: RTX 3090.") in table.rows
    assert {one["verdict"] for one in reply.data["gate3"]} == {"PASS"}


async def test_a_machine_that_was_taken_away_in_the_middle_is_replaced(town: SmallTown):
    """Spot machines go; the work begins anew on another one, within the same budget."""
    tab = await town.rent()
    rental = await town.until_step(tab, Step.TRAIN)
    assert rental.attempt is not None and rental.attempt.machine_id is not None
    town.world.vanish(rental.attempt.machine_id)
    rental = await town.until_closed(tab)
    assert rental.ending is Ending.DONE and _hosts(rental) == ["cheap", "dear"]
