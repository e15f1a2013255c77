"""What Vast.ai takes in a create, field by field; whatever else is refused (vast.md, 3.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from adapters.simulators.faces.face import BadCall
from bot.domain.market import LaunchOrder

_TEXT, _FLAG = (str, type(None)), (bool, type(None))
FIELDS: Mapping[str, tuple[type, ...]] = {
    "client_id": (str,), "image": _TEXT, "disk": (int, float), "label": _TEXT, "env": (dict, type(None)),
    "onstart": _TEXT, "args": (list, type(None)), "args_str": _TEXT, "runtype": _TEXT,
    "price": (int, float, type(None)), "target_state": (str,), "cancel_unavail": _FLAG, "template_hash_id": _TEXT,
    "template_id": (int, type(None)), "image_login": _TEXT, "user": _TEXT, "use_jupyter_lab": _FLAG,
    "jupyter_dir": _TEXT, "python_utf8": _FLAG, "lang_utf8": _FLAG, "force": _FLAG, "extra": _TEXT, "vm": _FLAG,
    "volume_info": (dict, type(None)),
}  # fmt: skip
RUNTYPES = {
    "ssh_direc ssh_proxy", "ssh_proxy", "ssh", "ssh_direct", "jupyter_direc ssh_direc ssh_proxy",
    "jupyter_proxy ssh_proxy", "jupyter_direct", "jupyter_proxy", "args",
}  # fmt: skip
_KEY = re.compile(r"ssh-[a-z0-9-]+ [A-Za-z0-9+/=]+(?: [^\s'\"]+)?", re.ASCII)
_LONGEST = {"image": 1024, "label": 256, "onstart": 4048}


def read(body: Any) -> Mapping[str, Any]:
    """The body of a create, looked at the way the vendor does. Raises ``BadCall``."""
    if not isinstance(body, dict):
        raise BadCall(400, "the body is no object")
    for name, value in body.items():
        if name not in FIELDS:
            raise BadCall(400, f"{name}: Extra inputs are not permitted")
        if not isinstance(value, FIELDS[name]) or (isinstance(value, bool) and bool not in FIELDS[name]):
            raise BadCall(400, f"{name}: Input should be {FIELDS[name][0].__name__}")
        if isinstance(value, str) and len(value) > _LONGEST.get(name, 4096):
            raise BadCall(400, f"{name}: too long")
    if not body.get("image"):
        raise BadCall(400, "image: Field required")
    if ":" not in body["image"]:
        raise BadCall(422, "Something went wrong: the image has no tag")
    if body.get("disk", 8) < 8:
        raise BadCall(400, "disk: at least 8 GB")
    if body.get("runtype") not in {None, *RUNTYPES} or body.get("target_state", "running") not in (
        "running",
        "stopped",
    ):
        raise BadCall(400, "runtype or target_state")
    _check_env(body.get("env") or {})
    return body


def _check_env(env: Mapping[Any, Any]) -> None:
    for name, value in env.items():
        if not isinstance(value, str) or len(value) > 256:
            raise BadCall(400, f"env.{name}: Input should be a string of at most 256 characters")


def keys_in(onstart: str | None) -> list[str]:
    """Public keys that a start script brings along."""
    return list(dict.fromkeys(_KEY.findall(onstart or "")))


def order(body: Mapping[str, Any], *, drop_onstart: bool) -> LaunchOrder:
    """The same as an order to the world. Its key is the one in the start script, where that is not lost."""
    keys = [] if drop_onstart else keys_in(body.get("onstart"))
    return LaunchOrder(
        label=body.get("label") or "",
        public_key=keys[0] if keys else "",
        disk_gb=int(body.get("disk", 8)),
        image=body["image"],
    )
