"""Vast.ai's offers: all-in prices, filters that are asked for and checked again, and as few searches as can be."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from adapters.providers.vast import offers
from adapters.simulators.faces.face import Said
from bot.domain.errors import TryLater
from bot.domain.market import Offer, Want
from bot.domain.money import Usd
from tests.support.vast import RTX, VastStage, vast_host

DAY = timedelta(days=1)


def hosts_of(found: list[Offer]) -> list[str]:
    return [offer.host.removeprefix("vast/") for offer in found]


async def test_an_offer_tells_everything_that_the_row_tells():
    """Price with the disk that was asked for, traffic beside it, place, quality, and the host by its own number."""
    stage = VastStage(vast_host(lasts=9 * DAY, cuda="12.8", down_mbps=910, reliability=0.9931))
    [offer] = await stage.provider.offers(replace(RTX, disk_gb=40))
    disk = Usd.of("0.15") * 40
    assert offer.disk_hourly == Usd(-(-disk.micros // 720))
    assert offer.hourly == Usd.of("0.20") + offer.disk_hourly
    assert (offer.gpu, offer.count, offer.vram_gb, offer.disk_gb) == ("RTX 3090", 1, 24.0, 40)
    assert (offer.where, offer.places, offer.host) == ("Stockholm, SE", ("SE", "EU"), "vast/44101")
    assert (offer.reliability, offer.verified, offer.cuda, offer.down_mbps) == (0.9931, True, "12.8", 910)
    assert (offer.lasts, offer.traffic_per_gb, offer.ram_gb) == (9 * DAY, Usd.of("0.02"), 64)
    assert (offer.gpu_from_running, offer.drift, offer.spot, offer.note) == (True, 5, False, "")


async def test_less_disk_than_the_vendor_rents_is_priced_as_what_it_rents():
    """Eight GB are the least: 1 GB is asked for, 8 are paid and had."""
    [offer] = await VastStage(vast_host()).provider.offers(replace(RTX, disk_gb=1))
    assert offer.disk_gb == 8
    assert offer.disk_hourly == Usd(-(-Usd.of("0.15").micros * 8 // 720))


ASKED: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"region": "EU"}, {"where": "Dallas", "places": ("US", "NA")}),
    ({"region": "SE"}, {"where": "Oslo", "places": ("NO", "EU")}),
    ({"region": "SE"}, {"places": ()}),
    ({"verified": True}, {"verified": False}),
    ({"reliability": 0.98}, {"reliability": 0.97}),
    ({"cuda": "13.0"}, {"cuda": "12.9"}),
    ({"down_mbps": 500}, {"down_mbps": 400}),
    ({"lifetime": 2 * DAY}, {"lasts": DAY}),
    ({"max_hourly": Usd.of("0.30")}, {"hourly": "0.31"}),
    ({"disk_gb": 200}, {"disk_gb": 199}),
    ({"count": 2}, {}),
    ({"vram_gb": 48}, {}),
    ({"gpu": "RTX 4090"}, {}),
    ({"ram_gb": 65}, {}),
    ({}, {"cuda": "11.7"}),
    ({}, {"reliability": 0.89}),
    ({}, {"extra": {"external": True}}),
    ({}, {"extra": {"rentable": False}}),
    ({}, {"extra": {"gpu_arch": "amd"}}),
    ({}, {"extra": {"cpu_arch": "arm64"}}),
    ({}, {"extra": {"verification": "deverified"}}),
]
"""A wish, and a host that does not fit it."""


@pytest.mark.parametrize("unfiltered", [False, True])
@pytest.mark.parametrize(("wish", "host"), ASKED)
async def test_every_condition_is_asked_for_and_checked_again(
    wish: dict[str, Any], host: dict[str, Any], unfiltered: bool
):
    """Filtered by the vendor, the row is not even counted against the quota; not filtered, we leave it out."""
    gpu = wish.get("gpu", "RTX 3090")
    bad = vast_host("bad", **host)
    good = vast_host(
        "good", "0.29", gpu=gpu, count=wish.get("count", 1), vram_gb=max(24, wish.get("vram_gb", 0))
    )
    good.ram_gb = 128
    stage = VastStage(bad, good)
    stage.face.quirks.unfiltered = unfiltered
    want = replace(RTX, **wish)
    if want.max_hourly:
        want = replace(want, max_hourly=Usd.of("0.30"))
    found = await stage.provider.offers(want)
    assert hosts_of(found) == [str(44_100 + stage.face.number(good))]
    told = host.get("extra", {})
    can_be_asked = "ram_gb" not in wish and "deverified" not in told.values() and "cpu_arch" not in told
    assert sum(stage.face.memory.rows.values()) == (1 if can_be_asked and not unfiltered else 2)


async def test_what_is_not_told_is_not_held_against_a_host():
    """No reliability, no CUDA version, no speed: an offer, which does not fit whoever asks for one of them."""
    nothing = {
        "reliability2": None,
        "cuda_max_good": None,
        "inet_down": None,
        "geolocation": None,
        "duration": None,
    }
    stage = VastStage(vast_host(extra=nothing))
    stage.face.quirks.unfiltered = True
    [offer] = await stage.provider.offers(RTX)
    assert (offer.reliability, offer.cuda, offer.down_mbps, offer.places, offer.lasts) == (
        None,
        "",
        None,
        (),
        None,
    )
    for wish in ({"reliability": 0.5}, {"cuda": "11.0"}, {"down_mbps": 1}, {"region": "EU"}):
        assert await stage.provider.offers(replace(RTX, **wish)) == []


async def test_an_unverified_host_is_shown_and_said_to_be_so():
    """Nobody asked for verified hosts only: it is an offer, with a sentence."""
    [offer] = await VastStage(vast_host(verified=False)).provider.offers(RTX)
    assert offer.verified is False
    assert "not verified" in offer.note


async def test_a_host_without_a_port_of_its_own_comes_after_one_with_it():
    """The same price: the direct way in is better than the relay."""
    relayed = vast_host("relayed", extra={"direct_port_count": 0})
    found = await VastStage(relayed, vast_host("direct")).provider.offers(RTX)
    assert hosts_of(found) == ["44102", "44101"]
    assert "relay" in found[1].note


NAMES = [
    ("A100 80GB", "A100 SXM 80GB", 80, 1),
    ("A100 SXM 80GB", "A100 SXM 40GB", 40, 0),
    ("RTX 6000 Ada", "RTX 6000 Ada", 48, 1),
    ("RTX 4080 SUPER", "RTX 4080 SUPER", 16, 1),
    ("V100 16GB", "V100 16GB", 16, 1),
    ("RTX PRO 6000", "RTX PRO 6000 Server", 96, 1),
    ("H100 PCIe", "H100 PCIe", 80, 1),
]


@pytest.mark.parametrize(("wanted", "there", "gb", "found"), NAMES)
async def test_a_card_is_found_under_the_vendors_spelling(wanted: str, there: str, gb: float, found: int):
    """``RTX 6000Ada``, ``A100 SXM4`` of 40 or 80 GB: asked for by their spelling, told by our name."""
    stage = VastStage(vast_host(gpu=there, vram_gb=gb))
    assert [offer.gpu for offer in await stage.provider.offers(Want(gpu=wanted))] == [there] * found


def test_every_spelling_of_the_vendor_is_known():
    """A name of the vendor's that is no card of ours would be a card that nobody can ask for."""
    for spelling in offers.SPELLINGS:
        assert offers.lookup(spelling), spelling


