"""The desk: one path for all chats. Request, parse, policy, handler, reply; every refusal is written down."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace

from bot.commands import forms, weighing
from bot.commands.caret import shown
from bot.commands.grammar import parse
from bot.commands.handlers import HANDLERS
from bot.commands.home import home
from bot.commands.house import House
from bot.commands.secrecy import hushed, masked
from bot.commands.shapes import line_of, shapes
from bot.commands.suggest import Suggester
from bot.domain.errors import AskAgain, NotYet, PersonError, ProviderError, Refused, ShellError
from bot.domain.form import Choice, Form, Shape, Weighed
from bot.domain.talk import Actor, Kind, Reply, Request, Tone
from bot.store.rows import Entry

log = logging.getLogger("lastcall.desk")


class Desk:
    """Implements ``ports.Desk``."""

    def __init__(self, house: House) -> None:
        self.house = house
        self._suggester = Suggester(house)

    async def handle(self, request: Request) -> Reply:
        """Never raises but for cancellation."""
        request = replace(request, actor=self._seated(request.actor))
        try:
            command = parse(request.text, self.house.vocabulary)
            return await HANDLERS[type(command)](self.house, request, command)
        except PersonError as error:
            await self._note(request, error)
            return hushed(request.text, _refusal(error))
        except (ProviderError, ShellError) as error:
            return Reply(
                Kind.FAULT, error.reason[:1].upper() + error.reason[1:], tone=Tone.WARN, private=True
            )
        except Exception:
            reference = self._reference()
            log.exception("request %s, reference %s", request.key, reference)
            return _fault(reference)

    def open_form(self, text: str) -> str:
        """``up`` and ``train`` alone ask for their form."""
        return forms.open_form(text)

    async def form(self, request: Request, command: str, values: Mapping[str, str]) -> Form:
        """A fault is a form with a refusal."""
        try:
            return await forms.build(self.house, self._seated(request.actor), command, values)
        except Exception:
            reference = self._reference()
            log.exception("the form of %s, reference %s", command, reference)
            return Form(command, forms.TITLES.get(command, command), refusal=_fault(reference).title)

    async def weigh(self, request: Request, command: str, values: Mapping[str, str]) -> Weighed:
        """A fault belongs to no field, and keeps the form from being sent off."""
        try:
            request = replace(request, actor=self._seated(request.actor))
            return await weighing.weigh(self.house, request, command, values)
        except Exception:
            reference = self._reference()
            log.exception("a filled form of %s, reference %s", command, reference)
            return Weighed("", errors={"": _fault(reference).title})

    async def home(self, actor: Actor) -> Sequence[Reply]:
        """A fault is a page that says so."""
        try:
            return await home(self.house, self._seated(actor))
        except Exception:
            reference = self._reference()
            log.exception("the opening page, reference %s", reference)
            return (_fault(reference),)

    def shapes(self) -> Sequence[Shape]:
        """Of the catalogue."""
        return shapes()

    def line(self, command: str, values: Mapping[str, str]) -> str:
        """What no line can hold is left for the grammar to refuse."""
        try:
            return line_of(command, values)
        except AskAgain:
            return " ".join([command, *values.values()])

    async def suggest(
        self, actor: Actor, command: str, option: str, typed: str, values: Mapping[str, str]
    ) -> Sequence[Choice]:
        """A fault suggests nothing."""
        try:
            return await self._suggester.suggest(self._seated(actor), command, option, typed, values)
        except Exception:
            log.exception("suggestions for %s %s", command, option)
            return ()

    def _seated(self, actor: Actor) -> Actor:
        return self.house.store.budgets.defaults.seated(actor)

    def _reference(self) -> str:
        """By which the log's story is found."""
        return self.house.ids.token()[:8]

    async def _note(self, request: Request, error: PersonError) -> None:
        """An audit line for every refusal; what was merely not understood is not worth one."""
        if isinstance(error, AskAgain):
            return
        entry = Entry("refused", f"{shown(masked(request.text))[:200]}: {error}", actor=request.actor.key)
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


def _fault(reference: str) -> Reply:
    lines = ("Nothing was rented by this. Try again; if it stays, show this reference to who runs Lastcall.",)
    title = f"A fault of Lastcall (reference {reference})."
    return Reply(Kind.FAULT, title, lines=lines, tone=Tone.ALARM, private=True)
