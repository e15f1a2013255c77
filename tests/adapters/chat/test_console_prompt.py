"""The prompt on a terminal, seen as a person sees it: typed keys in, the screen read back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from prompt_toolkit.input import PipeInput, create_pipe_input

from adapters.chat.console import ConsoleChat, open_console
from bot.domain.talk import Channel, Kind, Reply
from tests.support.console import FakeDesk, Terminal, closed, quote, seat, training
from tests.support.waiting import wait_until

HERE = Channel("console", "s1")


@dataclass
class Suggested:
    """A completion as the commands give it."""

    text: str
    start: int
    description: str


@dataclass
class Sitting:
    """A person at a terminal."""

    chat: ConsoleChat
    desk: FakeDesk
    terminal: Terminal
    keys: PipeInput
    listening: asyncio.Task[None]
    interrupts: list[str] = field(default_factory=list)

    async def type(self, keys: str, until: Callable[[], object]) -> None:
        """Type and look until something is so."""
        self.keys.send_text(keys)
        await wait_until(until)

    def sees(self, *words: str) -> bool:
        """Whether all of these are on the screen."""
        return all(word in "\n".join(self.terminal.lines) for word in words)

    async def see(self, *words: str) -> None:
        """Look until all of these are on the screen."""
        await wait_until(lambda: self.sees(*words))

    async def card(self, reply: Reply, ref: str = "c1") -> None:
        """An open card, posted or edited, drawn at once."""
        await self.chat.edit(HERE, ref, reply)
        self.chat.screen.refresh()  # type: ignore[attr-defined]
        await self.see(reply.title)


@asynccontextmanager
async def sitting(
    desk: FakeDesk | None = None,
    *,
    columns: int = 80,
    rows: int = 30,
    history: Path | None = None,
    leaving: str = "",
    interrupt: bool = False,
) -> AsyncIterator[Sitting]:
    """Somebody sits down, and has gone at the end."""
    desk, terminal = desk or FakeDesk(), Terminal(columns, rows)
    struck: list[str] = []

    async def question() -> str:
        return leaving

    def complete(line: str) -> list[Suggested]:
        words = {"up": "rent a machine", "update": "never"}
        return [Suggested(word, 0, about) for word, about in words.items() if word.startswith(line)]

    with create_pipe_input() as keys:
        chat = open_console(
            seat(),
            interactive=True,
            complete=complete,
            history=history,
            on_interrupt=(lambda: struck.append("c-c")) if interrupt else None,
            leaving=question,
            input=keys,
            output=terminal.output(),
        )
        listening = asyncio.ensure_future(chat.listen(desk))
        try:
            await wait_until(lambda: "›" in "".join(terminal.lines))
            yield Sitting(chat, desk, terminal, keys, listening, struck)
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
            await chat.close()


async def test_a_line_is_sent_with_who_and_where():
    """Actor, channel, key, moment and folder go along; the answer stands under the line."""
    async with sitting() as at:
        await at.type("up 3090\r", lambda: at.sees("› up 3090", "Noted."))
        request = at.desk.requests[0]
        assert (request.text, request.key, request.folder) == ("up 3090", "k0", "/home/ada")
        assert (request.actor.key, request.channel) == ("console:host:ada", HERE)


async def test_a_card_changes_in_place_above_the_prompt():
    """An edit redraws the card; the screen never shows it twice."""
    async with sitting() as at:
        await at.card(training(100))
        await at.card(training(620))
        await at.see("62 %")
        assert at.terminal.everything.count("k7m2qd · Training") == 1
        assert not at.sees("10 %")
        assert at.terminal.lines[-1] == "›"


async def test_typing_goes_on_while_a_card_changes():
    """A half-typed line is not disturbed."""
    async with sitting() as at:
        await at.card(training(100))
        await at.type("stat", lambda: at.terminal.lines[-1] == "› stat")
        await at.card(training(620))
        await at.see("62 %")
        assert at.terminal.lines[-1] == "› stat"
        await at.type("us\r", lambda: at.desk.heard == ["status"])


async def test_a_final_card_is_printed_once_and_scrolls():
    """It leaves the live part; later lines come below it."""
    async with sitting() as at:
        await at.card(training())
        await at.chat.edit(HERE, "c1", closed())
        await at.chat.edit(HERE, "c1", closed())
        await at.type("spend\r", lambda: at.sees("› spend", "Noted."))
        assert at.terminal.everything.count("k7m2qd · Closed") == 1
        assert "Training" not in at.terminal.everything
        lines = "\n".join(at.terminal.lines)
        assert lines.index("Closed") < lines.index("› spend")


async def test_a_notice_is_printed_above_the_prompt():
    """The card stays below it, the typed text stays where it was."""
    async with sitting() as at:
        await at.card(training())
        await at.type("sta", lambda: at.terminal.lines[-1] == "› sta")
        await at.chat.post(HERE, Reply(Kind.NOTICE, "75 % of the budget"), key="n1", retried=False)
        await at.see("75 % of the budget", "› sta")
        lines = "\n".join(at.terminal.lines)
        assert lines.index("75 %") < lines.index("Training") < lines.index("› sta")


async def test_entered_lines_do_not_copy_the_cards():
    """What scrolls by is what was said, not the cards that were open meanwhile."""
    async with sitting() as at:
        await at.card(training())
        for n in range(5):
            await at.type(f"spend {n}\r", lambda n=n: at.sees(f"› spend {n}"))
        await wait_until(lambda: len(at.desk.heard) == 5)
        await at.card(training(700))
        assert at.terminal.everything.count("k7m2qd · Training") == 1


async def test_cards_never_fill_the_terminal():
    """With five rentals on twelve lines the prompt can still be seen."""
    async with sitting(rows=12) as at:
        for rental in ("aaaaaa", "bbbbbb", "cccccc", "dddddd", "eeeeee"):
            await at.chat.post(HERE, training(rental=rental), key=rental, retried=False)
        await at.card(training(rental="eeeeee"), ref="eeeeee")
        assert at.terminal.lines[-1] == "›"
        assert len(at.terminal.lines) <= 12
        assert at.sees("[1] Status")


async def test_a_narrow_terminal():
    """Forty columns: card, bar and buttons are all there."""
    async with sitting(columns=40) as at:
        await at.card(training())
        await at.see("62 %", "step 620 of 1000", "[1] Status", "[2] Tear down")


async def test_a_number_presses_and_danger_asks():
    """``1`` says the first button's line; a dangerous one is asked about in the prompt, once."""
    async with sitting(FakeDesk({"up": quote()})) as at:
        await at.type("up 3090\r", lambda: at.sees("[1] Confirm"))
        await at.type("1\r", lambda: at.desk.heard == ["up 3090", "confirm k7m2qd"])
        await at.card(training())
        await at.type("2\r", lambda: at.sees("Tear down k7m2qd? [y/N]"))
        await at.type("n\r", lambda: at.sees("Nothing was done."))
        await at.type("2\r", lambda: at.terminal.everything.count("Tear down k7m2qd?") == 2)
        await at.type("y\r", lambda: at.desk.heard[2:] == ["down k7m2qd"])
        await at.type("7\r", lambda: at.sees("There are 2 buttons: type a number from 1 to 2."))


