"""A team's notification channels: what each wants to hear, and what of the outbox that is. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from bot.domain.alert import Loudness
from bot.domain.clocktime import utc
from bot.domain.talk import Actor, Channel, Kind, Reply

ADDRESS = "notify"
"""The chat of an outlet that is an address and no channel of a chat: mail, a pager, a webhook. Its channel's id is
the name under which the address is sealed."""


class Topic(StrEnum):
    """What is told of."""

    CARDS = "cards"
    """The live card of each rental, with its buttons."""
    RECEIPTS = "receipts"
    REMINDERS = "reminders"
    """Of the budget and of the end: 50 %, 75 %, 90 %, 30, 10 and 2 minutes left."""
    IDLE = "idle"
    TEARDOWN = "teardown"
    """One that is stuck."""
    RESULTS = "results"
    """That lie on a machine, or have come home without its end."""
    PRICE = "price"
    CREDIT = "credit"


TOPICS = tuple(Topic)
LEVELS = {level.name.lower(): level for level in Loudness}
_BY_RUNG = {
    "idle": Topic.IDLE,
    "stuck": Topic.TEARDOWN,
    "finished": Topic.RESULTS,
    "unpulled": Topic.RESULTS,
    "dearer": Topic.PRICE,
    "credit": Topic.CREDIT,
}


@dataclass(frozen=True, slots=True)
class Outlet:
    """A channel of a chat, or an address, that a team is told in. An address itself is sealed elsewhere."""

    id: int
    team_key: str
    channel: Channel
    title: str
    """What may be shown: the kind of service (``ntfy``) or the channel; never an address."""
    topics: tuple[Topic, ...]
    least: Loudness
    """Alerts that are quieter are not told here, unless nobody else could be told."""
    added_by: Actor
    added_at: datetime
    told_at: datetime | None = None
    failed_at: datetime | None = None
    why: str = ""
    """Why it took nothing, at the last try."""

    @property
    def name(self) -> str:
        """``2 (ntfy)``."""
        return f"{self.id} ({self.title})"

    @property
    def is_address(self) -> bool:
        """Whether it is told through Apprise."""
        return self.channel.chat == ADDRESS

    def wants(self, topic: Topic, level: Loudness | None) -> bool:
        """Whether it hears of this of itself; ``level`` is None for what is no alert."""
        return topic in self.topics and (level is None or level >= self.least)

    def trouble(self, waiting_since: datetime | None) -> str:
        """What keeps it from being told, in a sentence; empty when nothing does."""
        if self.failed_at is not None and (self.told_at is None or self.told_at < self.failed_at):
            return f"Notification channel {self.name} took nothing at {utc(self.failed_at)}: {self.why.rstrip('.')}."
        if waiting_since is not None:
            return f"Notification channel {self.name} has not been told since {utc(waiting_since)}: nobody reaches it."
        return ""


def secret_of(channel: str) -> str:
    """The name under which the address behind a channel's id is sealed."""
    return f"notify-{channel}"


def topic_of(key: str) -> tuple[Topic, Loudness | None] | None:
    """What a message in the outbox is about, by its key, and how loud it is; None for what is nobody else's."""
    kind, _, rest = key.partition(":")
    match kind:
        case "card":
            return Topic.CARDS, None
        case "closed":
            return Topic.RECEIPTS, None
        case "stuck":
            return Topic.TEARDOWN, Loudness.CHANNEL
        case "alert":
            rung, level = rest.split(":")[1:3]
            return _BY_RUNG.get(rung.partition("-")[0], Topic.REMINDERS), Loudness(int(level))
    return None


def copy_key(key: str, outlet: int) -> str:
    """Under which a message is said in an outlet. Direct messages to several people are one there."""
    original, _, _ = key.partition("@")
    if original.startswith("alert:"):
        original = ":".join(original.split(":")[:5])
    return f"{original}@{outlet}"


def outlet_of(key: str) -> int | None:
    """The outlet that a message is meant for, if it is a copy."""
    _, at, number = key.rpartition("@")
    return int(number) if at and number.isdecimal() else None


def copied(reply: Reply, outlet: Outlet, owner: Actor, level: Loudness | None) -> Reply:
    """As it is said there: it calls only people who are there, and names whose it is."""
    mention = tuple(one for one in reply.mention if one.chat == outlet.channel.chat)
    said = replace(
        reply, mention=mention, private=False, loud=level is not None and level >= Loudness.CHANNEL
    )
    if reply.kind is Kind.CARD or reply.rewrites or owner in mention:
        return said
    return replace(said, lines=(*said.lines, f"Owner: {owner.name or owner.id} ({owner.chat})"))


def next_outlet(outlets: Sequence[Outlet], told: Sequence[int], failing: str) -> Outlet | None:
    """Where else something that cannot be said in ``failing`` (a chat) may be said: other media first."""
    left = [one for one in outlets if one.id not in told]
    return min(left, key=lambda one: (one.channel.chat == failing, one.id), default=None)