async def test_a_row_that_cannot_be_read_does_not_hide_the_others():
    """Nulls, texts, other types, cards that nobody knows: left out one by one."""
    odd: list[dict[str, Any]] = [
        {"gpu_name": "RTX 9999 Ti"},
        {"gpu_ram": None},
        {"dph_base": "free"},
        {"dph_base": -1, "dph_total": None},
        {"storage_cost": None},
        {"num_gpus": True},
        {"machine_id": {"a": 1}},
        {"disk_space": "1e999999"},
    ]
    stage = VastStage(
        *(vast_host(f"odd{n}", extra=extra) for n, extra in enumerate(odd)), vast_host("good", "0.90")
    )
    stage.face.quirks.unfiltered = True
    assert hosts_of(await stage.provider.offers(replace(RTX, gpu=None))) == [str(44_100 + len(odd) + 1)]


async def test_a_total_that_was_reckoned_for_another_disk_is_not_believed():
    """``dph_total`` for 8 GB while 100 are asked for: the parts say more, and more is what it costs."""
    stage = VastStage(vast_host(extra={"dph_total": 0.2017}))
    [offer] = await stage.provider.offers(replace(RTX, disk_gb=100))
    assert offer.hourly == Usd.of("0.20") + offer.disk_hourly > Usd.of("0.22")


async def test_a_machine_that_failed_is_not_offered_again_whatever_its_offer_is_called():
    """The offer's number is new each time; the host's is not."""
    stage = VastStage(vast_host("bad"), vast_host("good", "0.25"))
    first = await stage.offer()
    machine_id = await stage.provider.launch(first, stage.order())
    await stage.provider.destroy(machine_id)
    again = await stage.offer()
    assert (again.host, again.id != first.id) == (first.host, True)
    assert hosts_of(await stage.provider.offers(replace(RTX, avoid=frozenset({first.host})))) == ["44102"]


