"""Lambda's market through the real adapter: what is offered, what is not, and what a broken answer means."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from adapters.simulators.faces.face import Wire
from adapters.simulators.faces.lambda_cloud import lambda_host
from bot.domain.errors import NeedsHuman, ProviderError, TryLater, VendorChanged
from bot.domain.market import Offer, Want
from bot.domain.money import Usd
from tests.support.lambda_cloud import A10, LambdaStage

MINUTE = timedelta(minutes=1)


def entry(name: str = "gpu_1x_a10", regions: Any = None, **changes: Any) -> dict[str, Any]:
    """One type of the catalogue; ``...`` takes a field of ``instance_type`` away."""
    row = {
        "name": name,
        "description": "1x A10 (24 GB PCIe)",
        "gpu_description": "A10 (24 GB PCIe)",
        "price_cents_per_hour": 129,
        "specs": {"vcpus": 30, "memory_gib": 200, "storage_gib": 1400, "gpus": 1},
        **changes,
    }
    kept = {key: value for key, value in row.items() if value is not ...}
    places = [{"name": "us-west-1", "description": "California, USA"}] if regions is None else regions
    return {"instance_type": kept, "regions_with_capacity_available": places}


async def ids(stage: LambdaStage, want: Want) -> list[str]:
    """What is offered."""
    return [offer.id for offer in await stage.provider.offers(want)]


async def test_an_offer_says_all_that_is_known():
    """The price is for the whole machine with its disk; who bills how, where, and how long it may boot."""
    offer = await LambdaStage(lambda_host("gpu_8x_h100_sxm5", "us-east-1")).offer(
        Want(gpu="H100 SXM", count=8)
    )
    assert offer == Offer(
        provider="lambda",
        id="gpu_8x_h100_sxm5@us-east-1",
        gpu="H100 SXM",
        count=8,
        vram_gb=80,
        hourly=Usd.of("31.92"),
        disk_gb=22528,
        where="us-east-1",
        host="lambda/us-east-1/gpu_8x_h100_sxm5",
        pool=True,
        gpu_from_running=True,
        billing_step=MINUTE,
        drift=5,
        boot_limit=30 * MINUTE,
        ram_gb=1800,
        places=("US", "NA", "us-east-1"),
        verified=True,
        detail={"type": "gpu_8x_h100_sxm5", "region": "us-east-1"},
    )


async def test_each_region_with_stock_is_an_offer_and_the_cheapest_comes_first():
    """What is sold out is not offered, and is offered again when it is back."""
    dear, here = lambda_host("gpu_1x_a100_sxm4"), lambda_host("gpu_1x_a10", "us-east-1")
    stage = LambdaStage(
        dear, here, lambda_host("gpu_1x_a10", "me-west-1"), lambda_host("gpu_1x_a10", "asia-south-1")
    )
    here.withdrawn = True
    a10 = ["gpu_1x_a10@asia-south-1", "gpu_1x_a10@me-west-1"]
    assert await ids(stage, Want()) == [*a10, "gpu_1x_a100_sxm4@us-west-1"]
    here.withdrawn = False
    assert await ids(stage, A10) == [*a10, "gpu_1x_a10@us-east-1"]


async def test_a_drought_is_no_error():
    """Every type at zero is an answer: nothing."""
    stage = LambdaStage(lambda_host(capacity=0), lambda_host("gpu_8x_h100_sxm5", capacity=0))
    assert await ids(stage, Want()) == []


@pytest.mark.parametrize(
    ("gpu", "found"),
    [
        ("A100 40GB", ["gpu_1x_a100@us-west-1", "gpu_1x_a100_sxm4@us-west-1"]),
        ("A100 PCIe 40GB", ["gpu_1x_a100@us-west-1"]),
        ("A100 SXM 40GB", ["gpu_1x_a100_sxm4@us-west-1"]),
        ("Quadro RTX 6000", ["gpu_1x_rtx6000@us-west-1"]),
        ("RTX A6000", ["gpu_1x_a6000@us-west-1"]),
        ("A100 80GB", []),
        ("RTX 3090", []),
    ],
)
async def test_a_card_is_what_its_description_says(gpu: str, found: list[str]):
    """The type's id tells neither form nor memory: ``gpu_1x_a100`` is a PCIe card of 40 GB."""
    types = ("gpu_1x_a100", "gpu_1x_a100_sxm4", "gpu_1x_rtx6000", "gpu_1x_a6000", "gpu_8x_a100")
    assert await ids(LambdaStage(*map(lambda_host, types)), Want(gpu=gpu)) == found


