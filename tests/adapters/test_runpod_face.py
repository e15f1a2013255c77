"""The simulated RunPod itself: as strict, as odd and as dear as the real one, also for clients that are not ours."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from adapters.simulators.faces.face import Said, call_of
from adapters.simulators.faults import Fault, FaultKind
from bot.domain.errors import NeedsHuman, NoCapacity, OutcomeUnknown, ProviderError, TryLater
from bot.domain.market import MachineState
from bot.domain.money import ZERO, Usd
from tests.support.runpod import KEY, RunpodStage, runpod_host

POD: dict[str, Any] = {
    "name": "bot-prod-01JDF3ZK8Q",
    "image": "runpod/pytorch:1",
    "gpu": {"id": "NVIDIA GeForce RTX 3090", "count": 1, "minCudaVersion": "12.8"},
    "disk": 60,
    "ports": ["22/tcp"],
    "startSsh": True,
    "env": {"PUBLIC_KEY": "ssh-ed25519 AAAA bot"},
}
GPU = POD["gpu"]


def ask(stage: RunpodStage, method: str, path: str, body: Any = None, key: str = KEY) -> Said:
    """What a client that is not ours would hear."""
    payload = b"" if body is None else json.dumps(body).encode()
    head = {"Authorization": f"Bearer {key}", "User-Agent": "somebody/1.0"}
    return stage.face.handle(call_of(method, path, head, payload))


def graph(stage: RunpodStage, query: str, variables: Any = None) -> Any:
    """GraphQL's answer."""
    said = ask(stage, "POST", "/graphql", {"query": query, "variables": variables})
    assert said.status == 200
    return said.json


