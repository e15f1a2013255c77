"""``lastcall demo``: a whole rental of this computer, told step by step, then the prompt."""

from __future__ import annotations

import sys

from bot.domain.rental import Step
from bot.domain.talk import Kind, Reply, Tone
from bot.entry.chat import chat
from bot.entry.terminal import Terminal, open_terminal
from bot.settings import Settings
from bot.store.journal import Line
from bot.wiring import Told

LINE = "train tiny-lora quick on local"
_STEPS = {step.value: f"{number}/{len(Step)}" for number, step in enumerate(Step, 1)}
_TONES = {"closed": Tone.GOOD, "trouble": Tone.WARN, "failure": Tone.ALARM}
_TOLD = {*_STEPS, *_TONES, "launch"}


async def demo(settings: Settings) -> int:
    """Play it, say where the results are, and stay at the prompt where there is one."""
    async with open_terminal(settings, interactive=False, story=True) as terminal:
        screen = terminal.console.screen
        await screen.answer(
            Reply(
                Kind.ANSWER,
                "Lastcall demo: a rental of this computer, from the first word to the closed tab",
                ("It costs nothing. Ctrl-C tears down before it leaves.",),
            )
        )
        await screen.say(f"> /gpu {LINE}")
        terminal.console.before = _Teller(terminal).tell
        code = await terminal.run(LINE, wait=True, yes=False)
        await _where(terminal)
    if code == 0 and sys.stdin.isatty() and sys.stdout.isatty():
        return await chat(settings, line=None, wait=False, json=False, yes=False)
    return code


class _Teller:
    """The journal as it grows, a line a step, each before the card that shows the same."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._told = 0
        self._rentals: set[str] = set()

    async def tell(self) -> None:
        """Tell what is new about the rentals of this session, to the last line of those that are closed."""
        app = self._terminal.app
        self._rentals |= {one.id for one in await self._terminal.mine()}
        for rental in self._rentals:
            for line in await app.store.journal.lines(rental=rental):
                if line.seq > self._told:
                    self._told = line.seq
                    await self._one(line)

    async def _one(self, line: Line) -> None:
        if line.kind in _TOLD:
            told = Told(
                f"{line.at:%H:%M:%S}",
                _STEPS.get(line.kind, ""),
                line.kind,
                line.text,
                _TONES.get(line.kind, Tone.CALM),
            )
            await self._terminal.console.screen.tell(told)


async def _where(terminal: Terminal) -> None:
    closed = await terminal.app.store.rentals.closed_ones(limit=1, owner=terminal.seat.actor.key)
    if not closed or not closed[0].results or closed[0].channel.id != terminal.seat.session:
        return
    found = [("results", str(terminal.app.settings.data / "results" / closed[0].id))]
    found += [("loss curve", one.path) for one in closed[0].results if one.name == "loss.png"]
    found.append(
        ("next", "type help, or train on your own images: train tiny-lora quick on local data ./folder")
    )
    await terminal.console.screen.answer(Reply(Kind.ANSWER, "Where to look", fields=tuple(found)))
