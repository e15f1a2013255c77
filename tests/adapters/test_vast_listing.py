"""Vast.ai's list of everything: all pages and a count that fits, or an error; never a part."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from adapters.simulators.faces.face import Said
from bot.domain.errors import TryLater, VendorChanged
from bot.domain.money import Usd
from tests.support.vast import LABEL, VastStage, vast_host

MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize("many", [0, 1, 25, 26, 60])
async def test_all_pages_are_read(many: int):
    """Twenty-five at a time, and the 26th bills like the first."""
    stage = VastStage(vast_host(capacity=100))
    stage.put(many)
    machines = await stage.provider.machines()
    assert len({machine.id for machine in machines}) == many
    assert stage.face.count("machines") == max(1, -(-many // 25))


class Meddler(VastStage):
    """An account on which something happens while its list is read: at each pause between two pages."""

    def __init__(self, times: int, *, ends: bool, comes: bool) -> None:
        self.left, self.ends, self.comes = times, ends, comes
        super().__init__(vast_host(capacity=500))
        self.put(60)

    async def pause(self, length: timedelta) -> None:
        await super().pause(length)
        if self.left > 0:
            self.left -= 1
            if self.ends:
                self.world.vanish(self.world.alive()[0].id)
            if self.comes:
                self.put()


@pytest.mark.parametrize(("ends", "comes"), [(True, False), (False, True), (True, True)])
async def test_a_list_that_changes_while_it_is_read_is_read_again(ends: bool, comes: bool):
    """One that ended, one that came, and one of each, where the count itself does not change: what comes back is what
    is there."""
    stage = Meddler(1, ends=ends, comes=comes)
    machines = await stage.provider.machines()
    assert {machine.id for machine in machines} == {one.id[1:] for one in stage.world.alive()}
    assert stage.face.count("machines") <= 6


async def test_a_list_that_never_stands_still_is_an_error():
    """Twice is enough: whoever asks is told, and gets no part of it."""
    with pytest.raises(TryLater, match="keeps changing"):
        await Meddler(1000, ends=False, comes=True).provider.machines()


@pytest.mark.parametrize("off", [1, -1])
async def test_a_list_whose_count_does_not_fit_is_an_error(off: int):
    """A page that was lost on the way would hide a machine that bills."""
    stage = VastStage()
    stage.put(3)
    stage.face.quirks.count_off_by = off
    with pytest.raises(VendorChanged, match="not complete"):
        await stage.provider.machines()


BROKEN: list[dict[str, Any]] = [
    {"instances": None},
    {"instances": {}},
    {"instances": [], "total_instances": None},
    {"instances": [], "total_instances": "many"},
    {"instances": [], "success": False, "total_instances": 0},
    {"instances": [7], "total_instances": 1},
    {"instances": [], "total_instances": 0, "next_token": 7},
    {"instances": [], "total_instances": 0, "next_token": "again"},
    {"machines": [], "total_instances": 0},
]


@pytest.mark.parametrize("body", BROKEN)
async def test_a_page_that_is_not_what_was_agreed_is_never_an_empty_account(body: dict[str, Any]):
    """No list, no count, a refusal with a list in it, a page that comes for ever."""
    stage = VastStage()
    stage.face.list_instances = lambda call: Said(200, body)
    with pytest.raises(VendorChanged):
        await stage.provider.machines()


async def test_two_hundred_machines_are_one_listing():
    """Eight calls whatever the number of rentals, none for a machine by itself; foreign ones are told as they are."""
    stage = VastStage(vast_host(capacity=500))
    stage.put(200, label="someone else's")
    assert len(await stage.provider.machines()) == 200
    assert (stage.face.count("machines"), stage.face.count("inspect")) == (8, 0)


async def test_a_machine_without_a_label_is_listed():
    """The vendor says null; the machine is nobody's, and it is there."""
    stage = VastStage()
    machine_id = await stage.running()
    stage.face.dress(machine_id, label=None)
    assert (await stage.seen(machine_id)).label == ""


async def test_what_a_machine_costs_is_told_when_its_host_raises_the_price():
    """A price that rose on a running contract shows in the listing."""
    stage = VastStage()
    machine_id = await stage.running()
    before = (await stage.seen(machine_id)).hourly
    stage.sim(machine_id).agreed = Usd.of("0.50")
    after = (await stage.seen(machine_id)).hourly
    assert before is not None
    assert after is not None
    assert after - before == Usd.of("0.30")


async def test_the_listing_may_lag_behind_the_order():
    """A row comes up to a minute later; by its id the machine is there at once."""
    stage = VastStage()
    stage.world.list_lag = MINUTE
    machine_id = await stage.launched()
    assert await stage.provider.machines() == []
    assert await stage.provider.inspect(machine_id) is not None
    stage.clock.advance(MINUTE)
    assert [machine.label for machine in await stage.provider.machines()] == [LABEL]