class TestStrict:
    """A mistake fails as it fails over there."""

    @pytest.mark.parametrize(
        ("change", "status", "said"),
        [
            ({"bogus": 1}, 422, "$: additional properties 'bogus' not allowed"),
            ({"gpuTypeIds": ["x"], "volumeInGb": 20}, 422, "'gpuTypeIds', 'volumeInGb'"),
            ({"gpu": {**GPU, "vram": 24}}, 422, "$.gpu: additional properties 'vram'"),
            ({"gpu": {"count": 1}}, 422, "$.gpu: missing property 'id'"),
            ({"gpu": {**GPU, "count": "1"}}, 422, "$.gpu.count"),
            ({"gpu": {**GPU, "count": True}}, 422, "$.gpu.count"),
            ({"gpu": {**GPU, "minCudaVersion": "12"}}, 422, "$.gpu.minCudaVersion"),
            ({"disk": 0}, 422, "$.disk"),
            ({"ports": ["22/udp"]}, 422, "$.ports[0]"),
            ({"env": {"A": 1}}, 422, "$.env.A"),
            ({"env": {str(n): "x" for n in range(51)}}, 422, "maxProperties"),
            ({"cloud": "ALL"}, 422, "$.cloud"),
            ({"mounts": {"persistent": {"size": 5, "path": "/w"}}}, 422, "$.mounts.persistent.size"),
            ({"name": ""}, 422, "$.name"),
            ({"gpu": {**GPU, "allowedCudaVersions": ["12.8"]}}, 400, "mutually exclusive"),
            ({"cpu": {"id": "cpu3c", "vcpuCount": 2}}, 400, "exactly one of gpu and cpu"),
            ({"registry": "reg_x"}, 400, "container registry auth reg_x not found"),
            ({"mounts": {"network": [{"volumeId": "nv", "path": "/w"}]}}, 400, "network volume nv not found"),
            ({"templateId": "2lv7ev3wfp"}, 404, "template not found"),
            ({"dataCenterIds": ["EU-RO-1"]}, 400, "no longer any instances"),
            ({"gpu": {**GPU, "id": "RTX 3090"}}, 400, "no longer any instances"),
            ({"gpu": {**GPU, "minCudaVersion": "13.1"}}, 400, "no longer any instances"),
            ({"disk": 5000}, 400, "enough disk space"),
            ({"image": "x" * 110_000}, 413, "exceeds"),
        ],
    )
    def test_a_body_that_is_not_taken(self, change: dict[str, Any], status: int, said: str):
        """422 for the schema with each error, 400 for rules between fields and for lack of room, and no pod."""
        stage = RunpodStage()
        answer = ask(stage, "POST", "/v2/pods", POD | change)
        assert (answer.status, answer.json["status"]) == (status, status)
        assert said in answer.json["detail"] + str(answer.json.get("errors", ""))
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert stage.world.ever() == []

    @pytest.mark.parametrize("missing", ["disk", "image", "gpu"])
    def test_what_has_no_default_is_missed(self, missing: str):
        """Also the disk, of which the specification says that it may be left out."""
        body = {name: value for name, value in POD.items() if name != missing}
        assert ask(RunpodStage(), "POST", "/v2/pods", body).status == 400

    @pytest.mark.parametrize(
        ("method", "path", "status"),
        [
            ("GET", "/v1/pods", 410),
            ("DELETE", "/v1/pods/x", 410),
            ("GET", "/v2/nothing", 404),
            ("PUT", "/v2/pods", 405),
            ("GET", "/v2/pods/x", 404),
            ("GET", "/v2/pods?limit=0", 422),
            ("GET", "/v2/pods?limit=1001", 422),
            ("GET", "/v2/pods?cursor=made-up", 422),
            ("GET", "/v2/pods?desiredStatus=RUNNING&name=x", 200),
            ("GET", "/v2/catalog/gpus", 200),
            ("GET", "/v2/catalog/gpus/NVIDIA%20GeForce%20RTX%203090", 200),
            ("GET", "/v2/catalog/gpus/RTX%203090", 404),
            ("GET", "/v2/catalog/gpus?include=AVAILABILITY", 400),
            ("GET", "/v2/catalog/gpus?count=1", 400),
            ("GET", "/v2/catalog/gpus?include=AVAILABILITY&product=POD&count=x", 422),
            ("GET", "/v2/catalog/gpus?include=AVAILABILITY&product=POD&cloud=ALL", 422),
        ],
    )
    def test_paths_and_queries(self, method: str, path: str, status: int):
        """v1 is gone; what stock is asked for needs both words; filters that do not exist change nothing."""
        answer = ask(RunpodStage(), method, path)
        assert answer.status == status
        assert (answer.headers.get("Allow") == "GET, POST") is (status == 405)
        assert answer.headers["x-request-id"]

    @pytest.mark.parametrize(
        ("kind", "meant"),
        [
            (FaultKind.LOST_BEFORE, OutcomeUnknown),
            (FaultKind.GARBLED, OutcomeUnknown),
            (FaultKind.NO_CAPACITY, NoCapacity),
            (FaultKind.NEEDS_HUMAN, NeedsHuman),
            (FaultKind.TRY_LATER, TryLater),
        ],
    )
    async def test_a_fault_of_the_world_comes_out_in_dialect(
        self, kind: FaultKind, meant: type[ProviderError]
    ):
        """Planned once for every vendor, said in this one's words, and understood as it was meant."""
        stage = RunpodStage()
        stage.world.plan("launch", Fault(kind))
        with pytest.raises(meant):
            await stage.launch()
        assert stage.world.ever() == []


class TestQuota:
    """Three windows, told on every answer."""

    def test_what_is_left_is_told_and_kept(self):
        """The sixty-first call of a minute is turned down with the time to wait, and the next minute begins anew."""
        stage = RunpodStage()
        told = [ask(stage, "GET", "/v2/pods") for _ in range(60)]
        assert told[0].headers["RateLimit"].startswith('"minute";r=59;t=')
        assert {one.status for one in told} == {200}
        late = ask(stage, "GET", "/v2/pods")
        assert late.status == 429
        stage.clock.advance(timedelta(seconds=int(late.headers["Retry-After"])))
        assert ask(stage, "GET", "/v2/pods").status == 200


