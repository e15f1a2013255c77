"""What is on a RunPod account beside pods: its keys, network volumes, registries, templates."""

from __future__ import annotations

from adapters.simulators.faces.face import BadCall, Call, Said
from adapters.simulators.faces.runpod_body import KEYS, REGISTRY, VOLUME, checked
from adapters.simulators.faces.runpod_stage import Stage
from adapters.simulators.machine import SimVolume

_LAST_PAGE = {"nextCursor": None, "hasNextPage": False}


class Account:
    """``/v2/account``, ``/v2/network-volumes``, ``/v2/registries``, ``/v2/templates``."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def keys(self, call: Call) -> Said:
        """``GET account/ssh-keys``."""
        return Said(200, json={"keys": self._stage.keys})

    def set_keys(self, call: Call) -> Said:
        """``PUT account/ssh-keys``: replaces the whole list, everybody's keys included."""
        self._stage.keys = checked(call, KEYS)["keys"]
        return self.keys(call)

    def volumes(self, call: Call) -> Said:
        """``GET network-volumes``."""
        return self._listed("networkVolumes", [_volume(one) for one in self._stage.world.volumes])

    def volume(self, call: Call) -> Said:
        """``GET network-volumes/{id}``."""
        return Said(200, json=_volume(self._volume(call)))

    def add_volume(self, call: Call) -> Said:
        """``POST network-volumes``."""
        body, volumes = checked(call, VOLUME), self._stage.world.volumes
        made = SimVolume(f"nv{len(volumes):04d}", body["name"], body["size"], body["dataCenter"])
        volumes.append(made)
        return Said(201, json=_volume(made))

    def drop_volume(self, call: Call) -> Said:
        """``DELETE network-volumes/{id}``."""
        self._stage.world.volumes.remove(self._volume(call))
        return Said(204)

    def registries(self, call: Call) -> Said:
        """``GET registries``: secrets are never shown."""
        rows: list[dict[str, object]] = [
            {"id": one, "name": name} for one, name in self._stage.registries.items()
        ]
        return self._listed("registries", rows)

    def add_registry(self, call: Call) -> Said:
        """``POST registries``."""
        name, known = checked(call, REGISTRY)["name"], self._stage.registries
        made = f"reg_{len(known):04d}"
        known[made] = name
        return Said(201, json={"id": made, "name": name})

    def drop_registry(self, call: Call) -> Said:
        """``DELETE registries/{id}``: one that is gone is a 400, which should be a 404."""
        if self._stage.registries.pop(_last(call), None) is None:
            raise BadCall(400, "Registry auth not found")
        return Said(204)

    def templates(self, call: Call) -> Said:
        """``GET templates``: there are none."""
        return self._listed("templates", [])

    def _listed(self, name: str, rows: list[dict[str, object]]) -> Said:
        paging = {"pagination": _LAST_PAGE} if self._stage.quirks.pagination else {}
        return Said(200, json={name: rows, **paging})

    def _volume(self, call: Call) -> SimVolume:
        for one in self._stage.world.volumes:
            if one.id == _last(call):
                return one
        raise BadCall(404, "resource not found")


def _volume(one: SimVolume) -> dict[str, object]:
    return {"id": one.id, "name": one.name, "size": one.gb, "dataCenter": one.where, "type": "STANDARD"}


def _last(call: Call) -> str:
    return call.path.rsplit("/", 1)[1]
