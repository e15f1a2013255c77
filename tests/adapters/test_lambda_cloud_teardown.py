"""The end of a machine at Lambda through the real adapter, and what a launch leaves beside it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from adapters.simulators.faces.face import HTML, Said, Wire
from adapters.simulators.faults import Fault, FaultKind
from adapters.simulators.machine import SimVolume
from bot.domain.errors import NeedsHuman, OutcomeUnknown, ProviderError, TryLater, VendorChanged
from bot.domain.market import LaunchOrder, Leftover, MachineState
from bot.domain.money import Usd
from tests.support.lambda_cloud import LABEL, SECOND_LABEL, LambdaStage

MINUTE = timedelta(minutes=1)


def asked(stage: LambdaStage, machine_id: str) -> bool:
    """Whether the vendor was really asked to end it."""
    return stage.sim(machine_id).spans[-1].asked_at is not None


# --- destroy --------------------------------------------------------------------------------------


async def test_a_machine_ends_and_the_meter_with_it():
    """Terminating at once, gone a while later; billed by the minute, from active until the call."""
    stage = LambdaStage()
    machine_id = await stage.launched()
    stage.clock.advance(14 * MINUTE + timedelta(seconds=1))
    await stage.provider.destroy(machine_id)
    assert (await stage.seen(machine_id)).state is MachineState.ENDING
    stage.clock.advance(MINUTE)
    assert await stage.provider.machines() == []
    assert await stage.provider.inspect(machine_id) is None
    stage.clock.advance(60 * MINUTE)
    assert stage.world.bill() == Usd.of("1.29").over(11 * MINUTE)  # 10 min and 1 s


async def test_what_is_gone_or_never_was_may_be_destroyed():
    """By the vendor's own code; asked by whoever and however often."""
    stage = LambdaStage()
    machine_id = await stage.running()
    await stage.provider.destroy(machine_id)
    await stage.another().destroy(machine_id)
    stage.clock.advance(MINUTE)
    await stage.provider.destroy(machine_id)
    await stage.provider.destroy("ab" * 16)


@pytest.mark.parametrize(
    "answer",
    [
        Said(404, text=HTML),
        Said(404, {"message": "not found"}),
        Said(400, {"error": {"code": "global/invalid-parameters", "message": "Bad id."}}),
        Said(403, {"error": {"code": "global/account-inactive", "message": "Inactive."}}),
        Said(403, text="error code: 1015"),
        Said(409, {"error": {"code": "provider/internal-unavailable", "message": "Trouble."}}),
        Said(200, {"data": {"terminated_instances": []}}),
        Said(200, {"data": {"terminated_instances": [{"id": "another"}, "odd"]}}),
        Said(200, {"data": {}}),
        Said(200, {"data": []}),
        Said(200, []),
        Said(200, text=HTML),
        Said(204),
    ],
)
async def test_an_answer_that_does_not_name_the_machine_did_nothing(answer: Said):
    """Not even a success: without the echo nothing was done to it, and the machine that runs on shows it."""
    stage = LambdaStage()
    machine_id = await stage.running()
    stage.face.script("destroy", answer)
    with pytest.raises(ProviderError):
        await stage.provider.destroy(machine_id)
    assert not asked(stage, machine_id)
    await stage.provider.destroy(machine_id)
    assert asked(stage, machine_id)


@pytest.mark.parametrize(
    ("wire", "error"),
    [
        (Wire.TIMEOUT_BEFORE, OutcomeUnknown),
        (Wire.RESET_BEFORE, OutcomeUnknown),
        (Wire.ERROR_BEFORE, OutcomeUnknown),
        (Wire.GATEWAY, OutcomeUnknown),
        (Wire.THROTTLED, TryLater),
        (Wire.THROTTLED_WITH_TIME, TryLater),
        (Wire.WRONG_KEY, NeedsHuman),
        (Wire.READ_ONLY, NeedsHuman),
        (Wire.TIMEOUT_AFTER, None),
        (Wire.RESET_AFTER, None),
        (Wire.ERROR_AFTER, None),
        (Wire.HTML, None),
        (Wire.TRUNCATED, None),
        (Wire.MISSING_KEYS, None),
        (Wire.EXTRA_KEYS, None),
    ],
)
async def test_after_an_error_the_machine_decides(wire: Wire, error: type[ProviderError] | None):
    """It is looked at: what is ending was ended, whatever the answer was; what is not is an error. Sent once."""
    stage = LambdaStage()
    machine_id = await stage.running()
    stage.fails("destroy", wire)
    if error is None:
        await stage.provider.destroy(machine_id)
    else:
        with pytest.raises(error):
            await stage.provider.destroy(machine_id)
    assert asked(stage, machine_id) is (error is None)
    assert stage.face.count("destroy") == 1


