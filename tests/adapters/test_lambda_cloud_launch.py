"""Renting at Lambda through the real adapter: one call, one machine, and the right error for everything else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from adapters.simulators.faces.face import Said, Wire
from adapters.simulators.faces.lambda_cloud import lambda_host
from adapters.simulators.faults import Fault, FaultKind
from bot.domain.errors import (
    NeedsHuman,
    NoCapacity,
    OutcomeUnknown,
    PriceChanged,
    ProviderError,
    TryLater,
)
from bot.domain.market import Want
from bot.domain.money import Usd
from tests.support.lambda_cloud import LABEL, PUBLIC_KEY, SECOND_LABEL, LambdaStage

KINDS = (TryLater, OutcomeUnknown, NoCapacity, NeedsHuman)


async def refused(stage: LambdaStage, error: type[ProviderError], **order: Any) -> ProviderError:
    """The error of a launch, which is of this kind and of no other that means something else."""
    offer = await stage.offer()
    with pytest.raises(error) as raised:
        await stage.provider.launch(offer, stage.order(**order))
    assert [kind for kind in KINDS if isinstance(raised.value, kind)] == [
        kind for kind in KINDS if issubclass(error, kind)
    ]
    return raised.value


async def found(stage: LambdaStage) -> list[str]:
    """The labels on the account, as the adapter lists them."""
    stage.face.clear()
    return [machine.label for machine in await stage.provider.machines()]


# --- a launch that works --------------------------------------------------------------------------


async def test_a_launch_names_its_machine_three_times():
    """The label is in name, tags and key; the time at which it must end is in a tag; the key is the rental's own."""
    stage = LambdaStage()
    machine_id = await stage.launched()
    sim, made = stage.sim(machine_id), stage.face._of(stage.sim(machine_id))
    assert (sim.label, sim.public_key, sim.image) == (LABEL, PUBLIC_KEY, "lambda-stack-24-04")
    assert (made.name, made.key, made.file_systems) == (LABEL, LABEL, [])
    tags = {tag["key"]: tag["value"] for tag in made.tags}
    assert tags == {"managed-by": "lastcall", "label": LABEL, "expires-at": "1772452800"}
    assert stage.face.count("launch") == 1


async def test_the_default_image_is_taken_for_an_arm_machine():
    """A family can name an image of the wrong architecture."""
    stage = LambdaStage(lambda_host("gpu_1x_gh200"))
    stage.face.shelf.families.clear()  # whatever is named is refused
    stage.face.shelf.families["lambda-stack-24-04"] = "the default"
    await stage.provider.launch(await stage.offer(Want(gpu="GH200")), stage.order())
    assert "image" not in stage.launches()[0]


async def test_a_base_address_may_end_in_a_slash_and_begin_anywhere():
    """The adapter works at any address, below any path."""
    stage = LambdaStage()
    stage.face.prefix = "/some/lambda"
    provider = stage.another(url="http://127.0.0.1:8080/some/lambda/api/v1/")
    await provider.launch((await provider.offers(Want(gpu="A10")))[0], stage.order())
    assert [machine.label for machine in await provider.machines()] == [LABEL]


# --- what may go wrong with the call itself -------------------------------------------------------


@pytest.mark.parametrize(
    ("wire", "error", "created"),
    [
        (Wire.TIMEOUT_BEFORE, OutcomeUnknown, False),
        (Wire.TIMEOUT_AFTER, OutcomeUnknown, True),
        (Wire.RESET_BEFORE, OutcomeUnknown, False),
        (Wire.RESET_AFTER, OutcomeUnknown, True),
        (Wire.ERROR_BEFORE, OutcomeUnknown, False),
        (Wire.ERROR_AFTER, OutcomeUnknown, True),
        (Wire.GATEWAY, OutcomeUnknown, False),
        (Wire.HTML, OutcomeUnknown, True),
        (Wire.TRUNCATED, OutcomeUnknown, True),
        (Wire.MISSING_KEYS, OutcomeUnknown, True),
        (Wire.SHRUG, None, False),
        (Wire.EXTRA_KEYS, None, True),
        (Wire.THROTTLED, TryLater, False),
        (Wire.THROTTLED_WITH_TIME, TryLater, False),
        (Wire.WRONG_KEY, NeedsHuman, False),
        (Wire.READ_ONLY, NeedsHuman, False),
    ],
)
async def test_a_launch_is_sent_once_whatever_comes_back(
    wire: Wire, error: type[ProviderError] | None, created: bool
):
    """``OutcomeUnknown`` wherever something may run, which is found by its label; else an error that is certain."""
    stage = LambdaStage()
    stage.fails("launch", wire)
    if error is None:
        assert await stage.launched()
    else:
        await refused(stage, error)
    assert stage.face.count("launch") == 1
    assert await found(stage) == ([LABEL] if created else [])


