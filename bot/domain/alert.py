"""An alert, how loud it can be, and what can be done about one. Values only; ``alerts`` decides."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

SNOOZE = "snooze"
"""The rung under which a snooze is kept: nothing is said of it."""


class Loudness(IntEnum):
    """Where an alert is said."""

    THREAD = 0
    """Where the rental lives, without a mention."""
    OWNER = 1
    """The same place, with a mention of the owner."""
    CHANNEL = 2
    """The channel itself, for everybody in it."""
    DIRECT = 3
    """A direct message to the owner and to each admin."""
    PAGER = 4
    """The second medium: mail, a pager, whatever is set up."""


@dataclass(frozen=True, slots=True)
class Alert:
    """A rung that was raised. ``rev`` is the rental's when it was: a rung that an extension made due again is
    another one."""

    rental: str
    rung: str
    rev: int
    raised_at: datetime
    level: Loudness
    level_at: datetime
    """When it got as loud as it is."""
    paged_at: datetime | None = None
    settled_at: datetime | None = None
    settled_by: str = ""
    what: str = ""
    snoozed_until: datetime | None = None

    @property
    def kind(self) -> str:
        """The rung without the spell it belongs to: ``idle`` of ``idle-0302T0915``."""
        return self.rung if self.rung.startswith("T-") else self.rung.partition("-")[0]

    @property
    def is_open(self) -> bool:
        """Nobody answered, and it is still so."""
        return self.settled_at is None and self.rung != SNOOZE


@dataclass(frozen=True, slots=True)
class Raise:
    """Say this rung; ``covers`` fell due with it and are said by it."""

    rung: str
    level: Loudness
    covers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Louder:
    """Nobody answered: say it at this level."""

    alert: Alert
    level: Loudness


@dataclass(frozen=True, slots=True)
class Page:
    """Nobody answered anywhere: tell the second medium."""

    alert: Alert


@dataclass(frozen=True, slots=True)
class Settle:
    """Over. ``answered``: by a person whose command moved the rental; otherwise ``what`` made it pointless."""

    alert: Alert
    what: str
    answered: bool = False


@dataclass(frozen=True, slots=True)
class Anchor:
    """The clock was set back behind this alert: its patience is counted anew from now."""

    alert: Alert


Move = Raise | Louder | Page | Settle | Anchor
