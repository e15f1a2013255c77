"""RunPod's catalogue as offers: what is told, what is left out, and that every filter is looked at again."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from adapters.providers.runpod.offers import tags
from adapters.simulators.faces.face import Wire
from bot.domain.errors import ProviderError, VendorChanged
from bot.domain.market import Want
from bot.domain.money import ZERO, Usd
from tests.support.runpod import RTX, RunpodStage, runpod_host

ROMANIA = {"places": ("RO", "EU"), "extra": {"dc": "EU-RO-1"}}
KANSAS = {"places": ("US", "NA"), "extra": {"dc": "US-KS-2"}}
COMMUNITY = {"verified": False}


def town() -> RunpodStage:
    """The same card in two data centres and, cheaper, in the community; and others."""
    return RunpodStage(
        runpod_host("ro", hourly="0.30", **ROMANIA),
        runpod_host("us", hourly="0.30", **KANSAS),
        runpod_host("com", hourly="0.22", **COMMUNITY),
        runpod_host("two", hourly="1.00", count=2, **ROMANIA),
        runpod_host("a100", "A100 SXM 80GB", "1.50", vram_gb=80, cuda="12.8", **KANSAS),
        runpod_host("old", "RTX 4090", "0.40", cuda="12.4", **KANSAS),
    )


class TestWhatIsTold:
    """The fields of an offer."""

    async def test_one_offer_for_each_cloud_and_data_centre_cheapest_first(self):
        """The price is that of the GPUs and of the disk, the image's part included, a 730th of a month per hour."""
        offers = await town().provider.offers(Want(gpu="RTX 3090", disk_gb=48))
        assert [(one.host, str(one.hourly.dollars)) for one in offers] == [
            ("runpod/community/any/NVIDIA GeForce RTX 3090", "0.23"),
            ("runpod/secure/EU-RO-1/NVIDIA GeForce RTX 3090", "0.31"),
            ("runpod/secure/US-KS-2/NVIDIA GeForce RTX 3090", "0.31"),
        ]
        assert {one.disk_hourly for one in offers} == {Usd.of("0.01")}
        assert all(one.pool and one.drift == 5 and one.traffic_per_gb == ZERO for one in offers)

    async def test_a_price_is_for_one_gpu_and_an_offer_for_all_of_them(self):
        """Two cards cost twice as much."""
        (offer,) = await town().provider.offers(Want(gpu="RTX 3090", count=2))
        assert offer.hourly - offer.disk_hourly == Usd.of("1.00")
        assert (offer.count, offer.vram_gb) == (2, 24)

    @pytest.mark.parametrize(
        ("centre", "country", "part"),
        [
            ("EU-RO-1", "RO", "EU"),
            ("EUR-IS-1", "IS", "EU"),
            ("US-KS-2", "US", "NA"),
            ("CA-MTL-1", "CA", "NA"),
            ("AP-JP-1", "JP", "AS"),
            ("SEA-SG-1", "SG", "AS"),
            ("OC-AU-1", "AU", "OC"),
        ],
    )
    def test_a_data_centre_is_in_a_country(self, centre: str, country: str, part: str):
        """Its name tells which, in two ways."""
        assert {country, part, centre} <= set(tags(centre))


