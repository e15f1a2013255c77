"""A rental: what should be (goal, terms) and what is known to be so (facts).

The status that people see is derived from these, never stored beside them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from typing import Any

from bot.domain.attempt import Attempt, Check
from bot.domain.market import Offer, Want
from bot.domain.money import Usd
from bot.domain.talk import Actor, Channel

__all__ = [
    "Attempt",
    "Blame",
    "Check",
    "Done",
    "Ending",
    "Fail",
    "Goal",
    "Job",
    "Outcome",
    "Progress",
    "Rental",
    "ResultFile",
    "Step",
    "Wait",
]


class Goal(IntEnum):
    """What should be. A goal only rises; that is the one mechanism behind confirm, down, failure and budget."""

    QUOTED = 1
    READY = 2
    TRAINED = 3
    GONE = 4


class Step(StrEnum):
    """The eight rungs."""

    CHOOSE = "choose"
    SPIN_UP = "spin up"
    VALIDATE = "validate"
    DEPLOY_TOOLS = "deploy tools"
    TRANSFER_DATASET = "transfer dataset"
    TRAIN = "train"
    PULL_RESULTS = "pull results"
    TEAR_DOWN = "tear down"


class Ending(StrEnum):
    """Why the goal rose to GONE."""

    DONE = "done"
    CANCELLED = "cancelled"
    DOWN = "down"
    STOPPED = "finished early"
    DECLINED = "declined"
    EXPIRED = "quote expired"
    NO_OFFER = "no offer"
    FAILED = "failed"
    SOFT_END = "budget used"
    HARD_END = "hard end"
    IDLE = "idle"

    @property
    def is_success(self) -> bool:
        """Whether what was asked for was delivered (a machine taken down on request counts)."""
        return self in (Ending.DONE, Ending.DOWN, Ending.STOPPED)


@dataclass(frozen=True, slots=True)
class Job:
    """What to train: everything a machine needs to know, fixed when it was asked for."""

    recipe: str
    recipe_sha256: str
    preset: str
    inputs: Mapping[str, Any]
    """Parameter name to value, complete (preset and defaults filled in)."""
    dataset: str
    """Absolute folder on the bot's side."""
    dataset_sha256: str
    """Digest over the sorted list of (name, bytes, sha256) of its files."""
    images: int
    dataset_bytes: int
    steps: int
    train_limit: timedelta
    """Time budget of pure training."""
    recipe_text: str = ""
    """The recipe as it was when it was asked for; a file that is edited later changes nothing here."""
    said: tuple[str, ...] = ()
    """Names of the inputs that the person gave; the others may still follow the card."""
    recipe_folder: str = ""
    """Where its files are."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the training is. Steps are absolute; times are as the trainer tells them."""

    stage: str = ""
    step: int = 0
    total: int = 0
    loss: float | None = None
    first_loss: float | None = None
    seconds_per_step: float | None = None
    eta: timedelta | None = None
    offset: int = 0
    """Byte of the unit's log up to which it was read."""
    size: int = 0
    """Bytes in the log at the last look; a line that is not ended yet is seen and not read."""
    moved_at: datetime | None = None
    """When the log last grew."""
    looked_at: datetime | None = None
    """When it was last looked at: silence counts only while somebody listened."""
    nan_lines: int = 0
    losses: tuple[tuple[int, float], ...] = ()
    """(step, loss), thinned to a few hundred points: the curve."""


