"""RunPod over a line that breaks: what each fault of the wire means to each call, keys, limits, other addresses."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from adapters.http import USER_AGENT
from adapters.providers.runpod import RunpodProvider
from adapters.providers.runpod.wire import Quota
from adapters.simulators.clock import SimClock
from adapters.simulators.faces.face import Said, Wire, call_of
from adapters.simulators.faces.server import FaceServer
from bot.domain.errors import NeedsHuman, OutcomeUnknown, ProviderError, TryLater, VendorChanged
from bot.domain.market import MachineState
from bot.domain.money import Usd
from tests.support.runpod import KEY, LABEL, RTX, RunpodStage, order, runpod_host
from tests.support.worlds import SECOND, START

Ask = Callable[[RunpodProvider, str], Awaitable[Any]]

READS: dict[str, Ask] = {
    "offers": lambda provider, _: provider.offers(RTX),
    "machines": lambda provider, _: provider.machines(),
    "inspect": lambda provider, pod: provider.inspect(pod),
    "account": lambda provider, _: provider.account(),
}
LATER = (
    Wire.TIMEOUT_BEFORE,
    Wire.TIMEOUT_AFTER,
    Wire.RESET_BEFORE,
    Wire.RESET_AFTER,
    Wire.ERROR_BEFORE,
    Wire.ERROR_AFTER,
    Wire.GATEWAY,
    Wire.THROTTLED,
    Wire.THROTTLED_WITH_TIME,
)
UNREADABLE = (Wire.HTML, Wire.TRUNCATED, Wire.MISSING_KEYS)


def town() -> RunpodStage:
    """With room for more than one."""
    return RunpodStage(runpod_host(capacity=3))


@pytest.mark.parametrize("kind", READS)
class TestReads:
    """A question that got no answer, or one that cannot be read, is an error: never none, never nothing."""

    @pytest.mark.parametrize("wire", LATER)
    async def test_a_lost_answer_is_for_later(self, kind: str, wire: Wire):
        """However often it is asked for."""
        stage = RunpodStage()
        pod = await stage.running()
        stage.face.plan(kind, wire, -1)
        with pytest.raises(TryLater):
            await READS[kind](stage.another(), pod.id)

    @pytest.mark.parametrize("wire", LATER)
    async def test_a_failure_over_there_is_asked_again(self, kind: str, wire: Wire):
        """Once is mended without a word."""
        stage = town()
        pod = await stage.running()
        stage.face.plan(kind, wire)
        assert await READS[kind](stage.another(), pod.id)

    @pytest.mark.parametrize("wire", UNREADABLE)
    async def test_an_answer_that_cannot_be_read_is_unknown(self, kind: str, wire: Wire):
        """Html, half a JSON, an object without its list."""
        stage = RunpodStage()
        pod = await stage.running()
        stage.face.plan(kind, wire, -1)
        with pytest.raises(VendorChanged):
            await READS[kind](stage.another(), pod.id)

    async def test_more_than_is_known_is_no_fault(self, kind: str):
        """New keys everywhere."""
        stage = town()
        pod = await stage.running()
        stage.face.plan(kind, Wire.EXTRA_KEYS, -1)
        assert await READS[kind](stage.provider, pod.id)

    async def test_a_wrong_or_revoked_key_is_for_a_person_and_is_not_said(self, kind: str):
        """401 at once, without asking again, and no word of the key."""
        stage = RunpodStage()
        pod = await stage.running()
        before = len(stage.face.log)
        with pytest.raises(NeedsHuman) as wrong:
            await READS[kind](stage.another("rpa_REVOKEDREVOKED"), pod.id)
        assert "REVOKED" not in wrong.value.reason
        assert len(stage.face.log) - before == (2 if kind == "offers" else 1)

    async def test_a_key_that_only_reads_is_enough(self, kind: str):
        """For every question; also GraphQL's, which is a POST."""
        stage = town()
        pod = await stage.running()
        stage.face.plan(kind, Wire.READ_ONLY, -1)
        assert await READS[kind](stage.provider, pod.id)

    async def test_the_edge_turns_away_and_it_is_not_the_key(self, kind: str):
        """403 as a text is asked again later; 403 as JSON is for a person."""
        stage = RunpodStage()
        pod = await stage.running()
        stage.quirks.edge = True
        with pytest.raises(TryLater, match="1010"):
            await READS[kind](stage.another(), pod.id)

    async def test_a_retired_api_is_unknown_and_never_gone(self, kind: str):
        """410 everywhere."""
        stage = RunpodStage()
        pod = await stage.running()
        stage.quirks.rest_retired = stage.quirks.graphql_retired = True
        with pytest.raises(VendorChanged, match="retired"):
            await READS[kind](stage.another(), pod.id)


