"""An attempt: one machine of a rental, from the written intent to the proof that nothing is left of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.domain.market import Access, Offer
from bot.domain.money import ZERO, Usd


@dataclass(frozen=True, slots=True)
class Check:
    """One line of gate 3."""

    name: str
    verdict: str
    """``PASS``, ``WARN`` or ``FAIL``."""
    sentence: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One numbered try to have a machine, from the written intent to the proof that nothing is left."""

    number: int
    label: str
    offer: Offer
    tried_at: datetime
    """When the intent was written; the vendor may bill from here."""
    machine_id: str | None = None
    access: Access | None = None
    booting_at: datetime | None = None
    """When it was last seen not to run yet: the vendor can have billed since then."""
    running_at: datetime | None = None
    ready_at: datetime | None = None
    report: tuple[Check, ...] = ()
    tools: Mapping[str, str] | None = None
    """What deploy_tools found out (``python`` …)."""
    dataset_at: datetime | None = None
    unit: str | None = None
    """Name of the detached training unit."""
    unit_at: datetime | None = None
    condemned: str | None = None
    """Why this attempt is given up; set once, and it is never adopted again."""
    refused: bool = False
    """The vendor clearly said no: nothing was created, nothing is billed."""
    destroy_asked_at: datetime | None = None
    absent_at: datetime | None = None
    """When a complete listing first showed nothing under our label."""
    gone_at: datetime | None = None
    """Proven gone: second complete listing and inspect."""
    ended_at: datetime | None = None
    """When the vendor took the destroy after which the machine was gone: billing ended."""
    traffic_bytes: int = 0
    """What we sent and fetched; some vendors bill it."""
    strayed: Usd = ZERO
    """What was billed beside this machine, or after it was proven gone: one that came back, came late, or came twice.
    Counted by the sweep, which ends it; no pass writes it."""
    stopped_at: datetime | None = None
    """When it was first listed as stopped and not seen to run since: what stands still may bill less."""
    tools_at: datetime | None = None
    billed: Usd | None = None
    """What the vendor's own books say, as last told; never counted with, only compared."""
    billed_at: datetime | None = None
    """When it was first told so."""
    settled_at: datetime | None = None
    """When it was told the same again, long enough after: it will not grow any more."""
    barred: bool = False
    """Its provider refused for a reason only a person can mend; it is not asked again in this rental."""
    switch_at: datetime | None = None
    """When the dead-man's switch was armed on the machine."""
    switch_kind: str = ""
    """What it can do there, one of ``Ends``, and after a colon why not more; empty while nobody tried to arm it."""
    switch_end: datetime | None = None
    """The hard end as the switch was told it last."""
    beat_at: datetime | None = None
    """When a heartbeat last arrived."""
