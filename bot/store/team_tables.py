"""The tables of a team: its limits and roles, approvals, alerts and notification channels."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column, Integer, String, Text
from sqlmodel import Field, SQLModel

from bot.domain.alert import Loudness
from bot.domain.allowance import Kind, Scope
from bot.domain.approval import Verdict
from bot.domain.money import Usd
from bot.domain.outlet import Topic
from bot.domain.talk import Actor, Channel
from bot.store.tables import SERIAL, moment, value
from bot.store.types import Plain, Rank, UsdMicros, Word


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
    asked_at: datetime = moment(null=False)
    asked_by: Actor = value(Actor, null=False)
    until: datetime = moment(null=False)
    most: Usd = Field(sa_column=Column(UsdMicros(), nullable=False))
    reason: str = Field(sa_column=Column(Plain(), nullable=False))
    verdict: Verdict | None = Field(default=None, sa_column=Column(Word(Verdict)))
    decided_by: Actor | None = value(Actor)
    decided_at: datetime | None = moment()
    said: str = Field(default="", sa_column=Column(Plain(), nullable=False))


class AlertRow(SQLModel, table=True):
    """A rung that was raised, once for each ``rev`` of its rental; a snooze is a row of its own."""

    __tablename__ = "alerts"

    rental: str = Field(sa_column=Column(String(6), primary_key=True))
    rung: str = Field(sa_column=Column(String(40), primary_key=True))
    rev: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    raised_at: datetime = moment(null=False)
    level: Loudness = Field(sa_column=Column(Rank(Loudness), nullable=False))
    level_at: datetime = moment(null=False)
    page_until: datetime | None = moment()
    """Somebody tells the second medium until then; one who died in it is followed by another."""
    paged_at: datetime | None = moment()
    settled_at: datetime | None = moment()
    settled_by: str = Field(default="", sa_column=Column(Plain(), nullable=False))
    what: str = Field(default="", sa_column=Column(Plain(), nullable=False))
    snoozed_until: datetime | None = moment()


class OutletRow(SQLModel, table=True):
    """A notification channel of a team. Numbers are never given twice: people and messages name it by its own."""

    __tablename__ = "outlets"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: int | None = Field(default=None, sa_column=Column(SERIAL, primary_key=True, autoincrement=True))
    team_key: str = Field(sa_column=Column(String(200), nullable=False, index=True))
    channel: Channel = value(Channel, null=False)
    title: str = Field(sa_column=Column(Plain(), nullable=False))
    topics: tuple[Topic, ...] = value(tuple[Topic, ...], null=False)
    least: Loudness = Field(sa_column=Column(Rank(Loudness), nullable=False))
    added_by: Actor = value(Actor, null=False)
    added_at: datetime = moment(null=False)
    told_at: datetime | None = moment()
    failed_at: datetime | None = moment()
    why: str = Field(default="", sa_column=Column(Plain(), nullable=False))
