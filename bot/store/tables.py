"""The tables. A column that holds a field of ``Rental``, ``Attempt`` or ``Orphan`` has that field's name."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Column, Index, Integer, String, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from bot.domain.alert import Loudness
from bot.domain.allowance import Kind, Scope
from bot.domain.approval import Verdict
from bot.domain.market import Access, MachineState, Offer, Want
from bot.domain.money import ZERO, Usd
from bot.domain.orphan import Fate
from bot.domain.outlet import Topic
from bot.domain.rental import Check, Ending, Goal, Job, Progress, ResultFile, Step
from bot.domain.talk import Actor, Channel, Reply
from bot.store.types import Plain, Rank, Span, UsdMicros, UtcTime, Value, Word

_SERIAL = BigInteger().with_variant(Integer(), "sqlite")
"""SQLite numbers rows by itself only in an INTEGER primary key."""


def _time(*, null: bool = True, index: bool = False) -> Any:
    return Field(default=None, sa_column=Column(UtcTime(), nullable=null, index=index))


def _value(shape: Any, *, null: bool = True) -> Any:
    return Field(default=None, sa_column=Column(Value(shape), nullable=null))


class RentalRow(SQLModel, table=True):
    """One tab. ``wake_at``, ``claim_token`` and ``claim_until`` say who works on it and when."""

    __tablename__ = "rentals"
    __table_args__ = (Index("ix_rentals_charges", "team_key", "charged_at"),)

    id: str = Field(sa_column=Column(String(6), primary_key=True))
    namespace: str = Field(sa_column=Column(String(20), nullable=False))
    owner: Actor = _value(Actor, null=False)
    owner_key: str = Field(sa_column=Column(String(300), nullable=False, index=True))
    channel: Channel = _value(Channel, null=False)
    created_at: datetime = _time(null=False)
    want: Want = _value(Want, null=False)
    job: Job | None = _value(Job)
    budget: Usd = Field(sa_column=Column(UsdMicros(), nullable=False))
    lifetime: timedelta = Field(sa_column=Column(Span(), nullable=False))
    goal: Goal = Field(sa_column=Column(Rank(Goal), nullable=False))
    ending: Ending | None = Field(default=None, sa_column=Column(Word(Ending)))
    ending_note: str = Field(default="", sa_column=Column(Plain(), nullable=False))
    confirmed_at: datetime | None = _time()
    confirmed_by: str = Field(default="", sa_column=Column(String(300), nullable=False))
    rev: int = Field(default=0, sa_column=Column(Integer, nullable=False))
    offer: Offer | None = _value(Offer)
    worst_case: Usd | None = Field(default=None, sa_column=Column(UsdMicros()))
    quoted_at: datetime | None = _time()
    began_at: datetime | None = _time()
    progress: Progress = _value(Progress, null=False)
    trained_at: datetime | None = _time()
    results: tuple[ResultFile, ...] = _value(tuple[ResultFile, ...], null=False)
    pulled_at: datetime | None = _time()
    closed_at: datetime | None = _time()
    alarmed: int = Field(default=0, sa_column=Column(Integer, nullable=False))
    stumbles: int = Field(default=0, sa_column=Column(Integer, nullable=False))
    note: str = Field(default="", sa_column=Column(Plain(), nullable=False))
    step: Step | None = Field(default=None, sa_column=Column(Word(Step)))
    salvage_tries: int = Field(default=0, sa_column=Column(Integer, nullable=False))
    reasked_at: datetime | None = _time()
    worst_how: str = Field(default="", sa_column=Column(Text, nullable=False))
    approval_until: datetime | None = _time()
    team_key: str = Field(default="", sa_column=Column(String(200), nullable=False))
    channel_key: str = Field(default="", sa_column=Column(String(300), nullable=False))
    charged: Usd = Field(default=ZERO, sa_column=Column(UsdMicros(), nullable=False))
    """What the budgets are charged: the worst case from the confirm on, what it cost once it is closed."""
    charged_hourly: Usd = Field(default=ZERO, sa_column=Column(UsdMicros(), nullable=False))
    charged_at: datetime | None = _time()
    wake_at: datetime = _time(null=False, index=True)
    claim_token: str | None = Field(default=None, sa_column=Column(String(64)))
    claim_until: datetime | None = _time()


class AttemptRow(SQLModel, table=True):
    """One numbered try to have a machine; never deleted, so that its label stays known for ever."""

    __tablename__ = "attempts"

    rental: str = Field(sa_column=Column(String(6), primary_key=True))
    number: int = Field(sa_column=Column(Integer, primary_key=True))
    label: str = Field(sa_column=Column(String(60), nullable=False, unique=True))
    offer: Offer = _value(Offer, null=False)
    tried_at: datetime = _time(null=False)
    machine_id: str | None = Field(default=None, sa_column=Column(String(200)))
    access: Access | None = _value(Access)
    booting_at: datetime | None = _time()
    running_at: datetime | None = _time()
    ready_at: datetime | None = _time()
    report: tuple[Check, ...] = _value(tuple[Check, ...], null=False)
    tools: Mapping[str, str] | None = _value(dict[str, str])
    dataset_at: datetime | None = _time()
    unit: str | None = Field(default=None, sa_column=Column(String(60)))
    unit_at: datetime | None = _time()
    condemned: str | None = Field(default=None, sa_column=Column(Plain()))
    refused: bool = Field(default=False, nullable=False)
    destroy_asked_at: datetime | None = _time()
    absent_at: datetime | None = _time()
    gone_at: datetime | None = _time()
    ended_at: datetime | None = _time()
    traffic_bytes: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
    barred: bool = Field(default=False, nullable=False)
    stopped_at: datetime | None = _time()
    tools_at: datetime | None = _time()
    strayed: Usd = Field(default=ZERO, sa_column=Column(UsdMicros(), nullable=False))
    billed: Usd | None = Field(default=None, sa_column=Column(UsdMicros()))
    billed_at: datetime | None = _time()
    settled_at: datetime | None = _time()
    switch_at: datetime | None = _time()
    switch_kind: str = Field(default="", sa_column=Column(String(200), nullable=False))
    switch_end: datetime | None = _time()
    beat_at: datetime | None = _time()
    idle_since: datetime | None = _time()
    idle_seen_at: datetime | None = _time()
    """Written beside the passes, by whoever looks whether the machine is used; no fields of ``Attempt``."""


class OrphanRow(SQLModel, table=True):
    """A machine with our namespace's label that no rental of this database ever had; never deleted."""

    __tablename__ = "orphans"

    provider: str = Field(sa_column=Column(String(100), primary_key=True))
    machine_id: str = Field(sa_column=Column(String(200), primary_key=True))
    label: str = Field(sa_column=Column(Plain(), nullable=False))
    gpu: str = Field(default="", sa_column=Column(Plain(), nullable=False))
    state: MachineState = Field(sa_column=Column(Word(MachineState), nullable=False))
    hourly: Usd | None = Field(default=None, sa_column=Column(UsdMicros()))
    found_at: datetime = _time(null=False)
    kill_at: datetime = _time(null=False)
    fate: Fate | None = Field(default=None, sa_column=Column(Word(Fate)))
    decided_by: Actor | None = _value(Actor)
    decided_at: datetime | None = _time()
    rental: str = Field(default="", sa_column=Column(String(6), nullable=False))
    asked_at: datetime | None = _time()
    absent_at: datetime | None = _time()
    gone_at: datetime | None = _time()
    tidied_at: datetime | None = _time()
    note: str = Field(default="", sa_column=Column(Plain(), nullable=False))


