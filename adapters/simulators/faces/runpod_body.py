"""What may be in the body of a create: a closed schema, in which an unknown key is a 422 (runpod.md, 3.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from adapters.simulators.faces.face import BadCall, Call
from adapters.simulators.faces.runpod_stage import Invalid

_TEXT, _NUMBER, _FLAG = {"type": str}, {"type": int, "least": 1}, {"type": bool}
_VERSION = {"type": str, "like": r"\d+\.\d+"}
_ID = {"type": str, "like": r".+"}


def _object(required: str = "", /, **fields: Any) -> dict[str, Any]:
    return {"type": dict, "fields": fields, "required": required.split()}


def _list(of: Any, most: int = 1000) -> dict[str, Any]:
    return {"type": list, "of": of, "most": most}


POD = _object(
    "name",
    name=_ID,
    image=_ID,
    templateId=_ID,
    gpu=_object(
        "id",
        id=_ID,
        count=_NUMBER,
        allowedCudaVersions=_list(_VERSION),
        minCudaVersion=_VERSION,
        minRamPerGpu=_NUMBER,
        minVcpuCountPerGpu=_NUMBER,
    ),
    cpu=_object("id vcpuCount", id=_ID, vcpuCount=_NUMBER),
    cloud={"type": str, "like": "SECURE|COMMUNITY"},
    dataCenterIds=_list(_ID),
    disk=_NUMBER,
    mounts=_object(
        persistent=_object("size path", size={"type": int, "least": 10}, path=_ID),
        network=_list(_object("volumeId path", volumeId=_ID, path=_ID), most=1),
    ),
    ports=_list({"type": str, "like": r"\d+/(?:http|tcp)"}),
    env={"type": dict, "values": _TEXT, "most": 50},
    args=_TEXT,
    entrypoint=_list(_TEXT),
    cmd=_list(_TEXT),
    registry={"type": (str, type(None))},
    startSsh=_FLAG,
    startJupyter=_FLAG,
    globalNetworking=_FLAG,
)
PATCH = _object(
    name=_ID,
    image=_ID,
    disk=_NUMBER,
    ports=POD["fields"]["ports"],
    env=POD["fields"]["env"],
    args=_TEXT,
    locked=_FLAG,
)
ACTION = _object("action", action={"type": str, "like": "start|stop|restart|terminate"})
KEYS = _object("keys", keys=_list(_TEXT))
REGISTRY = _object("name username password", name=_ID, username=_TEXT, password=_TEXT)
VOLUME = _object(
    "name size dataCenter",
    name=_ID,
    size={"type": int, "least": 10, "highest": 4096},
    dataCenter=_ID,
    type={"type": str, "like": "STANDARD|HIGH_PERFORMANCE"},
)
_MOST_BYTES = 102_400


def checked(call: Call, schema: Mapping[str, Any]) -> dict[str, Any]:
    """The body, if the vendor takes it. Raises ``BadCall`` 400, 413 and 422."""
    if len(call.body) > _MOST_BYTES:
        raise BadCall(413, f"request body exceeds {_MOST_BYTES} bytes")
    if not isinstance(call.json, dict):
        raise BadCall(400, "request body is not a JSON object")
    errors = _errors(call.json, schema, "$")
    if errors:
        raise Invalid(errors)
    return call.json


def crossed(body: Mapping[str, Any]) -> None:
    """Rules between fields are a 400, and so is an order without its disk."""
    gpu = body.get("gpu", {})
    if ("gpu" in body) == ("cpu" in body):
        raise BadCall(400, "exactly one of gpu and cpu must be set")
    if gpu.get("allowedCudaVersions") and "minCudaVersion" in gpu:
        raise BadCall(400, "allowedCudaVersions and minCudaVersion are mutually exclusive")
    if {"persistent", "network"} <= body.get("mounts", {}).keys():
        raise BadCall(400, "mounts.persistent and mounts.network are mutually exclusive")
    if "templateId" not in body and not {"image", "disk"} <= body.keys():
        raise BadCall(400, "You must either provide a template id or pod configuration parameters")


def _errors(value: Any, schema: Mapping[str, Any], where: str) -> list[str]:
    kind = schema["type"]
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is int):
        return [f"{where}: got {type(value).__name__}, want another type"]
    if isinstance(value, dict):
        return _object_errors(value, schema, where)
    if isinstance(value, list):
        found = [f"{where}: maxItems: got {len(value)}"] if len(value) > schema["most"] else []
        return found + [e for i, one in enumerate(value) for e in _errors(one, schema["of"], f"{where}[{i}]")]
    if isinstance(value, int) and not schema.get("least", value) <= value <= schema.get("highest", value):
        return [f"{where}: {value} is out of range"]
    if isinstance(value, str) and "like" in schema and not re.fullmatch(schema["like"], value):
        return [f"{where}: {value!r} does not match"]
    return []


def _object_errors(value: Mapping[str, Any], schema: Mapping[str, Any], where: str) -> list[str]:
    fields = schema.get("fields")
    if fields is None:
        found = [f"{where}: maxProperties: got {len(value)}"] if len(value) > schema["most"] else []
        return found + [e for k, one in value.items() for e in _errors(one, schema["values"], f"{where}.{k}")]
    found = [f"{where}: missing property '{name}'" for name in schema["required"] if name not in value]
    unknown = sorted(value.keys() - fields.keys())
    if unknown:
        found.append(f"{where}: additional properties {', '.join(map(repr, unknown))} not allowed")
    return found + [
        e
        for name, one in value.items()
        if name in fields
        for e in _errors(one, fields[name], f"{where}.{name}")
    ]
