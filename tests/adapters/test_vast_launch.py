"""Vast.ai's launch: at the price that was shown, once, and never a word of "nothing was created" that is not sure."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from adapters.providers.vast import order as orders
from adapters.simulators.faces.face import Said
from adapters.simulators.faults import Fault, FaultKind
from bot.domain.errors import (
    NeedsHuman,
    NoCapacity,
    OutcomeUnknown,
    PriceChanged,
    ProviderError,
    TryLater,
    VendorChanged,
)
from bot.domain.market import MachineState
from bot.domain.money import ZERO, Usd
from tests.support.vast import KEY_LINE, LABEL, RTX, SECOND_LABEL, VastStage, vast_host

SPOT = replace(RTX, spot=True)


async def test_what_was_ordered_is_what_runs():
    """Label, disk, image, key and price of the machine are those of the order; its price is the offer's to the
    millionth, before and after it runs."""
    stage = VastStage()
    offer = await stage.offer(replace(RTX, disk_gb=40))
    machine_id = await stage.provider.launch(offer, stage.order(disk_gb=40))
    assert (await stage.seen(machine_id)).hourly == offer.hourly
    stage.clock.advance(timedelta(minutes=5))
    machine = await stage.seen(machine_id)
    assert (machine.label, machine.gpu, machine.hourly) == (LABEL, "RTX 3090", offer.hourly)
    made, sim = stage.face.made(stage.sim(machine_id)), stage.sim(machine_id)
    assert (sim.disk_gb, sim.public_key) == (40, KEY_LINE)
    assert (made.image, made.is_bid) == ("pytorch/pytorch:2.8.0-cuda12.8-cudnn9-runtime", False)
    assert "touch ~/.no_auto_tmux" in (made.onstart or "")


@pytest.mark.parametrize(
    ("cuda", "image"), [("13.0", "12.8"), ("12.7", "12.4"), ("12.2", "12.1"), ("12.0", "11.8")]
)
async def test_the_image_is_one_that_the_hosts_driver_runs(cuda: str, image: str):
    """The newest of them; an image for a newer CUDA would never start."""
    stage = VastStage(vast_host(cuda=cuda))
    made = stage.face.made(stage.sim(await stage.launched()))
    assert f"cuda{image}" in made.image


async def test_an_image_that_was_asked_for_is_taken():
    """The house's images are only for who asks for none."""
    stage = VastStage()
    machine_id = await stage.provider.launch(await stage.offer(), stage.order(image="nvidia/cuda:13.0"))
    assert stage.face.made(stage.sim(machine_id)).image == "nvidia/cuda:13.0"


async def test_the_vendors_bill_is_ours_to_the_cent():
    """GPU from running, disk from the creation to the delete, nothing for the GPU while it boots or is stopped."""
    stage = VastStage()
    offer = await stage.offer()
    machine_id = await stage.provider.launch(offer, stage.order())
    born = stage.clock.now()
    stage.clock.advance(timedelta(hours=2))
    await stage.provider.destroy(machine_id)
    alive = stage.clock.now() - born
    gpu = (offer.hourly - offer.disk_hourly).over(alive - timedelta(seconds=90))
    expected = gpu + offer.disk_hourly.over(alive)
    assert abs(stage.world.bill().micros - expected.micros) <= 2
    stage.clock.advance(timedelta(days=1))
    assert abs(stage.world.bill().micros - expected.micros) <= 2