class TestPods:
    """What becomes of a pod."""

    def test_a_stopped_pod_costs_nothing_to_look_at_and_comes_back_only_where_there_is_room(self):
        """``cost`` is 0, the meter rests, start is refused while somebody else has the card, and works after."""
        stage = RunpodStage()
        pod = ask(stage, "POST", "/v2/pods", POD).json
        assert (pod["status"], pod["actions"]) == ("PROVISIONING", ["stop", "terminate"])
        act = f"/v2/pods/{pod['id']}/action"
        assert ask(stage, "POST", act, {"action": "start"}).status == 409
        assert ask(stage, "POST", act, {"action": "reset"}).status == 422
        stage.clock.advance(timedelta(hours=1))
        stopped = ask(stage, "POST", act, {"action": "stop"}).json
        assert (stopped["status"], stopped["cost"], stopped["runtime"]) == ("EXITED", 0.0, None)
        bill = stage.world.bill()
        stage.clock.advance(timedelta(hours=5))
        assert (
            stage.world.bill()
            == bill
            == Usd.of("0.2") + stage.world.machine(pod["id"]).disk_hourly(stage.world.tariff)
        )
        assert ask(stage, "POST", act, {"action": "start"}).json["status"] == "PROVISIONING"
        assert ask(stage, "POST", act, {"action": "terminate"}).status == 204
        assert ask(stage, "DELETE", f"/v2/pods/{pod['id']}").status == 404

    def test_at_zero_pods_are_ended_and_those_with_a_network_volume_only_stopped(self):
        """Their data is what the volume is for."""
        stage = RunpodStage(runpod_host(capacity=2), balance=Usd.of("1.00"))
        volume = {"name": "v", "size": 50, "dataCenter": "EU-SE-1"}
        made = ask(stage, "POST", "/v2/network-volumes", volume).json
        bare = ask(stage, "POST", "/v2/pods", POD).json["id"]
        mounts = {"mounts": {"network": [{"volumeId": made["id"], "path": "/workspace"}]}}
        kept = ask(stage, "POST", "/v2/pods", POD | mounts).json["id"]
        stage.clock.advance(timedelta(hours=3))
        rows = {row["id"]: row["status"] for row in ask(stage, "GET", "/v2/pods").json["pods"]}
        assert rows == {kept: "EXITED"}
        assert stage.world.machine(bare).state(stage.clock.now()) is None
        assert stage.world.machine(kept).state(stage.clock.now()) is MachineState.STOPPED

    def test_a_pod_without_any_key_lets_nobody_in(self):
        """``startSsh`` injects the account's key, and with none registered does nothing, silently."""
        stage = RunpodStage(runpod_host(capacity=3))
        bare = {**POD, "env": {}}
        none = ask(stage, "POST", "/v2/pods", bare).json["id"]
        assert ask(stage, "PUT", "/v2/account/ssh-keys", {"keys": ["ssh-ed25519 AAAA team"]}).status == 200
        ours = ask(stage, "POST", "/v2/pods", bare).json["id"]
        own = ask(stage, "POST", "/v2/pods", POD).json["id"]
        keys = [stage.world.machine(one).public_key for one in (none, ours, own)]
        assert keys == ["", "ssh-ed25519 AAAA team", "ssh-ed25519 AAAA bot"]

    def test_a_change_of_name_is_seen_in_the_list(self):
        """PATCH, which the bot itself never uses."""
        stage = RunpodStage()
        pod = ask(stage, "POST", "/v2/pods", POD).json["id"]
        renamed = ask(stage, "PATCH", f"/v2/pods/{pod}", {"name": "other", "locked": True}).json
        assert (renamed["name"], renamed["locked"]) == ("other", True)
        assert ask(stage, "GET", "/v2/pods").json["pods"][0]["name"] == "other"