async def test_buttons_that_change_under_the_fingers_are_not_pressed():
    """The number was typed for a quote; a card with other buttons came before Enter."""
    async with sitting(FakeDesk({"up": quote()})) as at:
        await at.type("up 3090\r", lambda: at.sees("[1] Confirm"))
        await at.type("2", lambda: at.terminal.lines[-1] == "› 2")
        await at.card(training(rental="p3x9aa"), ref="c2")
        await at.type("\r", lambda: at.sees("The buttons changed while you typed"))
        assert at.desk.heard == ["up 3090"]


async def test_ctrl_c_clears_the_line_then_says_how_to_leave():
    """A begun line is thrown away; on an empty one nobody is thrown out."""
    async with sitting() as at:
        await at.type("half a li", lambda: at.sees("half a li"))
        await at.type("\x03", lambda: at.terminal.lines[-1] == "›")
        await at.type("\x03", lambda: at.sees("Type quit or press Ctrl-D to leave."))
        assert not at.listening.done()
        assert at.desk.heard == []


async def test_ctrl_c_can_be_somebody_elses_business():
    """The demo ends things in order on it."""
    async with sitting(interrupt=True) as at:
        await at.type("\x03", lambda: at.interrupts == ["c-c"])
        await at.type("\x03", lambda: at.interrupts == ["c-c", "c-c"])


