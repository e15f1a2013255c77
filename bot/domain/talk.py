"""What is said, in no chat's words: who asked, where, what; and what is answered.

Text in a Reply is plain: no markup, no mentions. Each chat renders it in its own idiom and escapes it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from bot.domain.errors import Caret


@dataclass(frozen=True, slots=True)
class Actor:
    """A person, keyed by what cannot be changed: chat, team (workspace, server, host) and id there."""

    chat: str
    team: str
    id: str
    name: str = ""
    rank: str = field(default="", compare=False)
    """The role that the chat itself gives this person now (``admin``, ``member``, ``viewer``); empty: it says nothing.
    Believed of whoever speaks, never of somebody who was written down."""
    joined: str = field(default="", compare=False)
    """The name of the team that this workspace or server forms with others, by the settings; empty: with none."""

    @property
    def key(self) -> str:
        """``chat:team:id``: how the store knows this person."""
        return f"{self.chat}:{self.team}:{self.id}"


@dataclass(frozen=True, slots=True)
class Channel:
    """A place to talk. ``thread`` is empty for the channel itself."""

    chat: str
    id: str
    thread: str = ""


@dataclass(frozen=True, slots=True)
class ChatCapabilities:
    """What a chat can show; what it cannot degrades as docs/reference says."""

    edits: bool = True
    buttons: bool = True
    pictures: bool = True
    threads: bool = False
    pace: timedelta = timedelta(0)
    """The least time between two edits of one message."""
    alone: bool = False
    """Only one process may listen at a time."""


@dataclass(frozen=True, slots=True)
class Attached:
    """A file that came with a line. It is fetched only when a command asks for it."""

    name: str
    """As the person called it: shown, never used as a path."""
    bytes: int
    """As the chat says; ``fetch`` stops where there is more."""
    fetch: Callable[[Path], Awaitable[None]] = field(repr=False)
    """Write it to this path. Raises ``Refused`` with a sentence when it cannot be had."""


@dataclass(frozen=True, slots=True)
class Request:
    """One line that somebody typed, or the line that a button stands for.

    ``key`` is unique per delivery attempt of the same utterance: the same key is answered with the
    same reply and has at most one effect.
    """

    actor: Actor
    channel: Channel
    text: str
    key: str
    at: datetime
    folder: str = ""
    """Where relative paths in the line start (the terminal's working folder); empty: none."""
    attached: tuple[Attached, ...] = ()


class Kind(StrEnum):
    """What a reply is; chats choose colour and visibility by it, the terminal its exit code."""

    ANSWER = "answer"
    CARD = "card"
    NOTICE = "notice"
    REFUSED = "refused"
    NOT_YET = "not_yet"
    MISUNDERSTOOD = "misunderstood"
    FAULT = "fault"


class Tone(StrEnum):
    """How loud: colour of a card, rung of a reminder."""

    CALM = "calm"
    GOOD = "good"
    WARN = "warn"
    ALARM = "alarm"


@dataclass(frozen=True, slots=True)
class Button:
    """``command`` is the line that a click says (without the slash command)."""

    label: str
    command: str
    danger: bool = False
    """What it does cannot be taken back: a chat that can asks once."""
    primary: bool = False
    asks: str = ""
    """What the chat asks for before the command is said; the answer is put at its end. A chat that cannot ask says
    the command as it is."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of plain text under a header; ``note`` is a line below."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Meter:
    """A bar: ``done`` of ``total`` (any unit), with its caption."""

    done: float
    total: float
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, a live card or a notice."""

    kind: Kind
    title: str
    lines: tuple[str, ...] = ()
    fields: tuple[tuple[str, str], ...] = ()
    """Label and value pairs, in order."""
    tables: tuple[Table, ...] = ()
    code: str = ""
    """Preformatted text (a log, an ssh command)."""
    caret: Caret | None = None
    meter: Meter | None = None
    buttons: tuple[Button, ...] = ()
    pictures: tuple[str, ...] = ()
    """Absolute paths of PNG files."""
    tone: Tone = Tone.CALM
    private: bool = False
    """Only for the eyes of who asked."""
    rental: str = ""
    mention: tuple[Actor, ...] = ()
    final: bool = False
    """The last word on this rental: it is closed."""
    files: tuple[str, ...] = ()
    """Absolute paths of files that are worth having in the chat; one that cannot take them names the path."""
    loud: bool = False
    """For everybody in the channel, where a notice on a rental would be said in the thread of its card."""
    rewrites: bool = False
    """Takes the place of what was said under its key, as a card's does; a notice is said anew otherwise."""
    data: Mapping[str, Any] = field(default_factory=dict)
    """The same for programs: JSON values only, money as decimal strings, moments as ISO 8601."""
