"""Whether a machine's time is over, by nothing but its label and two clocks. Pure.

What cannot be read, and what is due by one clock only, is never ended: it is told to people instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain import label as labels

SKEW = timedelta(minutes=2)
"""Clocks that differ by no more agree: labels are whole minutes, and answers take a while."""
LONGEST = timedelta(days=31)
"""No rental may last longer than 30 days (``LASTCALL_MAX_LIFETIME``): a label that says so was altered by hand."""


class Verdict(StrEnum):
    """What a label says about its machine."""

    DUE = "due"
    NOT_DUE = "not due"
    DOUBTFUL = "doubtful"
    """Due by one clock and not by the other."""
    UNREADABLE = "unreadable"
    """It begins like one of ours, and the rest was altered."""
    UNREADABLE_ELSEWHERE = "unreadable, of no namespace of ours"
    ELSEWHERE = "another namespace"
    FOREIGN = "not Lastcall's"


@dataclass(frozen=True, slots=True)
class Judged:
    """``why`` is half a sentence for what people must look at; ``until`` is None where nothing could be read."""

    verdict: Verdict
    until: datetime | None = None
    why: str = ""


def judge(label: str, namespace: str | None, now: datetime, skew: timedelta | None) -> Judged:
    """``namespace`` None: every label of Lastcall is ours. ``skew``: how far the vendor's clock is ahead of ours,
    None where it was not told."""
    plain = label.strip().lower()
    if not plain.startswith("lc-"):
        return Judged(Verdict.FOREIGN)
    parsed = labels.parse(label)
    if parsed is None:
        ours = namespace is None or plain.startswith(f"lc-{namespace}-")
        verdict = Verdict.UNREADABLE if ours else Verdict.UNREADABLE_ELSEWHERE
        return Judged(verdict, why="the time in its label cannot be read")
    if namespace is not None and parsed.namespace != namespace:
        return Judged(Verdict.ELSEWHERE, parsed.until)
    if parsed.until > now + LONGEST:
        return Judged(
            Verdict.UNREADABLE, parsed.until, "the time in its label is further off than any rental lasts"
        )
    here = there = now >= parsed.until
    if skew is not None and abs(skew) > SKEW:
        there = now + skew >= parsed.until
    if here != there:
        which = (
            "by this computer's clock and not by the vendor's"
            if here
            else "by the vendor's clock and not by ours"
        )
        return Judged(Verdict.DOUBTFUL, parsed.until, f"it is due {which}")
    return Judged(Verdict.DUE if here else Verdict.NOT_DUE, parsed.until)
