"""One host, asked through the Shell: a request out, an answer or a ``ProviderError`` back.

Only here are the shell's errors and the keeper's refusals turned into what the core does next.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from adapters.providers.local.far.keeper import ANSWER
from adapters.providers.local.payload import program
from bot.domain.errors import (
    HostKeyChanged,
    NeedsHuman,
    NoCapacity,
    OutcomeUnknown,
    ProviderError,
    ShellError,
    TryLater,
    VendorChanged,
)
from bot.domain.market import Access
from bot.ports import Ran, Shell

LIMITS: Mapping[str, timedelta] = {
    "probe": timedelta(seconds=25),
    "create": timedelta(seconds=19),
    "list": timedelta(seconds=15),
    "inspect": timedelta(seconds=15),
    "destroy": timedelta(seconds=60),
}
_NOTHING_WAS_MADE = {"taken": NoCapacity, "full": NoCapacity, "fault": NoCapacity, "no_way_in": NeedsHuman}
"""What ``create`` says after it has undone what it began."""


class Host:
    """A computer that keeps machines. ``title`` is what people call it; ``root`` and ``locks`` are folders there."""

    def __init__(
        self, access: Access, shell: Shell, *, title: str, root: str, locks: str, tools: str | None = None
    ) -> None:
        self.access = access
        self.title = title
        self._shell = shell
        self._folders = {"root": root, "locks": locks, "tools": tools}

    async def ask(self, command: str, **words: Any) -> Any:
        """The answer to a command that may be repeated. Raises ``ProviderError``."""
        try:
            ran = await self._run(command, words)
        except HostKeyChanged as error:
            raise self._stranger(error) from error
        except ShellError as error:
            raise TryLater(f"{self.title}: {error.reason}") from error
        answer = self._answer(ran)
        if "ok" in answer:
            return answer["ok"]
        kind = NeedsHuman if answer["no"] == "stuck" else TryLater
        raise kind(f"{self.title}: {answer['why']}")

    async def create(self, order: Mapping[str, Any]) -> None:
        """Make a machine. What is not certain is ``OutcomeUnknown``."""
        try:
            ran = await self._run("create", {"order": dict(order)})
        except HostKeyChanged as error:
            raise self._stranger(error) from error
        except ShellError as error:
            raise OutcomeUnknown(f"{self.title}: {error.reason}") from error
        try:
            answer = self._answer(ran)
        except ProviderError as error:
            raise OutcomeUnknown(error.reason) from error
        if "ok" not in answer:
            raise _NOTHING_WAS_MADE.get(answer["no"], OutcomeUnknown)(f"{self.title}: {answer['why']}")

    def _stranger(self, error: HostKeyChanged) -> NeedsHuman:
        return NeedsHuman(
            f"{self.title}: {error.reason} `ssh {self.title}` in a terminal shows what is to be done."
        )

    async def _run(self, command: str, words: Mapping[str, Any]) -> Ran:
        request = {**self._folders, **words, "command": command}
        argv = [self.access.python, "-I", "-"]
        return await self._shell.run(self.access, argv, limit=LIMITS[command], stdin=program(request))

    def _answer(self, ran: Ran) -> dict[str, Any]:
        for line in reversed(ran.stdout.decode(errors="replace").splitlines()):
            if line.startswith(ANSWER):
                try:
                    answer = json.loads(line.removeprefix(ANSWER))
                except ValueError:
                    break
                if isinstance(answer, dict) and ("ok" in answer or {"no", "why"} <= answer.keys()):
                    return answer
        if ran.exit_code in (126, 127):
            raise NeedsHuman(f"{self.title}: {self.access.python} cannot be run there")
        said = ran.stderr.decode(errors="replace").strip().splitlines()
        words = said[-1] if said else "it said nothing"
        raise VendorChanged(f"{self.title}: no answer from our program there ({words})")
