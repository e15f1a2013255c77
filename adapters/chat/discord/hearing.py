"""What is heard: slash commands, clicks, modals, half-typed options, messages. Each becomes a line for the desk, once.

It reads the gateway's events as they are: one that discord.py cannot parse ends its client, and is heard all the same.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from adapters.chat.discord import commands, limits, modals
from adapters.chat.discord.answers import (
    CHOICES,
    DEFER,
    DEFER_EDIT,
    MESSAGE,
    MODAL,
    ONLY_YOU,
    Answers,
    Spot,
)
from adapters.chat.discord.buttons import ASK, SURE, TEMPLATE, sure
from adapters.chat.discord.fetching import Fetching
from adapters.chat.discord.people import NAME, People
from adapters.chatkit.work import Recent, Work
from bot.domain.talk import Actor, Attached, Channel, Kind, Reply, Request, Tone
from bot.ports import Clock, Desk

log = logging.getLogger("lastcall.discord")

_TWICE = timedelta(seconds=5)
"""A second click on the same button of the same message within this is a double click."""
_FORM_S = 1.2
"""A modal is the first answer, due within three seconds; prices that take longer are left out of it."""
_PREFIX = re.compile(r"^\s*(?:!gpu|/gpu)(?:\s+|$)", re.IGNORECASE)
_COMMAND, _CLICK, _TYPING, _MODAL = 2, 3, 4, 5

Payload = Mapping[str, Any]


class Ear:
    """``bot``: the bot's own user id, filled when it is known."""

    def __init__(
        self, desk: Desk, *, people: People, answers: Answers, fetching: Fetching, clock: Clock, work: Work
    ) -> None:
        self._desk = desk
        self._fetching = fetching
        self._people = people
        self._answers = answers
        self._clock = clock
        self._work = work
        self._recent = Recent(clock)
        self.bot = ""

    def event(self, kind: str, data: Payload) -> None:
        """One dispatch of the gateway. Nothing here waits."""
        if kind == "INTERACTION_CREATE":
            self._work.spawn(self._interaction(data))
        elif kind == "MESSAGE_CREATE":
            self._work.spawn(self._message(data))
        elif kind in ("READY", "GUILD_CREATE", "GUILD_DELETE"):
            self._servers(kind, data)

    def _servers(self, kind: str, data: Payload) -> None:
        if kind == "READY":
            self._people.guilds = tuple(str(one["id"]) for one in data.get("guilds") or ())
            return
        others = tuple(one for one in self._people.guilds if one != str(data["id"]))
        gone = kind == "GUILD_DELETE" and not data.get("unavailable")
        self._people.guilds = others if gone else (*others, str(data["id"]))

    # --- interactions ------------------------------------------------------------------------

    async def _interaction(self, data: Payload) -> None:
        kind = data.get("type")
        if kind == _TYPING:
            await self._typing(data)
            return
        spot = self._spot(data)
        if not self._recent.first(f"discord:{spot.interaction}"):
            return
        if kind == _COMMAND:
            await self._command(data, spot)
        elif kind == _CLICK:
            await self._click(data, spot)
        elif kind == _MODAL:
            await self._modal(data, spot)

    async def _command(self, data: Payload, spot: Spot) -> None:
        said = commands.read(data["data"])
        line = said.values.get(commands.TEXT, "") if said.command == commands.RUN else ""
        form = self._desk.open_form(line or (said.command if not said.values and not said.file else ""))
        if form and await self._open_form(data, spot, form):
            return
        await self._answers.ack(spot, DEFER, {"flags": ONLY_YOU})
        if said.command != commands.RUN:
            values = dict(said.values)
            if said.file:
                values["data"] = "attached"
            line = self._desk.line(said.command, values)
        files = self._fetching.attached(
            ((data["data"].get("resolved") or {}).get("attachments") or {}).values()
        )
        await self._answer(data, spot, line, f"discord:{spot.interaction}", files)

    async def _open_form(self, data: Payload, spot: Spot, command: str) -> bool:
        """Whether a modal was shown; who may not rent, and what takes too long, is answered in words."""
        actor, why = await self._who(data)
        if why:
            return False
        try:
            async with asyncio.timeout(_FORM_S):
                form = await self._desk.form(self._request(actor, spot, "", ""), command, {})
        except TimeoutError:
            return False
        if form.refusal or not form.fields:
            return False
        await self._answers.ack(spot, MODAL, modals.form(form))
        return True

    async def _click(self, data: Payload, spot: Spot) -> None:
        """A button says its command. The message's last edit is a part of the key, so that the same button on a card
        that moved on is a new word."""
        found = TEMPLATE.fullmatch(str(data["data"].get("custom_id") or ""))
        message = data.get("message") or {}
        label = _label(message, str(data["data"].get("custom_id") or ""))
        if found is None:
            await self._answers.ack(spot, DEFER_EDIT)
            return
        line = found["line"]
        if found["mark"] == ASK:
            await self._answers.ack(spot, MODAL, modals.asking(label, "Your answer", line))
            return
        if found["mark"] == SURE:
            said = {"content": _meant(label, line), "components": sure(label, line), "flags": ONLY_YOU}
            await self._answers.ack(spot, MESSAGE, {**said, "allowed_mentions": {"parse": []}})
            return
        own = int(message.get("flags") or 0) & ONLY_YOU
        key = f"discord:{message.get('id')}:{message.get('edited_timestamp') or ''}:{spot.user}:{line}"
        first = self._recent.first(f"click {key}", _TWICE)
        await self._answers.ack(
            spot, DEFER_EDIT if own or not first else DEFER, None if own or not first else {"flags": ONLY_YOU}
        )
        if first:
            await self._answer(data, spot, line, key)

    async def _modal(self, data: Payload, spot: Spot) -> None:
        custom, values = str(data["data"].get("custom_id") or ""), modals.values(data["data"])
        await self._answers.ack(spot, DEFER, {"flags": ONLY_YOU})
        key = f"discord:{spot.interaction}"
        if custom.startswith(modals.ASKED):
            await self._answer(
                data, spot, f"{custom.removeprefix(modals.ASKED)} {values.get('answer', '')}".strip(), key
            )
            return
        command = custom.removeprefix(modals.FORM)
        actor, why = await self._who(data)
        if why:
            await self._answers.give(spot, _refused(why))
            return
        weighed = await self._desk.weigh(self._request(actor, spot, "", ""), command, values)
        if weighed.errors:
            lines = tuple(f"{name}: {one}" if name else one for name, one in weighed.errors.items())
            help_ = f"Nothing was rented. As a line: /gpu run {weighed.line or command}"
            reply = Reply(
                Kind.REFUSED,
                "Something in the form is not right.",
                (*lines, help_),
                tone=Tone.WARN,
                private=True,
            )
            await self._answers.give(spot, reply)
            return
        await self._answer(data, spot, weighed.line, key)

    async def _typing(self, data: Payload) -> None:
        said = commands.read(data["data"])
        actor, why = await self._who(data)
        choices = (
            []
            if why or not said.focused
            else await self._desk.suggest(
                actor, said.command, said.focused, said.values.get(said.focused, ""), said.values
            )
        )
        shown = [
            {"name": one.label[: limits.CHOICE] or one.value[: limits.CHOICE], "value": one.value}
            for one in choices
            if 0 < len(one.value) <= limits.CHOICE
        ]
        await self._answers.ack(self._spot(data), CHOICES, {"choices": shown[: limits.CHOICES]})

    # --- messages ----------------------------------------------------------------------------

    async def _message(self, data: Payload) -> None:
        """``@lastcall …``, a direct message, or ``!gpu …`` where contents may be read. An edit is no new command."""
        author, text = data.get("author") or {}, str(data.get("content") or "")
        if author.get("bot") or data.get("webhook_id") or data.get("type", 0) not in (0, 19):
            return
        direct = not data.get("guild_id")
        called = re.compile(rf"^\s*<@!?{re.escape(self.bot)}>[\s,:]*") if self.bot else None
        line = called.sub("", text, count=1) if called else text
        meant = direct or line != text or _PREFIX.match(text)
        key = f"discord:{data['channel_id']}:{data['id']}"
        if not meant or not self._recent.first(key):
            return
        spot = Spot(
            str(author["id"]),
            str(data["channel_id"]),
            message=str(data["id"]),
            direct=direct,
            heard_at=self._clock.now(),
        )
        files = self._fetching.attached(data.get("attachments") or ())
        await self._answer(data, spot, _PREFIX.sub("", line).strip() or "help", key, files)

    # --- inside ------------------------------------------------------------------------------

    async def _answer(
        self, data: Payload, spot: Spot, line: str, key: str, files: tuple[Attached, ...] = ()
    ) -> None:
        actor, why = await self._who(data)
        if why:
            await self._answers.give(spot, _refused(why))
            return
        request = self._request(actor, spot, line, key, files)
        await self._answers.give(spot, await self._desk.handle(request))

    async def _who(self, data: Payload) -> tuple[Actor, str]:
        member = data.get("member") or {}
        user = member.get("user") or data.get("user") or data.get("author") or {}
        if data.get("guild_id"):
            return self._people.here(str(data["guild_id"]), user, member)
        return await self._people.alone(user)

    def _request(
        self, actor: Actor, spot: Spot, line: str, key: str, files: tuple[Attached, ...] = ()
    ) -> Request:
        channel = Channel(NAME, f"@{spot.user}" if spot.direct else spot.channel)
        return Request(actor, channel, line, key, self._clock.now(), attached=files)

    def _spot(self, data: Payload) -> Spot:
        user = (data.get("member") or {}).get("user") or data.get("user") or {}
        return Spot(
            user=str(user.get("id") or ""),
            channel=str(data.get("channel_id") or (data.get("channel") or {}).get("id") or ""),
            application=str(data.get("application_id") or ""),
            interaction=str(data["id"]),
            token=str(data.get("token") or ""),
            direct=not data.get("guild_id"),
            heard_at=self._clock.now(),
        )


def _label(message: Payload, custom: str) -> str:
    rows = message.get("components") or ()
    every = [one for row in rows for one in row.get("components") or ()]
    return str(next((one.get("label") for one in every if one.get("custom_id") == custom), "") or "Yes")


def _meant(label: str, line: str) -> str:
    return f"**{label}?** That says `/gpu run {line.replace('`', '')}` and cannot be taken back."


def _refused(why: str) -> Reply:
    return Reply(Kind.REFUSED, why, tone=Tone.WARN, private=True)
