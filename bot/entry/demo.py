"""``lastcall demo``: a whole rental of this computer, told step by step, then the prompt."""

from __future__ import annotations

import sys
from datetime import timedelta

from bot.domain.rental import Rental
from bot.entry.chat import chat
from bot.entry.terminal import Terminal, open_terminal
from bot.settings import Settings

LINE = "train tiny-lora quick on local"
_TOLD = {
    "asked", "choose", "launch", "spin up", "validate", "deploy tools", "transfer dataset", "train", "pull results",
    "tear down", "trouble", "failure",
}


async def demo(settings: Settings) -> int:
    """Play it, say where the results are, and stay at the prompt where there is one."""
    async with open_terminal(settings, interactive=False) as terminal:
        say = terminal.console.screen.say
        await say("Lastcall demo: a rental of this computer, from the first word to the closed tab. Nothing costs money.")
        await say(f"\n> /gpu {LINE}\n")
        terminal.app.ticker.every("teller", lambda: timedelta(milliseconds=300), _Teller(terminal).tick)
        code = await terminal.run(LINE, wait=True, yes=False)
        await _where(terminal)
    if code == 0 and sys.stdin.isatty() and sys.stdout.isatty():
        return await chat(settings, line=None, wait=False, json=False, yes=False)
    return code


class _Teller:
    """The journal as it grows, a line a step."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._told = 0

    async def tick(self) -> None:
        """Tell what is new about the rentals of this session."""
        app = self._terminal.app
        for rental in await self._terminal.mine():
            for line in await app.store.journal.lines(rental=rental.id):
                if line.seq > self._told:
                    self._told = line.seq
                    if line.kind in _TOLD:
                        await self._terminal.console.screen.say(f"  {line.at:%H:%M:%S}  {line.kind:<17} {line.text}")


async def _where(terminal: Terminal) -> None:
    closed = await terminal.app.store.rentals.closed_ones(limit=1, owner=terminal.seat.actor.key)
    if not closed or not closed[0].results:
        return
    last: Rental = closed[0]
    say = terminal.console.screen.say
    await say(f"\nResults:     {terminal.app.settings.data / 'results' / last.id}")
    curve = next((one.path for one in last.results if one.name == "loss.png"), "")
    if curve:
        await say(f"Loss curve:  {curve}")
    await say('Next: lastcall chat, then "help". Your own images: train tiny-lora quick on local data ./folder')
