"""One command: its exit code, waiting for the end, quotes that want a yes."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Awaitable, Callable

import pytest

from adapters.chat.console import ConsoleChat, open_console, run_once
from bot.domain.talk import Channel, Kind, Reply, Request
from tests.support.console import ClosedPipe, FakeDesk, Terminal, closed, lines_in, quote, seat, training

HERE = Channel("console", "s1")
Story = list[tuple[str, Reply]]
"""What is posted (first time) and edited, by reference, once the rental was confirmed."""


class Typed(io.StringIO):
    """A keyboard with somebody at it."""

    def isatty(self) -> bool:
        return True


async def never(rental: str) -> bool:
    return False


class World:
    """A desk whose ``confirm`` sets a story going on the console."""

    def __init__(
        self, story: Story, out: io.StringIO, *, typed: str | None = None, json: bool = False
    ) -> None:
        self.out = out
        self.errors = io.StringIO()
        self.chat: ConsoleChat = open_console(
            seat(),
            interactive=False,
            json=json,
            stdin=io.StringIO() if typed is None else Typed(lines_in([typed])),
            stdout=out,
            stderr=self.errors,
            environ={"TERM": "xterm", "COLUMNS": "80"},
        )
        self.story = story
        self.tasks: list[asyncio.Task[None]] = []
        self.desk = FakeDesk({"up": quote(), "confirm": self.confirm})

    def confirm(self, request: Request) -> Reply:
        self.tasks.append(asyncio.ensure_future(self.tell()))
        return Reply(Kind.ANSWER, "It begins.", rental="k7m2qd")

    async def tell(self) -> None:
        for ref, reply in self.story:
            await self.chat.edit(HERE, ref, reply)
            await asyncio.sleep(0)

    async def run(
        self,
        text: str = "up 3090",
        *,
        wait: bool = True,
        yes: bool = False,
        closed: Callable[[str], Awaitable[bool]] = never,
        pause: Callable[[], Awaitable[None]] | None = None,
    ) -> int:
        forever: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        async def wait_for_ever() -> None:
            await asyncio.shield(forever)

        try:
            return await run_once(
                self.desk, self.chat, text, wait=wait, yes=yes, closed=closed, pause=pause or wait_for_ever
            )
        finally:
            await asyncio.gather(*self.tasks)
            await self.chat.close()


STORY: Story = [("c1", training(n)) for n in range(0, 1001, 5)] + [("c1", closed())]


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (Kind.ANSWER, 0),
        (Kind.CARD, 0),
        (Kind.NOTICE, 0),
        (Kind.REFUSED, 1),
        (Kind.NOT_YET, 1),
        (Kind.FAULT, 1),
        (Kind.MISUNDERSTOOD, 2),
    ],
)
@pytest.mark.parametrize("wait", [False, True])
async def test_the_exit_code_says_how_it_went(kind: Kind, code: int, wait: bool):
    """0 done, 1 refused or failed, 2 not understood; with nothing to wait for, waiting changes nothing."""
    world = World([], io.StringIO())
    world.desk.otherwise = Reply(kind, "The answer")
    assert await world.run("status", wait=wait) == code
    assert world.out.getvalue() == "The answer\n"


@pytest.mark.parametrize(("success", "code"), [(True, 0), (False, 1)])
async def test_waiting_ends_with_the_last_word(success: bool, code: int):
    """The rental's success is the exit code."""
    world = World([*STORY[:-1], ("c1", closed(success=success))], io.StringIO())
    assert await world.run(yes=True) == code
    assert world.desk.heard == ["up 3090", "confirm k7m2qd"]


async def test_without_a_terminal_progress_is_a_few_lines():
    """Two hundred edits of a card are ten lines and the result."""
    world = World(STORY, io.StringIO())
    await world.run(yes=True)
    text = world.out.getvalue()
    assert text.count("k7m2qd · Training") == 11
    assert "k7m2qd · Training  50 %  step 500 of 1000" in text
    assert text.count("k7m2qd · Closed") == 1
    assert "\x1b" not in text


async def test_the_last_json_line_is_the_last_word():
    """Every reply is one line of JSON; what comes after the end is not printed."""
    world = World([*STORY, ("late", training())], io.StringIO(), json=True)
    assert await world.run(yes=True) == 0
    said = [json.loads(line) for line in world.out.getvalue().splitlines()]
    assert [one["event"] for one in said[:3]] == ["answer", "answer", "edit"]
    finals = [one for one in said if one["final"]]
    assert len(finals) == 1
    assert finals[0]["data"] == {"state": "closed", "success": True}
    assert not world.chat.serves(HERE)


async def test_a_quote_without_a_terminal_is_left_alone():
    """Nothing is rented unasked; it says how to go on."""
    world = World(STORY, io.StringIO())
    assert await world.run() == 1
    assert world.desk.heard == ["up 3090"]
    assert world.out.getvalue().splitlines()[-1] == (
        "Nothing is rented yet. To go on: confirm k7m2qd (or run with --yes)."
    )


