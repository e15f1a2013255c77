"""What an orphan's launch left on the account goes with it, and never while another machine needs it."""

from __future__ import annotations

import pytest

from tests.support.orphans import HOME, OURS, Account, put, row, shown, sweep, world_account
from tests.support.small_town import SmallTown
from tests.support.town import Wrappers
from tests.support.towns import Found


@pytest.fixture
async def town(found: Found) -> SmallTown:
    """A town whose provider tells what was tidied."""
    return await found(homes=(HOME,), wrap=Wrappers(provider=Account))


async def _gone(town: SmallTown, machine_id: str) -> None:
    town.world.vanish(machine_id)
    await sweep(town, 2)


async def test_it_is_tidied_once_it_is_proven_gone(town: SmallTown):
    """Under its own label, once."""
    machine = put(town)
    await sweep(town)
    town.world.vanish(machine.id)
    await sweep(town)
    assert world_account(town).tidied == []
    await sweep(town, 4)
    assert world_account(town).tidied == [OURS]


async def test_what_cannot_be_removed_is_said_and_tried_again(town: SmallTown):
    """The machine is gone all the same."""
    machine = put(town)
    world_account(town).refusals = 2
    await sweep(town)
    await _gone(town, machine.id)
    [card] = shown(town)
    assert "Gone since" in card.lines[0] and "the key is in use" in card.lines[1] and not card.final
    assert (await row(town, machine)).tidied_at is None
    await sweep(town, 2)
    assert shown(town)[0].final and world_account(town).tidied == [OURS]


async def test_what_another_machine_goes_by_is_left_to_it(town: SmallTown):
    """Two machines under one label: the last one takes the rest with it."""
    first, second = put(town), put(town)
    await sweep(town)
    await _gone(town, first.id)
    assert (await row(town, first)).tidied_at and world_account(town).tidied == []
    await _gone(town, second.id)
    assert world_account(town).tidied == [OURS]


async def test_what_an_adopted_machine_goes_by_is_left_to_its_rental(town: SmallTown):
    """Its teardown removes it."""
    first, second = put(town), put(town)
    await sweep(town)
    reply = await town.ask(f"orphans adopt world/{second.id}")
    await _gone(town, first.id)
    assert world_account(town).tidied == []
    await town.ask(f"down {reply.rental}")
    await town.until(reply.rental, lambda rental: rental.closed_at)
    assert world_account(town).tidied == [OURS]
