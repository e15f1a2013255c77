"""A simulated ``Chat``: remembers what was said, and loses answers on demand."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime

from adapters.simulators.faults import Fault, FaultKind, FaultPlan
from bot.domain.errors import PlaceLost, Refused, TryLater
from bot.domain.talk import Channel, ChatCapabilities, Reply, Request
from bot.ports import Clock, Desk


@dataclass(slots=True)
class Said:
    """One message as people see it. ``reply`` is what it shows now, ``edits`` what it showed before, in order."""

    channel: Channel
    key: str
    ref: str
    reply: Reply
    at: datetime | None = None
    edits: list[Reply] = field(default_factory=list)
    removed: bool = False

    @property
    def text(self) -> str:
        """All words of the message."""
        return words(self.reply)


class WorldChat:
    """One platform with its memory. ``plan`` takes faults for ``post`` and ``edit``: ``TRY_LATER`` and
    ``LOST_BEFORE`` say nothing, ``LOST_AFTER`` says it and raises ``TryLater`` all the same, ``NEEDS_HUMAN``
    is ``Refused``. With a clock it can be ``down_until`` a moment, and ``Said.at`` is filled."""

    def __init__(
        self, name: str = "sim", clock: Clock | None = None, capabilities: ChatCapabilities | None = None
    ) -> None:
        self.name = name
        self.capabilities = capabilities or ChatCapabilities()
        self.faults = FaultPlan()
        self.down = False
        self.down_until: datetime | None = None
        self.lost: set[str] = set()
        """Ids of channels that are archived, or from which the bot was removed."""
        self.here = True
        """Whether this process serves the chat's channels."""
        self.desk: Desk | None = None
        self._clock = clock
        self._said: list[Said] = []
        self._by_ref: dict[str, Said] = {}

    # --- the port ------------------------------------------------------------------------------

    async def listen(self, desk: Desk) -> None:
        """Give ``hear`` its desk until cancelled."""
        self.desk = desk
        try:
            await asyncio.Event().wait()
        finally:
            self.desk = None

    def serves(self, channel: Channel) -> bool:
        """Every channel of this chat, while ``here``."""
        return self.here and channel.chat == self.name

    async def post(self, channel: Channel, reply: Reply, *, key: str, retried: bool) -> str:
        """Say it. A retried key that is remembered is not said again."""
        lost = self._meet("post", channel)
        known = next((said for said in self._said if said.key == key), None) if retried else None
        if known is None:
            ref = f"{self.name}-{len(self._said) + 1}"
            known = Said(channel, key, ref, reply, self._clock.now() if self._clock else None)
            self._said.append(known)
            self._by_ref[ref] = known
        if lost:
            raise TryLater("the answer was lost")
        return known.ref

    async def edit(self, channel: Channel, ref: str, reply: Reply) -> None:
        """Replace it; a message that is gone is success."""
        lost = self._meet("edit", channel)
        said = self._by_ref.get(ref)
        if said is not None and not said.removed:
            said.edits.append(said.reply)
            said.reply = reply
        if lost:
            raise TryLater("the answer was lost")

    # --- stage directions and what was seen ----------------------------------------------------

    def plan(self, call: str, *faults: Fault) -> None:
        """Faults for the next ``post`` or ``edit`` calls."""
        self.faults.plan(call, *faults)

    async def hear(self, request: Request) -> Reply:
        """Let somebody say a line to the desk that listens."""
        if self.desk is None:
            raise RuntimeError(f"nobody listens to {self.name}")
        return await self.desk.handle(request)

    def remove(self, ref: str) -> None:
        """A person deletes a message."""
        self._by_ref[ref].removed = True

    def said(self, key: str | None = None) -> list[Said]:
        """All messages in order, or those of one key."""
        return [said for said in self._said if key in (None, said.key)]

    def said_once(self, key: str) -> Said:
        """The one message of this key; an ``AssertionError`` when there are none or several."""
        found = self.said(key)
        assert len(found) == 1, (
            f"{key} was said {len(found)} times; keys: {[said.key for said in self._said]}"
        )
        return found[0]

    def _meet(self, call: str, channel: Channel) -> bool:
        """Raise what is said before the effect; True when the answer is to be lost after it."""
        fault = self.faults.take(call)
        now = self._clock.now() if self._clock else None
        if self.down or (self.down_until and now and now < self.down_until):
            raise TryLater(f"{self.name} is down")
        if channel.id in self.lost:
            raise PlaceLost(f"{channel.id} is archived")
        if fault is None:
            return False
        if fault.kind is FaultKind.LOST_AFTER:
            return True
        if fault.kind is FaultKind.NEEDS_HUMAN:
            raise Refused(fault.reason)
        raise TryLater(fault.reason)


def words(reply: Reply) -> str:
    """The words of a reply, line by line, as a test reads them."""
    lines = [reply.title, *reply.lines, *(f"{label}: {value}" for label, value in reply.fields)]
    for table in reply.tables:
        lines += [" | ".join(table.header), *(" | ".join(row) for row in table.rows), table.note]
    lines += [reply.meter.caption if reply.meter else "", reply.code]
    return "\n".join(line for line in lines if line)
