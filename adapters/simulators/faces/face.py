"""What all faces share: strict requests in, a vendor's answers out, and faults of the wire on demand.

A face is a function of the world and its clock; nothing happens in the background. Each call counts under the
name that our port has for it (``offers``, ``launch``, ``inspect``, ``machines``, ``destroy``, ``account``, ``keys``,
``other``), and faults are planned under that name.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qsl

from adapters.simulators.world import World

HTML = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"


class Wire(StrEnum):
    """What goes wrong with one call. "after": the call had its effect."""

    TIMEOUT_BEFORE = "timeout before"
    TIMEOUT_AFTER = "timeout after"
    RESET_BEFORE = "reset before"
    RESET_AFTER = "reset after"
    ERROR_BEFORE = "500 before"
    ERROR_AFTER = "500 after"
    GATEWAY = "502 html"
    THROTTLED = "429"
    THROTTLED_WITH_TIME = "429 with Retry-After"
    HTML = "html with status 200"
    TRUNCATED = "truncated JSON"
    MISSING_KEYS = "missing keys"
    EXTRA_KEYS = "extra keys"
    WRONG_KEY = "wrong key"
    READ_ONLY = "read-only key"
    SHRUG = "success without effect"


@dataclass(frozen=True, slots=True)
class Call:
    """A request as it arrived. ``path`` is without query; ``json`` is None where there was no body."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    json: Any = None
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Said:
    """An answer. ``json`` or ``text``; ``endless`` leaves the connection open after the text."""

    status: int
    json: Any = None
    text: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    endless: bool = False

    def payload(self) -> bytes:
        """The bytes of the body."""
        if self.text is not None:
            return self.text.encode()
        return b"" if self.json is None else json.dumps(self.json, default=float).encode()


class Dropped(Exception):
    """The connection ends without an answer: ``timeout`` (nothing ever comes) or ``reset``."""

    def __init__(self, how: str) -> None:
        super().__init__(how)
        self.how = how


class BadCall(Exception):
    """Something that the vendor would not take; the face turns it into its vendor's 400 or 422."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Logged:
    """One line of a face's log."""

    at: datetime
    kind: str
    method: str
    path: str
    status: int | None
    """None: no answer was given."""


Handler = Callable[[Call], Said]


