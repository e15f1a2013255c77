"""What a Lambda account holds beside machines: SSH keys, file systems, images, firewall rules (lambda.md, 2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from adapters.simulators.faces.face import Call, Said
from adapters.simulators.faces.lambda_cloud_rows import digest
from adapters.simulators.faces.lambda_cloud_strict import (
    Coded,
    are_rules,
    body_of,
    invalid,
    is_filled,
    is_text,
    missing,
)
from adapters.simulators.faces.lambda_cloud_types import REGIONS, region_row
from adapters.simulators.machine import SimVolume
from adapters.simulators.world import World

FAMILIES = {
    "lambda-stack-24-04": "24.4.4-2141",
    "gpu-base-24-04": "24.4.4-2141",
    "ubuntu-24-04": "24.4.4-2141",
    "lambda-stack-22-04": "22.4.9-1870",
}
MOST_KEYS = 1024
_GIB = 2**30
_OPEN: list[dict[str, Any]] = [
    {"protocol": "tcp", "port_range": [22, 22], "source_network": "0.0.0.0/0", "description": "ssh"},
    {"protocol": "icmp", "source_network": "0.0.0.0/0", "description": "ping"},
]


class Shelf:
    """One account's things. ``in_use`` says by the name of a key whether a machine was launched with it."""

    def __init__(self, world: World, in_use: Callable[[str], bool]) -> None:
        self.world = world
        self.in_use = in_use
        self.keys: list[dict[str, str]] = []
        self.families = dict(FAMILIES)
        self.refuses_keys_in_use = False
        """An older version did."""
        self.rules: list[dict[str, Any]] = list(_OPEN)
        self.rulesets: dict[str, dict[str, Any]] = {}
        self._made = 0

    # --- SSH keys ------------------------------------------------------------------------------

    def key(self, name: str) -> dict[str, str] | None:
        """The key of that name."""
        return next((key for key in self.keys if key["name"] == name), None)

    def list_keys(self, _call: Call) -> Said:
        """All of them."""
        return Said(200, {"data": self.keys})

    def add_key(self, call: Call) -> Said:
        """Take a public key, or make a pair and show the private half once."""
        body = body_of(call, {"name": is_filled}, {"public_key": is_filled})
        name, public = body["name"], body.get("public_key")
        if len(name) > 64:
            raise invalid("name: at most 64 characters.")
        if self.key(name) is not None:
            raise invalid("name must be unique")
        if len(self.keys) >= MOST_KEYS:
            raise Coded(400, "global/quota-exceeded", "Quota exceeded.", "Delete SSH keys.")
        if public is not None and not public.startswith(("ssh-", "ecdsa-", "sk-", "----")):
            raise invalid("public_key: this is not a public key.")
        row = {"id": self._new_id("key"), "name": name, "public_key": public or f"ssh-rsa AAAA{digest(name)}"}
        self.keys.append(row)
        private = {} if public else {"private_key": f"-----BEGIN {'RSA PRIVATE'} KEY-----\nsimulated\n"}
        return Said(200, {"data": {**row, **private}})

    def delete_key(self, _call: Call, key_id: str) -> Said:
        """Forget one."""
        row = next((key for key in self.keys if key["id"] == key_id), None)
        if row is None:
            raise missing("SSH key", 400)
        if self.refuses_keys_in_use and self.in_use(row["name"]):
            raise Coded(400, "ssh-keys/key-in-use", "SSH key is in use by an instance.")
        self.keys.remove(row)
        return Said(200, {"data": {}})

    # --- file systems: listed with a hyphen, made and deleted without ---------------------------

    def list_file_systems(self, _call: Call) -> Said:
        """All of them."""
        return Said(200, {"data": [_file_system(volume) for volume in self.world.volumes]})

    def create_file_system(self, call: Call) -> Said:
        """An empty one in a region."""
        body = body_of(call, {"name": is_filled, "region": is_filled})
        if body["region"] not in REGIONS:
            raise invalid(f"Region {body['region']} does not exist")
        if any(volume.name == body["name"] for volume in self.world.volumes):
            raise Coded(400, "global/duplicate", "A filesystem of that name exists.")
        volume = SimVolume(self._new_id("file system"), body["name"], 0, body["region"])
        self.world.volumes.append(volume)
        return Said(200, {"data": _file_system(volume)})

    def delete_file_system(self, _call: Call, volume_id: str) -> Said:
        """Delete one and stop its bill."""
        volume = next((one for one in self.world.volumes if one.id == volume_id), None)
        if volume is None:
            raise missing("filesystem")
        self.world.volumes.remove(volume)
        return Said(200, {"data": {"deleted_ids": [volume_id]}})

    # --- images --------------------------------------------------------------------------------

    def list_images(self, _call: Call) -> Said:
        """One row for each family, version and region."""
        rows = [
            _image(family, version, name) for family, version in self.families.items() for name in REGIONS
        ]
        return Said(200, {"data": rows})

    def has_image(self, image: dict[str, str]) -> bool:
        """Whether a launch may name it."""
        known = {digest(f"{family} {name}") for family in self.families for name in REGIONS}
        return image.get("family") in self.families or image.get("id") in known

    # --- firewall ------------------------------------------------------------------------------

    def list_rules(self, _call: Call) -> Said:
        """The rules of the whole account."""
        return Said(200, {"data": self.rules})

    def put_rules(self, call: Call) -> Said:
        """Replaces all of them."""
        self.rules = body_of(call, {"data": are_rules})["data"]
        return Said(200, {"data": self.rules})

    def global_rules(self, _call: Call) -> Said:
        """The same as a ruleset."""
        return Said(200, {"data": {"id": "global", "name": "Global Firewall Rules", "rules": self.rules}})

    def patch_global(self, call: Call) -> Said:
        """Replaces its rules."""
        self.rules = body_of(call, {"rules": are_rules})["rules"]
        return self.global_rules(call)

    def list_rulesets(self, _call: Call) -> Said:
        """All of them."""
        return Said(200, {"data": list(self.rulesets.values())})

    def create_ruleset(self, call: Call) -> Said:
        """A named set in a region."""
        body = body_of(call, {"name": is_filled, "region": is_filled, "rules": are_rules})
        if body["region"] not in REGIONS:
            raise invalid(f"Region {body['region']} does not exist")
        row = {
            "id": self._new_id("ruleset"),
            "name": body["name"],
            "region": region_row(body["region"]),
            "rules": body["rules"],
            "created": f"{self.world.clock.now():%Y-%m-%dT%H:%M:%S.000Z}",
            "instance_ids": [],
        }
        self.rulesets[str(row["id"])] = row
        return Said(200, {"data": row})

    def one_ruleset(self, call: Call, ruleset_id: str) -> Said:
        """Shown, changed or deleted."""
        row = self.rulesets.get(ruleset_id)
        if row is None:
            raise missing("firewall ruleset")
        if call.method == "PATCH":
            row |= body_of(call, {}, {"name": is_text, "rules": are_rules})
        if call.method == "DELETE":
            del self.rulesets[ruleset_id]
            return Said(200, {"data": {}})
        return Said(200, {"data": row})

    def _new_id(self, what: str) -> str:
        self._made += 1
        return digest(f"{what} {self._made}")


def _file_system(volume: SimVolume) -> dict[str, Any]:
    return {
        "id": volume.id,
        "name": volume.name,
        "mount_point": f"/lambda/nfs/{volume.name}",
        "created": "2026-05-01T10:00:00.000Z",
        "created_by": {"id": digest("ops"), "email": "ops@example.com", "status": "active"},
        "is_in_use": False,
        "region": region_row(volume.where),
        "bytes_used": volume.gb * _GIB,
    }


def _image(family: str, version: str, region: str) -> dict[str, Any]:
    return {
        "id": digest(f"{family} {region}"),
        "created_time": "2026-03-01T00:00:00.000Z",
        "updated_time": "2026-04-01T00:00:00.000Z",
        "name": family.replace("-", " ").title(),
        "description": f"{family} {version}",
        "family": family,
        "version": version,
        "architecture": "x86_64",
        "region": region_row(region),
    }
