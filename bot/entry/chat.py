"""``lastcall chat``: a prompt, or one command."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from bot.entry.terminal import Terminal, open_terminal
from bot.settings import Settings
from bot.wiring import what_is_left


async def chat(settings: Settings, *, line: str | None, wait: bool, json: bool, yes: bool) -> int:
    """Returns the exit code: 0 done, 1 refused or failed, 2 not understood, 130 interrupted. Whatever way it ends, it
    says what is open and has nobody who looks after it any more."""
    async with open_terminal(settings, interactive=line is None, json=json) as terminal:
        try:
            if line is not None:
                return await terminal.run(line, wait=wait, yes=yes)
            await _prompt(terminal, quiet=json)
            return 0
        finally:
            if left := await terminal.unattended():
                sys.stderr.write(_last_words(left, commands=line is None) + "\n")


async def _prompt(terminal: Terminal, *, quiet: bool) -> None:
    if sys.stdin.isatty() and not quiet:
        await terminal.console.screen.say("Lastcall. Type help, or quit to leave.")
    await terminal.console.listen(terminal.app.desk)


def _last_words(left: Sequence[str], *, commands: bool) -> str:
    """``commands``: with the lines to type, for somebody who leaves a prompt."""
    nobody = f"{', '.join(left)}: nobody looks after it now; start 'lastcall serve', or use --wait."
    if len(left) > 1:
        nobody = nobody.replace("after it", "after them")
    return f"{what_is_left(left)}\n{nobody}" if commands else nobody