class JournalRow(SQLModel, table=True):
    """Who asked what, what the engine did, what it cost. Only ever added to: triggers refuse the rest."""

    __tablename__ = "journal"

    seq: int | None = Field(default=None, sa_column=Column(_SERIAL, primary_key=True, autoincrement=True))
    at: datetime = _time(null=False)
    rental: str = Field(default="", sa_column=Column(String(6), nullable=False, index=True))
    actor: str = Field(default="", sa_column=Column(String(300), nullable=False))
    kind: str = Field(sa_column=Column(String(40), nullable=False))
    text: str = Field(sa_column=Column(Plain(), nullable=False))
    cost: Usd | None = Field(default=None, sa_column=Column(UsdMicros()))


class OutboxRow(SQLModel, table=True):
    """Something to be said. ``version`` above ``said`` means that it is due; a card is one row that is rewritten."""

    __tablename__ = "outbox"
    __table_args__ = (
        UniqueConstraint("key"),
        Index("ix_outbox_due", "due_at"),
        Index("ix_outbox_echo", "echo_at"),
    )

    seq: int | None = Field(default=None, sa_column=Column(_SERIAL, primary_key=True, autoincrement=True))
    key: str = Field(sa_column=Column(String(120), nullable=False))
    rental: str = Field(default="", sa_column=Column(String(6), nullable=False))
    chat: str = Field(sa_column=Column(String(40), nullable=False))
    channel: Channel = _value(Channel, null=False)
    reply: Reply = _value(Reply, null=False)
    created_at: datetime = _time(null=False)
    version: int = Field(default=1, sa_column=Column(Integer, nullable=False))
    said: int = Field(default=0, sa_column=Column(Integer, nullable=False))
    ref: str | None = Field(default=None, sa_column=Column(String(200)))
    tried_at: datetime | None = _time()
    tries: int = Field(default=0, sa_column=Column(Integer, nullable=False))
    due_at: datetime | None = _time()
    """When to say it; null when nothing is due."""
    claim_token: str | None = Field(default=None, sa_column=Column(String(64)))
    claim_until: datetime | None = _time()
    dropped: str = Field(default="", sa_column=Column(Plain(), nullable=False))
    """Why it will never be said."""
    echo_at: datetime | None = _time()
    """Since when it is to be said in the team's notification channels, too; null when it is, or need not be."""
    relayed_at: datetime | None = _time()
    """When another notification channel was asked, because this could not be said."""