async def test_a_bid_costs_a_little_more_than_the_least_and_its_disk():
    """5 % above what the host takes; on the list of bids only, and told that it can be taken away."""
    stage = VastStage(vast_host("bids", "0.1001", spot=True), vast_host("sells", "0.09"))
    [offer] = await stage.provider.offers(replace(RTX, spot=True))
    assert offer.detail == {"bid": "0.1051"}
    assert offer.hourly == Usd.of(Decimal("0.1051")) + offer.disk_hourly
    assert (offer.spot, offer.host) == (True, "vast/44101")
    assert "bids more" in offer.note
    assert [one.spot for one in await stage.provider.offers(RTX)] == [False]


async def test_the_same_question_within_a_minute_is_asked_once():
    """Every row counts against a quota of the day; another wish, and a minute later, is another question."""
    stage = VastStage()
    for _ in range(3):
        assert await stage.provider.offers(RTX)
    assert await stage.provider.offers(replace(RTX, avoid=frozenset({"vast/44101"}))) == []
    assert stage.face.count("offers") == 1
    await stage.provider.offers(replace(RTX, disk_gb=60))
    assert stage.face.count("offers") == 2
    stage.clock.advance(timedelta(seconds=61))
    await stage.provider.offers(RTX)
    assert stage.face.count("offers") == 3


async def test_after_a_launch_the_market_is_looked_at_anew():
    """What was just taken is not offered from memory."""
    stage = VastStage(vast_host())
    await stage.launched()
    assert await stage.provider.offers(RTX) == []


async def test_a_used_up_quota_is_put_off_until_the_vendors_midnight():
    """Never asked again in between: neither by the same call nor by the next; ending machines goes on."""
    stage = VastStage()
    machine_id = await stage.running()
    stage.face.quirks.row_quota = 1
    with pytest.raises(TryLater, match="quota") as told:
        await stage.provider.offers(replace(RTX, disk_gb=30))
    midnight = stage.clock.now().replace(hour=0, minute=0, second=0, microsecond=0) + DAY
    assert abs(stage.clock.now() + told.value.after - midnight) <= timedelta(seconds=1)
    sent = stage.face.count("offers")
    with pytest.raises(TryLater):
        await stage.provider.offers(replace(RTX, disk_gb=31))
    assert stage.face.count("offers") == sent
    await stage.provider.destroy(machine_id)
    assert stage.world.alive() == []


async def test_where_the_first_page_does_not_fit_the_next_is_asked_for():
    """A hundred cheap hosts are avoided: what comes after them is still found, with three searches at most."""
    hosts = [vast_host(f"h{n}", f"0.2{n:03d}") for n in range(100)]
    stage = VastStage(*hosts)
    avoid = frozenset(f"vast/{44_101 + n}" for n in range(99))
    assert hosts_of(await stage.provider.offers(replace(RTX, avoid=avoid))) == ["44200"]
    assert stage.face.count("offers") == 3
    assert sum(stage.face.memory.rows.values()) <= 120


async def test_a_card_for_another_software_is_not_asked_for():
    """The image is for NVIDIA's cards: no search is spent on AMD's and Apple's."""
    stage = VastStage()
    for gpu in ("RX 7900 XTX", "Apple M3 Max"):
        assert await stage.provider.offers(Want(gpu=gpu)) == []
    assert stage.face.count("offers") == 0


def test_a_search_has_real_numbers_and_one_question_for_wishes_that_differ_by_minutes():
    """What is sent is what the vendor's own client sends, in types and in units: MB and seconds."""
    want = replace(RTX, vram_gb=24, lifetime=timedelta(hours=3, minutes=1), max_hourly=Usd.of("0.5"))
    body = offers.query(want)
    assert body["gpu_ram"] == {"gte": 24 * 1024 * 0.9}
    assert body["duration"] == {"gte": 4 * 3600.0}
    assert body["dph_total"] == {"lte": 0.5}
    assert body["allocated_storage"] == 20.0
    assert body == offers.query(replace(want, lifetime=timedelta(hours=3, minutes=50)))
    assert json.loads(json.dumps(body)) == body


def test_a_search_is_taken_by_the_vendor_as_it_is_sent():
    """Strict about fields and types, the vendor takes our fullest question."""
    stage = VastStage()
    want = Want(
        gpu="A100 80GB", region="EU", verified=True, cuda="12.4", down_mbps=100, vram_gb=40, lifetime=DAY
    )
    said: Said = stage.asks(
        "POST", "/api/v0/bundles/", json.dumps(offers.query(want, Decimal("0.1"))).encode()
    )
    assert said.status == 200