@pytest.mark.parametrize(("percent", "error"), [(104, None), (106, PriceChanged)])
async def test_a_price_that_rose_above_what_was_agreed_creates_nothing(
    percent: int, error: type[ProviderError] | None
):
    """Looked at right before the order, also when the offer is a second old: up to what was agreed it goes on, above
    it both prices are told."""
    stage = VastStage(vast_host(disk_month=ZERO))
    offer = await stage.offer()
    stage.world.hosts["offer-h1"].hourly = Usd(offer.hourly.micros * percent // 100)
    order = stage.order(most_hourly=offer.ceiling)
    if error is None:
        assert await stage.provider.launch(offer, order)
        return
    with pytest.raises(error, match=r"now \$0\.212/h, agreed were at most \$0\.21/h"):
        await stage.provider.launch(offer, order)
    assert stage.face.count("launch") == 0


async def test_a_price_that_was_read_for_too_little_disk_does_not_pass():
    """The order's own disk counts, not the one for which the offer was shown."""
    stage = VastStage()
    offer = await stage.offer(replace(RTX, disk_gb=10))
    with pytest.raises(PriceChanged):
        await stage.provider.launch(offer, stage.order(disk_gb=500, most_hourly=offer.ceiling))
    assert stage.world.ever() == []


@pytest.mark.parametrize("gone", ["taken", "withdrawn", "not rentable"])
async def test_an_offer_that_is_gone_is_seen_before_the_order(gone: str):
    """No order is sent for what the search does not show any more; the next look shows what there is."""
    stage = VastStage(vast_host())
    offer = await stage.offer()
    if gone == "taken":
        stage.put()
    else:
        host = stage.world.hosts["offer-h1"]
        host.withdrawn, host.extra = gone == "withdrawn", {"rentable": gone == "withdrawn"}
    with pytest.raises(NoCapacity, match="no longer available"):
        await stage.provider.launch(offer, stage.order())
    assert stage.face.count("launch") == 0


@pytest.mark.parametrize("status", [400, 404, 410])
async def test_an_offer_that_goes_in_the_last_moment_is_no_capacity_in_every_wording(status: int):
    """400 is lived, 404 and 410 are documented; the word is in ``msg`` or in ``error``. It is sure that nothing was
    created, and the market is looked at anew."""
    stage = VastStage()
    offer = await stage.offer()
    stage.face.quirks.gone_status = status
    stage.world.plan("launch", Fault(FaultKind.NO_CAPACITY))
    with pytest.raises(NoCapacity, match="no_such_ask") as told:
        await stage.provider.launch(offer, stage.order())
    assert type(told.value) is NoCapacity
    assert stage.world.ever() == []
    sent = stage.face.count("offers")
    await stage.provider.offers(RTX)
    assert stage.face.count("offers") == sent + 1


REFUSALS: list[tuple[int, dict[str, Any], type[ProviderError]]] = [
    (400, {"success": False, "error": "insufficient_credit", "msg": "lacks credit"}, NeedsHuman),
    (403, {"success": False, "error": "spend_rate_limit", "msg": "cap"}, NeedsHuman),
    (400, {"success": False, "error": "invalid_args", "msg": "error 400/3467: disk"}, NoCapacity),
    (400, {"success": False, "error": "invalid_price", "msg": "price"}, NoCapacity),
    (401, {"success": False, "error": "x", "msg": "Two Factor Authentication required"}, NeedsHuman),
    (404, {"success": False, "msg": "Session expired. Please log in again."}, NeedsHuman),
    (
        403,
        {"success": False, "error": "invalid_args", "msg": "error 403/3586: Offer 1 is not your own"},
        NoCapacity,
    ),
    (404, {"error": "no_such_ask", "ask_id": 1}, NoCapacity),
    (200, {"success": False, "error": "no_such_ask", "msg": "no_such_ask"}, OutcomeUnknown),
    (200, {"success": False, "msg": "account suspended"}, OutcomeUnknown),
    (200, {"success": True}, OutcomeUnknown),
    (200, {"success": True, "new_contract": None}, OutcomeUnknown),
    (200, {"success": True, "new_contract": True}, OutcomeUnknown),
    (200, {"success": False, "msg": "bid too low", "new_contract": 41200778}, OutcomeUnknown),
    (400, {"success": False, "error": "no_such_ask", "new_contract": 41200778}, OutcomeUnknown),
    (429, {"success": False, "error": "rate_limit_exceeded", "new_contract": 41200778}, OutcomeUnknown),
    (400, {"success": False, "error": "something_new", "msg": "?"}, OutcomeUnknown),
    (422, {"success": False, "error": "server_error", "msg": "Something went wrong"}, OutcomeUnknown),
    (500, {"success": False, "error": "no_such_ask", "msg": "no_such_ask"}, OutcomeUnknown),
    (301, {}, OutcomeUnknown),
]


@pytest.mark.parametrize(("status", "body", "error"), REFUSALS)
async def test_every_refusal_of_a_create_says_exactly_what_is_known(
    status: int, body: dict[str, Any], error: type[ProviderError]
):
    """The failure table of the reference, row by row: what carries a contract, or a status of success without a clear
    yes, may have created something."""
    stage = VastStage()
    offer = await stage.offer()
    stage.face.create = lambda call, ask: Said(status, body)
    with pytest.raises(error) as told:
        await stage.provider.launch(offer, stage.order())
    assert type(told.value) is error
    assert stage.face.count("launch") == 1


async def test_an_error_that_brought_a_machine_leads_to_it_by_its_label():
    """The quirk that costs money for months: "refused", and a stopped machine whose disk bills. It is listed under the
    label, and can be ended."""
    stage = VastStage()
    offer = await stage.offer()
    stage.face.quirks.stopped_creates = 1
    with pytest.raises(OutcomeUnknown, match="was created all the same"):
        await stage.provider.launch(offer, stage.order())
    [machine] = await stage.provider.machines()
    assert (machine.label, machine.state) == (LABEL, MachineState.STOPPED)
    stage.clock.advance(timedelta(hours=10))
    assert stage.world.bill() > ZERO
    await stage.provider.destroy(machine.id)
    assert stage.world.alive() == []


async def test_a_create_that_takes_effect_after_its_answer_was_lost_appears_under_its_label():
    """No answer, and twenty seconds later a machine: within the settle time, with its price and key."""
    stage = VastStage()
    offer = await stage.offer()
    stage.world.plan("launch", Fault(FaultKind.LATE, late=timedelta(seconds=20)))
    with pytest.raises(OutcomeUnknown):
        await stage.provider.launch(offer, stage.order())
    assert await stage.provider.machines() == []
    stage.clock.advance(stage.provider.capabilities.settle)
    [machine] = await stage.provider.machines()
    assert (machine.label, machine.hourly) == (LABEL, offer.hourly)


async def test_without_credit_only_a_person_can_help():
    """Nothing is created, and what runs was stopped by the vendor."""
    stage = VastStage(balance=Usd.of("0.10"))
    machine_id = await stage.launched()
    offer = await stage.offer()
    stage.clock.advance(timedelta(hours=2))
    with pytest.raises(NeedsHuman, match="lacks credit"):
        await stage.provider.launch(offer, stage.order(SECOND_LABEL))
    machine = await stage.seen(machine_id)
    assert machine.state is MachineState.STOPPED
    assert "credit" in machine.reason


async def test_a_throttled_create_has_done_nothing_and_says_how_long_to_wait():
    """As the vendor words it when creates come too close together."""
    stage = VastStage()
    offer = await stage.offer()
    stage.world.plan("launch", Fault(FaultKind.TRY_LATER))
    with pytest.raises(TryLater) as told:
        await stage.provider.launch(offer, stage.order())
    assert told.value.after >= timedelta(seconds=4.5)
    assert stage.world.ever() == []


async def test_a_bid_is_sent_as_it_was_shown():
    """With its price in the order: without it the vendor would rent at twice that, on demand."""
    stage = VastStage(vast_host("bids", "0.10", spot=True))
    offer = await stage.offer(SPOT)
    machine_id = await stage.provider.launch(offer, stage.order(most_hourly=offer.ceiling))
    assert stage.face.made(stage.sim(machine_id)).is_bid
    assert stage.sim(machine_id).agreed == Usd.of("0.105")
    assert (await stage.seen(machine_id)).hourly == offer.hourly


@pytest.mark.parametrize(("least", "bid"), [("0.06", "0.105"), ("0.103", "0.1082"), ("0.15", None)])
async def test_a_bid_follows_the_market_as_far_as_was_agreed(least: str, bid: str | None):
    """Cheaper: what was shown is bid. A little dearer: a little more. Beyond what was agreed: nothing is ordered."""
    stage = VastStage(vast_host("bids", "0.10", spot=True, disk_month=ZERO))
    offer = await stage.offer(SPOT)
    stage.world.hosts["offer-bids"].hourly = Usd.of(least)
    order = stage.order(most_hourly=offer.ceiling)
    if bid is None:
        with pytest.raises(PriceChanged):
            await stage.provider.launch(offer, order)
        assert stage.world.ever() == []
    else:
        machine_id = await stage.provider.launch(offer, order)
        assert stage.sim(machine_id).agreed == Usd.of(bid)


async def test_a_price_that_is_not_told_any_more_is_not_guessed():
    """An offer without its parts is no price of nothing."""
    stage = VastStage()
    offer = await stage.offer()
    stage.world.hosts["offer-h1"].extra = {"dph_base": None, "dph_total": None}
    with pytest.raises(VendorChanged):
        await stage.provider.launch(offer, stage.order())
    assert stage.face.count("launch") == 0


def test_the_start_script_cannot_be_broken_out_of():
    """A key is quoted, and one that is more than a line is refused."""
    script = orders.onstart("ssh-ed25519 AAAA it's; rm -rf ~")
    assert "echo 'ssh-ed25519 AAAA it'\"'\"'s; rm -rf ~' >>" in script
    with pytest.raises(NeedsHuman):
        orders.onstart("ssh-ed25519 AAAA\nssh-ed25519 BBBB")


async def test_the_account_may_carry_two_deployments():
    """Two labels of two namespaces: each order makes its own machine, and both are told apart."""
    stage = VastStage()
    other = "lc-other-zzzzzz-1-20260302T1200Z"
    first, second = await stage.launched(), await stage.launched(other)
    assert {one.id: one.label for one in await stage.provider.machines()} == {first: LABEL, second: other}
