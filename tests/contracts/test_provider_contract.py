"""The promises of ``bot.ports.Provider``, held to by every provider in ``provider_fixtures``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from bot.domain.errors import NoCapacity, OutcomeUnknown, ProviderError
from bot.domain.market import ANY, Access, AccountNote, LaunchOrder, Machine, MachineState, Offer
from bot.domain.money import ZERO
from tests.contracts.provider_fixtures import PROVIDERS, PUBLIC_KEY, Make, Stand
from tests.support.waiting import wait_until

_RENTAL = uuid4().hex[:6]  # marks in environments are seen by all tests of a computer
LABEL = f"lc-contracttests1234567-{_RENTAL}-1-20990101T0000Z"
SECOND = f"lc-contracttests1234567-{_RENTAL}-2-20990101T0000Z"


@pytest.fixture(params=PROVIDERS, ids=lambda make: make.__name__)
async def stand(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stand]:
    """Each provider in turn."""
    make: Make = request.param
    async with make(tmp_path) as ready:
        yield ready


async def first_offer(stand: Stand) -> Offer:
    """The cheapest of what is surely there."""
    return (await stand.provider.offers(stand.want))[0]


async def launch(stand: Stand, label: str = LABEL) -> str:
    """Rent the first offer; the machine's id."""
    order = LaunchOrder(label=label, public_key=PUBLIC_KEY, disk_gb=1, key_ref="key-7")
    return await stand.provider.launch(await first_offer(stand), order)


async def running(stand: Stand, machine_id: str) -> Machine:
    """The machine once it runs."""
    seen: list[Machine] = []

    async def runs() -> bool:
        stand.step()
        machine = await stand.provider.inspect(machine_id)
        assert machine is not None
        seen.append(machine)
        return machine.state is MachineState.RUNNING

    await wait_until(runs, stand.becomes)
    return seen[-1]


async def gone(stand: Stand, machine_id: str) -> None:
    """Return once neither the listing nor a direct question shows it."""

    async def is_gone() -> bool:
        stand.step()
        listed = [machine.id for machine in await stand.provider.machines()]
        return machine_id not in listed and await stand.provider.inspect(machine_id) is None

    await wait_until(is_gone, stand.becomes)


class TestMarket:
    """``offers``, ``account`` and what the provider says about itself."""

    async def test_a_provider_says_what_it_is(self, stand: Stand):
        """Its name begins with its family, and its limits are lengths of time."""
        assert stand.provider.name.split("/")[0] == stand.provider.profile.family != ANY
        assert stand.provider.capabilities.launch_limit > timedelta(0)
        assert stand.provider.capabilities.settle > timedelta(0)

    async def test_offers_are_cheapest_first_and_name_their_provider(self, stand: Stand):
        """Every offer can be told apart, belongs to whom it was asked of, and costs what it costs with its disk."""
        offers = await stand.provider.offers(stand.want)
        assert offers
        assert [offer.hourly for offer in offers] == sorted(offer.hourly for offer in offers)
        assert {offer.provider for offer in offers} == {stand.provider.name}
        assert len({offer.id for offer in offers}) == len(offers)
        assert all(offer.hourly >= ZERO and offer.host and offer.gpu for offer in offers)
        assert all(offer.count >= 1 and offer.disk_gb >= stand.want.disk_gb for offer in offers)

    async def test_nothing_that_fits_is_an_empty_list(self, stand: Stand):
        """No offer is an answer, not an error."""
        assert list(await stand.provider.offers(stand.impossible)) == []

    async def test_a_host_that_failed_is_not_offered_again(self, stand: Stand):
        """The fingerprint of an offer, handed back as one to avoid, takes that offer away."""
        offer = await first_offer(stand)
        again = await stand.provider.offers(replace(stand.want, avoid=frozenset({offer.host})))
        assert offer.host not in {other.host for other in again}

    async def test_an_offer_without_gpu_is_only_for_who_allows_it(self, stand: Stand):
        """CPU-only offers come when they were allowed, and at no other time."""
        offers = await stand.provider.offers(replace(stand.want, cpu_ok=False))
        assert not any(offer.cpu_only for offer in offers)

    async def test_an_account_that_works_says_so(self, stand: Stand):
        """READY, with a sentence."""
        account = await stand.provider.account()
        assert account.state is AccountNote.READY
        assert account.note