async def test_ctrl_c_on_a_question_is_no():
    """The dangerous button is let go."""
    async with sitting() as at:
        await at.card(training())
        await at.type("2\r", lambda: at.sees("[y/N]"))
        await at.type("\x03", lambda: at.sees("Nothing was done."))
        await at.type("y\r", lambda: at.desk.heard == ["y"])


async def test_quit_and_ctrl_d_leave():
    """Both end ``listen``; what was typed before is answered first."""
    for keys in ("spend\rquit\r", "spend\r\x04"):
        async with sitting() as at:
            await at.type(keys, at.listening.done)
            assert at.listening.exception() is None
            assert at.desk.heard == ["spend"]


async def test_leaving_may_be_asked_about():
    """Who would leave rentals untended is asked once; no is no."""
    async with sitting(leaving="2 rentals are open; leave?") as at:
        await at.type("quit\r", lambda: at.sees("2 rentals are open; leave? [y/N]"))
        await at.type("n\r", lambda: at.terminal.lines[-1] == "›")
        assert not at.listening.done()
        await at.type("quit\ry\r", at.listening.done)


async def test_tab_completes_with_descriptions():
    """The choices are shown with what they do."""
    async with sitting() as at:
        await at.type("u\t", lambda: at.sees("rent a machine"))
        await at.type("\x03", lambda: not at.sees("rent a machine"))


async def test_history_survives_and_forgets_what_began_with_a_space(tmp_path: Path):
    """The next session has the lines; the file is the owner's; answers to questions are not in it."""
    file = tmp_path / "state" / "history"
    async with sitting(history=file) as at:
        await at.card(training())
        await at.type("up 3090\r", lambda: len(at.desk.heard) == 1)
        await at.type(" key add secret\r", lambda: len(at.desk.heard) == 2)
        await at.type("2\r", lambda: at.sees("[y/N]"))
        await at.type("y\r", lambda: len(at.desk.heard) == 3)
        await at.type("up 3090\r", lambda: len(at.desk.heard) == 4)
    assert file.read_text() == "2\nup 3090\n"
    assert file.stat().st_mode & 0o777 == 0o600
    async with sitting(history=file) as at:
        await at.type("\x1b[A", lambda: at.terminal.lines[-1] == "› up 3090")


async def test_clear_leaves_the_cards():
    """What was said is wiped from the screen; what is open is not."""
    async with sitting() as at:
        await at.card(training())
        await at.type("spend\r", lambda: at.sees("Noted."))
        await at.type("clear\r", lambda: not at.sees("Noted."))
        await at.see("k7m2qd · Training")


async def test_a_hostile_title_does_not_move_the_cursor():
    """A card whose words try to wipe the screen is drawn like any other."""
    async with sitting() as at:
        await at.type("spend\r", lambda: at.sees("Noted."))
        await at.chat.edit(HERE, "c1", replace(training(), title="\x1b[2J\x1b[Hgotcha"))
        at.chat.screen.refresh()
        await at.see("gotcha", "Noted.")


async def test_a_slow_answer_shows_what_is_being_done():
    """A quiet line above the prompt, which is free meanwhile; gone with the answer."""
    async with sitting() as at:
        at.chat.screen.busy("offers 3090")
        at.chat.screen.refresh()
        await at.see("… offers 3090")
        at.chat.screen.busy("")
        at.chat.screen.refresh()
        await wait_until(lambda: not at.sees("… offers"))


def test_which_channels_are_served():
    """This session and the adopted ones, until the terminal is closed; never another chat's."""
    chat = open_console(seat(), interactive=False, adopted=lambda: {"old"})
    assert chat.serves(HERE)
    assert chat.serves(Channel("console", "old"))
    assert not chat.serves(Channel("console", "other"))
    assert not chat.serves(Channel("slack", "s1"))
    chat.stop_serving()
    assert not chat.serves(HERE)
