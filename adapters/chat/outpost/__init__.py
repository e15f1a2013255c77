"""Notification addresses as a place to post: nobody is heard there, nothing is edited, and nothing has buttons."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from bot.domain.errors import Refused, TryLater
from bot.domain.outlet import ADDRESS
from bot.domain.talk import Channel, ChatCapabilities, Reply
from bot.ports import Addresses, Desk

_CAPABILITIES = ChatCapabilities(edits=False, buttons=False, pictures=False)


class AddressChat:
    """Implements ``bot.ports.Chat``. ``reveal`` gives the address that is kept for a channel's id, and raises
    ``KeyError`` where there is none, or none that this process can read."""

    name = ADDRESS
    capabilities = _CAPABILITIES

    def __init__(self, addresses: Addresses, reveal: Callable[[str], Awaitable[str]]) -> None:
        self._addresses = addresses
        self._reveal = reveal

    async def listen(self, desk: Desk) -> None:
        """Nobody talks back."""
        await asyncio.Event().wait()

    def serves(self, channel: Channel) -> bool:
        """Every process reaches them."""
        return channel.chat == ADDRESS

    async def post(self, channel: Channel, reply: Reply, *, key: str, retried: bool) -> str:
        """At least once: a second page is better than none. The reference is the key, for there is nothing to edit."""
        try:
            address = await self._reveal(channel.id)
        except KeyError:
            raise Refused(
                "its address cannot be read: LASTCALL_SECRET_KEY is not the one it was kept with"
            ) from None
        facts = (f"{name}: {value}" for name, value in reply.fields)
        if why := await self._addresses.tell(
            address, reply.title, "\n".join((*reply.lines, *facts)), reply.tone
        ):
            raise TryLater(why)
        return key

    async def edit(self, channel: Channel, ref: str, reply: Reply) -> None:
        """What was sent cannot be called back."""
