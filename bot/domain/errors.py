"""Every error of the house, named for what the caller does next.

LastcallError
├── PersonError                the person must say something else
│   ├── AskAgain               not understood: place of the fault and what to type instead
│   ├── Refused                understood, and not allowed or not possible
│   ├── PlaceLost              nobody can be told anything there any more
│   └── NotYet                 a command that a later release brings
├── ProviderError              the vendor
│   ├── TryLater               nothing was done; ask again after a while
│   ├── OutcomeUnknown         a write whose answer never came: look before you repeat it
│   ├── NoCapacity             this offer cannot be had: take the next
│   │   └── PriceChanged       it can, and costs more than was agreed: nothing was created
│   ├── NeedsHuman             bad key, quota, unpaid bill: only a person can mend it
│   └── VendorChanged          an answer that we cannot read: it means *unknown*, never *none*
├── ShellError                 the way into a machine
│   ├── Unreachable            no connection, or it was cut
│   │   └── KeyRefused         somebody answers and does not accept our key (yet)
│   ├── HostKeyChanged         somebody else answers at this address
│   ├── TooSlow                the limit of time or output was passed
│   └── FarSideFailed          the far side answered with a failure (disk full, no such file)
└── ClaimLost                  another process holds the row now: stop at once, write nothing
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


class LastcallError(Exception):
    """Base of all errors that are meant; everything else is a bug."""


class PersonError(LastcallError):
    """One clear sentence for the person who typed."""


@dataclass(frozen=True)
class Caret:
    """Where in a line the fault is: ``line[start:end]`` (characters, half-open)."""

    line: str
    start: int
    end: int


class AskAgain(PersonError):
    """Not understood, or understood in two ways. ``expected`` and ``nearest`` tell what would work."""

    def __init__(
        self, sentence: str, *, caret: Caret | None = None, expected: str = "", nearest: str = ""
    ) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.caret = caret
        self.expected = expected
        self.nearest = nearest


class Refused(PersonError):
    """Understood and refused; ``help`` is the sentence that says what would be accepted."""

    def __init__(self, sentence: str, *, help: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.help = help


class PlaceLost(Refused):
    """A channel that is archived, deleted or closed to us: what was to be said there is said elsewhere."""


class NotYet(Refused):
    """A command that a later release brings."""


class ProviderError(LastcallError):
    """The vendor; ``reason`` is the vendor's own sentence, redacted."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class TryLater(ProviderError):
    """Nothing was done. ``after`` is how long the vendor asked us to wait."""

    def __init__(self, reason: str, *, after: timedelta = timedelta(seconds=15)) -> None:
        super().__init__(reason)
        self.after = after


class OutcomeUnknown(ProviderError):
    """A write whose answer never came."""


class NoCapacity(ProviderError):
    """The offer cannot be had (any more)."""


class PriceChanged(NoCapacity):
    """The offer costs more than was agreed; nothing was created."""


class NeedsHuman(ProviderError):
    """Key, quota or payment: repeating does not help."""


class VendorChanged(ProviderError):
    """An answer that cannot be read."""


class ShellError(LastcallError):
    """The way into a machine failed; ``reason`` is one sentence."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Unreachable(ShellError):
    """No connection, or it was cut in the middle."""


class KeyRefused(Unreachable):
    """The port is open and our key is not accepted (yet)."""


class HostKeyChanged(ShellError):
    """The host key is not the one that was pinned when the rental began."""


class TooSlow(ShellError):
    """The limit of time or output was passed; what ran was stopped."""


class FarSideFailed(ShellError):
    """The far side could not do it: disk full, missing file, refused path. ``kind`` is for programs:
    ``disk_full``, ``missing``, ``exists``, ``corrupt``, ``other``."""

    def __init__(self, reason: str, *, kind: str = "other") -> None:
        super().__init__(reason)
        self.kind = kind


class ClaimLost(LastcallError):
    """The row's token is not ours any more."""
