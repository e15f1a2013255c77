"""When the switch on a machine fires: the whole rule, as plain arithmetic.

This file travels to the machine as it is, so it needs nothing but the standard library of an old Python. Time is told
as seconds left and counted on the machine's own running clocks: what its calendar says is nobody's business.
"""

from __future__ import annotations

from typing import NamedTuple

LATE_S = 300.0
"""So long after the hard end as last told: until then it is the bot's to end the machine."""
SILENCE_S = 3600.0
"""So long without a heartbeat means that nobody watches any more."""


class Told(NamedTuple):
    """What the bot said last. ``left`` is in seconds, to the hard end; it may be below zero."""

    left: float
    since_boot: float
    """The machine's clock that runs on while it sleeps, at that moment."""
    awake: float
    """The one that stands still meanwhile: in a machine that slept nobody could be heard."""


def fires_in(told: Told, since_boot: float, awake: float) -> float:
    """Seconds until it fires; zero or less is now. A clock that seems to have gone back counts as standing still."""
    to_the_end = told.left + LATE_S - max(0.0, since_boot - told.since_boot)
    return min(to_the_end, SILENCE_S - max(0.0, awake - told.awake))


def why(told: Told, since_boot: float, awake: float) -> str:
    """The reason in words, for the log; nothing while it does not fire."""
    if fires_in(told, since_boot, awake) > 0:
        return ""
    passed = max(0.0, since_boot - told.since_boot) - told.left
    if passed >= LATE_S:
        return f"the hard end passed {passed:.0f} s ago and the machine is still here"
    return f"no heartbeat for {max(0.0, awake - told.awake):.0f} s"