class TestDestroy:
    """An end may be asked for again at any time; only the listing tells whether it came."""

    @pytest.mark.parametrize(
        ("wire", "kind"),
        [
            *((wire, OutcomeUnknown) for wire in LATER[:7]),
            (Wire.THROTTLED, TryLater),
            (Wire.THROTTLED_WITH_TIME, TryLater),
            (Wire.HTML, VendorChanged),
            (Wire.WRONG_KEY, NeedsHuman),
            (Wire.READ_ONLY, NeedsHuman),
        ],
    )
    async def test_what_is_not_known_is_asked_again(self, wire: Wire, kind: type[ProviderError]):
        """The second time it ends, whatever became of the first."""
        stage = RunpodStage()
        pod = await stage.running()
        await stage.provider.machines()
        stage.face.plan("destroy", wire)
        with pytest.raises(kind):
            await stage.provider.destroy(pod.id)
        await stage.provider.destroy(pod.id)
        assert await stage.provider.machines() == []
        assert await stage.provider.inspect(pod.id) is None

    async def test_success_without_effect_is_seen(self):
        """204, and the pod runs on: it stays in the listing, so that it is ended again."""
        stage = RunpodStage()
        pod = await stage.running()
        stage.face.plan("destroy", Wire.SHRUG)
        await stage.provider.destroy(pod.id)
        assert [one.state for one in await stage.provider.machines()] == [MachineState.RUNNING]

    async def test_a_member_of_a_cluster_is_for_a_person(self):
        """409 says why, and nothing else is tried."""
        stage = RunpodStage()
        pod = await stage.running()
        stage.quirks.clusters.add(pod.id)
        with pytest.raises(NeedsHuman, match="cluster"):
            await stage.provider.destroy(pod.id)

    async def test_the_bill_ends_with_it(self):
        """Per second from the creation, GPU and disk, and not a second longer."""
        stage = RunpodStage()
        pod = await stage.launch()
        hourly = stage.world.hourly(pod)
        stage.clock.advance(timedelta(minutes=30))
        await stage.provider.destroy(pod.id)
        stage.clock.advance(timedelta(hours=5))
        expected = hourly.over(timedelta(minutes=30))
        assert expected <= stage.world.bill() + Usd(1) and stage.world.bill() <= expected + Usd(1)


class TestLimits:
    """What the vendor says is left is read from every answer."""

    async def test_the_last_of_the_quota_is_kept_for_ends(self):
        """Listings stop before the minute is used up and go on with the next one; an end goes through in between."""
        stage = RunpodStage()
        pod = await stage.running()
        stage.clock.advance(timedelta(minutes=1))
        stage.quirks.quota["minute"] = 24
        for _ in range(20):
            await stage.provider.machines()
        with pytest.raises(TryLater) as late:
            await stage.provider.machines()
        assert timedelta(0) < late.value.after <= timedelta(minutes=1)
        await stage.provider.destroy(pod.id)
        stage.clock.advance(late.value.after)
        assert await stage.provider.machines() == []
        assert 429 not in {line.status for line in stage.face.log}

    async def test_looking_all_the_time_stays_within_every_window(self):
        """As fast as can be asked, in three ways at once, for a quarter of an hour: nothing is ever turned down, and
        an hour of it is below the hour's quota."""
        stage = RunpodStage()
        pod = await stage.running()
        end = stage.clock.now() + timedelta(minutes=15)
        while stage.clock.now() < end:
            for ask in (READS["machines"], READS["inspect"], READS["offers"]):
                try:
                    await ask(stage.provider, pod.id)
                except TryLater as late:
                    stage.clock.advance(late.after)
            stage.clock.advance(SECOND)
        assert {line.status for line in stage.face.log} <= {200, 201}
        assert 100 < len(stage.face.log) * 4 <= 3000

    def test_a_clock_that_was_set_back_waits_for_nothing(self):
        """What was used up in a future that never was does not count; what is used up now does."""
        late, early = SimClock(START), SimClock(START - timedelta(hours=2))
        quota = Quota(late)
        quota.note({"RateLimit": '"minute";r=59;t=12, "hour";r=10;t=600'})
        with pytest.raises(TryLater):
            quota.check()
        quota._clock = early
        quota.check()
        quota.note({"RateLimit": '"minute";r=0;t=30'})
        with pytest.raises(TryLater):
            quota.check()


class TestAddress:
    """The same adapter against whoever speaks the API."""

    async def test_over_real_http_at_another_address(self):
        """Loopback, a slash at the end, our own User-Agent; launched, listed and ended; the stream does not hang."""
        stage = RunpodStage()
        agents: list[str] = []
        handle = stage.face.handle

        def listen(call: Any) -> Said:
            agents.append(call.headers["user-agent"])
            return handle(call)

        stage.face.handle = listen  # type: ignore[method-assign]
        async with FaceServer(stage.face) as server:
            provider = RunpodProvider(
                key=KEY,
                url=f"{server.url}/v2/",
                graphql_url=f"{server.url}/graphql",
                clock=stage.clock,
                patience=timedelta(milliseconds=50),
            )
            pod_id = await provider.launch((await provider.offers(RTX))[0], order())
            assert [one.label for one in await provider.machines()] == [LABEL]
            assert "Pulling" in await provider.words(pod_id)
            assert (await provider.account()).balance
            await provider.destroy(pod_id)
            assert await provider.inspect(pod_id) is None
            await provider.close()
        assert set(agents) == {USER_AGENT}

    def test_a_library_s_own_name_is_blocked_before_the_key_is_read(self):
        """What the edge does, so that the simulated one would notice a call without our name."""
        stage = RunpodStage()
        for agent in ({}, {"User-Agent": "Python-urllib/3.11"}):
            said = stage.face.handle(
                call_of("GET", "/v2/pods", {"Authorization": f"Bearer {KEY}", **agent}, b"")
            )
            assert (said.status, said.text) == (403, "error code: 1010")