@pytest.mark.parametrize(
    ("wire", "error"), [(Wire.TIMEOUT_AFTER, OutcomeUnknown), (Wire.ERROR_AFTER, OutcomeUnknown)]
)
async def test_what_cannot_be_looked_at_is_an_error(wire: Wire, error: type[ProviderError]):
    """Even where it worked: nobody knows."""
    stage = LambdaStage()
    machine_id = await stage.running()
    stage.fails("destroy", wire)
    stage.fails("inspect", Wire.HTML)
    with pytest.raises(error):
        await stage.provider.destroy(machine_id)


async def test_a_machine_that_is_ending_already_fails_and_is_success():
    """Some versions answer ``global/unknown`` to a second call."""
    stage = LambdaStage()
    stage.face.ends_twice = False
    machine_id = await stage.running()
    await stage.provider.destroy(machine_id)
    await stage.provider.destroy(machine_id)
    assert 500 in {line.status for line in stage.face.log}


@pytest.mark.parametrize("echoes", [True, False])
async def test_a_success_without_effect_is_seen_in_the_listing(echoes: bool):
    """The call may name the machine and do nothing: "asked" is all that it promises, and the machine is still listed
    as running. Without the echo it is an error right away."""
    stage = LambdaStage()
    stage.face.echoes = echoes
    machine_id = await stage.running()
    stage.fails("destroy", Wire.SHRUG, times=1)
    if echoes:
        await stage.provider.destroy(machine_id)
    else:
        with pytest.raises(OutcomeUnknown):
            await stage.provider.destroy(machine_id)
    assert (await stage.seen(machine_id)).state is MachineState.RUNNING


async def test_a_machine_that_comes_back_is_listed_under_its_label():
    """The same id, the same label, billed again: whoever looks, sees it."""
    stage = LambdaStage()
    machine_id = await stage.running()
    stage.world.plan("destroy", Fault(FaultKind.RETURNS, late=2 * MINUTE))
    await stage.provider.destroy(machine_id)
    stage.clock.advance(MINUTE)
    assert await stage.provider.inspect(machine_id) is None
    stage.clock.advance(5 * MINUTE)
    assert (await stage.seen(machine_id)).label == LABEL


async def test_a_shut_account_is_told_and_nothing_is_believed_gone():
    """The machine cannot be ended through the API, and cannot be asked for either."""
    stage = LambdaStage()
    machine_id = await stage.running()
    stage.face.inactive = True
    for ask in (stage.provider.destroy, stage.provider.inspect):
        with pytest.raises(NeedsHuman, match="shut the account"):
            await ask(machine_id)
    with pytest.raises(NeedsHuman):
        await stage.provider.machines()
    stage.face.inactive = False
    assert (await stage.seen(machine_id)).state is MachineState.RUNNING


async def test_one_end_does_not_touch_another_machine():
    """One id per call, and only that one."""
    stage = LambdaStage()
    first, second = await stage.running(), await stage.running(SECOND_LABEL)
    await stage.provider.destroy(first)
    assert (asked(stage, first), asked(stage, second)) == (True, False)


# --- what is left -----------------------------------------------------------------------------------


async def test_file_systems_bill_without_a_machine():
    """What they hold times the rate that Lambda itself gives as an example, and says so; unknown is not nothing."""
    stage = LambdaStage()
    stage.world.volumes += [SimVolume("a1", "data", 100, "us-west-1"), SimVolume("b2", "new", 0, "us-east-1")]
    what = "file system, at about $0.20 per GiB and month"
    assert await stage.provider.leftovers() == [
        Leftover("lambda", "a1", what, "data", Usd.of("20.00"), "us-west-1"),
        Leftover("lambda", "b2", what, "new", Usd.of("0"), "us-east-1"),
    ]
    stage.face.script("leftovers", Said(200, {"data": [{"id": "c3", "bytes_used": None}]}))
    assert await stage.provider.leftovers() == [Leftover("lambda", "c3", what, "", None, "")]


@pytest.mark.parametrize(
    "answer", [Said(200, {"data": None}), Said(404, text=HTML), Said(200, {"data": [{}]})]
)
async def test_file_systems_that_cannot_be_read_are_an_error(answer: Said):
    """Something that bills is never passed over in silence."""
    stage = LambdaStage()
    stage.face.script("leftovers", answer)
    with pytest.raises(VendorChanged):
        await stage.provider.leftovers()


async def test_two_deployments_on_one_account_see_each_other_and_keep_apart():
    """The other's machine is listed under the other's label; tidying ours leaves its key."""
    stage = LambdaStage()
    await stage.running()
    theirs = "lc-other-zzzzzz-1-20260302T1200Z"
    other: LaunchOrder = stage.order(theirs)
    await stage.another().launch(await stage.offer(), other)
    await stage.provider.tidy(LABEL)
    listed: set[Any] = {machine.label for machine in await stage.provider.machines()}
    assert listed == {LABEL, theirs}
    assert [key["name"] for key in stage.face.shelf.keys] == [theirs]