@pytest.mark.parametrize(
    ("change", "offered"),
    [
        ({"count": 2}, False),
        ({"vram_gb": 24}, True),
        ({"vram_gb": 48}, False),
        ({"disk_gb": 1400}, True),
        ({"disk_gb": 1401}, False),
        ({"ram_gb": 200}, True),
        ({"ram_gb": 201}, False),
        ({"max_hourly": Usd.of("1.29")}, True),
        ({"max_hourly": Usd.of("1.28")}, False),
        ({"region": "US"}, True),
        ({"region": "us-west"}, True),
        ({"region": "EU"}, False),
        ({"verified": True}, True),
        ({"reliability": 0.9}, False),
        ({"cuda": "12.4"}, False),
        ({"spot": True}, False),
        ({"lifetime": timedelta(days=3)}, True),
        ({"avoid": frozenset({"lambda/us-west-1/gpu_1x_a10"})}, False),
    ],
)
async def test_a_wish_is_kept(change: dict[str, Any], offered: bool):
    """What is asked for and not there, or not told, is not offered."""
    assert bool(await ids(LambdaStage(), replace(A10, **change))) is offered


@pytest.mark.parametrize(
    ("region", "asked"),
    [("europe-central-1", "EU"), ("me-west-1", "IL"), ("asia-south-1", "IN"), ("asia-northeast-2", "JP"),
     ("australia-east-1", "AU"), ("us-midwest-2", "NA"), ("asia-far-9", "AS"), ("moon-base-1", "moon-base-1")],
)  # fmt: skip
async def test_a_region_is_found_by_country_part_of_the_world_and_name(region: str, asked: str):
    """Also one that the vendor opened after this was written."""
    stage = LambdaStage(lambda_host("gpu_1x_a10", region))
    for word in (asked, region):
        assert await ids(stage, replace(A10, region=word)) == [f"gpu_1x_a10@{region}"]


@pytest.mark.parametrize(
    ("name", "count", "minutes"),
    [("gpu_1x_a10", 1, 10), ("gpu_2x_a6000", 2, 20), ("gpu_8x_a100", 8, 30)],
)
async def test_more_gpus_may_boot_longer(name: str, count: int, minutes: int):
    """Eight GPUs were seen to take 25 minutes."""
    offer = await LambdaStage(lambda_host(name)).offer(Want(count=count))
    assert offer.boot_limit == minutes * MINUTE


async def test_a_machine_without_gpu_is_only_for_who_allows_it():
    """The cheapest machine of all is not what somebody wants who trains."""
    stage = LambdaStage(lambda_host("cpu_4x_general"), lambda_host())
    assert await ids(stage, Want()) == ["gpu_1x_a10@us-west-1"]
    allowed = await stage.provider.offers(Want(cpu_ok=True))
    assert [(one.gpu, one.cpu_only, one.count, one.vram_gb) for one in allowed[:1]] == [
        ("CPU only", True, 1, 0)
    ]
    assert await ids(stage, Want(cpu_ok=True, vram_gb=8)) == ["gpu_1x_a10@us-west-1"]
    assert await ids(stage, Want(cpu_ok=True, count=2)) == []


async def test_an_arm_processor_is_told():
    """Who brings x86 tools must know before paying."""
    offer = await LambdaStage(lambda_host("gpu_1x_gh200")).offer(Want(gpu="GH200"))
    assert "arm64" in offer.note


async def test_types_come_as_a_map_or_as_a_list():
    """Both were seen."""
    stage = LambdaStage()
    as_map = await stage.provider.offers(A10)
    stage.face.types_as_list = True
    assert await stage.provider.offers(A10) == as_map != []


