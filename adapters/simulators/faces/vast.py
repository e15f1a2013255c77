"""Vast.ai over a simulated world: its paths, its words and its quirks, of which ``VastFace.quirks`` has the switches.

What the vendor's own command line asks for is there, too (vast.md, 14), so that a foreign client can be pointed here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

from adapters.simulators.faces.face import BadCall, Call, Handler, Said
from adapters.simulators.faces.vast_account import VastAccount
from adapters.simulators.faces.vast_instances import VastInstances
from adapters.simulators.faces.vast_market import VastMarket
from adapters.simulators.faces.vast_voice import VAST_TARIFF, Quirks
from adapters.simulators.faults import WorldFault

__all__ = ["VAST_TARIFF", "Quirks", "VastFace"]

_USER = "/api/v0/users/current"
_V0 = r"/api/v0/instances/(\d+)/"


_TABLE = (
    ("POST", r"/api/v0/bundles/", "offers", "search_bundles"),
    ("GET", r"/api/v0/bundles/", "offers", "search_bundles"),
    ("PUT", r"/api/v0/search/asks/", "offers", "search_asks"),
    ("PUT", r"/api/v0/asks/(\d+)/", "launch", "create"),
    ("GET", r"/api/v1/instances/", "machines", "list_instances"),
    ("GET", r"/api/v0/instances/", "machines", "old_list"),
    ("GET", _V0, "inspect", "show"),
    ("DELETE", _V0, "destroy", "destroy"),
    ("DELETE", r"/api/v0/instances/", "destroy", "destroy_many"),
    ("PUT", _V0, "other", "change"),
    ("PUT", r"/api/v0/instances/bid_price/(\d+)/", "other", "bid"),
    ("PUT", r"/api/v0/instances/(?:reboot|recycle)/(\d+)/", "other", "again"),
    ("PUT", r"/api/v0/instances/request_logs/(\d+)/", "other", "ask_log"),
    ("GET", r"/logs/([^/]+)", "other", "read_log"),
    ("GET", rf"{_V0}ssh/", "keys", "instance_keys"),
    ("POST", rf"{_V0}ssh/", "keys", "attach"),
    ("DELETE", rf"{_V0}ssh/(\d+)/", "keys", "detach"),
    ("GET", r"/api/v0/ssh/", "keys", "account_keys"),
    ("POST", r"/api/v0/ssh/", "keys", "add_account_key"),
    ("DELETE", r"/api/v0/ssh/(\d+)/", "keys", "drop_account_key"),
    ("GET", rf"{_USER}/?", "account", "user"),
    ("GET", r"/api/v0/charges/", "bill", "charges"),
    ("GET", r"/api/v0/gpu_(?:names/unique|types)/", "other", "gpu_names"),
)
"""Method, path, kind of call, name of the handler."""

_ROUTES = tuple((method, re.compile(path, re.ASCII), kind, name) for method, path, kind, name in _TABLE)


class VastFace(VastMarket, VastInstances, VastAccount):
    """One account of the simulated Vast.ai."""

    def route(self, call: Call) -> tuple[str, Handler]:
        path = self.local_path(call)
        known = False
        for method, pattern, kind, name in _ROUTES:
            found = pattern.fullmatch(path)
            if found and method == call.method:
                return kind, partial(self._spoken, kind, name, found.groups())
            if method == call.method and pattern.fullmatch(f"{path}/"):
                return kind, _moved
            known = known or found is not None
        raise BadCall(405 if known else 404, "Method Not Allowed" if known else "Not Found")

    def _spoken(self, kind: str, name: str, parts: tuple[str, ...], call: Call) -> Said:
        handler: Callable[..., Said] = getattr(self, name)
        try:
            return handler(call, *parts)
        except WorldFault as met:
            return self.dialect(kind, met, call)


def _moved(call: Call) -> Said:
    """A path without its last slash: what follows a redirect with a body loses it (vast.md, 1)."""
    return Said(301, text="", headers={"Location": f"{call.path}/", "Content-Type": "text/html"})