@dataclass(frozen=True, slots=True)
class ResultFile:
    """A file on the bot's side whose digest was verified against the machine's."""

    path: str
    """Absolute."""
    name: str
    """Relative to the rental's results folder."""
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Rental:
    """One tab. Who owns a field says who may write it: a command (person) or the pass that holds the claim."""

    id: str
    namespace: str
    owner: Actor
    channel: Channel
    created_at: datetime
    want: Want
    job: Job | None
    # --- what a person decides -------------------------------------------------------------
    budget: Usd
    lifetime: timedelta
    """From the first launch try to the hard end."""
    goal: Goal
    ending: Ending | None = None
    ending_note: str = ""
    confirmed_at: datetime | None = None
    confirmed_by: str = ""
    approval_until: datetime | None = None
    """Somebody else has to agree by then; the quote lives as long."""
    rev: int = 0
    """Raised by every command, so that a pass that began before does not sleep through it."""
    # --- facts, written by the pass that holds the claim --------------------------------------
    offer: Offer | None = None
    worst_case: Usd | None = None
    worst_how: str = ""
    """How the worst case comes about, for people."""
    quoted_at: datetime | None = None
    began_at: datetime | None = None
    """First launch try: clock and rate start here."""
    attempts: tuple[Attempt, ...] = ()
    progress: Progress = field(default_factory=Progress)
    trained_at: datetime | None = None
    results: tuple[ResultFile, ...] = ()
    pulled_at: datetime | None = None
    closed_at: datetime | None = None
    alarmed: int = 0
    """Highest rung of the stuck-teardown ladder that was said, in minutes."""
    stumbles: int = 0
    """Passes in a row that could not go on; decides how long the next one waits."""
    note: str = ""
    """What is being waited for, for people."""
    step: Step | None = None
    """The rung the last pass stood on."""
    salvage_tries: int = 0
    reasked_at: datetime | None = None
    """When a dearer price was put to the owner after the first confirm."""

    @property
    def attempt(self) -> Attempt | None:
        """The attempt that is meant to live, if any."""
        last = self.attempts[-1] if self.attempts else None
        return last if last and last.condemned is None and last.gone_at is None else None

    @property
    def hard_end(self) -> datetime | None:
        """Teardown begins here, results or not."""
        return self.began_at + self.lifetime if self.began_at else None

    @property
    def output_name(self) -> str:
        """Name of what it trains, one per rental: ``tiny-lora-k7m2qd``."""
        return f"{self.job.recipe}-{self.id}" if self.job else self.id

    @property
    def wished(self) -> Goal:
        """What a confirm raises the goal to."""
        return Goal.TRAINED if self.job else Goal.READY

    @property
    def asks_again(self) -> bool:
        """Whether a dearer price than was confirmed waits for a yes."""
        asked, said = self.reasked_at, self.confirmed_at
        return asked is not None and (said is None or said < asked)

    @property
    def is_open(self) -> bool:
        """Not proven closed."""
        return self.closed_at is None


@dataclass(frozen=True, slots=True)
class Done:
    """The step is through. ``facts`` are the Rental fields that changed, ``attempt`` those of its attempt."""

    facts: Mapping[str, Any] = field(default_factory=dict)
    attempt: Mapping[str, Any] = field(default_factory=dict)
    said: str = ""
    """For the journal."""
    of: int | None = None
    """Number of the attempt that ``attempt`` speaks of; None is the current one."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do before ``until``. Facts learned on the way are kept."""

    until: datetime
    note: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    attempt: Mapping[str, Any] = field(default_factory=dict)
    stumble: bool = False
    """Something went wrong that may pass; counted, so that the next wait is longer."""
    of: int | None = None


class Blame(StrEnum):
    """Whose fault a failure is: decides whether the next offer is tried."""

    OFFER = "offer"
    """Could not be had: take the next."""
    HOST = "host"
    """This machine is bad: destroy it, avoid its host, take the next."""
    JOB = "job"
    """The work itself failed: another machine would not help."""
    HUMAN = "human"
    """Only a person can mend it."""


@dataclass(frozen=True, slots=True)
class Fail:
    """The step cannot be done. ``reason`` is one sentence, ``fix`` what to do about it."""

    reason: str
    blame: Blame
    fix: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    attempt: Mapping[str, Any] = field(default_factory=dict)


Outcome = Done | Wait | Fail
