"""The tables. A column that holds a field of ``Rental``, ``Attempt`` or ``Orphan`` has that field's name."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Column, Index, Integer, String, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from bot.domain.market import Access, MachineState, Offer, Want
from bot.domain.money import ZERO, Usd
from bot.domain.orphan import Fate
from bot.domain.rental import Check, Ending, Goal, Job, Progress, ResultFile, Step
from bot.domain.talk import Actor, Channel, Reply
from bot.store.types import Plain, Rank, Span, UsdMicros, UtcTime, Value, Word

SERIAL = BigInteger().with_variant(Integer(), "sqlite")
"""SQLite numbers rows by itself only in an INTEGER primary key."""


def moment(*, null: bool = True, index: bool = False) -> Any:
    """A column of UTC moments."""
    return Field(default=None, sa_column=Column(UtcTime(), nullable=null, index=index))


def value(shape: Any, *, null: bool = True) -> Any:
    """A column of domain values."""
    return Field(default=None, sa_column=Column(Value(shape), nullable=null))


class RentalRow(SQLModel, table=True):
    """One tab. ``wake_at``, ``claim_token`` and ``claim_until`` say who works on it and when."""

    __tablename__ = "rentals"
    __table_args__ = (Index("ix_rentals_charges", "team_key", "charged_at"),)

    id: str = Field(sa_column=Column(String(6), primary_key=True))
    namespace: str = Field(sa_column=Column(String(20), nullable=False))
    owner: Actor = value(Actor, null=False)
    owner_key: str = Field(sa_column=Column(String(300), nullable=False, index=True))
    channel: Channel = value(Channel, null=False)
    created_at: datetime = moment(null=False)
    want: Want = value(Want, null=False)
    job: Job | None = value(Job)
    budget: Usd = Field(sa_column=Column(UsdMicros(), nullable=False))
    lifetime: timedelta = Field(sa_column=Column(Span(), nullable=False))
    goal: Goal = Field(sa_column=Column(Rank(Goal), nullable=False))
    ending: Ending | None = Field(default=None, sa_column=Column(Word(Ending)))
    ending_note: str = Field(default="", sa_column=Column(Plain(), nullable=False))
    confirmed_at: datetime | None = moment()
    confirmed_by: str = Field(default="", sa_column=Column(String(300), nullable=False))
    rev: int = Field(default=0, sa_column=Column(Integer, nullable=False))
    offer: Offer | None = value(Offer)
    worst_case: Usd | None = Field(default=None, sa_column=Column(UsdMicros()))
    quoted_at: datetime | None = moment()
    began_at: datetime | None = moment()
    progress: Progress = value(Progress, null=False)
    trained_at: datetime | None = moment()
    results: tuple[ResultFile, ...] = value(tuple[ResultFile, ...], null=False)
    pulled_at: datetime | None = moment()
    closed_at: datetime | None = moment()
    alarmed: int = Field(default=0, sa_column=Column(Integer, nullable=False))
    stumbles: int = Field(default=0, sa_column=Column(Integer, nullable=False))
    note: str = Field(default="", sa_column=Column(Plain(), nullable=False))
    step: Step | None = Field(default=None, sa_column=Column(Word(Step)))
    salvage_tries: int = Field(default=0, sa_column=Column(Integer, nullable=False))
    reasked_at: datetime | None = moment()
    worst_how: str = Field(default="", sa_column=Column(Text, nullable=False))
    approval_until: datetime | None = moment()
    team_key: str = Field(default="", sa_column=Column(String(200), nullable=False))
    channel_key: str = Field(default="", sa_column=Column(String(300), nullable=False))
    charged: Usd = Field(default=ZERO, sa_column=Column(UsdMicros(), nullable=False))
    """What the budgets are charged: the worst case from the confirm on, what it cost once it is closed."""
    charged_hourly: Usd = Field(default=ZERO, sa_column=Column(UsdMicros(), nullable=False))
    charged_at: datetime | None = moment()
    wake_at: datetime = moment(null=False, index=True)
    claim_token: str | None = Field(default=None, sa_column=Column(String(64)))
    claim_until: datetime | None = moment()


class AttemptRow(SQLModel, table=True):
    """One numbered try to have a machine; never deleted, so that its label stays known for ever."""

    __tablename__ = "attempts"

    rental: str = Field(sa_column=Column(String(6), primary_key=True))
    number: int = Field(sa_column=Column(Integer, primary_key=True))
    label: str = Field(sa_column=Column(String(60), nullable=False, unique=True))
    offer: Offer = value(Offer, null=False)
    tried_at: datetime = moment(null=False)
    machine_id: str | None = Field(default=None, sa_column=Column(String(200)))
    access: Access | None = value(Access)
    booting_at: datetime | None = moment()
    running_at: datetime | None = moment()
    ready_at: datetime | None = moment()
    report: tuple[Check, ...] = value(tuple[Check, ...], null=False)
    tools: Mapping[str, str] | None = value(dict[str, str])
    dataset_at: datetime | None = moment()
    unit: str | None = Field(default=None, sa_column=Column(String(60)))
    unit_at: datetime | None = moment()
    condemned: str | None = Field(default=None, sa_column=Column(Plain()))
    refused: bool = Field(default=False, nullable=False)
    destroy_asked_at: datetime | None = moment()
    absent_at: datetime | None = moment()
    gone_at: datetime | None = moment()
    ended_at: datetime | None = moment()
    traffic_bytes: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
    barred: bool = Field(default=False, nullable=False)
    stopped_at: datetime | None = moment()
    tools_at: datetime | None = moment()
    strayed: Usd = Field(default=ZERO, sa_column=Column(UsdMicros(), nullable=False))
    billed: Usd | None = Field(default=None, sa_column=Column(UsdMicros()))
    billed_at: datetime | None = moment()
    settled_at: datetime | None = moment()
    switch_at: datetime | None = moment()
    switch_kind: str = Field(default="", sa_column=Column(String(200), nullable=False))
    switch_end: datetime | None = moment()
    beat_at: datetime | None = moment()
    idle_since: datetime | None = moment()
    idle_seen_at: datetime | None = moment()
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
    found_at: datetime = moment(null=False)
    kill_at: datetime = moment(null=False)
    fate: Fate | None = Field(default=None, sa_column=Column(Word(Fate)))
    decided_by: Actor | None = value(Actor)
    decided_at: datetime | None = moment()
    rental: str = Field(default="", sa_column=Column(String(6), nullable=False))
    asked_at: datetime | None = moment()
    absent_at: datetime | None = moment()
    gone_at: datetime | None = moment()
    tidied_at: datetime | None = moment()
    note: str = Field(default="", sa_column=Column(Plain(), nullable=False))


class JournalRow(SQLModel, table=True):
    """Who asked what, what the engine did, what it cost. Only ever added to: triggers refuse the rest."""

    __tablename__ = "journal"

    seq: int | None = Field(default=None, sa_column=Column(SERIAL, primary_key=True, autoincrement=True))
    at: datetime = moment(null=False)
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

    seq: int | None = Field(default=None, sa_column=Column(SERIAL, primary_key=True, autoincrement=True))
    key: str = Field(sa_column=Column(String(120), nullable=False))
    rental: str = Field(default="", sa_column=Column(String(6), nullable=False))
    chat: str = Field(sa_column=Column(String(40), nullable=False))
    channel: Channel = value(Channel, null=False)
    reply: Reply = value(Reply, null=False)
    created_at: datetime = moment(null=False)
    version: int = Field(default=1, sa_column=Column(Integer, nullable=False))
    said: int = Field(default=0, sa_column=Column(Integer, nullable=False))
    ref: str | None = Field(default=None, sa_column=Column(String(200)))
    tried_at: datetime | None = moment()
    tries: int = Field(default=0, sa_column=Column(Integer, nullable=False))
    due_at: datetime | None = moment()
    """When to say it; null when nothing is due."""
    claim_token: str | None = Field(default=None, sa_column=Column(String(64)))
    claim_until: datetime | None = moment()
    dropped: str = Field(default="", sa_column=Column(Plain(), nullable=False))
    """Why it will never be said."""
    echo_at: datetime | None = moment()
    """Since when it is to be said in the team's notification channels, too; null when it is, or need not be."""
    relayed_at: datetime | None = moment()
    """When another notification channel was asked, because this could not be said."""


