"""What is done beside the engine: reminders, idle machines, credit, vendors' bills and the weekly digest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from bot.domain.talk import Channel
from bot.lifecycle.digest import Digest
from bot.lifecycle.hands import Hands
from bot.lifecycle.idle import IdleWatch
from bot.lifecycle.inbox import Inbox
from bot.lifecycle.purse import Purse
from bot.lifecycle.reminders import EVERY, Reminders
from bot.lifecycle.settle import Settle
from bot.settings import Settings
from bot.wiring.parts import reminders_of

REMINDERS = EVERY
BOOKS = timedelta(minutes=2)
"""A look whether it is time to settle or to tell of the week; the ticker takes no beat that is far ahead."""


@dataclass(frozen=True, slots=True)
class Upkeep:
    """Each part by itself; the ticker says when."""

    purse: Purse
    settle: Settle
    digest: Digest
    reminders: Reminders
    idle: IdleWatch
    inbox: Inbox

    @classmethod
    def of(cls, settings: Settings, hands: Hands, homes: Callable[[], Sequence[Channel]]) -> Upkeep:
        """``homes``: where to tell a team of its week."""
        return cls(
            purse=Purse(hands),
            settle=Settle(hands),
            digest=Digest(hands, homes),
            reminders=reminders_of(settings, hands),
            idle=IdleWatch(hands, limit=settings.idle_limit),
            inbox=Inbox(hands.store, hands.clock, settings.data),
        )

    async def remind(self, *, anything_open: bool) -> None:
        """A look at who uses the machines, and what somebody has to hear."""
        if anything_open:
            await self.idle.tick()
        await self.reminders.tick()

    async def keep_books(self) -> None:
        """What vendors have billed, the week that was, and data sets that are not needed any more."""
        await self.inbox.tick()
        await self.settle.tick()
        await self.digest.tick()

    async def stop(self) -> None:
        """Let what is leased go."""
        await self.purse.stop()
        await self.settle.stop()
        await self.idle.stop()
