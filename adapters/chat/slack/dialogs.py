"""Modals: forms whose worst case is worked out before they are sent off, and questions that a button asks.

A trigger opens a modal within three seconds, and prices take longer: it opens waiting, and is filled
when they are there.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from adapters.chat.slack import forms
from adapters.chat.slack.answers import Answers, Spot
from adapters.chat.slack.api import Api, SlackRefused
from adapters.chatkit.work import Work
from bot.domain.errors import LastcallError
from bot.domain.form import Form, Weighed
from bot.domain.talk import Actor, Channel, Kind, Reply, Request, Tone
from bot.ports import Clock, Desk

log = logging.getLogger("lastcall.slack")

FORM, ASK = "lastcall:form", "lastcall:ask"
_ACK_S = 1.8
"""A modal is answered within three seconds; what takes longer goes on after it."""
_OPEN = 200
_TRIGGER = frozenset({"expired_trigger_id", "trigger_expired", "exchanged_trigger_id", "trigger_exchanged"})
_CLOSE: Mapping[str, Any] = {"response_action": "clear"}


@dataclass(slots=True)
class _Open:
    """A modal that somebody has before them: what it asks, and how often it was changed."""

    form: Form
    turn: int = 0
    weighed: Mapping[str, Weighed] = field(default_factory=dict)


class Dialogs:
    """Forms are remembered while they are open; one that was opened by another process is made anew."""

    def __init__(self, desk: Desk, api: Api, answers: Answers, clock: Clock, work: Work) -> None:
        self._desk = desk
        self._api = api
        self._answers = answers
        self._clock = clock
        self._work = work
        self._open: OrderedDict[str, _Open] = OrderedDict()

    async def open(self, trigger: str, actor: Actor, spot: Spot, command: str) -> None:
        """The form of a command, waiting first, then with live prices."""
        note = {"command": command, "channel": spot.channel, "thread": spot.thread}
        waiting = _named(forms.waiting(f"/gpu {command}"), FORM, note)
        try:
            opened = await self._api.call("views.open", trigger_id=trigger, view=waiting)
        except LastcallError as error:
            late = isinstance(error, SlackRefused) and error.error in _TRIGGER
            why = "That took too long to open a form." if late else "The form cannot be opened now."
            help_ = f"Say it as a line instead: /gpu help {command} shows how."
            await self._answers.give(spot, Reply(Kind.REFUSED, why, (help_,), tone=Tone.WARN, private=True))
            return
        shown = str(opened["view"]["id"])
        form = await self._desk.form(self._request(actor, note, ""), command, {})
        self._remember(shown, _Open(form))
        await self._show(shown, form, note)

    async def changed(self, actor: Actor, body: Mapping[str, Any]) -> None:
        """A field was answered: the worst case of it all is worked out anew. Only the last change is shown."""
        view = body["view"]
        if view.get("callback_id") != FORM:
            return
        note, shown = _note(view), str(view["id"])
        values = forms.values(view["state"])
        here = await self._opened(shown, actor, note, values)
        here.turn += 1
        turn = here.turn
        weighed = await self._desk.weigh(self._request(actor, note, ""), note["command"], values)
        if turn == here.turn:
            here.weighed = {_same(values): weighed}
            await self._show(shown, _filled(here.form, values), note, weighed)

    async def submitted(self, actor: Actor, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """What Slack is to do with the modal: close it, show errors at its fields, or wait for us."""
        view = body["view"]
        note, shown = _note(view), str(view["id"])
        values = forms.values(view["state"])
        if view.get("callback_id") == ASK:
            line = f"{note['line']} {' '.join(values.values())}".strip()
            self._work.spawn(self._do(actor, note, line, note["key"]))
            return _CLOSE
        here = await self._opened(shown, actor, note, values)
        here.turn += 1
        known = here.weighed.get(_same(values))
        work = asyncio.ensure_future(
            _ready(known)
            if known
            else self._desk.weigh(self._request(actor, note, ""), note["command"], values)
        )
        done, _ = await asyncio.wait({work}, timeout=_ACK_S)
        if not done:
            self._work.spawn(self._finish(work, actor, shown, note, _filled(here.form, values)))
            return {"response_action": "update", "view": _named(forms.waiting(here.form.title), FORM, note)}
        weighed = work.result()
        if weighed.errors:
            return {"response_action": "errors", "errors": forms.errors(here.form, weighed)}
        self._work.spawn(self._do(actor, note, weighed.line, f"slack:view:{shown}"))
        return _CLOSE

    async def ask(self, trigger: str, spot: Spot, action: Mapping[str, Any], key: str) -> None:
        """What a button asks for before its command is said."""
        line = str(action.get("value") or "")
        note = {"line": line, "channel": spot.channel, "thread": spot.thread, "key": key}
        label = str(((action.get("text") or {}).get("text")) or "Lastcall")
        view = _named(forms.asking(label, forms.asked_for(action)), ASK, note)
        try:
            await self._api.call("views.open", trigger_id=trigger, view=view)
        except LastcallError:
            help_ = f"Say it as a line instead: /gpu {line} …"
            reply = Reply(
                Kind.REFUSED, "The question cannot be asked now.", (help_,), tone=Tone.WARN, private=True
            )
            await self._answers.give(spot, reply)

    def refusal(self, reply: Reply) -> Mapping[str, Any]:
        """Shown in the modal that was sent off."""
        return {"response_action": "update", "view": forms.said(reply)}

    # --- inside ------------------------------------------------------------------------------

    async def _finish(
        self, work: asyncio.Future[Weighed], actor: Actor, view: str, note: Mapping[str, str], form: Form
    ) -> None:
        weighed = await work
        if weighed.errors:
            await self._show(view, form, note, weighed)
            return
        reply = await self._handled(actor, note, weighed.line, f"slack:view:{view}")
        await self._api.call("views.update", view_id=view, view=forms.said(reply))

    async def _do(self, actor: Actor, note: Mapping[str, str], line: str, key: str) -> None:
        reply = await self._handled(actor, note, line, key)
        await self._answers.give(Spot(actor.id, note.get("channel", ""), note.get("thread", "")), reply)

    async def _handled(self, actor: Actor, note: Mapping[str, str], line: str, key: str) -> Reply:
        """The same view sent off twice has one key, and one effect."""
        return await self._desk.handle(self._request(actor, note, line, key))

    def _request(self, actor: Actor, note: Mapping[str, str], text: str, key: str = "") -> Request:
        channel = Channel("slack", note.get("channel") or f"@{actor.id}", note.get("thread", ""))
        return Request(actor, channel, text, key, self._clock.now())

    async def _opened(
        self, view: str, actor: Actor, note: Mapping[str, str], values: Mapping[str, str]
    ) -> _Open:
        if view not in self._open:
            form = await self._desk.form(self._request(actor, note, ""), note["command"], values)
            self._remember(view, _Open(form))
        return self._open[view]

    def _remember(self, view: str, here: _Open) -> None:
        self._open[view] = here
        while len(self._open) > _OPEN:
            self._open.popitem(last=False)

    async def _show(
        self, view: str, form: Form, note: Mapping[str, str], weighed: Weighed | None = None
    ) -> None:
        """A modal that was closed meanwhile is nothing to worry about."""
        filled = _named(forms.view(form, weighed), FORM, note)
        try:
            await self._api.call("views.update", view_id=view, view=filled)
        except SlackRefused as error:
            log.info("a form could not be shown: %s", error.error)


async def _ready(weighed: Weighed) -> Weighed:
    return weighed


def _same(values: Mapping[str, str]) -> str:
    return json.dumps(dict(values), sort_keys=True)


def _filled(form: Form, values: Mapping[str, str]) -> Form:
    return forms.filled(form, values)


def _named(view: Mapping[str, Any], callback: str, note: Mapping[str, str]) -> dict[str, Any]:
    return {**view, "callback_id": callback, "private_metadata": json.dumps(note)}


def _note(view: Mapping[str, Any]) -> dict[str, str]:
    """What we wrote on the view: readable by clients, and therefore no secret, and nothing that gives a right."""
    try:
        said = json.loads(view.get("private_metadata") or "{}")
    except ValueError:
        said = {}
    return {str(name): str(value) for name, value in said.items()} if isinstance(said, dict) else {}
