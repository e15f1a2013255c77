"""RunPod's create: what is sent, the price right before it, and what each refusal means. It is sent once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from adapters.simulators.faces.face import Wire
from adapters.simulators.faces.runpod import NO_ROOM, OBJECT_MOUNTS
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
from bot.domain.market import Offer, Want
from bot.domain.money import ZERO, Usd
from tests.support.runpod import KEY, LABEL, PUBLIC_KEY, RTX, RunpodStage, order, runpod_host

NO_DISK = "There are no longer any instances available with enough disk space."
RACE = "This machine does not have the resources to deploy your pod. Please try a different machine"


class TestWhatIsSent:
    """The body of the create."""

    async def test_everything_that_has_no_usable_default_is_said(self):
        """Disk, ports and SSH; the data centre of the offer; a floor for CUDA; the key and the label in the
        environment. No account key goes along."""
        stage = RunpodStage()
        pod = await stage.launch()
        sent = stage.face.stage.orders[pod.id]
        assert sent == {
            "name": LABEL,
            "image": "runpod/pytorch:1.0.2-cu1281-torch280-ubuntu2404",
            "gpu": {"id": "NVIDIA GeForce RTX 3090", "count": 1, "minCudaVersion": "12.8"},
            "cloud": "SECURE",
            "disk": 45,
            "ports": ["22/tcp"],
            "startSsh": True,
            "env": {
                "PUBLIC_KEY": PUBLIC_KEY,
                "SSH_PUBLIC_KEY": PUBLIC_KEY,
                "LASTCALL_LABEL": LABEL,
                "LASTCALL_GPU_HOURLY": "0.2",
            },
            "dataCenterIds": ["EU-SE-1"],
        }
        assert KEY not in str(sent)
        assert (pod.label, pod.public_key, pod.disk_gb) == (LABEL, PUBLIC_KEY, 45)

    async def test_wishes_that_only_the_host_can_keep_become_part_of_the_order(self):
        """CUDA and memory are enforced where it is placed, because the catalogue tells no host."""
        stage = RunpodStage(runpod_host(count=2, verified=False, ram_gb=128))
        offer = await stage.offer(Want(gpu="RTX 3090", count=2, cuda="13", ram_gb=99))
        pod_id = await stage.provider.launch(offer, order(image="own/image:1"))
        sent = stage.face.stage.orders[pod_id]
        gpu = {"id": "NVIDIA GeForce RTX 3090", "count": 2, "minCudaVersion": "13.0", "minRamPerGpu": 50}
        assert (sent["gpu"], sent["cloud"], sent["image"]) == (gpu, "COMMUNITY", "own/image:1")
        assert "dataCenterIds" not in sent


class TestThePriceRightBefore:
    """The create has no limit of price, so that it is looked at once more."""

    async def test_a_price_that_rose_too_far_creates_nothing(self):
        """Both prices are said, disk included."""
        stage = RunpodStage()
        offer = await stage.offer()
        stage.world.hosts["offer-h"].hourly = Usd.of("0.22")
        with pytest.raises(PriceChanged) as risen:
            await stage.provider.launch(offer, order(most_hourly=offer.ceiling))
        assert risen.value.reason == "now $0.2262/h, agreed were at most $0.2165/h"
        assert stage.world.ever() == []
        assert stage.face.count("launch") == 0

    async def test_a_rise_within_the_agreement_is_rented(self):
        """Up to the ceiling, and not a hundredth of a cent more."""
        stage = RunpodStage()
        offer = await stage.offer()
        stage.world.hosts["offer-h"].hourly = Usd.of("0.21")
        pod_id = await stage.provider.launch(offer, order(most_hourly=offer.ceiling))
        found = await stage.provider.inspect(pod_id)
        assert found is not None and found.hourly is not None
        assert offer.hourly < found.hourly <= offer.ceiling

    async def test_a_pod_that_turns_out_dearer_is_returned_and_says_so(self):
        """It exists and bills: its id must not be lost, and its price is there for the one who ends it."""
        stage = RunpodStage()
        stage.quirks.surcharge = Usd.of("0.10")
        offer = await stage.offer()
        pod_id = await stage.provider.launch(offer, order(most_hourly=offer.ceiling))
        found = await stage.provider.inspect(pod_id)
        assert found is not None and found.hourly is not None
        assert found.hourly > offer.ceiling

    @pytest.mark.parametrize("gone", ["withdrawn", "removed", "another place"])
    async def test_an_offer_that_vanished_is_no_capacity_before_anything_is_sent(self, gone: str):
        """The GPU, or the place that the offer was for."""
        stage = RunpodStage()
        offer = await stage.offer()
        match gone:
            case "withdrawn":
                stage.world.hosts["offer-h"].withdrawn = True
            case "removed":
                stage.world.hosts.clear()
            case _:
                stage.world.hosts["offer-h"].extra["dc"] = "EU-RO-1"
        with pytest.raises(NoCapacity):
            await stage.provider.launch(offer, order())
        assert stage.face.count("launch") == 0

    @pytest.mark.parametrize("wire", [Wire.HTML, Wire.TRUNCATED, Wire.MISSING_KEYS, Wire.GATEWAY])
    async def test_a_price_that_cannot_be_read_is_asked_for_later(self, wire: Wire):
        """Nothing was created, whatever came back."""
        stage = RunpodStage()
        offer = await stage.offer()
        stage.face.plan("offers", wire, -1)
        with pytest.raises(TryLater):
            await stage.provider.launch(offer, order())
        assert stage.world.ever() == []

    async def test_an_offer_of_somebody_else_is_refused(self):
        """Without what the launch needs, nothing is asked."""
        stage = RunpodStage()
        with pytest.raises(VendorChanged):
            await stage.provider.launch(Offer("vast", "1", "RTX 3090", 1, 24, ZERO), order())
        assert stage.face.log == []


class TestRefusals:
    """There are no codes: the status and the prose tell."""

    @pytest.mark.parametrize(
        ("status", "said", "kind"),
        [
            (400, NO_ROOM, NoCapacity),
            (400, NO_DISK, NoCapacity),
            (400, RACE, NoCapacity),
            (400, "There are not enough free GPUs on the host machine to start this pod.", NoCapacity),
            (400, OBJECT_MOUNTS, VendorChanged),
            (400, "network volume agv6w2qcg7 not found", VendorChanged),
            (400, "You do not have sufficient funds: insufficient balance", NeedsHuman),
            (401, "unauthorized", NeedsHuman),
            (402, "payment needed", NeedsHuman),
            (403, "access denied", NeedsHuman),
            (403, "your account cannot use this pool", NoCapacity),
            (403, "insufficient funds", NeedsHuman),
            (404, "template not found", VendorChanged),
            (409, "conflict", VendorChanged),
            (410, "gone", VendorChanged),
            (422, "Request validation failed.", NeedsHuman),
            (429, "rate limit exceeded for the minute window", TryLater),
            (500, "no instances currently available", OutcomeUnknown),
            (502, "bad gateway", OutcomeUnknown),
        ],
    )
    async def test_each_refusal_means_one_thing(self, status: int, said: str, kind: type[ProviderError]):
        """A 400 that is nobody's lack of room does not send the engine up the list to dearer cards; a 500 may have
        created something, whatever it says."""
        stage = RunpodStage()
        stage.quirks.refusals = [(status, said)]
        with pytest.raises(kind) as refused:
            await stage.launch()
        assert said in refused.value.reason
        assert stage.face.count("launch") == 1

    async def test_a_field_that_the_vendor_does_not_know_is_named(self):
        """The vendor is strict, and its list of errors reaches whoever reads the message."""
        stage = RunpodStage()
        offer = await stage.offer()
        with pytest.raises(NeedsHuman, match=r"\$\.disk: 0 is out of range"):
            await stage.provider.launch(offer, replace(order(), disk_gb=-25))

    async def test_a_card_that_was_taken_meanwhile_is_no_capacity(self):
        """The catalogue is a hint: it may say yes where the create says no."""
        stage = RunpodStage()
        stage.world.plan("launch", Fault(FaultKind.NO_CAPACITY))
        with pytest.raises(NoCapacity):
            await stage.launch()

    async def test_a_balance_below_an_hour_is_for_a_person(self):
        """402, and nothing is created."""
        stage = RunpodStage(balance=Usd.of("0.10"))
        with pytest.raises(NeedsHuman, match="paid"):
            await stage.launch()
        assert stage.world.ever() == []

    async def test_an_error_that_names_a_pod_is_unknown(self):
        """Whatever its status says, something may have been created."""
        stage = RunpodStage()
        offer = await stage.offer()
        row = {"title": "Bad Request", "status": 400, "detail": NO_ROOM, "id": "k3v9q1x7m2ab"}
        inner = stage.line

        async def answer(request: httpx.Request) -> httpx.Response:
            if request.method == "POST":
                return httpx.Response(400, json=row)
            return await inner.handle_async_request(request)

        stage.line = httpx.MockTransport(answer)  # type: ignore[assignment]
        with pytest.raises(OutcomeUnknown):
            await stage.another().launch(offer, order())


class TestLostAnswers:
    """A create is never repeated, and "nothing was created" is said only where that is certain."""

    @pytest.mark.parametrize(
        ("wire", "kind", "created"),
        [
            (Wire.TIMEOUT_BEFORE, OutcomeUnknown, 0),
            (Wire.TIMEOUT_AFTER, OutcomeUnknown, 1),
            (Wire.RESET_BEFORE, OutcomeUnknown, 0),
            (Wire.RESET_AFTER, OutcomeUnknown, 1),
            (Wire.ERROR_BEFORE, OutcomeUnknown, 0),
            (Wire.ERROR_AFTER, OutcomeUnknown, 1),
            (Wire.GATEWAY, OutcomeUnknown, 0),
            (Wire.THROTTLED, TryLater, 0),
            (Wire.THROTTLED_WITH_TIME, TryLater, 0),
            (Wire.HTML, OutcomeUnknown, 1),
            (Wire.TRUNCATED, OutcomeUnknown, 1),
            (Wire.MISSING_KEYS, OutcomeUnknown, 1),
            (Wire.WRONG_KEY, NeedsHuman, 0),
            (Wire.READ_ONLY, NeedsHuman, 0),
        ],
    )
    async def test_what_is_not_known_is_found_by_its_label(
        self, wire: Wire, kind: type[ProviderError], created: int
    ):
        """One request, and the listing tells afterwards what came of it."""
        stage = RunpodStage()
        stage.face.plan("launch", wire)
        with pytest.raises(kind):
            await stage.launch()
        assert stage.face.count("launch") == 1
        assert [one.label for one in await stage.provider.machines()] == [LABEL] * created

    async def test_more_in_the_answer_than_is_known_is_no_fault(self):
        """New keys are left alone."""
        stage = RunpodStage()
        stage.face.plan("launch", Wire.EXTRA_KEYS)
        assert (await stage.launch()).label == LABEL

    async def test_a_201_without_an_id_is_unknown(self):
        """The pod is there, and nobody was told its name."""
        stage = RunpodStage()
        stage.quirks.nameless = 1
        with pytest.raises(OutcomeUnknown):
            await stage.launch()
        assert len(await stage.provider.machines()) == 1

    async def test_without_a_line_nothing_was_created(self):
        """A connection that was never made is the one lost answer that is certain."""
        stage = RunpodStage()
        offer = await stage.offer()
        inner = stage.line

        async def answer(request: httpx.Request) -> httpx.Response:
            if request.method == "POST":
                raise httpx.ConnectError("no route", request=request)
            return await inner.handle_async_request(request)

        stage.line = httpx.MockTransport(answer)  # type: ignore[assignment]
        with pytest.raises(TryLater):
            await stage.another().launch(offer, order())

    async def test_a_late_birth_is_listed_under_its_label(self):
        """The answer was lost and the pod comes after all: within the time that the provider says a listing may lag."""
        stage = RunpodStage()
        offer = await stage.offer(RTX)
        stage.world.plan("launch", Fault(FaultKind.LATE, late=timedelta(seconds=60)))
        with pytest.raises(OutcomeUnknown):
            await stage.provider.launch(offer, order())
        assert await stage.provider.machines() == []
        stage.clock.advance(stage.provider.capabilities.settle)
        assert [one.label for one in await stage.provider.machines()] == [LABEL]