class OutletRow(SQLModel, table=True):
    """A notification channel of a team. Numbers are never given twice: people and messages name it by its own."""

    __tablename__ = "outlets"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: int | None = Field(default=None, sa_column=Column(_SERIAL, primary_key=True, autoincrement=True))
    team_key: str = Field(sa_column=Column(String(200), nullable=False, index=True))
    channel: Channel = _value(Channel, null=False)
    title: str = Field(sa_column=Column(Plain(), nullable=False))
    topics: tuple[Topic, ...] = _value(tuple[Topic, ...], null=False)
    least: Loudness = Field(sa_column=Column(Rank(Loudness), nullable=False))
    added_by: Actor = _value(Actor, null=False)
    added_at: datetime = _time(null=False)
    told_at: datetime | None = _time()
    failed_at: datetime | None = _time()
    why: str = Field(default="", sa_column=Column(Plain(), nullable=False))


class RequestRow(SQLModel, table=True):
    """A request key that was used: it never has a second effect, and none at all when it came in vain."""

    __tablename__ = "requests"

    key: str = Field(sa_column=Column(String(200), primary_key=True))
    at: datetime = _time(null=False)
    rental: str = Field(default="", sa_column=Column(String(6), nullable=False))
    effect: bool = Field(default=True, nullable=False)


class LeaseRow(SQLModel, table=True):
    """Elects one process for a task: who sweeps, which engine or terminal is alive."""

    __tablename__ = "leases"

    name: str = Field(sa_column=Column(String(120), primary_key=True))
    token: str = Field(sa_column=Column(String(64), nullable=False))
    until: datetime = _time(null=False)


class SecretRow(SQLModel, table=True):
    """Something sealed; ``sealed`` can be opened only with the deployment's key."""

    __tablename__ = "secrets"

    ref: str = Field(sa_column=Column(String(120), primary_key=True))
    sealed: str = Field(sa_column=Column(Text, nullable=False))
    at: datetime = _time(null=False)


class TeamRow(SQLModel, table=True):
    """Somebody to charge; its row is what admissions lock, so that two at once are judged one after the other."""

    __tablename__ = "teams"

    team_key: str = Field(sa_column=Column(String(200), primary_key=True))


class AllowanceRow(SQLModel, table=True):
    """One limit or role that an admin has set; ``subject`` is empty for everybody."""

    __tablename__ = "allowances"

    team_key: str = Field(sa_column=Column(String(200), primary_key=True))
    scope: Scope = Field(sa_column=Column(Word(Scope), primary_key=True))
    subject: str = Field(sa_column=Column(String(300), primary_key=True))
    kind: Kind = Field(sa_column=Column(Word(Kind), primary_key=True))
    value: str = Field(sa_column=Column(Text, nullable=False))


class ApprovalRow(SQLModel, table=True):
    """A rental that somebody else has to agree to; asked anew, it is the same row."""

    __tablename__ = "approvals"

    rental: str = Field(sa_column=Column(String(6), primary_key=True))
    asked_at: datetime = _time(null=False)
    asked_by: Actor = _value(Actor, null=False)
    until: datetime = _time(null=False)
    most: Usd = Field(sa_column=Column(UsdMicros(), nullable=False))
    reason: str = Field(sa_column=Column(Plain(), nullable=False))
    verdict: Verdict | None = Field(default=None, sa_column=Column(Word(Verdict)))
    decided_by: Actor | None = _value(Actor)
    decided_at: datetime | None = _time()
    said: str = Field(default="", sa_column=Column(Plain(), nullable=False))


class AlertRow(SQLModel, table=True):
    """A rung that was raised, once for each ``rev`` of its rental; a snooze is a row of its own."""

    __tablename__ = "alerts"

    rental: str = Field(sa_column=Column(String(6), primary_key=True))
    rung: str = Field(sa_column=Column(String(40), primary_key=True))
    rev: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    raised_at: datetime = _time(null=False)
    level: Loudness = Field(sa_column=Column(Rank(Loudness), nullable=False))
    level_at: datetime = _time(null=False)
    page_until: datetime | None = _time()
    """Somebody tells the second medium until then; one who died in it is followed by another."""
    paged_at: datetime | None = _time()
    settled_at: datetime | None = _time()
    settled_by: str = Field(default="", sa_column=Column(Plain(), nullable=False))
    what: str = Field(default="", sa_column=Column(Plain(), nullable=False))
    snoozed_until: datetime | None = _time()


class MarkRow(SQLModel, table=True):
    """A fact about this deployment (its namespace)."""

    __tablename__ = "marks"

    name: str = Field(sa_column=Column(String(40), primary_key=True))
    value: str = Field(sa_column=Column(Text, nullable=False))