@pytest.mark.parametrize("style", ["json", "text429", "text403"])
async def test_a_throttled_launch_created_nothing(style: Any):
    """Also where the throttle looks like a forbidden key: it is put off, and a person is not asked."""
    stage = LambdaStage()
    stage.face.throttle = style
    stage.fails("launch", Wire.THROTTLED)
    await refused(stage, TryLater)
    assert await found(stage) == []


@pytest.mark.parametrize(
    ("status", "code", "message", "error"),
    [
        (400, "instance-operations/launch/insufficient-capacity", "Not enough capacity.", NoCapacity),
        (400, "global/quota-exceeded", "Quota exceeded.", NoCapacity),
        (400, "global/invalid-parameters", "Region us-moon-1 does not exist", NoCapacity),
        (400, "global/invalid-parameters", "Requested too many instances.", NeedsHuman),
        (400, "instance-operations/launch/file-system-in-wrong-region", "Wrong region.", NeedsHuman),
        (404, "global/object-does-not-exist", "Specified instance type does not exist.", NoCapacity),
        (400, "global/object-does-not-exist", "Specified SSH key does not exist.", TryLater),
        (401, "global/invalid-api-key", "API key was invalid, expired, or deleted.", NeedsHuman),
        (403, "global/account-inactive", "Your account is inactive.", NeedsHuman),
        (403, "global/invalid-address", "Your billing address is invalid.", NeedsHuman),
        (409, "global/internal-error", "Conflict.", OutcomeUnknown),
        (409, "provider/internal-unavailable", "Upstream trouble.", OutcomeUnknown),
        (503, "provider/internal-unavailable", "Upstream trouble.", OutcomeUnknown),
        (500, "global/unknown", "Unknown error.", OutcomeUnknown),
        (400, "global/duplicate", "Name is taken.", OutcomeUnknown),
        (418, "global/brand-new", "A code of tomorrow.", OutcomeUnknown),
    ],
)
async def test_a_refusal_is_read_by_its_code(
    status: int, code: str, message: str, error: type[ProviderError]
):
    """And the vendor's own sentence is what the person reads."""
    stage = LambdaStage()
    stage.refuses("launch", status, code, message)
    assert message.rstrip(".") in (await refused(stage, error)).reason
    assert stage.face.count("launch") == 1


@pytest.mark.parametrize("code", ["global/internal-error", "global/quota-exceeded", "provider/busy"])
async def test_an_error_that_comes_after_the_machine_is_unknown_where_it_can_be(code: str):
    """A failure over there says nothing about what was done; one that names a machine says that something was."""
    stage = LambdaStage()
    named = {"error": {"code": code, "message": "No."}, "data": {"instance_ids": ["ab" * 16]}}
    stage.face.script("launch", Said(409, named), after=True)
    await refused(stage, OutcomeUnknown)
    assert await found(stage) == [LABEL]


@pytest.mark.parametrize(
    "answer",
    [
        {"data": {"instance_ids": []}},
        {"data": {"instance_ids": None}},
        {"data": {"instance_ids": ["ab" * 16, "cd" * 16]}},
        {"data": {"instance_ids": [""]}},
        {"data": {"instance_ids": [7]}},
        {"data": None},
        [],
    ],
)
async def test_a_success_that_does_not_name_one_machine_is_unknown(answer: Any):
    """The machine is there, and is found by its label."""
    stage = LambdaStage()
    stage.face.script("launch", Said(200, answer), after=True)
    await refused(stage, OutcomeUnknown)
    assert await found(stage) == [LABEL]


