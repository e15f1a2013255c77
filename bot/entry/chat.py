"""``lastcall chat``: a prompt, or one command."""

from __future__ import annotations

import sys

from bot.entry.terminal import open_terminal
from bot.settings import Settings
from bot.wiring import what_is_left


async def chat(settings: Settings, *, line: str | None, wait: bool, json: bool, yes: bool) -> int:
    """Returns the exit code: 0 done, 1 refused or failed, 2 not understood, 130 interrupted."""
    async with open_terminal(settings, interactive=line is None, json=json) as terminal:
        if line is not None:
            code = await terminal.run(line, wait=wait, yes=yes)
            if terminal.app.working and code != 130 and (left := [one.id for one in await terminal.mine()]):
                sys.stderr.write(
                    f"{', '.join(left)}: nobody looks after it now; start 'lastcall serve', or use --wait.\n"
                )
            return code
        if sys.stdin.isatty() and not json:
            await terminal.console.screen.say("Lastcall. Type help, or quit to leave.")
        await terminal.console.listen(terminal.app.desk)
        left = [one.id for one in await terminal.app.store.rentals.open_ones()]
        if left and terminal.app.working:
            sys.stderr.write(what_is_left(left) + "\n")
        return 0
