"""What holds for a team until its admins say otherwise: who may what, budgets, and what needs a second person."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings

from bot.domain.allowance import Defaults, Kind, Role, Rules, Scope
from bot.domain.money import Usd
from bot.domain.talk import Channel
from bot.settings.values import Limit, People, Place, Rate, Teams, TimeOfDay, joined_teams


class TeamSettings(BaseSettings):
    """Limits are empty for none; ``/gpu budget set`` overrules them for one team."""

    admins: People = Field(
        default="",
        description="Who sets budgets and approves: chat:team:person, commas between. The terminal always may.",
    )
    teams: Teams = Field(
        default="",
        description="Workspaces and servers that are one team: acme=slack:T024,discord:8123; more behind semicolons.",
    )
    default_role: Literal["viewer", "member", "admin"] = Field(
        default="member", description="What somebody may do who was given no role: viewer, member or admin."
    )
    person_day: Limit = Field(default=None, description="Budget of each person a day (UTC), in dollars.")
    person_month: Limit = Field(default=None, description="Budget of each person a month, in dollars.")
    channel_month: Limit = Field(default=None, description="Budget of each channel a month, in dollars.")
    team_month: Limit = Field(default=None, description="Budget of each team a month, in dollars.")
    max_rate: Rate = Field(default=None, description="The most that all machines of a team may cost an hour.")
    max_machines: int | None = Field(
        default=None, ge=0, le=1000, description="Machines that a team may have at a time."
    )
    allowed_hours: TimeOfDay = Field(
        default="", description="When something may be rented: 08:00-20:00 Europe/Berlin; empty: always."
    )
    approval_total: Limit = Field(
        default=None, description="Somebody else has to agree to a worst case above this, in dollars."
    )
    approval_rate: Rate = Field(
        default=None, description="Somebody else has to agree to a price above this, in dollars an hour."
    )
    approval_cards: str = Field(
        default="", description="Somebody else has to agree to these GPUs: H100,A100 (commas between)."
    )
    approvers: Place = Field(
        default="",
        description="Where approvals are asked for: slack:C024; empty: where the rental was asked for.",
    )

    @property
    def limits(self) -> Defaults:
        """What the store judges by where a team has said nothing."""
        admins = frozenset(one for one in re.split(r"[\s,]+", self.admins) if one)
        return Defaults(self._rules(), Role(self.default_role), admins, joined_teams(self.teams))

    @property
    def approvers_channel(self) -> Channel | None:
        """None: where the rental was asked for."""
        chat, _, place = self.approvers.partition(":")
        return Channel(chat, place) if place else None

    def _rules(self) -> Rules:
        amounts: dict[tuple[Scope, str, Kind], Usd | None] = {
            (Scope.PERSON, "", Kind.DAY): self.person_day,
            (Scope.PERSON, "", Kind.MONTH): self.person_month,
            (Scope.CHANNEL, "", Kind.MONTH): self.channel_month,
            (Scope.TEAM, "", Kind.MONTH): self.team_month,
            (Scope.TEAM, "", Kind.RATE): self.max_rate,
            (Scope.APPROVAL, "", Kind.TOTAL): self.approval_total,
            (Scope.APPROVAL, "", Kind.RATE): self.approval_rate,
        }
        words = {
            (Scope.TEAM, "", Kind.MACHINES): "" if self.max_machines is None else str(self.max_machines),
            (Scope.TEAM, "", Kind.HOURS): self.allowed_hours,
            (Scope.APPROVAL, "", Kind.CARDS): self.approval_cards.replace(" ", ""),
        }
        said = {key: str(amount.micros) for key, amount in amounts.items() if amount is not None}
        return said | {key: word for key, word in words.items() if word}
