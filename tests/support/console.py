"""A terminal that can be read back, and what sits at both ends of it: a typing person and a desk."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count

import pyte
from prompt_toolkit.data_structures import Size
from prompt_toolkit.output.color_depth import ColorDepth
from prompt_toolkit.output.vt100 import Vt100_Output

from adapters.chat.console import Seat
from bot.domain.errors import Caret
from bot.domain.talk import Actor, Button, Kind, Meter, Reply, Request, Table, Tone

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ADA = Actor("console", "host", "ada", "Ada")


class Terminal(io.StringIO):
    """What is written to it is obeyed like a terminal does; ``lines`` is what a person then sees."""

    def __init__(self, columns: int = 80, rows: int = 24) -> None:
        super().__init__()
        self.size = Size(rows=rows, columns=columns)
        self._screen = pyte.HistoryScreen(columns, rows, history=2000, ratio=0.5)
        self._screen.set_mode(pyte.modes.LNM)
        self._stream = pyte.Stream(self._screen)

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return "utf-8"

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self._stream.feed(text)
        return super().write(text)

    @property
    def lines(self) -> list[str]:
        """The visible lines that are not empty."""
        return [line.rstrip() for line in self._screen.display if line.strip()]

    @property
    def everything(self) -> str:
        """What has scrolled by and what is visible."""
        width = self.size.columns
        past = ["".join(row[x].data for x in range(width)) for row in self._screen.history.top]
        return "\n".join(line.rstrip() for line in (*past, *self._screen.display))

    def output(self) -> Vt100_Output:
        """The line editor's way to write here."""
        return Vt100_Output(
            self,
            lambda: self.size,
            term="xterm-256color",
            enable_cpr=False,
            default_color_depth=ColorDepth.DEPTH_4_BIT,
        )


class ClosedPipe(io.StringIO):
    """A reader that leaves after ``most`` writes."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._left = most

    def write(self, text: str) -> int:
        if self._left == 0:
            raise BrokenPipeError
        self._left -= 1
        return super().write(text)


class Noon:
    """A clock that stands."""

    def now(self) -> datetime:
        return NOON


@dataclass
class FakeDesk:
    """Answers by the first word of the line, or with ``otherwise``; ``heard`` is what was asked."""

    answers: dict[str, Reply | Callable[[Request], Reply]] = field(default_factory=dict)
    otherwise: Reply = field(default_factory=lambda: Reply(Kind.ANSWER, "Noted."))
    requests: list[Request] = field(default_factory=list)

    @property
    def heard(self) -> list[str]:
        return [request.text for request in self.requests]

    async def handle(self, request: Request) -> Reply:
        self.requests.append(request)
        answer = self.answers.get(request.text.split(" ")[0], self.otherwise)
        return answer if isinstance(answer, Reply) else answer(request)


def seat(session: str = "s1") -> Seat:
    """Ada at noon; her lines have the keys k0, k1 and so on."""
    keys = count()
    return Seat(session, ADA, Noon(), lambda: f"k{next(keys)}", folder="/home/ada")


def quote(rental: str = "k7m2qd") -> Reply:
    """A quote that waits for a yes."""
    return Reply(
        Kind.CARD,
        f"{rental} · Quote",
        fields=(("Rate", "$0.22/h"), ("Worst case", "$0.95")),
        buttons=(
            Button("Confirm", f"confirm {rental}", primary=True),
            Button("Cancel", f"cancel {rental}"),
        ),
        rental=rental,
        data={"state": "quoted"},
    )


def training(done: int = 620, rental: str = "k7m2qd") -> Reply:
    """A card in the middle of its work."""
    return Reply(
        Kind.CARD,
        f"{rental} · Training",
        meter=Meter(done, 1000, f"step {done} of 1000"),
        fields=(("Loss", "0.084"),),
        buttons=(Button("Status", f"status {rental}"), Button("Tear down", f"down {rental}", danger=True)),
        rental=rental,
        data={"state": "training"},
    )


def closed(rental: str = "k7m2qd", *, success: bool = True) -> Reply:
    """The last word."""
    return Reply(
        Kind.CARD,
        f"{rental} · Closed",
        fields=(("Cost", "$0.24"),),
        tone=Tone.GOOD if success else Tone.ALARM,
        rental=rental,
        final=True,
        data={"state": "closed", "success": success},
    )


def full(**changed: object) -> Reply:
    """A reply in which every field says something."""
    said: dict[str, object] = {
        "kind": Kind.NOTICE,
        "title": "The title",
        "lines": ("First line", "Second line"),
        "fields": (("Rate", "$0.22/h"), ("Worst case", "$0.95")),
        "tables": (Table(("File", "Size"), (("a.bin", "9 kB"), ("bb.bin", "218 MB")), note="The note"),),
        "code": "ssh -p 22 root@host\n  second",
        "caret": Caret("up 3900 now", 3, 7),
        "meter": Meter(620, 1000, "step 620"),
        "buttons": (Button("Extend", "extend k7 1h"), Button("Tear down", "down k7", danger=True)),
        "pictures": ("/results/loss.png",),
        "tone": Tone.WARN,
        "private": True,
        "rental": "k7m2qd",
        "mention": (ADA,),
        "final": False,
        "data": {"cost": "0.24"},
    }
    return Reply(**(said | changed))  # type: ignore[arg-type]


def hostile(text: str) -> Reply:
    """A reply with ``text`` wherever text may be."""
    return full(
        title=text,
        lines=(text,),
        fields=((text, text),),
        tables=(Table((text, text), ((text, text),), note=text),),
        code=text,
        caret=Caret(text, 0, len(text)),
        meter=Meter(1, 2, text),
        buttons=(Button(text, text), Button(text, text, danger=True)),
        pictures=(text,),
        mention=(Actor("console", "host", text, text),),
    )


def lines_in(texts: Iterable[str]) -> str:
    """Input as it comes through a pipe."""
    return "".join(f"{text}\n" for text in texts)