@pytest.mark.parametrize(
    "odd",
    [
        "a text",
        {},
        {"instance_type": None},
        entry(name=...),
        entry(price_cents_per_hour=0),
        entry(price_cents_per_hour=None),
        entry(price_cents_per_hour="much"),
        entry(specs=None),
        entry(specs={"gpus": 1, "memory_gib": 200}),
        entry(specs={"gpus": 2, "storage_gib": 1400}),
        entry(specs={"gpus": 0, "storage_gib": 1400}),
        entry(gpu_description="A10", description="1x A10"),
        entry(gpu_description="Z9000 (24 GB)"),
        entry(gpu_description="A100 (24 GB)"),
        entry(regions="us-west-1"),
        entry(regions=[None, {}, {"name": 7}]),
    ],
)
async def test_what_cannot_be_read_or_named_is_left_out_and_hides_nothing(odd: Any):
    """Never a guess at card, number, price or disk; the next type is offered all the same."""
    stage = LambdaStage(lambda_host("gpu_1x_a6000"))
    stage.face.more_types = {"odd": odd}
    assert await ids(stage, Want()) == ["gpu_1x_a6000@us-west-1"]
    assert await ids(stage, Want(count=2)) == []


@pytest.mark.parametrize(
    "old",
    [
        entry(gpu_description=...),
        entry(specs={"memory_gib": 200, "storage_gib": 1400}),
        entry(price_cents_per_hour="129"),
        entry(price_cents_per_hour=129.0),
    ],
)
async def test_older_documents_are_understood(old: Any):
    """Without ``gpu_description`` and without ``gpus``, which came later; numbers of another type."""
    stage = LambdaStage(lambda_host("gpu_1x_a6000", capacity=0))
    stage.face.more_types = {"gpu_1x_a10": old}
    assert [(one.gpu, one.count, one.hourly) for one in await stage.provider.offers(A10)] == [
        ("A10", 1, Usd.of("1.29"))
    ]


async def test_a_catalogue_of_which_nothing_can_be_read_is_not_an_empty_one():
    """A renamed field must not look like "sold out"."""
    stage = LambdaStage(lambda_host(capacity=0))
    stage.world.hosts.clear()
    stage.face.more_types = {"gpu_1x_a10": {"type": "renamed"}}
    with pytest.raises(VendorChanged):
        await stage.provider.offers(A10)


LOST = [Wire.TIMEOUT_BEFORE, Wire.TIMEOUT_AFTER, Wire.RESET_BEFORE, Wire.RESET_AFTER]
TEMPORARY = [Wire.ERROR_BEFORE, Wire.ERROR_AFTER, Wire.GATEWAY, Wire.THROTTLED, Wire.THROTTLED_WITH_TIME]
FOR_GOOD: list[tuple[Wire, type[ProviderError]]] = [
    *((wire, TryLater) for wire in (*LOST, *TEMPORARY)),
    (Wire.HTML, VendorChanged),
    (Wire.TRUNCATED, VendorChanged),
    (Wire.MISSING_KEYS, VendorChanged),
    (Wire.WRONG_KEY, NeedsHuman),
]


@pytest.mark.parametrize(("wire", "error"), FOR_GOOD)
async def test_a_broken_answer_is_an_error_and_never_nothing(wire: Wire, error: type[ProviderError]):
    """Nobody may read "nothing on offer" out of a failure."""
    stage = LambdaStage()
    stage.fails("offers", wire)
    with pytest.raises(error):
        await stage.provider.offers(A10)


@pytest.mark.parametrize("wire", [*LOST, *TEMPORARY])
async def test_a_short_failure_is_asked_through(wire: Wire):
    """A read is asked again; twice broken, the third answer counts."""
    stage = LambdaStage()
    stage.fails("offers", wire, times=2)
    assert await stage.provider.offers(A10)
    assert stage.face.count("offers") == 3


async def test_new_fields_change_nothing():
    """Extra keys anywhere in the answer are passed over."""
    stage = LambdaStage()
    plain = await stage.provider.offers(A10)
    stage.fails("offers", Wire.EXTRA_KEYS)
    assert await stage.provider.offers(A10) == plain
