"""RunPod's catalogue: GPU types with one price per cloud, and a hint of stock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

from adapters.simulators.faces.face import BadCall, Call, Said
from adapters.simulators.faces.runpod_rows import GPU_IDS, centre, cloud, gpu_id
from adapters.simulators.faces.runpod_stage import Invalid, Stage
from adapters.simulators.machine import SimHost
from bot.domain.market import version
from bot.domain.money import Usd

_ONLY_WITH_STOCK = ("count", "cloud", "countryCodes", "cudaVersions", "minCudaVersion")


class Shelf:
    """``/v2/catalog``."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def gpus(self, call: Call) -> Said:
        """``GET catalog/gpus``."""
        asked = _asked(call.query)
        free = self._stage.world.offers()
        return Said(200, json={"gpus": [self._row(name, asked, free) for name in self._names()]})

    def gpu(self, call: Call) -> Said:
        """``GET catalog/gpus/{id}``; an id with spaces comes percent-encoded."""
        asked, name = _asked(call.query), unquote(call.path.rsplit("/", 1)[1])
        if name not in self._names():
            raise BadCall(404, "resource not found")
        return Said(200, json=self._row(name, asked, self._stage.world.offers()))

    def fitting(self, body: Mapping[str, Any]) -> list[SimHost]:
        """Hosts with room on which a create may land, cheapest first. Places are enforced, not preferred."""
        gpu, wanted, asked = body["gpu"], body.get("dataCenterIds"), _of_create(body)
        exact = gpu.get("allowedCudaVersions")
        found = [
            host
            for host in self._stage.world.free_hosts()
            if gpu_id(host) == gpu["id"]
            and cloud(host) == body.get("cloud", "SECURE")
            and _suits(host, asked)
            and (not wanted or centre(host) in wanted)
            and (not exact or host.cuda in exact)
            and gpu.get("minRamPerGpu", 0) * host.count <= host.ram_gb
        ]
        return sorted(found, key=lambda host: (host.hourly, host.fingerprint))

    def listed(self, body: Mapping[str, Any]) -> Usd:
        """What the catalogue says for a create, per hour: the same in all data centres."""
        asked = _of_create(body)
        free = [host for host in self._stage.world.free_hosts() if _suits(host, asked)]
        return Usd.of(self.price(body["gpu"]["id"], body.get("cloud", "SECURE"), free) * asked["count"])

    def price(self, name: str, of: str, free: Sequence[SimHost]) -> Decimal:
        """Per GPU, the same for the whole cloud: the cheapest that is free, or else the cheapest; for a cloud that does
        not sell it the other's."""
        kin = [host for host in self._stage.world.hosts.values() if gpu_id(host) == name]
        here = [host for host in kin if cloud(host) == of]
        ready = [host for host in here if host in free]
        return min(host.hourly.dollars / host.count for host in ready or here or kin)

    def _names(self) -> list[str]:
        return sorted({gpu_id(host) for host in self._stage.world.hosts.values() if not host.cpu_only})

    def _row(self, name: str, asked: Mapping[str, Any] | None, free: Sequence[SimHost]) -> dict[str, Any]:
        kin = [host for host in self._stage.world.hosts.values() if gpu_id(host) == name]
        free = [host for host in free if asked is None or _suits(host, asked)]
        most = {
            each.lower(): max((h.count for h in kin if cloud(h) == each), default=0)
            for each in ("SECURE", "COMMUNITY")
        }
        row = {
            "id": name,
            "name": name.removeprefix("NVIDIA ").removeprefix("GeForce "),
            "pool": None,
            "manufacturer": "AMD" if name.startswith("AMD") else "NVIDIA",
            "memory": GPU_IDS.get(name, int(kin[0].vram_gb)),
            "secure": most["secure"] > 0,
            "community": most["community"] > 0,
            "price": {
                "secure": self.price(name, "SECURE", free),
                "community": self.price(name, "COMMUNITY", free),
                "serverless": 1.1,
            },
            "maxCount": most,
        }
        return row if asked is None else row | _stock(kin, asked, free)


def _stock(kin: Sequence[SimHost], asked: Mapping[str, Any], free: Sequence[SimHost]) -> dict[str, Any]:
    here = [host for host in kin if cloud(host) == asked["cloud"]]
    ready = [host for host in here if host in free and _suits(host, asked)]
    centres = sorted({name for name in map(centre, here) if name})
    level = {name: _level([host for host in ready if centre(host) == name]) for name in centres}
    return {
        "availability": _level(ready),
        "dataCenters": [{"id": name, "name": name, "availability": level[name]} for name in centres],
        "cudaVersions": [
            {"version": one, "available": any(host.cuda == one for host in ready)}
            for one in sorted({host.cuda for host in kin}, key=version)
        ],
    }


def _of_create(body: Mapping[str, Any]) -> dict[str, Any]:
    gpu = body["gpu"]
    return {"count": gpu.get("count", 1), "minCudaVersion": gpu.get("minCudaVersion", "")}


def _level(ready: Sequence[SimHost]) -> str:
    room = sum(host.capacity for host in ready)
    return "NONE" if not room else "LOW" if room < 3 else "MEDIUM" if room < 10 else "HIGH"


def _suits(host: SimHost, asked: Mapping[str, Any]) -> bool:
    """In this world a host is rented whole, so that the number of GPUs is that of the host."""
    least = asked.get("minCudaVersion")
    if host.cpu_only or host.spot or host.count != asked["count"]:
        return False
    if least and version(host.cuda) < version(least):
        return False
    exact, lands = asked.get("cudaVersions"), asked.get("countryCodes")
    return (not exact or host.cuda in exact.split(",")) and (
        not lands or bool({*host.places} & {*lands.split(",")})
    )


def _asked(query: Mapping[str, str]) -> dict[str, Any] | None:
    """What stock is asked for; None for none. Both words are needed, and every filter needs both."""
    both = (query.get("include") == "AVAILABILITY", query.get("product") == "POD")
    if not any(both):
        if any(name in query for name in _ONLY_WITH_STOCK):
            raise BadCall(400, "availability filters need include=AVAILABILITY")
        return None
    if not all(both):
        raise BadCall(400, "include=AVAILABILITY and product must be given together")
    count, where = query.get("count", "1"), query.get("cloud", "SECURE")
    if not count.isdigit() or int(count) < 1:
        raise Invalid([f"count: {count!r} is not a positive integer"])
    if where not in ("SECURE", "COMMUNITY"):
        raise Invalid([f"cloud: {where!r} is not one of SECURE, COMMUNITY"])
    if query.get("cudaVersions") and query.get("minCudaVersion"):
        raise BadCall(400, "cudaVersions and minCudaVersion are mutually exclusive")
    return {**query, "count": int(count), "cloud": where}