class TestLife:
    """From ``launch`` to gone."""

    async def test_a_launched_machine_is_listed_under_its_label(self, stand: Stand):
        """Exactly one machine carries the label, and asking for it directly shows the same."""
        machine_id = await launch(stand)
        listed = [machine for machine in await stand.provider.machines() if machine.label == LABEL]
        assert [machine.id for machine in listed] == [machine_id]
        assert listed[0].provider == stand.provider.name
        asked = await stand.provider.inspect(machine_id)
        assert asked is not None
        assert (asked.id, asked.label) == (machine_id, LABEL)

    async def test_a_running_machine_has_a_way_in_that_a_restart_does_not_forget(self, stand: Stand):
        """The access names the key where it is SSH, and a folder of the machine; a process that has just begun sees
        the very same: nothing is kept in memory."""
        machine = await running(stand, await launch(stand))
        assert isinstance(machine.access, Access)
        assert machine.access.kind == "process" or machine.access.key_ref in (stand.key_ref, f"{_RENTAL}-1")
        assert machine.access.workdir.startswith(("/", "~/"))
        assert machine in await stand.again().machines()

    async def test_a_destroyed_machine_goes_away(self, stand: Stand):
        """It leaves the listing and ``inspect`` answers None; what it held can be had again. Destroying may be
        repeated at any time, also long after, and by another process: already gone is success."""
        machine_id = await launch(stand)
        await stand.provider.destroy(machine_id)
        await stand.provider.destroy(machine_id)
        await gone(stand, machine_id)
        await stand.again().destroy(machine_id)
        assert await stand.provider.offers(stand.want)

    async def test_what_never_was_is_none_and_can_be_destroyed(self, stand: Stand):
        """An unknown id is no error."""
        assert await stand.provider.inspect("424242") is None
        await stand.provider.destroy("424242")

    async def test_two_machines_do_not_end_each_other(self, stand: Stand):
        """Destroying one under the next label leaves the other alone."""
        if stand.exclusive:
            pytest.skip("there is one of everything here")
        first, second = await launch(stand), await launch(stand, SECOND)
        await stand.provider.destroy(first)
        await gone(stand, first)
        assert await stand.provider.inspect(second) is not None

    async def test_what_is_taken_is_no_offer_and_cannot_be_had(self, stand: Stand):
        """An offer that was taken meanwhile is ``NoCapacity``, and nothing was created."""
        if not stand.exclusive:
            pytest.skip("there is more than one of everything here")
        offer = await first_offer(stand)
        await launch(stand)
        assert offer.id not in {other.id for other in await stand.provider.offers(stand.want)}
        order = LaunchOrder(label=SECOND, public_key=PUBLIC_KEY, disk_gb=1)
        with pytest.raises(NoCapacity):
            await stand.provider.launch(offer, order)
        assert SECOND not in {machine.label for machine in await stand.provider.machines()}


class TestUnknown:
    """A vendor that cannot be heard is *unknown*, and unknown is never *none*."""

    async def test_without_a_line_every_question_is_an_error(self, stand: Stand):
        """No empty listing, no None, no "asked", no "ready"."""
        machine_id = await launch(stand)
        offer_of_before = Offer(stand.provider.name, "x", "x", 1, 0, ZERO)
        stand.line.cut = True
        with pytest.raises(ProviderError):
            await stand.provider.machines()
        with pytest.raises(ProviderError):
            await stand.provider.inspect(machine_id)
        with pytest.raises(ProviderError):
            await stand.provider.destroy(machine_id)
        with pytest.raises(ProviderError):
            await stand.provider.offers(stand.want)
        with pytest.raises(ProviderError):
            await stand.provider.account()
        with pytest.raises(ProviderError) as launched:
            await stand.provider.launch(offer_of_before, LaunchOrder(SECOND, PUBLIC_KEY, 1))
        assert not isinstance(launched.value, NoCapacity)
        stand.line.cut = False
        assert await stand.provider.inspect(machine_id) is not None

    async def test_a_launch_whose_answer_is_lost_is_unknown_and_is_found_by_its_label(self, stand: Stand):
        """``OutcomeUnknown``: the machine is there, and the listing shows it."""
        offer = await first_offer(stand)
        stand.line.deaf = True
        with pytest.raises(OutcomeUnknown):
            await stand.provider.launch(offer, LaunchOrder(LABEL, PUBLIC_KEY, 1, key_ref="key-7"))
        stand.line.deaf = False
        assert [machine.label for machine in await stand.provider.machines()] == [LABEL]

    async def test_a_destroy_whose_answer_is_lost_is_simply_asked_again(self, stand: Stand):
        """The error says nothing about the machine; asking again does no harm."""
        machine_id = await launch(stand)
        stand.line.deaf = True
        with pytest.raises(ProviderError):
            await stand.provider.destroy(machine_id)
        stand.line.deaf = False
        await stand.provider.destroy(machine_id)
        await gone(stand, machine_id)