class TestGraphQL:
    """What clients that are not on v2 yet say, with literals and with variables."""

    def test_a_life_with_literals(self):
        """As the SDK writes it: found, deployed on whatever cloud, stopped, resumed, ended. The fields that promise
        an end of their own are taken, and nothing ever comes of them."""
        stage = RunpodStage(runpod_host(verified=False))
        asked = (
            'mutation { podFindAndDeployOnDemand(input: {name: "sdk \\"q\\"", imageName: "i", cloudType: ALL,'
            ' gpuTypeId: "NVIDIA GeForce RTX 3090", gpuCount: 1, containerDiskInGb: 10, ports: "22/tcp",'
            ' terminateAfter: "2026-03-01T13:00:00Z", env: [{ key: "A", value: "b" }]})'
            " { id desiredStatus env machine { podHostId } } }"
        )
        pod = graph(stage, asked)["data"]["podFindAndDeployOnDemand"]
        assert (pod["desiredStatus"], pod["env"]) == ("RUNNING", ["A=b"])
        stage.clock.advance(timedelta(days=1))
        one = f'(input: {{podId: "{pod["id"]}"}}) {{ name desiredStatus costPerHr runtime {{ uptimeInSeconds }} }}'
        found = graph(stage, f"query {{ pod{one} }}")["data"]["pod"]
        assert (found["name"], found["costPerHr"]) == ('sdk "q"', 0.2)
        assert found["runtime"]["uptimeInSeconds"] > 80_000
        assert graph(stage, f"mutation {{ podStop{one} }}")["data"]["podStop"]["desiredStatus"] == "EXITED"
        assert (
            graph(stage, f"mutation {{ podResume{one} }}")["data"]["podResume"]["desiredStatus"] == "RUNNING"
        )
        ended = graph(stage, f'mutation {{ podTerminate(input: {{podId: "{pod["id"]}"}}) }}')
        assert ended == {"data": {"podTerminate": None}}
        assert graph(stage, f"query {{ pod{one} }}") == {"data": {"pod": None}}

    def test_errors_come_with_200(self):
        """No room, a field that does not exist, half a query."""
        stage = RunpodStage()
        query = "mutation($i: PodFindAndDeployOnDemandInput!){ podFindAndDeployOnDemand(input:$i){ id } }"
        full = graph(stage, query, {"i": {"name": "x", "gpuTypeId": "NVIDIA H200", "cloudType": "SECURE"}})
        assert full["data"] == {"podFindAndDeployOnDemand": None}
        assert full["errors"][0]["message"].startswith("There are no longer any instances")
        for query in ("{ myself { nonsense } }", "{ myself }", "{ nonsense { id } }", "{ myself { id ", "§"):
            assert "errors" in graph(stage, query)

    def test_who_may_ask_what(self):
        """The catalogue is for everybody; the account is for its key, which may be in the address."""
        stage = RunpodStage()
        types = {"query": "{ gpuTypes { id securePrice lowestPrice(input: {gpuCount: 1}) { stockStatus } } }"}
        assert ask(stage, "POST", "/graphql", types, key="none").status == 200
        myself = {"query": "query myself { myself { id clientBalance pods { id } } }"}
        assert ask(stage, "POST", "/graphql", myself, key="none").status == 401
        assert ask(stage, "POST", f"/graphql?api_key={KEY}", myself, key="none").status == 200


class TestAccount:
    """What is beside the pods."""

    def test_volumes_and_registries_come_and_go(self):
        """A registry that is gone already is a 400 there, and a volume a 404."""
        stage = RunpodStage()
        volume = {"name": "v", "size": 50, "dataCenter": "EU-SE-1"}
        made = ask(stage, "POST", "/v2/network-volumes", volume).json
        assert made == {**volume, "id": made["id"], "type": "STANDARD"}
        assert ask(stage, "GET", "/v2/network-volumes").json["networkVolumes"] == [made]
        gone = [ask(stage, "DELETE", f"/v2/network-volumes/{made['id']}").status for _ in range(2)]
        registry = ask(stage, "POST", "/v2/registries", {"name": "g", "username": "u", "password": "p"}).json
        assert ask(stage, "GET", "/v2/registries").json["registries"] == [{"id": registry["id"], "name": "g"}]
        gone += [ask(stage, "DELETE", f"/v2/registries/{registry['id']}").status for _ in range(2)]
        assert gone == [204, 404, 204, 400]
        assert ask(stage, "GET", "/v2/templates").json["templates"] == []
        assert stage.world.bill() == ZERO
