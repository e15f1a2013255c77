"""Where people are, what they talk to, and how they are told when a chat is not enough."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from bot.domain.form import Choice, Form, Shape, Weighed
from bot.domain.talk import Actor, Channel, ChatCapabilities, Reply, Request, Tone


class Desk(Protocol):
    """What a chat talks to. One path for all chats: dedupe, parse, policy, handler, reply. Nothing here raises but
    for cancellation; a fault of ours is a reply with a reference to the log."""

    async def handle(self, request: Request) -> Reply:
        """Do what the line says."""

    def open_form(self, text: str) -> str:
        """The command that this line names and leaves wholly open (``up``, ``train``); empty for every other line."""

    async def form(self, request: Request, command: str, values: Mapping[str, str]) -> Form:
        """The form of a command for this person, with live prices, filled with ``values`` (field to text)."""

    async def weigh(self, request: Request, command: str, values: Mapping[str, str]) -> Weighed:
        """What the filled form would cost at most, and what is wrong with it. Nothing is written, nothing rented."""

    def shapes(self) -> Sequence[Shape]:
        """Every command with what it takes, for chats that ask for values by name."""

    def line(self, command: str, values: Mapping[str, str]) -> str:
        """The line that these values (option to text) stand for."""

    async def suggest(
        self, actor: Actor, command: str, option: str, typed: str, values: Mapping[str, str]
    ) -> Sequence[Choice]:
        """What an option could be given while somebody types it: at most 25, the likely first, within a moment."""

    async def home(self, actor: Actor) -> Sequence[Reply]:
        """What a person sees who opens the bot: own rentals, the team's, the month's spend against the budgets."""


class Chat(Protocol):
    """A place where people are. Hears, posts, edits; nothing else."""

    name: str
    capabilities: ChatCapabilities

    async def listen(self, desk: Desk) -> None:
        """Hear until cancelled."""

    def serves(self, channel: Channel) -> bool:
        """Whether this process can post there now."""

    async def post(self, channel: Channel, reply: Reply, *, key: str, retried: bool) -> str:
        """Say it and return a reference for edits and, where there are threads, for ``Channel.thread``. ``retried``
        tells that an earlier try with the same ``key`` may have been said: look before saying it again. Raises
        ``TryLater``, ``PlaceLost`` when nobody can be told there, ``Refused`` when this cannot be said at all."""

    async def edit(self, channel: Channel, ref: str, reply: Reply) -> None:
        """Replace what was said. A message that is gone is success."""


class Addresses(Protocol):
    """Addresses that teams have given to be told at, each by itself."""

    async def service(self, address: str) -> str:
        """What kind of service an address is of (``ntfy``); empty where it is none that can be told."""

    async def tell(self, address: str, title: str, text: str, tone: Tone) -> str:
        """Tell it, as loudly as it is. Raises nothing and ends in time; empty when it was taken, else why not, without
        any secret."""


class Notifier(Protocol):
    """The second medium, for when the chat is not enough: mail, ntfy, a pager, a webhook."""

    async def shout(self, title: str, text: str) -> Sequence[str]:
        """Tell every address, side by side. Raises nothing and ends in time; returns those that did not take it, by a
        name that holds no secret (``2 (ntfy)``). Empty: all did."""
