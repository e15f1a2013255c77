"""Faults on demand: what the caller hears, and what became true all the same."""

from __future__ import annotations

from datetime import timedelta

import pytest

from adapters.simulators.faults import ALWAYS, Fault, FaultKind
from bot.domain.errors import NeedsHuman, NoCapacity, OutcomeUnknown, ProviderError, TryLater, VendorChanged
from bot.domain.market import MachineState, Want
from tests.support.worlds import LABEL, MINUTE, SECOND, SECOND_LABEL, START, Street, order


@pytest.fixture
def street() -> Street:
    """Without any lag."""
    return Street()


async def test_a_lost_answer_after_the_effect_leaves_a_machine(street: Street):
    """The launch raises OutcomeUnknown, and the machine is there under its label."""
    street.world.plan("launch", Fault(FaultKind.LOST_AFTER))
    with pytest.raises(OutcomeUnknown):
        await street.launch()
    [machine] = await street.provider.machines()
    assert machine.label == LABEL


async def test_a_lost_request_leaves_nothing(street: Street):
    """The launch raises OutcomeUnknown, and nothing was ever born."""
    street.world.plan("launch", Fault(FaultKind.LOST_BEFORE))
    with pytest.raises(OutcomeUnknown):
        await street.launch()
    street.clock.advance(timedelta(hours=1))
    assert street.world.ever() == []


async def test_a_late_birth(street: Street):
    """No answer, an empty listing, and 45 s later a machine that bills from that moment."""
    street.world.plan("launch", Fault(FaultKind.LATE, late=45 * SECOND))
    with pytest.raises(OutcomeUnknown):
        await street.launch()
    assert await street.provider.machines() == []
    assert street.world.alive() == []
    assert len(street.world.unborn()) == 1
    street.clock.advance(44 * SECOND)
    assert await street.provider.machines() == []
    street.clock.advance(SECOND)
    [machine] = await street.provider.machines()
    assert machine.label == LABEL
    assert street.world.unborn() == []
    assert street.world.intervals()[0].born == START + 45 * SECOND


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        (FaultKind.NO_CAPACITY, NoCapacity),
        (FaultKind.TRY_LATER, TryLater),
        (FaultKind.NEEDS_HUMAN, NeedsHuman),
        (FaultKind.GARBLED, VendorChanged),
    ],
)
async def test_clear_answers_leave_nothing(street: Street, kind: FaultKind, error: type[ProviderError]):
    """Each refusal is its own error, once, and nothing was created."""
    street.world.plan("launch", Fault(kind))
    with pytest.raises(error):
        await street.launch()
    assert street.world.ever() == []
    assert await street.launch()


async def test_a_lost_answer_to_a_read_is_try_later(street: Street):
    """A listing may be asked for again; its outcome is never unknown."""
    street.world.plan("machines", Fault(FaultKind.LOST_AFTER), Fault(FaultKind.GARBLED))
    with pytest.raises(TryLater):
        await street.provider.machines()
    with pytest.raises(VendorChanged):
        await street.provider.machines()
    assert await street.provider.machines() == []


async def test_an_offer_vanishes_between_quote_and_launch(street: Street):
    """A withdrawn or full host is no capacity, and the answer is certain."""
    [offer] = await street.provider.offers(Want(gpu="RTX 4090"))
    street.dear.withdrawn = True
    with pytest.raises(NoCapacity):
        await street.provider.launch(offer, order())
    street.dear.withdrawn = False
    await street.provider.launch(offer, order())
    with pytest.raises(NoCapacity):
        await street.provider.launch(offer, order(SECOND_LABEL))


async def test_destroy_that_shrugs_has_to_be_asked_again(street: Street):
    """Twice the vendor says yes and does nothing; the third time it is gone."""
    machine = await street.launch()
    street.world.plan("destroy", Fault(FaultKind.SHRUG, times=2))
    for _ in range(2):
        await street.provider.destroy(machine)
        assert await street.provider.inspect(machine) is not None
    await street.provider.destroy(machine)
    assert await street.provider.inspect(machine) is None
    await street.provider.destroy(machine)


async def test_destroy_whose_answer_is_lost_or_late(street: Street):
    """Lost after: gone at once. Late: gone a minute later. Both raise OutcomeUnknown."""
    first, second = await street.launch(), await street.launch()
    street.world.plan("destroy", Fault(FaultKind.LOST_AFTER), Fault(FaultKind.LATE, late=MINUTE))
    for machine in (first, second):
        with pytest.raises(OutcomeUnknown):
            await street.provider.destroy(machine)
    assert [machine.id for machine in await street.provider.machines()] == [second]
    street.clock.advance(MINUTE)
    assert await street.provider.machines() == []


async def test_a_machine_comes_back_from_the_dead(street: Street):
    """Gone, and ten minutes later it runs and bills again, until it is destroyed again."""
    machine = await street.launch()
    street.world.plan("destroy", Fault(FaultKind.RETURNS, late=10 * MINUTE))
    street.clock.advance(5 * MINUTE)
    await street.provider.destroy(machine)
    assert await street.provider.machines() == []
    street.clock.advance(10 * MINUTE)
    [back] = await street.provider.machines()
    assert (back.id, back.state) == (machine, MachineState.RUNNING)
    await street.provider.destroy(machine)
    assert street.world.alive() == []
    assert len(street.world.intervals()) == 2
    assert street.world.most_at_once("k7m2xq") == 1


async def test_faults_can_be_let_through_stay_and_be_cleared(street: Street):
    """NONE lets one call pass; ALWAYS stays until it is cleared."""
    street.world.plan("machines", Fault(FaultKind.NONE), Fault(FaultKind.TRY_LATER, times=ALWAYS))
    await street.provider.machines()
    for _ in range(5):
        with pytest.raises(TryLater):
            await street.provider.machines()
    assert street.world.faults.waiting() == {"machines": 1}
    street.world.faults.clear("machines")
    await street.provider.machines()
    assert street.world.calls["machines"] == 7
