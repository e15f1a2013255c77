"""``--wait`` for an end, and answers that tell themselves incomplete."""

from __future__ import annotations

import asyncio
import io

import pytest

from adapters.chat.console import ConsoleChat, open_console, run_once
from bot.domain.talk import Kind, Reply
from tests.support.console import FakeDesk, closed, seat


def console(out: io.StringIO) -> ConsoleChat:
    """A pipe."""
    return open_console(seat(), interactive=False, stdin=io.StringIO(), stdout=out, environ={"TERM": "xterm"})


async def gone(_: str) -> bool:
    """What the store says of a closed rental."""
    return True


@pytest.mark.parametrize("success", [True, False])
async def test_who_asked_for_the_end_has_it_when_it_is_proven(success: bool):
    """``down --wait``: how the rental fared before is no part of what was asked for."""
    down = Reply(Kind.ANSWER, "Tearing down.", data={"rentals": ["k7m2qd"], "ends": True})
    desk, chat = FakeDesk({"down": down, "status": closed(success=success)}), console(io.StringIO())
    assert await run_once(desk, chat, "down all", wait=True, closed=gone, pause=_at_once) == 0


async def test_what_keeps_a_teardown_is_said_once_while_it_is_waited_for():
    """Each new reason is a line; the same one is not repeated."""
    out = io.StringIO()
    down = Reply(Kind.ANSWER, "Tearing down.", rental="k7m2qd", data={"ends": True})
    desk, chat = FakeDesk({"down": down, "status": closed()}), console(out)
    looks = iter(["", "the key is refused", "the key is refused", "it is slow", ""])

    async def trouble(_: str) -> str:
        return next(looks)

    asked = iter([False] * 5 + [True] * 9)

    async def is_closed(_: str) -> bool:
        return next(asked)

    code = await run_once(
        desk, chat, "down k7m2qd", wait=True, closed=is_closed, trouble=trouble, pause=_at_once
    )
    assert code == 0
    said = [line for line in out.getvalue().splitlines() if "tried again" in line]
    assert said == [
        "k7m2qd: the key is refused. It is tried again.",
        "k7m2qd: it is slow. It is tried again.",
    ]


async def test_an_incomplete_answer_is_a_failure():
    """``orphans`` of which somebody could not be asked."""
    desk = FakeDesk({"orphans": Reply(Kind.ANSWER, "Nothing was found.", data={"complete": False})})
    assert await run_once(desk, console(io.StringIO()), "orphans", closed=gone) == 1


async def _at_once() -> None:
    await asyncio.sleep(0)