async def test_a_programs_hint_is_not_on_its_stream():
    """With JSON, standard output has replies only."""
    world = World(STORY, io.StringIO(), json=True)
    assert await world.run() == 1
    assert len(world.out.getvalue().splitlines()) == 1
    assert "confirm k7m2qd" in world.errors.getvalue()


async def test_yes_without_waiting_confirms_and_goes():
    """The exit code is that of the confirmation."""
    world = World(STORY, io.StringIO())
    world.desk.answers["confirm"] = Reply(Kind.REFUSED, "Over budget")
    assert await world.run(wait=False, yes=True) == 1
    assert world.desk.heard == ["up 3090", "confirm k7m2qd"]


async def test_without_waiting_a_quote_is_the_answer():
    """Nothing more is asked or done."""
    world = World(STORY, io.StringIO())
    assert await world.run(wait=False) == 0
    assert world.desk.heard == ["up 3090"]


@pytest.mark.parametrize(
    ("typed", "code", "heard"),
    [("y", 0, ["up 3090", "confirm k7m2qd"]), ("n", 1, ["up 3090"]), ("", 1, ["up 3090"])],
)
async def test_on_a_terminal_a_quote_is_asked_about(typed: str, code: int, heard: list[str]):
    """Only a yes rents."""
    terminal = Terminal()
    world = World(STORY, terminal, typed=typed)
    assert await world.run() == code
    assert world.desk.heard == heard
    assert "Confirm k7m2qd? [y/N]" in terminal.everything
    assert ("Nothing is rented." in terminal.everything) == (code == 1)


async def test_on_a_terminal_the_card_changes_in_place():
    """The story is one card and at last the result, once; no number is shown where none can be typed."""
    terminal = Terminal()
    world = World(STORY, terminal, typed="y")
    await world.run()
    assert "Training" not in terminal.everything
    assert terminal.everything.count("k7m2qd · Closed") == 1
    assert "› confirm k7m2qd" in terminal.everything
    assert "[1]" not in terminal.everything


async def test_an_open_card_stays_when_the_command_is_over():
    """What was last known is left on the screen."""
    terminal = Terminal()
    chat = World([], terminal).chat
    await chat.edit(HERE, "c1", training(300))
    chat.screen.refresh()  # type: ignore[attr-defined]
    await chat.close()
    assert "30 %" in terminal.everything
    assert terminal.everything.count("Training") == 1


async def test_a_quote_that_is_posted_later_is_confirmed_too():
    """The first answer may only say that offers are looked for."""
    world = World(STORY, io.StringIO())
    world.desk.answers["up"] = Reply(Kind.CARD, "Looking", rental="k7m2qd", data={"state": "looking"})
    running = asyncio.ensure_future(world.run(yes=True))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await world.chat.edit(HERE, "c0", quote())
    assert await running == 0
    assert world.desk.heard == ["up 3090", "confirm k7m2qd"]


async def test_other_rentals_do_not_end_the_wait():
    """A last word about another rental is shown and no more."""
    world = World([("o1", closed("zzzzzz", success=False)), *STORY], io.StringIO())
    assert await world.run(yes=True) == 0
    assert "zzzzzz" in world.out.getvalue()


async def test_a_last_word_said_elsewhere_is_asked_for():
    """The store says closed and nothing comes: the status has the verdict."""
    looks = 0

    async def is_closed(rental: str) -> bool:
        nonlocal looks
        looks += 1
        return looks > 2

    async def at_once() -> None:
        await asyncio.sleep(0)

    world = World([], io.StringIO())
    world.desk.answers["status"] = closed()
    assert await world.run(yes=True, closed=is_closed, pause=at_once) == 0
    assert world.desk.heard == ["up 3090", "confirm k7m2qd", "status k7m2qd"]


async def test_a_rental_that_is_over_already_is_not_waited_for():
    """``status --wait`` of a closed rental ends with its verdict."""
    world = World([], io.StringIO())
    world.desk.answers["status"] = closed(success=False)
    assert await world.run("status k7m2qd") == 1


async def test_a_reader_who_leaves_does_not_end_the_rental():
    """``| head -1`` gets its line; the command goes on quietly to the end, for somebody has to tear down."""
    out = ClosedPipe(1)
    world = World(STORY, out)
    assert await world.run(yes=True) == 0
    assert out.getvalue().startswith("k7m2qd · Quote\n")
    assert "Closed" not in out.getvalue()


async def test_a_terminal_that_goes_away_is_quiet():
    """The same where cards are redrawn."""

    class Gone(ClosedPipe):
        def isatty(self) -> bool:
            return True

    world = World(STORY, Gone(2), typed="y")
    assert await world.run(yes=True) == 0