async def test_a_late_birth_is_listed_when_it_comes():
    """No answer, nothing in the list, and the machine a minute afterwards."""
    stage = LambdaStage()
    stage.world.plan("launch", Fault(FaultKind.LATE, late=timedelta(minutes=1)))
    await refused(stage, OutcomeUnknown)
    assert await found(stage) == []
    stage.clock.advance(timedelta(minutes=1))
    assert await found(stage) == [LABEL]


# --- what is looked at before ---------------------------------------------------------------------


@pytest.mark.parametrize(("now", "error"), [(136, PriceChanged), (135, None), (100, None)])
async def test_the_price_is_looked_at_once_more(now: int, error: type[ProviderError] | None):
    """Up to 5 % above what was agreed it is rented; above that nothing is, and the sentence tells both prices."""
    stage = LambdaStage()
    offer = await stage.offer()
    next(iter(stage.world.hosts.values())).hourly = Usd(now * 10_000)
    order = stage.order(most_hourly=offer.ceiling)
    if error is None:
        assert await stage.provider.launch(offer, order)
        return
    with pytest.raises(error, match=r"now \$1\.36/h, agreed were at most \$1\.3545/h"):
        await stage.provider.launch(offer, order)
    assert stage.face.count("launch") == stage.face.count("keys") == 0


async def test_what_was_sold_meanwhile_costs_no_launch_call():
    """Launches are few; the catalogue tells the same for the price of a read."""
    stage = LambdaStage()
    offer = await stage.offer()
    next(iter(stage.world.hosts.values())).withdrawn = True
    with pytest.raises(NoCapacity, match="sold out in us-west-1"):
        await stage.provider.launch(offer, stage.order())
    assert stage.face.count("launch") == 0


async def test_what_is_listed_and_refused_is_no_capacity():
    """Capacity that is shown is not permission; the smaller machine may work."""
    stage = LambdaStage(lambda_host("gpu_8x_a100"), lambda_host())
    stage.face.over_quota = {"gpu_8x_a100"}
    big = (await stage.provider.offers(Want(count=8)))[0]
    with pytest.raises(NoCapacity, match=r"Quota exceeded\. Contact Support"):
        await stage.provider.launch(big, stage.order())
    stage.clock.advance(timedelta(seconds=12))
    assert await stage.provider.launch(await stage.offer(), stage.order(SECOND_LABEL))


@pytest.mark.parametrize("kind", ["offers", "keys"])
@pytest.mark.parametrize(
    ("wire", "error"),
    [
        (Wire.TIMEOUT_BEFORE, TryLater),
        (Wire.RESET_BEFORE, TryLater),
        (Wire.ERROR_BEFORE, TryLater),
        (Wire.HTML, TryLater),
        (Wire.TRUNCATED, TryLater),
        (Wire.MISSING_KEYS, TryLater),
        (Wire.THROTTLED, TryLater),
        (Wire.WRONG_KEY, NeedsHuman),
    ],
)
async def test_a_fault_before_the_launch_rented_nothing(kind: str, wire: Wire, error: type[ProviderError]):
    """Price or key could not be had: certain, because the launch was never sent."""
    stage = LambdaStage()
    offer = await stage.offer()
    stage.fails(kind, wire)
    with pytest.raises(error):
        await stage.provider.launch(offer, stage.order())
    assert stage.face.count("launch") == 0


async def test_an_image_that_is_gone_costs_one_launch_and_no_machine():
    """It is put off, and from then on Lambda's newest image is taken."""
    stage = LambdaStage()
    stage.face.shelf.families = {"lambda-stack-26-04": "1"}
    await refused(stage, TryLater)
    assert await found(stage) == []
    stage.face.shelf.families = {"lambda-stack-24-04": "the default"}
    stage.clock.advance(timedelta(seconds=12))
    assert await stage.launched(SECOND_LABEL)
    assert ["image" in body for body in stage.launches()] == [True, False]