class TestFilters:
    """Asked of the vendor where it can be, and looked at again here."""

    @pytest.mark.parametrize(
        ("want", "hosts"),
        [
            (Want(gpu="RTX 3090", region="RO"), ["EU-RO-1"]),
            (Want(gpu="RTX 3090", region="eu"), ["EU-RO-1"]),
            (Want(gpu="RTX 3090", region="us-ks-2"), ["US-KS-2"]),
            (Want(gpu="RTX 3090", region="SE"), []),
            (Want(gpu="RTX 3090", verified=True), ["EU-RO-1", "US-KS-2"]),
            (Want(gpu="RTX 3090", max_hourly=Usd.of("0.25")), ["any"]),
            (Want(gpu="RTX 3090", reliability=0.9), []),
            (Want(gpu="RTX 3090", down_mbps=100), []),
            (Want(gpu="RTX 3090", cuda="13.0", verified=True), ["EU-RO-1", "US-KS-2"]),
            (Want(gpu="A100 80GB"), ["US-KS-2"]),
            (Want(gpu="A100 80GB", cuda="13.0"), []),
            (Want(gpu="RTX 4090"), []),
            (Want(vram_gb=48), ["US-KS-2"]),
            (Want(gpu="RTX 3090", spot=True), []),
        ],
    )
    async def test_only_what_fits(self, want: Want, hosts: list[str]):
        """A thing that is asked for and not told is not there; the RTX 4090 has a driver that our image cannot use."""
        offers = await town().provider.offers(want)
        assert [one.host.split("/")[2] for one in offers] == hosts

    async def test_a_place_that_was_bad_is_not_offered(self):
        """Its fingerprint takes it away and leaves its neighbours."""
        stage = town()
        first = await stage.offer()
        again = await stage.provider.offers(Want(gpu="RTX 3090", avoid=frozenset({first.host})))
        assert len(again) == 2
        assert first.host not in {one.host for one in again}

    async def test_there_is_no_spot_and_it_says_why(self):
        """Nothing is asked; the sentence is in what the provider can do."""
        stage = town()
        assert await stage.provider.offers(Want(spot=True)) == ()
        assert stage.face.log == []
        assert stage.provider.capabilities.no_spot and not stage.provider.capabilities.spot


class TestOddRows:
    """One row must not hide the rest, and a slice is no card."""

    async def test_rows_that_cannot_be_read_or_are_no_card_are_left_out(self):
        """MIG slices, cards that our image does not run on, names that nobody knows, rows that are broken."""
        good = {
            "id": "NVIDIA GeForce RTX 3090",
            "memory": 24,
            "manufacturer": "NVIDIA",
            "secure": True,
            "price": {"secure": 0.3},
            "maxCount": {"secure": 8},
            "availability": "BRAND_NEW_WORD",
        }
        rows = [
            None,
            {},
            good | {"id": 7},
            good | {"id": "unknown", "memory": 0},
            good | {"id": "NVIDIA RTX PRO 6000 Blackwell Server Edition MIG 1g.24gb"},
            good | {"id": "AMD Instinct MI300X OAM", "memory": 192, "manufacturer": "AMD"},
            good | {"id": "NVIDIA L4", "price": {"secure": None}},
            good | {"id": "NVIDIA L4", "price": {"secure": 0}},
            good | {"id": "NVIDIA L4", "secure": False},
            good | {"id": "NVIDIA L4", "availability": "NONE"},
            good | {"id": "NVIDIA L4", "dataCenters": [{"id": "EU-RO-1", "availability": "NONE"}]},
            good | {"id": "NVIDIA  A30", "price": {"secure": "0.25"}},
            good,
        ]
        stage = RunpodStage()
        stage.line = httpx.MockTransport(lambda _: httpx.Response(200, json={"gpus": rows}))  # type: ignore[assignment]
        offers = await stage.another().offers(Want(verified=True))
        assert [one.gpu for one in offers] == ["A30", "RTX 3090"]

    @pytest.mark.parametrize("body", [{}, [], {"gpus": None}, {"gpus": {}}, "text"])
    async def test_a_catalogue_without_its_list_is_no_empty_one(self, body: object):
        """Unknown is never nothing."""
        stage = RunpodStage()
        stage.line = httpx.MockTransport(lambda _: httpx.Response(200, json=body))  # type: ignore[assignment]
        with pytest.raises(VendorChanged):
            await stage.another().offers(RTX)


class TestCalls:
    """How often the vendor is asked."""

    async def test_an_answer_serves_everybody_for_some_seconds_and_ends_with_a_launch(self):
        """Two reads, one for each cloud; the same again costs nothing until a launch or ten seconds have passed."""
        stage = town()
        for _ in range(5):
            await stage.provider.offers(RTX)
        assert stage.face.count("offers") == 2
        await stage.launch()
        before = stage.face.count("offers")
        await stage.provider.offers(RTX)
        assert stage.face.count("offers") == before + 2
        stage.clock.advance(timedelta(seconds=10))
        await stage.provider.offers(RTX)
        assert stage.face.count("offers") == before + 4

    async def test_one_cloud_that_fails_is_said(self):
        """Half a market is not passed off as all of it."""
        stage = town()
        stage.face.plan("offers", Wire.TIMEOUT_BEFORE, times=4)
        with pytest.raises(ProviderError):
            await stage.provider.offers(RTX)
