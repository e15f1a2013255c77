"""RunPod's account: balance and runway, what bills without a pod, a pod's last words, and ``lastcall check``."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from adapters.simulators.faces.face import Wire
from adapters.simulators.machine import Fate, SimVolume
from bot.domain.errors import NeedsHuman, TryLater, VendorChanged
from bot.domain.market import AccountNote, Finding, Mark
from bot.domain.money import Usd
from tests.support.runpod import KEY, LABEL, RunpodStage, runpod_host


class TestBalance:
    """The one live read of the balance is GraphQL's."""

    async def test_balance_and_burn_are_told_with_how_long_it_lasts(self):
        """From the vendor's own meter."""
        stage = RunpodStage(runpod_host(hourly="0.50"), balance=Usd.of(10))
        assert (await stage.provider.account()).note == "$10.00 left, nothing is spent"
        await stage.launch()
        account = await stage.provider.account()
        assert account.state is AccountNote.READY
        assert account.burn_hourly == Usd.of("0.506165")
        assert account.note == "$10.00 left, $0.5062/h is spent: lasts 19 h 45 min"
        stage.clock.advance(timedelta(hours=2))
        later = await stage.provider.account()
        assert later.balance is not None
        assert Usd.of("8.98") < later.balance < Usd.of("9.00")

    async def test_after_graphql_has_ended_the_key_is_still_looked_at(self):
        """Early in 2027 nobody tells the balance any more: a key that works is ready, one that does not is not."""
        stage = RunpodStage()
        stage.quirks.graphql_retired = True
        account = await stage.provider.account()
        assert (account.state, account.balance) == (AccountNote.READY, None)
        with pytest.raises(NeedsHuman):
            await stage.another("rpa_WRONGWRONG").account()

    @pytest.mark.parametrize(
        ("body", "kind"),
        [
            ({"errors": [{"message": "Unauthorized"}], "data": None}, NeedsHuman),
            (
                {"errors": [{"message": "Something went wrong. Please try again later or contact support."}]},
                TryLater,
            ),
            ({"errors": [{"message": "Cannot query field"}]}, VendorChanged),
            ({"errors": ["x"]}, VendorChanged),
            ({"data": None}, VendorChanged),
            ({"data": {"myself": None}}, VendorChanged),
            ({"data": {"myself": {"clientBalance": None}}}, VendorChanged),
            ({"data": {"myself": {"clientBalance": "41.27"}}}, VendorChanged),
            ([], VendorChanged),
        ],
    )
    async def test_errors_that_come_as_successes(self, body: object, kind: type[Exception]):
        """GraphQL answers 200 to everything."""
        stage = RunpodStage()
        stage.line = httpx.MockTransport(lambda _: httpx.Response(200, json=body))  # type: ignore[assignment]
        with pytest.raises(kind):
            await stage.another().account()