class Face:
    """Base of the faces. A subclass says which handler and kind a call has (``route``), and how its vendor words
    refusals (``throttled``, ``unauthorised``, ``forbidden``, ``failed``, ``bad``)."""

    prefix = ""
    """Path under which a server puts it."""

    def __init__(self, world: World, *, key: str = "sim-key", skew: timedelta = timedelta(0)) -> None:
        """``skew``: how far the vendor's clock is ahead."""
        self.world = world
        self.key = key
        self.skew = skew
        self.log: list[Logged] = []
        self.limits: dict[str, timedelta] = {}
        """Least time between two calls of a kind; "" is any call. A subclass fills it with what is published."""
        self.strict_limits = True
        self._last: dict[str, datetime] = {}
        self._planned: dict[str, list[tuple[Wire, int]]] = {}

    # --- what a subclass says ------------------------------------------------------------------

    def route(self, call: Call) -> tuple[str, Handler]:
        """Kind and handler. Raises ``BadCall`` (404, 405) for a path that does not exist."""
        raise NotImplementedError

    def authorised(self, call: Call) -> bool:
        """Whether the key is right."""
        return call.headers.get("authorization", "") == f"Bearer {self.key}"

    def throttled(self, seconds: int | None) -> Said:
        """Too many calls."""
        raise NotImplementedError

    def unauthorised(self, call: Call) -> Said:
        """A wrong or revoked key."""
        raise NotImplementedError

    def forbidden(self, call: Call) -> Said:
        """A key without the right to write."""
        raise NotImplementedError

    def bad(self, problem: BadCall) -> Said:
        """A request that the vendor does not take."""
        raise NotImplementedError

    def failed(self) -> Said:
        """A failure over there."""
        raise NotImplementedError

    def shrug(self, kind: str, call: Call) -> Said:
        """Success, and nothing was done."""
        raise NotImplementedError

    # --- stage directions ----------------------------------------------------------------------

    def plan(self, kind: str, wire: Wire, times: int = 1) -> None:
        """Let the next ``times`` calls of that kind (``any``: of every kind) meet it; -1: until ``clear``."""
        self._planned.setdefault(kind, []).append((wire, times))

    def clear(self) -> None:
        """Forget what was planned."""
        self._planned.clear()

    def count(self, kind: str) -> int:
        """How many calls of that kind came."""
        return sum(1 for line in self.log if line.kind == kind)

    # --- a call --------------------------------------------------------------------------------

    def handle(self, call: Call) -> Said:
        """Answer it. Raises ``Dropped`` where the caller gets none."""
        kind = "none"
        status = None
        try:
            try:
                kind, handler = self.route(call)
                said = self._meet(kind, handler, call)
            except BadCall as problem:
                said = self.bad(problem)
            status = said.status
        finally:
            self.log.append(Logged(self.world.clock.now(), kind, call.method, call.path, status))
        date = self.world.clock.now() + self.skew
        return replace(said, headers={"Date": f"{date:%a, %d %b %Y %H:%M:%S} GMT", **said.headers})

    def _meet(self, kind: str, handler: Handler, call: Call) -> Said:
        wire = self._take(kind)
        before = self._before(wire, call)
        if before is not None:
            return before
        if not self.authorised(call):
            return self.unauthorised(call)
        late = self._too_soon(kind)
        if late is not None:
            return late
        if wire is Wire.SHRUG:
            return self.shrug(kind, call)
        return self._after(wire, handler(call))

    def _before(self, wire: Wire | None, call: Call) -> Said | None:
        match wire:
            case Wire.TIMEOUT_BEFORE | Wire.RESET_BEFORE:
                raise Dropped(wire.value.split()[0])
            case Wire.ERROR_BEFORE:
                return self.failed()
            case Wire.GATEWAY:
                return Said(502, text=HTML, headers={"Content-Type": "text/html"})
            case Wire.THROTTLED:
                return self.throttled(None)
            case Wire.THROTTLED_WITH_TIME:
                return self.throttled(5)
            case Wire.WRONG_KEY:
                return self.unauthorised(call)
            case Wire.READ_ONLY if call.method != "GET":
                return self.forbidden(call)
            case _:
                return None

    def _after(self, wire: Wire | None, said: Said) -> Said:
        match wire:
            case Wire.TIMEOUT_AFTER | Wire.RESET_AFTER:
                raise Dropped(wire.value.split()[0])
            case Wire.ERROR_AFTER:
                return self.failed()
            case Wire.HTML:
                return Said(200, text=HTML, headers={"Content-Type": "text/html"})
            case Wire.TRUNCATED:
                text = said.payload().decode()
                return replace(said, json=None, text=text[: max(1, len(text) // 2)])
            case Wire.MISSING_KEYS:
                return replace(said, json={}) if isinstance(said.json, dict) else said
            case Wire.EXTRA_KEYS:
                return replace(said, json=_with_more(said.json))
            case _:
                return said

    def _take(self, kind: str) -> Wire | None:
        for name in (kind, "any"):
            queue = self._planned.get(name)
            if queue:
                wire, times = queue[0]
                if times == 1:
                    queue.pop(0)
                elif times > 1:
                    queue[0] = (wire, times - 1)
                return wire
        return None

    def _too_soon(self, kind: str) -> Said | None:
        """The published limits, kept as a vendor keeps them: a call that came too soon is refused."""
        now = self.world.clock.now()
        for name in ("", kind):
            every = self.limits.get(name)
            if every is None or not self.strict_limits:
                continue
            last = self._last.get(name)
            if last is not None and now - last < every:
                return self.throttled(None)
        for name in ("", kind):
            self._last[name] = now
        return None


def call_of(method: str, raw_path: str, headers: Mapping[str, str], body: bytes) -> Call:
    """A request from its parts; the query is parsed, the path is left as it was sent."""
    path, _, query = raw_path.partition("?")
    try:
        parsed = json.loads(body) if body.strip() else None
    except ValueError:
        parsed = None
    lower = {name.lower(): value for name, value in headers.items()}
    return Call(method.upper(), path, dict(parse_qsl(query, keep_blank_values=True)), lower, parsed, body)


def _with_more(value: Any) -> Any:
    """The same with a key that nobody expects in every object."""
    if isinstance(value, dict):
        return {**{name: _with_more(one) for name, one in value.items()}, "brand_new_field": {"a": [1, None]}}
    return [_with_more(one) for one in value] if isinstance(value, list) else value


def number(base: int) -> Iterator[int]:
    """Ids that a vendor would give."""
    while True:
        base += 7
        yield base
