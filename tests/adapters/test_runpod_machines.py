"""RunPod's pods as machines: what each state means, what they cost, and complete listings or none."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from adapters.simulators.machine import Fate
from bot.domain.errors import ProviderError, TryLater, VendorChanged
from bot.domain.market import Access, Machine, MachineState
from bot.domain.money import ZERO, Usd
from tests.support.runpod import LABEL, RTX, RunpodStage, order, runpod_host
from tests.support.worlds import SECOND


async def seen(stage: RunpodStage, pod_id: str) -> Machine:
    """The same in the listing and by itself."""
    machine = await stage.provider.inspect(pod_id)
    assert machine is not None
    assert machine in await stage.provider.machines()
    return machine


class TestStates:
    """v2 tells what is, and RUNNING says nothing about a way in."""

    async def test_a_pod_over_time(self):
        """Placed, pulled, up without an address, and then with one that names our key and folder."""
        stage = RunpodStage()
        stage.world.usual = Fate(boot=60 * SECOND)
        stage.quirks.runtime_lag = 20 * SECOND
        pod = await stage.launch()
        assert (await seen(stage, pod.id)).reason == "being placed on a host"
        stage.clock.advance(20 * SECOND)
        assert (await seen(stage, pod.id)).reason == "its image is being pulled or its container starts"
        stage.clock.advance(40 * SECOND)
        early = await seen(stage, pod.id)
        assert (early.state, early.access) == (MachineState.STARTING, None)
        assert early.reason == "running, and no public address for SSH yet"
        stage.clock.advance(20 * SECOND)
        up = await seen(stage, pod.id)
        assert (up.state, up.reason, up.gpu, up.label) == (MachineState.RUNNING, "", "RTX 3090", LABEL)
        assert up.access == Access(
            "ssh", f"~/lastcall/{LABEL}", host=pod.address, port=pod.port, user="root", key_ref="k7m2xq-1"
        )

    @pytest.mark.parametrize("empty", [False, True])
    async def test_running_for_ever_without_a_runtime_is_starting(self, empty: bool):
        """An image larger than the disk: RUNNING, ``runtime`` null or empty, and billed all along."""
        stage = RunpodStage()
        stage.world.usual = Fate(boot=None)
        stage.quirks.running_early, stage.quirks.empty_runtime = True, empty
        pod = await stage.launch()
        stage.clock.advance(timedelta(hours=2))
        machine = await seen(stage, pod.id)
        assert machine.state is MachineState.STARTING and machine.access is None and machine.reason

    async def test_a_community_host_without_a_public_address_never_runs(self):
        """``ssh.direct`` never comes; the proxy is no way in for us."""
        stage = RunpodStage()
        pod = await stage.running()
        stage.quirks.no_direct.add(pod.id)
        machine = await seen(stage, pod.id)
        assert (machine.state, machine.access) == (MachineState.STARTING, None)

    @pytest.mark.parametrize(
        ("status", "state", "reason"),
        [
            ("ERROR", MachineState.STOPPED, "ERROR"),
            ("TERMINATED", MachineState.ENDING, "TERMINATED"),
            ("REBALANCING", MachineState.UNKNOWN, "REBALANCING"),
            ("running", MachineState.UNKNOWN, "running"),
        ],
    )
    async def test_other_words(self, status: str, state: MachineState, reason: str):
        """One that nobody has heard of is unknown, and never "not running"."""
        stage = RunpodStage()
        pod = await stage.running()
        stage.quirks.statuses[pod.id] = status
        machine = await seen(stage, pod.id)
        assert (machine.state, machine.access) == (state, None)
        assert reason in machine.reason

    async def test_stopped_in_the_console_or_with_an_empty_account(self):
        """A pod that was stopped is stopped; at a balance of nothing it is gone altogether."""
        stage = RunpodStage(balance=Usd.of("0.50"))
        pod = await stage.running()
        stage.world.stop(pod.id)
        machine = await seen(stage, pod.id)
        assert (machine.state, machine.reason) == (MachineState.STOPPED, "EXITED: it was stopped")
        stage.world.balance = ZERO
        assert await stage.provider.machines() == []
        assert await stage.provider.inspect(pod.id) is None


class TestPrice:
    """All-in, and never too little."""

    @pytest.mark.parametrize("folded", [False, True])
    async def test_the_disk_is_counted_once_whether_the_cost_holds_it_or_not(self, folded: bool):
        """Both were seen; the agreed price of the GPUs, which travels in the environment, tells which it is."""
        stage = RunpodStage()
        stage.quirks.folded_disk = folded
        offer = await stage.offer()
        pod_id = await stage.provider.launch(offer, order())
        machine = await seen(stage, pod_id)
        assert machine.hourly == offer.hourly == stage.world.hourly(stage.world.machine(pod_id))

    @pytest.mark.parametrize(
        ("row", "hourly"),
        [
            ({"status": "RUNNING", "cost": 0.69, "disk": 73}, "0.70"),
            ({"status": "RUNNING", "cost": "0.69", "disk": 73}, "0.70"),
            ({"status": "RUNNING", "cost": 0.69, "mounts": {"persistent": {"size": 73}}}, "0.70"),
            ({"status": "EXITED", "cost": 0.0, "disk": 73, "mounts": {"persistent": {"size": 73}}}, "0.02"),
            ({"status": "EXITED", "cost": 0.0, "disk": 73, "mounts": {}}, "0"),
            ({"status": "ERROR", "cost": 0, "mounts": {"persistent": {"size": 73}}}, "0.02"),
            ({"status": "RUNNING", "cost": 0.0, "disk": 73}, None),
            ({"status": "RUNNING", "cost": None}, None),
            ({"status": "RUNNING"}, None),
        ],
    )
    async def test_what_a_row_tells(self, row: dict[str, Any], hourly: str | None):
        """``cost`` is 0 for what was stopped although its disk bills at twice the price; what is not told is None."""
        stage = RunpodStage()
        stage.quirks.strangers = [{"id": "x", "name": "n", **row}]
        (machine,) = await stage.provider.machines()
        assert machine.hourly == (None if hourly is None else Usd.of(hourly))


class TestListing:
    """Complete, or an error."""

    @pytest.mark.parametrize("pagination", [True, False])
    async def test_every_page_is_read(self, pagination: bool):
        """Seven pods, three a page; and a vendor that does not page yet."""
        stage = RunpodStage()
        ids = {stage.put().id for _ in range(7)}
        stage.quirks.page, stage.quirks.pagination = (3 if pagination else 1000), pagination
        assert {one.id for one in await stage.provider.machines()} == ids
        assert stage.face.count("machines") == (3 if pagination else 1)

    async def test_members_of_clusters_are_there(self):
        """They are hidden unless they are asked for, and bill all the same."""
        stage = RunpodStage()
        pod = stage.put()
        stage.quirks.clusters.add(pod.id)
        assert [one.id for one in await stage.provider.machines()] == [pod.id]

    async def test_a_listing_that_changes_while_it_is_read_is_read_again_later(self):
        """A pod on two pages: another one may be on none."""
        stage = RunpodStage()
        for _ in range(4):
            stage.put()
        stage.quirks.page, stage.quirks.overlap = 2, 1
        with pytest.raises(TryLater):
            await stage.provider.machines()

    async def test_a_listing_without_end_is_an_error(self):
        """Every page names the same next one."""
        stage = RunpodStage()
        for _ in range(4):
            stage.put()
        stage.quirks.page, stage.quirks.circular = 2, True
        with pytest.raises(ProviderError):
            await stage.provider.machines()

    @pytest.mark.parametrize(
        "body",
        [
            {},
            [],
            {"pods": None},
            {"pods": {}},
            {"pods": [None]},
            {"pods": [{"name": "no id"}]},
            {"pods": [{"id": 7}]},
            {"pods": [{"id": [1]}]},
            {"pods": [], "pagination": {}},
            {"pods": [], "pagination": {"hasNextPage": True, "nextCursor": None}},
            {"pods": [], "pagination": {"hasNextPage": "no"}},
        ],
    )
    async def test_a_body_that_is_not_understood_is_no_empty_account(self, body: object):
        """Unknown is never none."""
        stage = RunpodStage()
        stage.line = httpx.MockTransport(lambda _: httpx.Response(200, json=body))  # type: ignore[assignment]
        with pytest.raises(VendorChanged):
            await stage.another().machines()

    async def test_an_odd_row_is_vaguer_and_never_absent(self):
        """Nothing in it is as it should be, but for its id; the others are as they were."""
        stage = RunpodStage()
        pod = await stage.running()
        odd = {
            "id": "odd",
            "name": None,
            "status": {"x": 1},
            "cost": {},
            "gpu": [],
            "mounts": [],
            "env": 7,
            "disk": "a",
        }
        wild = {"id": "cpu", "name": "n", "status": "RUNNING", "ssh": {"direct": {"host": "h", "port": "22"}}}
        stage.quirks.strangers = [odd, wild]
        found = {one.id: one for one in await stage.provider.machines()}
        assert found.keys() == {pod.id, "odd", "cpu"}
        assert (found["odd"].state, found["odd"].label, found["odd"].hourly) == (
            MachineState.UNKNOWN,
            "",
            None,
        )
        assert found["cpu"].state is MachineState.STARTING

    async def test_a_pod_of_somebody_else_has_no_key_of_ours(self):
        """Its name is shown as it is, and its folder is named by its id."""
        stage = RunpodStage()
        pod = stage.put("../../etc; rm -rf /")
        stage.clock.advance(120 * SECOND)
        machine = await seen(stage, pod.id)
        assert machine.access is not None
        assert (machine.access.key_ref, machine.access.workdir) == ("", f"~/lastcall/{pod.id}")


class TestGone:
    """Only the vendor's own 404, in its shape, about a pod that it has known."""

    @pytest.mark.parametrize(
        ("status", "answer"),
        [
            (404, {"text": "<html>not found</html>"}),
            (404, {"json": {"message": "no Route matched with those values"}}),
            (404, {"json": {"title": "Not Found", "status": "404", "detail": "x"}}),
            (404, {"text": ""}),
            (410, {"json": {"title": "Gone", "status": 410, "detail": "resource not found"}}),
            (400, {"json": {"title": "Bad Request", "status": 400, "detail": "resource not found"}}),
            (200, {"text": ""}),
            (200, {"json": None}),
            (200, {"json": {"id": "another", "status": "RUNNING"}}),
            (301, {"headers": {"Location": "https://elsewhere.invalid"}}),
        ],
    )
    async def test_nothing_else_says_so(self, status: int, answer: dict[str, Any]):
        """Neither to a question nor to an end: a retired API looks like an empty account to sloppy code."""
        stage = RunpodStage()
        stage.line = httpx.MockTransport(lambda _: httpx.Response(status, **answer))  # type: ignore[assignment]
        provider = stage.another()
        with pytest.raises(ProviderError):
            await provider.inspect("k3v9q1x7m2ab")
        if answer.get("json") is None or status != 200:
            with pytest.raises(ProviderError):
                await provider.destroy("k3v9q1x7m2ab")

    async def test_a_pod_in_its_first_seconds_is_not_gone(self):
        """GET and DELETE answer 404 and the pod lives: its absence is not believed, so that it is ended again."""
        stage = RunpodStage()
        stage.quirks.unseen = timedelta(seconds=8)
        pod = await stage.launch()
        await stage.provider.destroy(pod.id)
        with pytest.raises(TryLater):
            await stage.provider.inspect(pod.id)
        stage.clock.advance(10 * SECOND)
        assert await stage.provider.inspect(pod.id) is not None
        await stage.provider.destroy(pod.id)
        assert await stage.provider.inspect(pod.id) is None

    async def test_a_pod_that_never_was_seen_is_gone_after_half_a_minute(self):
        """The doubt has an end."""
        stage = RunpodStage()
        pod = await stage.launch()
        stage.world.vanish(pod.id)
        with pytest.raises(TryLater):
            await stage.provider.inspect(pod.id)
        stage.clock.advance(30 * SECOND)
        assert await stage.provider.inspect(pod.id) is None

    async def test_two_bots_on_one_account_see_both_and_end_their_own(self):
        """Labels are kept as they were given, names need not be unique."""
        stage = RunpodStage(runpod_host(capacity=4))
        offer = await stage.offer(RTX)
        other = LABEL.replace("team", "lab")
        mine = await stage.provider.launch(offer, order())
        await stage.provider.launch(offer, order(other))
        await stage.provider.launch(offer, order(other))
        await stage.provider.destroy(mine)
        assert [one.label for one in await stage.provider.machines()] == [other, other]
