"""RunPod's GraphQL: balance and spend, which have no other route, and the pods of clients that are not on v2 yet.

A client's error comes with HTTP 200 and a sentence; only what was asked for comes back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from adapters.simulators.faces.face import BadCall, Call, Said
from adapters.simulators.faces.runpod_pods import Pods
from adapters.simulators.faces.runpod_query import Field, Unreadable, parse
from adapters.simulators.faces.runpod_rows import GPU_IDS, cloud, gpu_id, pod
from adapters.simulators.faces.runpod_shelf import Shelf
from adapters.simulators.faces.runpod_stage import NO_ROOM, Stage
from adapters.simulators.machine import SimMachine

PUBLIC = {"gpuTypes", "dataCenters", "cpuFlavors", "countryCodes"}
_INTENT = {"EXITED": "EXITED", "TERMINATED": "TERMINATED"}
"""``desiredStatus`` tells what was asked for: RUNNING from the instant of the rental."""


class Graph:
    """``/graphql``."""

    def __init__(self, stage: Stage, shelf: Shelf, pods: Pods) -> None:
        self._stage, self._shelf, self._pods = stage, shelf, pods
        self._roots: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
            "myself": self._myself,
            "gpuTypes": self._gpu_types,
            "pod": self._pod,
            "podFindAndDeployOnDemand": self._deploy,
            "podStop": self._stop,
            "podResume": self._resume,
            "podTerminate": self._terminate,
        }

    def handle(self, call: Call) -> Said:
        """``POST {"query", "variables"}``."""
        if self._stage.quirks.graphql_retired:
            raise BadCall(410, "The GraphQL API has been retired.")
        body = call.json if isinstance(call.json, dict) else {}
        data: dict[str, Any] = {}
        try:
            _, fields = parse(str(body.get("query", "")), body.get("variables") or {})
            for one in fields:
                if one.name not in self._roots:
                    raise Unreadable(f'Cannot query field "{one.name}" on type "Query".')
                data[one.name] = None
                data[one.name] = _picked(self._roots[one.name](one.arguments.get("input") or {}), one)
        except Unreadable as problem:
            return Said(200, json={"errors": [{"message": str(problem)}]})
        except BadCall as problem:
            return Said(
                200, json={"errors": [{"message": problem.sentence, "path": list(data)}], "data": data}
            )
        return Said(200, json={"data": data})

    def is_public(self, call: Call) -> bool:
        """Whether it is answered without any key."""
        try:
            _, fields = parse(str(call.json["query"]), {})
        except (Unreadable, KeyError, TypeError):
            return False
        return {one.name for one in fields} <= PUBLIC

    def _myself(self, _input: Mapping[str, Any]) -> dict[str, Any]:
        balance, burn = self._stage.world.account()
        volumes = [
            {"id": one.id, "name": one.name, "size": one.gb, "dataCenterId": one.where}
            for one in self._stage.world.volumes
        ]
        return {
            "id": "user_2ab",
            "email": "ops@example.com",
            "pubKey": "\n\n".join(self._stage.keys),
            "clientBalance": 100.0 if balance is None else float(balance.dollars),
            "currentSpendPerHr": float(burn.dollars),
            "spendLimit": 80,
            "pods": [self._row(one) for one in self._stage.world.alive()],
            "networkVolumes": volumes,
        }

    def _gpu_types(self, asked: Mapping[str, Any]) -> list[dict[str, Any]]:
        free = self._stage.world.free_hosts()
        wanted = [asked["id"]] if "id" in asked else asked.get("ids")
        names = sorted({gpu_id(host) for host in self._stage.world.hosts.values() if not host.cpu_only})
        return [self._gpu_type(name, free) for name in names if wanted is None or name in wanted]

    def _gpu_type(self, name: str, free: list[Any]) -> dict[str, Any]:
        kin = [host for host in self._stage.world.hosts.values() if gpu_id(host) == name]
        most = max(host.count for host in kin)
        price = {one: float(self._shelf.price(name, one, free)) for one in ("SECURE", "COMMUNITY")}
        ready = [host for host in kin if host in free]
        return {
            "id": name,
            "displayName": name.removeprefix("NVIDIA ").removeprefix("GeForce "),
            "manufacturer": "Nvidia",
            "memoryInGb": GPU_IDS.get(name, int(kin[0].vram_gb)),
            "cudaCores": 0,
            "secureCloud": any(cloud(host) == "SECURE" for host in kin),
            "communityCloud": any(cloud(host) == "COMMUNITY" for host in kin),
            "securePrice": price["SECURE"],
            "communityPrice": price["COMMUNITY"],
            **dict.fromkeys(("oneWeekPrice", "oneMonthPrice", "threeMonthPrice", "sixMonthPrice")),
            **dict.fromkeys(("communitySpotPrice", "secureSpotPrice")),
            **dict.fromkeys(("maxGpuCount", "maxGpuCountCommunityCloud", "maxGpuCountSecureCloud"), most),
            "minPodGpuCount": 1,
            "lowestPrice": {
                "minimumBidPrice": None,
                "uninterruptablePrice": min(price.values()) if ready else None,
                "minVcpu": 4,
                "minMemory": 16,
                "stockStatus": "Low" if ready else None,
                "maxUnreservedGpuCount": most if ready else 0,
                "availableGpuCounts": [most] if ready else [],
            },
        }

    def _pod(self, asked: Mapping[str, Any]) -> dict[str, Any] | None:
        machine = self._stage.world.find(str(asked.get("podId")))
        return None if machine is None else self._row(machine)

    def _deploy(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """``stopAfter`` and ``terminateAfter`` are taken, stored nowhere and never kept. ``ALL`` tries both clouds."""
        wish = str(asked.get("cloudType", "ALL"))
        for where in ("SECURE", "COMMUNITY") if wish == "ALL" else (wish,):
            body = _as_v2(asked, where)
            if self._shelf.fitting(body):
                said = self._pods.create(_call("POST", "/v2/pods", body))
                if said.status != 201:
                    raise BadCall(400, said.json["detail"])
                return self._row(self._stage.world.machine(said.json["id"]))
        raise BadCall(400, NO_ROOM)

    def _stop(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        return self._acted(asked, "stop")

    def _resume(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        return self._acted(asked, "start")

    def _acted(self, asked: Mapping[str, Any], action: str) -> dict[str, Any]:
        pod_id = str(asked.get("podId"))
        self._pods.act(_call("POST", f"/v2/pods/{pod_id}/action", {"action": action}))
        return self._row(self._stage.world.machine(pod_id))

    def _terminate(self, asked: Mapping[str, Any]) -> None:
        self._pods.delete(_call("DELETE", f"/v2/pods/{asked.get('podId')}", None))

    def _row(self, machine: SimMachine) -> dict[str, Any]:
        row = pod(self._stage, machine)
        return {
            "id": machine.id,
            "name": machine.label,
            "containerDiskInGb": row["disk"],
            "costPerHr": row["cost"],
            "desiredStatus": _INTENT.get(row["status"], "RUNNING"),
            "dockerArgs": row["args"],
            "dockerId": None,
            "env": [f"{name}={value}" for name, value in row["env"].items()],
            "gpuCount": machine.host.count,
            "imageName": row["image"],
            "lastStatusChange": f"Rented by User: {row['createdAt']}",
            "machineId": machine.host.fingerprint,
            "memoryInGb": machine.host.ram_gb,
            "podType": "RESERVED",
            "port": None,
            "ports": ",".join(row["ports"]),
            "uptimeSeconds": (row["runtime"] or {}).get("uptime", 0),
            "vcpuCount": 8,
            "volumeInGb": 0,
            "volumeMountPath": "/workspace",
            "machine": {
                "gpuDisplayName": machine.host.gpu,
                "location": machine.host.where,
                "podHostId": f"{machine.id}-64411eb2",
            },
            "runtime": _runtime(row["runtime"]),
        }


def _runtime(told: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if not told:
        return None
    ports = [
        {
            "ip": one["ip"],
            "isIpPublic": True,
            "privatePort": one["private"],
            "publicPort": one["public"],
            "type": "tcp",
        }
        for one in told["ports"]
    ]
    return {
        "uptimeInSeconds": told["uptime"],
        "ports": ports,
        "gpus": [{"id": "g", "gpuUtilPercent": 0, "memoryUtilPercent": 0}],
        "container": {"cpuPercent": 3, "memoryPercent": 5},
    }


def _as_v2(asked: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The old input as the body of v2's create, which is translated back to it over there."""
    gpu = {"id": asked.get("gpuTypeId"), "count": asked.get("gpuCount") or 1}
    if asked.get("minCudaVersion"):
        gpu["minCudaVersion"] = asked["minCudaVersion"]
    centre = asked.get("dataCenterId")
    return {
        "name": asked.get("name") or "pod",
        "image": asked.get("imageName") or "",
        "gpu": gpu,
        "cloud": where,
        "disk": asked.get("containerDiskInGb") or 10,
        "ports": [one for one in str(asked.get("ports") or "").split(",") if one],
        "env": {one["key"]: one["value"] for one in asked.get("env") or []},
        "startSsh": bool(asked.get("startSsh")),
        "args": asked.get("dockerArgs") or "",
        **({"dataCenterIds": [centre]} if centre else {}),
    }


def _call(method: str, path: str, body: Any) -> Call:
    return Call(method, path, {}, {}, body)


def _picked(value: Any, asked: Field) -> Any:
    """Only the fields that were asked for. Raises ``Unreadable`` for one that does not exist."""
    if isinstance(value, list):
        return [_picked(one, asked) for one in value]
    if not isinstance(value, dict):
        return value
    missing = [one.name for one in asked.children if one.name not in value]
    if missing or not asked.children:
        raise Unreadable(f'Cannot query field "{(missing or [asked.name])[0]}" on type "{asked.name}".')
    return {one.name: _picked(value[one.name], one) for one in asked.children}
