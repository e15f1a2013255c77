"""What is heard: commands, mentions, direct messages, clicks, the App Home. Each becomes a line for the desk, once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from adapters.chat.slack.answers import Answers, Spot
from adapters.chat.slack.api import Api
from adapters.chat.slack.dialogs import Dialogs
from adapters.chat.slack.files import Files
from adapters.chat.slack.home import view as home_view
from adapters.chat.slack.people import People
from adapters.chat.slack.typed import typed
from adapters.chatkit.work import Recent, Work
from bot.domain.errors import LastcallError
from bot.domain.talk import Actor, Attached, Channel, Kind, Reply, Request, Tone
from bot.ports import Clock, Desk

_TWICE = timedelta(seconds=5)
"""A second click on the same button of the same message within this is a double click."""
_SPOKEN = (None, "file_share", "thread_broadcast")
"""Subtypes of messages that somebody says; an edited one would run its command again (chat-platforms.md, 2.5)."""

Payload = Mapping[str, Any]


class Ear:
    """``bot``: the bot's own user id, filled when it is known."""

    def __init__(
        self,
        desk: Desk,
        *,
        api: Api,
        people: People,
        answers: Answers,
        files: Files,
        clock: Clock,
        work: Work,
    ) -> None:
        self._desk = desk
        self._api = api
        self._people = people
        self._answers = answers
        self._files = files
        self._clock = clock
        self._recent = Recent(clock)
        self.dialogs = Dialogs(desk, api, answers, clock, work)
        self.bot = ""

    async def command(self, body: Payload) -> None:
        """``/gpu …``. A redelivery has the same trigger."""
        key = f"slack:{body.get('trigger_id')}"
        spot = Spot(
            str(body["user_id"]), str(body["channel_id"]), response_url=str(body.get("response_url") or "")
        )
        if not self._recent.first(key):
            return
        actor = await self._heard(spot, name=str(body.get("user_name") or ""))
        text = typed(str(body.get("text") or ""))
        if actor is None:
            return
        if form := self._desk.open_form(text):
            await self.dialogs.open(str(body.get("trigger_id")), actor, spot, form)
            return
        await self._answer(actor, spot, text, key)

    async def mention(self, event: Payload) -> None:
        """``@lastcall …`` in a channel or a thread; answered in the thread."""
        if event.get("bot_id") or event.get("subtype") not in _SPOKEN:
            return
        await self._line(event, public=True)

    async def message(self, event: Payload) -> None:
        """A direct message is a line as a whole. In channels only mentions are meant for us."""
        direct = event.get("channel_type") == "im"
        if not direct or event.get("bot_id") or event.get("subtype") not in _SPOKEN:
            return
        await self._line(event, public=False)

    async def _line(self, event: Payload, *, public: bool) -> None:
        channel, ts, user = str(event["channel"]), str(event["ts"]), str(event.get("user") or "")
        key = f"slack:{channel}:{ts}"  # a mention that comes as two events has one time
        if not user or user == self.bot or not self._recent.first(key):
            return
        thread = str(event.get("thread_ts") or "")
        spot = Spot(user, channel, thread or (ts if public else ""), public=public)
        actor = await self._heard(spot)
        if actor is None:
            return
        text = typed(str(event.get("text") or ""), self.bot)
        attached = self._files.attached(event.get("files"))
        if not attached and thread and "attached" in text.split():
            attached = await self._in_thread(channel, thread, user)
        await self._answer(actor, spot, text or "help", key, thread=thread, attached=attached)

    async def _in_thread(self, channel: str, thread: str, user: str) -> tuple[Attached, ...]:
        """What this person shared last in the thread."""
        try:
            found = await self._api.call("conversations.replies", channel=channel, ts=thread, limit=200)
        except LastcallError:
            return ()
        mine = [one for one in found.get("messages") or () if one.get("user") == user and one.get("files")]
        return self._files.attached(mine[-1]["files"]) if mine else ()

    async def click(self, body: Payload) -> None:
        """A button says its command. Twice within seconds, or delivered twice, is once; the message's last edit is a
        part of the key, so that the same button on a card that moved on is a new word."""
        action = body["actions"][0]
        if body.get("view") and (body["view"].get("type") == "modal"):
            person, why = await self._people.actor(str(body["user"]["id"]))
            if not why:
                await self.dialogs.changed(person, body)
            return
        line = str(action.get("value") or "")
        spot = _clicked_at(body)
        place, message = body.get("container") or {}, body.get("message") or {}
        where = f"{spot.channel}:{place.get('message_ts') or place.get('view_id')}"
        edited = (message.get("edited") or {}).get("ts", "")
        button = f"slack:{where}:{edited}:{spot.user}:{line}"
        # Without a message to look at (ephemeral, the App Home) only the moment tells two clicks apart.
        key = button if message else f"{button}:{action.get('action_ts')}"
        if not line or not self._recent.first(f"click {button}", _TWICE):
            return
        actor = await self._heard(spot, name=str((body.get("user") or {}).get("username") or ""))
        if actor is None:
            return
        if str(action.get("action_id")).startswith("ask:"):
            await self.dialogs.ask(str(body.get("trigger_id")), spot, action, key)
            return
        await self._answer(actor, spot, line, key)
        if (body.get("view") or {}).get("type") == "home":
            await self.opened(spot.user)

    async def opened(self, user: str) -> None:
        """The App Home, as it is now."""
        actor, why = await self._people.actor(user)
        replies = [_refused(why)] if why else await self._desk.home(actor)
        await self._api.call("views.publish", user_id=user, view=home_view(replies))

    async def submitted(self, body: Payload) -> Mapping[str, Any]:
        """The answer to a modal that was sent off: nothing closes it."""
        user = str(body["user"]["id"])
        actor, why = await self._people.actor(user)
        if why:
            return self.dialogs.refusal(_refused(why))
        return await self.dialogs.submitted(actor, body)

    # --- inside ------------------------------------------------------------------------------

    async def _heard(self, spot: Spot, *, name: str = "") -> Actor | None:
        """The person; who is not heard is told why."""
        actor, why = await self._people.actor(spot.user, name=name)
        if not why:
            return actor
        await self._answers.give(spot, _refused(why))
        return None

    async def _answer(
        self,
        actor: Actor,
        spot: Spot,
        text: str,
        key: str,
        *,
        thread: str = "",
        attached: tuple[Attached, ...] = (),
    ) -> None:
        channel = Channel("slack", spot.channel or f"@{spot.user}", thread)
        request = Request(actor, channel, text, key, self._clock.now(), attached=attached)
        await self._answers.give(spot, await self._desk.handle(request))


def _clicked_at(body: Payload) -> Spot:
    message = body.get("message") or {}
    thread = str(message.get("thread_ts") or (body.get("container") or {}).get("thread_ts") or "")
    channel = str((body.get("channel") or {}).get("id") or "")
    url = str(body.get("response_url") or "")
    return Spot(str(body["user"]["id"]), channel, thread, response_url=url)


def _refused(why: str) -> Reply:
    return Reply(Kind.REFUSED, why, tone=Tone.WARN, private=True)
