"""The desk: one path for all chats. Request, parse, policy, handler, reply; every refusal is written down."""

from __future__ import annotations

import logging

from bot.commands.caret import shown
from bot.commands.grammar import parse
from bot.commands.handlers import HANDLERS
from bot.commands.house import House
from bot.domain.errors import AskAgain, NotYet, PersonError, ProviderError, Refused, ShellError
from bot.domain.talk import Kind, Reply, Request, Tone
from bot.store.rows import Entry

log = logging.getLogger("lastcall.desk")


class Desk:
    """Implements ``ports.Desk``."""

    def __init__(self, house: House) -> None:
        self.house = house

    async def handle(self, request: Request) -> Reply:
        """Never raises but for cancellation."""
        try:
            command = parse(request.text, self.house.vocabulary)
            return await HANDLERS[type(command)](self.house, request, command)
        except PersonError as error:
            await self._note(request, error)
            return _refusal(error)
        except (ProviderError, ShellError) as error:
            return Reply(
                Kind.FAULT, error.reason[:1].upper() + error.reason[1:], tone=Tone.WARN, private=True
            )
        except Exception:
            reference = self.house.ids.token()[:8]
            log.exception("request %s, reference %s", request.key, reference)
            lines = (
                "Nothing was rented by this. Try again; if it stays, show this reference to who runs Lastcall.",
            )
            title = f"A fault of Lastcall (reference {reference})."
            return Reply(Kind.FAULT, title, lines=lines, tone=Tone.ALARM, private=True)

    async def _note(self, request: Request, error: PersonError) -> None:
        """An audit line for every refusal; what was merely not understood is not worth one."""
        if isinstance(error, AskAgain):
            return
        entry = Entry("refused", f"{shown(request.text)[:200]}: {error}", actor=request.actor.key)
        try:
            await self.house.store.journal.add([entry], now=self.house.clock.now())
        except Exception:
            log.exception("the journal could not be written")


def _refusal(error: PersonError) -> Reply:
    if isinstance(error, AskAgain):
        lines = tuple(
            line
            for line in (
                f"Expected: {error.expected}" if error.expected else "",
                f"Did you mean: {error.nearest}" if error.nearest else "",
            )
            if line
        )
        return Reply(
            Kind.MISUNDERSTOOD,
            error.sentence,
            lines=lines,
            caret=error.caret,
            tone=Tone.WARN,
            private=True,
            data={"expected": error.expected, "nearest": error.nearest},
        )
    kind = Kind.NOT_YET if isinstance(error, NotYet) else Kind.REFUSED
    lines = (error.help,) if isinstance(error, Refused) and error.help else ()
    return Reply(kind, str(error), lines=lines, tone=Tone.WARN, private=True)
