"""What Lambda takes as a request, field by field (lambda.md, 2.2): anything else is ``global/invalid-parameters``."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from adapters.simulators.faces.face import BadCall, Call, Said

Check = Callable[[Any], bool]
_HOSTNAME = re.compile(r"[a-z0-9][0-9a-z-]{0,62}")
_MIB = 1024 * 1024


class Coded(BadCall):
    """A refusal in Lambda's envelope."""

    def __init__(self, status: int, code: str, sentence: str, suggestion: str = "") -> None:
        super().__init__(status, sentence)
        self.code = code
        self.suggestion = suggestion

    @property
    def said(self) -> Said:
        """The answer."""
        more = {"suggestion": self.suggestion} if self.suggestion else {}
        return Said(self.status, {"error": {"code": self.code, "message": self.sentence, **more}})


def invalid(sentence: str) -> Coded:
    """A body or query that is not taken."""
    return Coded(400, "global/invalid-parameters", sentence)


def missing(what: str, status: int = 404) -> Coded:
    """Something that is named and not there."""
    return Coded(
        status, "global/object-does-not-exist", f"Specified {what} does not exist.", f"Check the {what}."
    )


def is_text(value: Any) -> bool:
    """Any text."""
    return isinstance(value, str)


def is_filled(value: Any) -> bool:
    """A text that says something."""
    return isinstance(value, str) and bool(value)


def are_texts(value: Any) -> bool:
    """A list of texts."""
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= 64


def _is_hostname(value: Any) -> bool:
    return isinstance(value, str) and _HOSTNAME.fullmatch(value) is not None


def _is_image(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and list(value) in (["id"], ["family"])
        and all(map(is_filled, value.values()))
    )


def _are(*fields: str) -> Check:
    """A list of objects with exactly these texts."""

    def check(value: Any) -> bool:
        return isinstance(value, list) and all(
            isinstance(one, dict) and set(one) == set(fields) and all(map(is_text, one.values()))
            for one in value
        )

    return check


def are_rules(value: Any) -> bool:
    """Firewall rules: a range of ports for every protocol but icmp, which must have none."""
    return isinstance(value, list) and all(isinstance(one, dict) and _is_rule(one) for one in value)


def _is_rule(rule: Mapping[str, Any]) -> bool:
    ports, protocol = rule.get("port_range"), rule.get("protocol")
    if protocol not in ("tcp", "udp", "icmp", "all") or set(rule) - {"port_range"} != _RULE:
        return False
    if protocol == "icmp":
        return "port_range" not in rule
    return isinstance(ports, list) and len(ports) == 2 and all(isinstance(port, int) for port in ports)


_RULE = {"protocol", "source_network", "description"}

LAUNCH_NEEDS: Mapping[str, Check] = {
    "region_name": is_filled,
    "instance_type_name": is_filled,
    "ssh_key_names": lambda value: are_texts(value) and len(value) == 1,
}
LAUNCH_MAY: Mapping[str, Check] = {
    "name": _is_name,
    "hostname": _is_hostname,
    "image": _is_image,
    "user_data": lambda value: isinstance(value, str) and len(value.encode()) <= _MIB,
    "tags": _are("key", "value"),
    "file_system_names": are_texts,
    "file_system_mounts": _are("mount_point", "file_system_id"),
    "firewall_rulesets": _are("id"),
    "quantity": lambda value: isinstance(value, int) and not isinstance(value, bool),
}
INSTANCES: Mapping[str, Check] = {"instance_ids": lambda value: are_texts(value) and bool(value)}
NAME: Mapping[str, Check] = {"name": lambda value: _is_name(value) and bool(value)}


def body_of(call: Call, needs: Mapping[str, Check], may: Mapping[str, Check] | None = None) -> dict[str, Any]:
    """The body, when it has all that it needs and nothing that is not known, each of the right shape."""
    body, may = call.json, may or {}
    if not isinstance(body, dict):
        raise invalid("The request body must be a JSON object.")
    for name in needs:
        if name not in body:
            raise invalid(f"{name}: this field is required.")
    for name, value in body.items():
        check = needs.get(name) or may.get(name)
        if check is None:
            raise invalid(f"{name}: this field is not known.")
        if not check(value):
            raise invalid(f"{name}: this value is not valid.")
    return body
