"""A rental that somebody else has to agree to: what was asked, who decided, and its card. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.cards import title
from bot.domain.clocktime import utc
from bot.domain.money import Usd
from bot.domain.rental import Rental
from bot.domain.talk import Actor, Button, Kind, Reply, Tone

LIFE = timedelta(hours=4)
"""An approval that nobody decides on for this long is over, and with it the quote."""


class Verdict(StrEnum):
    """What was decided."""

    APPROVED = "approved"
    DECLINED = "declined"
    LAPSED = "over"
    """Nobody decided before the rental itself was over: cancelled, expired, torn down."""


@dataclass(frozen=True, slots=True)
class Approval:
    """One request to agree."""

    rental: str
    asked_at: datetime
    asked_by: Actor
    until: datetime
    most: Usd
    """The worst case that was put to the approvers; a yes covers no more."""
    reason: str
    verdict: Verdict | None = None
    decided_by: Actor | None = None
    decided_at: datetime | None = None
    said: str = ""

    def covers(self, most: Usd) -> bool:
        """Whether a yes was said to at least this much."""
        return self.verdict is Verdict.APPROVED and most <= self.most


def card_key(rental: str) -> str:
    """The one message that an approval is."""
    return f"approval:{rental}"


def card(rental: Rental, approval: Approval) -> Reply:
    """What the approvers see; rewritten once it is decided."""
    who = approval.asked_by.name or approval.asked_by.id
    by = approval.decided_by.name or approval.decided_by.id if approval.decided_by else ""
    open_ = approval.verdict is None
    lines = [f"{who} wants it, and somebody else has to agree: {approval.reason}."]
    if approval.verdict is Verdict.LAPSED:
        lines.append(f"Nobody has to decide any more: {rental.ending or 'the request is closed'}.")
    elif approval.verdict is not None:
        why = f": {approval.said}" if approval.said else ""
        lines.append(f"{approval.verdict.value.capitalize()} by {by}{why}.")
    else:
        lines.append(f"It cannot cost more than {approval.most}. Open until {utc(approval.until)}.")
    buttons = (
        Button("Approve", f"approve {rental.id} budget {approval.most}", primary=True),
        Button("Decline", f"decline {rental.id}", danger=True, asks="Reason"),
    )
    fields = [("at most", str(approval.most))]
    if rental.offer is not None:
        fields.insert(0, ("machine", f"{rental.offer.gpu} at {rental.offer.hourly.rate()}"))
    return Reply(
        kind=Kind.NOTICE,
        title=f"{title(rental)}: to approve" if open_ else f"{title(rental)}: {approval.verdict}",
        lines=tuple(lines),
        fields=tuple(fields),
        buttons=buttons if open_ else (),
        tone=Tone.WARN if open_ else Tone.CALM,
        rental=rental.id,
        data={
            "rental": rental.id,
            "approval": approval.verdict or "open",
            "worst_case_usd": str(approval.most.dollars),
            "until": approval.until.isoformat(),
            "by": by or None,
        },
    )
