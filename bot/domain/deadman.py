"""The dead-man's switch as a value: what a machine can do about itself when nobody watches it any more.

The vendor's part of it is data (which key, which calls), so that one program serves all machines. The account's
own key is never part of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

PROGRAM = "LASTCALL_SWITCH"
"""Environment variable that holds the program; a command line stays short that way."""
ORDER = "LASTCALL_SWITCH_ORDER"
"""The one that holds what it is told at the start, as JSON."""
TOLD = "TOLD = "
"""How the first line of a heartbeat begins; JSON follows."""
FOLDER = "switch"
"""Its files, in the machine's folder."""
GRACE = timedelta(minutes=2)
"""Between TERM and KILL: the trainer saves its checkpoint where it is."""


class Ends(StrEnum):
    """What the switch can bring about, from most to least."""

    MACHINE = "ends the machine"
    TRIES = "tries to end the machine, else to stop it"
    """The vendor gives a key and does not say what it may do; whether it may is known only when it is done."""
    JOB = "stops the job only"
    NOTHING = "not armed"


@dataclass(frozen=True, slots=True)
class Ask:
    """One call to the vendor, made from the machine with the machine's own key as bearer."""

    method: str
    url: str
    body: str = ""
    """JSON, or nothing."""


@dataclass(frozen=True, slots=True)
class Switch:
    """What is known before a machine was looked into."""

    ends: Ends = Ends.JOB
    key: str = ""
    """Name of the variable in which the vendor puts the key that is good for this machine alone."""
    found_in: tuple[str, ...] = ()
    """Files that hold the container's environment where a login does not see it."""
    probe: Ask | None = None
    """A read that shows whether the key is accepted."""
    asks: tuple[Ask, ...] = ()
    """In order; the next one is made when the vendor refuses the one before it."""
    every: timedelta = timedelta(seconds=4)
    """Least time between two calls."""
    agent: str = ""
    """User-Agent of its calls."""


JOB_ONLY = Switch()
"""For a vendor whose only keys are the account's, and for one's own computer."""