class RequestRow(SQLModel, table=True):
    """A request key that was used: it never has a second effect, and none at all when it came in vain."""

    __tablename__ = "requests"

    key: str = Field(sa_column=Column(String(200), primary_key=True))
    at: datetime = moment(null=False)
    rental: str = Field(default="", sa_column=Column(String(6), nullable=False))
    effect: bool = Field(default=True, nullable=False)


class LeaseRow(SQLModel, table=True):
    """Elects one process for a task: who sweeps, which engine or terminal is alive."""

    __tablename__ = "leases"

    name: str = Field(sa_column=Column(String(120), primary_key=True))
    token: str = Field(sa_column=Column(String(64), nullable=False))
    until: datetime = moment(null=False)


class SecretRow(SQLModel, table=True):
    """Something sealed; ``sealed`` can be opened only with the deployment's key."""

    __tablename__ = "secrets"

    ref: str = Field(sa_column=Column(String(120), primary_key=True))
    sealed: str = Field(sa_column=Column(Text, nullable=False))
    at: datetime = moment(null=False)


class MarkRow(SQLModel, table=True):
    """A fact about this deployment (its namespace)."""

    __tablename__ = "marks"

    name: str = Field(sa_column=Column(String(40), primary_key=True))
    value: str = Field(sa_column=Column(Text, nullable=False))