class TestLeftovers:
    """What bills on when every pod of ours is gone."""

    async def test_volumes_and_stopped_pods_with_their_price_for_thirty_days(self):
        """A volume bills whether attached or not, above a terabyte for less; the disk of a stopped pod at twice the
        price; a pod that runs is no leftover."""
        stage = RunpodStage()
        await stage.running()
        stage.world.volumes += [
            SimVolume("nv1", "datasets", 73, "US-KS-2"),
            SimVolume("nv2", "big", 1730, "EU-RO-1"),
        ]
        kept = {"mounts": {"persistent": {"size": 73, "path": "/workspace"}}}
        stage.quirks.strangers = [
            {"id": "p1", "name": "old", "status": "EXITED", "dataCenterId": "EU-SE-1", **kept},
            {"id": "p2", "name": "bare", "status": "EXITED", "mounts": {}},
            {"id": "p3", "name": "up", "status": "RUNNING", **kept},
        ]
        found = await stage.provider.leftovers()
        assert [(one.id, one.what, one.name, str(one.monthly), one.where) for one in found] == [
            ("nv1", "network volume", "datasets", "$5.04", "US-KS-2"),
            ("nv2", "network volume", "big", "$105.05", "EU-RO-1"),
            ("p1", "stopped pod", "old", "$14.40", "EU-SE-1"),
        ]

    @pytest.mark.parametrize(
        ("row", "monthly"),
        [({"size": 73, "type": "HIGH_PERFORMANCE"}, None), ({"size": None}, None), ({"size": 73}, "$5.04")],
    )
    async def test_a_price_that_is_not_known_is_not_guessed(
        self, row: dict[str, object], monthly: str | None
    ):
        """The faster volumes are dearer, and by how much is not published."""
        stage = RunpodStage()

        def answer(request: httpx.Request) -> httpx.Response:
            key = "networkVolumes" if "volumes" in request.url.path else "pods"
            return httpx.Response(200, json={key: [{"id": "nv", **row}] if key != "pods" else []})

        stage.line = httpx.MockTransport(answer)  # type: ignore[assignment]
        (found,) = await stage.another().leftovers()
        assert (found.monthly and str(found.monthly)) == monthly

    @pytest.mark.parametrize("wire", [Wire.HTML, Wire.TRUNCATED, Wire.MISSING_KEYS])
    async def test_what_cannot_be_read_is_an_error(self, wire: Wire):
        """Never "nothing is left over"."""
        stage = RunpodStage()
        stage.face.plan("other", wire, -1)
        with pytest.raises(VendorChanged):
            await stage.provider.leftovers()


class TestWords:
    """The log stream, which never ends, is the one place that tells why a pod does not come up."""

    async def test_the_last_fault_is_told_rather_than_the_last_line(self):
        """In one line, and without anything that looks like a key."""
        stage = RunpodStage()
        fault = f"failed to register layer: no space left on device ({KEY})"
        stage.world.usual = Fate(boot=None, words=f"pulling 1 of 9\n{fault}\nwaiting")
        pod = await stage.launch()
        words = await stage.provider.words(pod.id)
        assert words == "failed to register layer: no space left on device (***)"

    async def test_without_a_fault_it_is_the_last_line(self):
        """Progress is better than nothing."""
        stage = RunpodStage()
        pod = await stage.launch()
        assert "Pulling from EU-SE-1" in await stage.provider.words(pod.id)

    async def test_silence_and_noise(self):
        """Nothing said is no words; what is no JSON is taken as it is; more lines than were asked for are enough."""
        stage = RunpodStage()
        said = [
            b"",
            b"data: {not json\n\nid: 1\n: ping\n\n",
            b'data: {"line": 7}\ndata: [1]\n',
            b"data: x\n\n" * 5000,
        ]
        heard = []
        for body in said:
            stage.line = httpx.MockTransport(lambda _, body=body: httpx.Response(200, content=body))  # type: ignore[assignment]
            heard.append(await stage.another().words("p"))
        assert heard == ["", "{not json", "", "x"]

    async def test_a_pod_that_is_not_there_has_no_words(self):
        """An error of the port, which the engine takes for silence."""
        with pytest.raises(VendorChanged):
            await RunpodStage().provider.words("424242")


async def check(stage: RunpodStage, key: str = KEY) -> list[Finding]:
    """What it finds."""
    return list(await stage.another(key).check())


