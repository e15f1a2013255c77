"""A rental that goes well, from the first word to the closed tab."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta

from bot.domain.money import Usd
from bot.domain.rental import Ending, Goal, Step
from bot.domain.talk import Kind, Tone
from tests.support.small_town import HOUR, MINUTE, SECOND, SmallTown
from tests.support.town import closed
from tests.support.towns import Found


async def test_a_training_goes_through_all_eight_steps_and_closes(town: SmallTown):
    """Choose, spin up, validate, deploy, transfer, train, pull, tear down; every one in the journal, in order."""
    tab = await town.rent()
    rental = await town.until_closed(tab, within=10 * MINUTE)
    assert (rental.ending, rental.progress.step) == (Ending.DONE, 8)
    kinds = [line.kind for line in await town.journal(tab)]
    assert list(dict.fromkeys(kind for kind in kinds if kind in set(Step))) == list(Step)
    assert kinds[0] == "asked" and kinds[-1] == "closed"


async def test_its_results_are_at_home_with_digests_and_a_manifest(town: SmallTown):
    """What was made, from what, on what, and what it cost."""
    tab = await town.rent()
    rental = await town.until_closed(tab)
    names = {one.name for one in rental.results}
    assert names == {f"tiny-lora-{tab}.safetensors", "lastcall.json", "loss.png"}
    for one in rental.results:
        content = (town.town.folder / "results" / tab / one.name).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (one.bytes, one.sha256)
    manifest = json.loads((town.town.folder / "results" / tab / "lastcall.json").read_text())
    assert manifest["recipe"]["name"] == "tiny-lora" and manifest["steps"] == 8
    assert manifest["dataset"]["sha256"] == rental.job.dataset_sha256
    assert {one["path"] for one in manifest["files"]} == {f"tiny-lora-{tab}.safetensors"}


async def test_one_card_follows_it_and_one_notice_ends_it(town: SmallTown):
    """The card is edited, never posted twice; the last word names cost, files and closed."""
    tab = await town.rent()
    await town.life.until(lambda: closed(town.life, tab))
    card = town.chat.said_once(f"card:{tab}")
    states = [dict(one.fields)["state"] for one in [*card.edits, card.reply]]
    assert states[0] == "choosing an offer" and states[-1] == "closed"
    assert "training" in states and "tearing down" in states
    last = town.chat.said_once(f"closed:{tab}").reply
    assert last.kind is Kind.NOTICE and last.final and last.tone is Tone.GOOD
    assert last.data["state"] == "closed" and len(last.data["results"]) == 3
    assert len(town.chat.said()) == 2


async def test_what_it_cost_is_what_the_vendors_meter_says_or_a_crumb_more(town: SmallTown):
    """The clock starts with the try of the launch and ends with the proof."""
    tab = await town.rent()
    rental = await town.until_closed(tab)
    cost = (await town.journal(tab))[-1].cost
    assert cost is not None and rental.worst_case is not None
    assert town.world.bill() <= cost <= rental.worst_case


async def test_a_machine_for_hands_is_ready_until_its_hard_end(found: Found):
    """``up`` rents, proves the way in, waits, and tears down without being asked."""
    town = await found()
    tab = await town.rent("up world 3090 for 1h")
    ready = await town.until(tab, lambda rental: rental.attempt is not None and rental.attempt.ready_at)
    assert ready.goal is Goal.READY
    began = town.clock.now()
    rental = await town.until_closed(tab)
    assert rental.ending is Ending.HARD_END
    assert HOUR - 5 * SECOND < town.clock.now() - began < HOUR + MINUTE
    assert [set(machine.units) for machine in town.world.ever()] == [{"switch"}]


async def test_a_price_above_what_needs_no_yes_waits_for_one(found: Found):
    """Nothing is rented before it, and confirm is the same climb."""
    town = await found(auto_confirm=Usd(0))
    tab = await town.rent()
    quoted = await town.until(tab, lambda rental: rental.quoted_at)
    await town.pass_time(MINUTE)
    assert quoted.worst_case is not None and not town.world.ever()
    assert "cannot cost more than $0.82" in town.card(tab)
    await town.ask(f"confirm {tab}")
    rental = await town.until_closed(tab)
    assert rental.ending is Ending.DONE and rental.confirmed_by == rental.owner.key


async def test_hardly_anything_is_asked_of_the_vendor_while_nothing_is_due(found: Found):
    """A machine that rests is looked for once a minute, and nothing else."""
    town = await found()
    tab = await town.rent("up world 3090 for 2h")
    await town.until(tab, lambda rental: rental.attempt is not None and rental.attempt.ready_at)
    before = dict(town.world.calls)
    await town.pass_time(timedelta(minutes=30))
    assert sum(town.world.calls.values()) - sum(before.values()) <= 31


async def test_several_rentals_of_several_people_run_side_by_side(found: Found):
    """Each with its own machine, label and results."""
    town = await found()
    tabs = [await town.rent() for _ in range(3)]
    for tab in tabs:
        await town.until(tab, lambda rental: rental.closed_at)
    labels = {machine.label for machine in town.world.ever()}
    assert len(labels) == 3 and not town.world.alive()
    assert all(town.results(tab) for tab in tabs)
