"""What people do. Each act returns what the app answered, after Slack has done with it what Slack does."""

from __future__ import annotations

from dataclasses import replace

from adapters.simulators.slack import payloads
from adapters.simulators.slack.api_chat import shown_message
from adapters.simulators.slack.curtain import after_click, after_command, after_submission
from adapters.simulators.slack.delivery import Delivered, Occurrence, Transport
from adapters.simulators.slack.respond import Responses
from adapters.simulators.slack.things import Json, Message, Place, SlackFile, User, View, pressable
from adapters.simulators.slack.town import SlackTown
from adapters.simulators.slack.values import Chosen, action_of, fill, missing
from adapters.simulators.slack.views import close_views


class Stage:
    """Only what a person could do can be done here: another thing raises ``LookupError`` or ``ValueError``."""

    def __init__(self, town: SlackTown, responses: Responses, transport: Transport) -> None:
        self._town = town
        self._responses = responses
        self.transport = transport
        """Sockets, or signed requests."""

    async def say_command(
        self, user: User, place: Place, text: str = "", *, command: str = "/gpu", deliveries: int = 1
    ) -> Delivered:
        """A slash command. ``deliveries``: how often Slack tells it."""
        self._inside(user, place)
        url = self._responses.give(user, place)
        told = await self._tell(payloads.slash(self._town, user, place, command, text, url), deliveries)
        after_command(self._town, self._responses.of(url), told, command)
        return told

    async def click(
        self, user: User, where: Message | View, action_id: str, *, value: Chosen = None, deliveries: int = 1
    ) -> Delivered:
        """Press a button, or choose ``value`` in a menu, that is to be seen there now."""
        element = _element(where, action_id)
        action = action_of(element, value, self._town.ts())
        if isinstance(where, View):
            if where.user != user.id or not where.open:
                raise LookupError("this person does not see that view")
            fill(where, {} if element["type"] in ("button", "overflow") else {action_id: value})
            return await self._tell(payloads.view_click(self._town, user, where, action), deliveries)
        if where.deleted or (where.only_for and where.only_for != user.id):
            raise LookupError("this person does not see that message")
        place = self._town.places[where.channel]
        url = self._responses.give(user, place, where)
        what = payloads.message_click(self._town, user, place, where, action, url)
        told = await self._tell(what, deliveries)
        after_click(self._town, self._responses.of(url), told)
        return told

    async def stale_click(self, user: User, message: Message, action: Json) -> Delivered:
        """A click of a button that was there when it was pressed and is not any more: ``action`` is one of an earlier
        ``message.buttons``."""
        place = self._town.places[message.channel]
        url = self._responses.give(user, place, message)
        pressed = action_of(action, None, self._town.ts())
        return await self._tell(payloads.message_click(self._town, user, place, message, pressed, url), 1)

    async def submit(
        self,
        user: User,
        values: dict[str, Chosen] | None = None,
        *,
        view: View | None = None,
        deliveries: int = 1,
    ) -> Delivered:
        """Fill in the modal on top by block or action id and send it off. Errors end up in ``view.errors``."""
        view = view or self._top(user)
        fill(view, values or {})
        if lost := missing(view):
            raise ValueError(f"Slack does not send it: {lost} are empty")
        view.errors = {}
        told = await self._tell(payloads.submission(self._town, user, view), deliveries)
        after_submission(self._town, view, told)
        return told

    async def close(self, user: User, *, whole: bool = False) -> Delivered | None:
        """Close the modal on top (``whole``: all). The app hears of it if the view asked for that."""
        view = self._top(user)
        close_views(self._town, view, whole=whole)
        if not view.body.get("notify_on_close"):
            return None
        return await self._tell(payloads.closed(self._town, user, view, whole=whole), 1)

    async def mention(
        self,
        user: User,
        place: Place,
        text: str,
        *,
        thread: str = "",
        also_message: bool = False,
        deliveries: int = 1,
    ) -> Delivered:
        """``@lastcall text`` in a channel or thread. ``also_message``: a second event of the same ``ts``,
        which is the last of ``again``."""
        message = self._put(user, place, f"<@{self._town.bot.id}> {text}", thread)
        return await self._mentioned(user, place, message, deliveries, also_message=also_message)

    async def say(
        self, user: User, place: Place, text: str, *, thread: str = "", deliveries: int = 1
    ) -> Delivered:
        """A message that does not mention the bot."""
        message = self._put(user, place, text, thread)
        return await self._event(payloads.said(self._town, user, place, message), deliveries)

    async def dm(self, user: User, text: str, *, thread: str = "", deliveries: int = 1) -> Delivered:
        """A direct message to the bot."""
        return await self.say(user, self._town.im(user), text, thread=thread, deliveries=deliveries)

    async def edit(self, message: Message, text: str) -> Delivered:
        """Its author writes something else."""
        before = shown_message(self._town, message)
        message.history.append(message.text)
        message.text, message.edited = text, message.edited + 1
        place = self._town.places[message.channel]
        return await self._event(payloads.changed(self._town, place, message, before), 1)

    async def delete(self, message: Message) -> Delivered:
        """Its author takes it back."""
        message.deleted = True
        place = self._town.places[message.channel]
        return await self._event(payloads.removed(self._town, place, message), 1)

    async def share_file(
        self,
        user: User,
        place: Place,
        name: str,
        data: bytes,
        text: str = "",
        *,
        thread: str = "",
        mention: bool = False,
        deliveries: int = 1,
    ) -> Delivered:
        """A message with a file; ``mention``: it speaks to the bot, and comes as both events."""
        town = self._town
        file = SlackFile(
            town.number("F"), name, len(data), user.id, name, data=data, complete=True, shared=[place.id]
        )
        town.files[file.id] = file
        words = f"<@{town.bot.id}> {text}" if mention else text
        message = self._put(user, place, words, thread, files=[file], subtype="file_share")
        if mention:
            return await self._mentioned(user, place, message, deliveries, also_message=True)
        return await self._event(payloads.said(town, user, place, message), deliveries)

    async def open_home(self, user: User, tab: str = "home") -> Delivered:
        """Open the app's page (``tab`` ``messages``: its direct messages)."""
        return await self._event(payloads.home_opened(self._town, user, tab), 1)

    async def again(self, delivered: Delivered, reason: str = "timeout") -> Delivered:
        """Slack tells the same once more: same payload and ids, the next attempt."""
        told = replace(delivered.sent, attempt=delivered.sent.attempt + 1, reason=reason)
        return await self.transport.tell(told)

    # -- behind the scenes

    async def _tell(self, what: Occurrence, deliveries: int) -> Delivered:
        first = await self.transport.tell(what)
        more = [await self.transport.tell(replace(what, attempt=n)) for n in range(1, deliveries)]
        return replace(first, again=tuple(more))

    async def _event(self, what: Json, deliveries: int) -> Delivered:
        return await self._tell(payloads.event(self._town, what), deliveries)

    async def _mentioned(
        self, user: User, place: Place, message: Message, deliveries: int, *, also_message: bool
    ) -> Delivered:
        if self._town.bot.id not in place.members:
            raise LookupError("the bot is not in that channel and hears no mention there")
        told = await self._event(payloads.said(self._town, user, place, message, mention=True), deliveries)
        if not also_message:
            return told
        twin = await self._event(payloads.said(self._town, user, place, message), 1)
        return replace(told, again=(*told.again, twin))

    def _put(
        self,
        user: User,
        place: Place,
        text: str,
        thread: str,
        files: list[SlackFile] | None = None,
        subtype: str = "",
    ) -> Message:
        self._inside(user, place)
        said = Message(place.id, self._town.ts(), user.id, text, thread, files=files or [], subtype=subtype)
        return self._town.put(place, said)

    def _inside(self, user: User, place: Place) -> None:
        if user.id not in place.members or user.deleted:
            raise LookupError(f"{user.name} is not in {place.name}")
        if place.archived:
            raise LookupError(f"{place.name} is archived")

    def _top(self, user: User) -> View:
        view = self._town.modal(user)
        if view is None:
            raise LookupError(f"{user.name} has no modal open")
        return view


def _element(where: Message | View, action_id: str) -> Json:
    for one in pressable(where.blocks):
        if one["action_id"] == action_id:
            return one
    raise LookupError(f"{action_id!r} is not there: {[one['action_id'] for one in pressable(where.blocks)]}")