class TestCheck:
    """Each way in which it may not work is told apart, by calls that only read."""

    async def test_all_is_well(self):
        """Key, catalogue and balance; nothing was written."""
        stage = RunpodStage(balance=Usd.of(40))
        found = await check(stage)
        assert [one.mark for one in found] == [Mark.GOOD] * 3
        assert {one.part for one in found} == {"RunPod"}
        assert {(line.method, line.path) for line in stage.face.log} == {
            ("GET", "/v2/pods"),
            ("GET", "/v2/catalog/gpus"),
            ("POST", "/graphql"),
        }

    async def test_a_wrong_key_is_one_problem(self):
        """Three calls fail alike and one line says so."""
        (finding,) = await check(RunpodStage(), "rpa_WRONGWRONG")
        assert finding.mark is Mark.BAD
        assert "does not take the key" in finding.sentence
        assert "RUNPOD_API_KEY" in finding.fix

    @pytest.mark.parametrize(
        ("break_it", "said", "fix"),
        [
            ("edge", "edge turned the call away", "not the key"),
            ("rest_retired", "has retired the address", "RUNPOD_API_URL"),
        ],
    )
    async def test_what_is_not_the_key_is_not_called_the_key(self, break_it: str, said: str, fix: str):
        """Cloudflare's block and an old address look like it."""
        stage = RunpodStage()
        setattr(stage.quirks, break_it, True)
        found = await check(stage)
        assert found[0].mark is Mark.BAD
        assert said in found[0].sentence
        assert fix in found[0].fix

    @pytest.mark.parametrize(
        ("kind", "wire", "mark", "said"),
        [
            ("machines", Wire.GATEWAY, Mark.BAD, "does not answer"),
            ("machines", Wire.MISSING_KEYS, Mark.BAD, "the list of pods cannot be read"),
            ("offers", Wire.HTML, Mark.BAD, "the catalogue cannot be read"),
            ("account", Wire.HTML, Mark.WARN, "the balance cannot be read"),
            ("account", Wire.GATEWAY, Mark.BAD, "does not answer"),
        ],
    )
    async def test_one_part_that_fails_leaves_the_others_as_they_are(
        self, kind: str, wire: Wire, mark: Mark, said: str
    ):
        """It is said which, and the setting that is named is the one of the address that was asked."""
        stage = RunpodStage()
        stage.face.plan(kind, wire, -1)
        found = await check(stage)
        bad = [one for one in found if one.mark is not Mark.GOOD]
        setting = "RUNPOD_GRAPHQL_URL" if kind == "account" else "RUNPOD_API_URL"
        assert [(one.mark, said in one.sentence, setting in one.fix) for one in bad] == [(mark, True, True)]
        assert len(found) == 3

    async def test_a_missing_right_is_told_from_a_wrong_key(self):
        """403 as JSON: the key is known and may not."""
        stage = RunpodStage()
        denied = {"title": "Forbidden", "status": 403, "detail": "access denied"}
        stage.line = httpx.MockTransport(lambda _: httpx.Response(403, json=denied))  # type: ignore[assignment]
        found = await check(stage)
        assert [one.mark for one in found] == [Mark.BAD, Mark.BAD, Mark.WARN]
        assert all("key is valid and may not read" in one.sentence and one.fix for one in found)

    async def test_without_a_line_it_still_answers(self):
        """It raises nothing."""
        stage = RunpodStage()
        stage.line.cut = True
        (finding,) = await check(stage)
        assert (finding.mark, "does not answer" in finding.sentence) == (Mark.BAD, True)

    @pytest.mark.parametrize(
        ("balance", "mark"),
        [("0.90", Mark.WARN), ("1.50", Mark.WARN), ("3.50", Mark.GOOD), ("-2", Mark.WARN)],
    )
    async def test_a_runway_below_six_hours_or_a_dollar_warns(self, balance: str, mark: Mark):
        """At half a dollar an hour; at nothing the vendor ends pods and their data."""
        stage = RunpodStage(runpod_host(hourly="0.50"), balance=Usd.of(10))
        await stage.launch()
        stage.world.balance = Usd.of(balance)
        found = await check(stage)
        assert found[2].mark is mark

    @pytest.mark.parametrize(("skew", "marks"), [(90, 0), (3600, 1), (-3600, 1)])
    async def test_a_clock_that_differs_is_said(self, skew: int, marks: int):
        """An hour off, either way; a minute and a half is nothing."""
        stage = RunpodStage()
        stage.face.skew = timedelta(seconds=skew)
        found = [one for one in await check(stage) if "clock" in one.sentence]
        assert [one.mark for one in found] == [Mark.WARN] * marks

    async def test_a_vendor_s_clock_an_hour_off_changes_nothing_else(self):
        """Launched, listed and ended as ever."""
        stage = RunpodStage()
        stage.face.skew = timedelta(hours=1)
        pod = await stage.running()
        assert [one.label for one in await stage.provider.machines()] == [LABEL]
        await stage.provider.destroy(pod.id)
        assert await stage.provider.inspect(pod.id) is None
