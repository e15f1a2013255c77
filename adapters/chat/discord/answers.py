"""How an answer reaches the person: in place of "thinking…" while the token lives, else by direct message."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from adapters.chat.discord import limits
from adapters.chat.discord.chat import DiscordChat, body, uploads
from adapters.chat.discord.render import render
from adapters.chat.discord.rest import DiscordRefused, Rest
from bot.domain.errors import LastcallError, PlaceLost
from bot.domain.talk import Reply
from bot.ports import Clock

log = logging.getLogger("lastcall.discord")

MESSAGE, DEFER, DEFER_EDIT, UPDATE, CHOICES, MODAL = 4, 5, 6, 7, 8, 9
ONLY_YOU = 64
_ALONE = "That is for you alone, and you take no messages from me: use /gpu."
_LIVES = timedelta(seconds=limits.TOKEN_LIVES_S - 15)


@dataclass(frozen=True, slots=True)
class Spot:
    """Where somebody spoke. ``token`` is a secret for fifteen minutes; it is kept until it was answered."""

    user: str
    channel: str
    application: str = ""
    interaction: str = ""
    token: str = ""
    message: str = ""
    """What is answered, where a message was said."""
    direct: bool = False
    heard_at: datetime | None = None


class Answers:
    """Says replies at spots. ``give`` never raises: an answer that cannot be given is logged."""

    def __init__(self, rest: Rest, chat: DiscordChat, clock: Clock) -> None:
        self._rest = rest
        self._chat = chat
        self._clock = clock

    async def ack(self, spot: Spot, kind: int, data: dict[str, Any] | None = None) -> None:
        """The first answer to an interaction, within three seconds. Raises as ``Rest.call``."""
        said = {"type": kind, **({"data": data} if data is not None else {})}
        await self._rest.call("POST", f"/interactions/{spot.interaction}/{spot.token}/callback", said)

    async def give(self, spot: Spot, reply: Reply) -> None:
        """The answer itself."""
        try:
            await self._give(spot, reply)
        except LastcallError as error:
            log.warning("an answer to %s could not be given: %s", spot.user, error)
        except Exception:
            log.exception("an answer to %s", spot.user)

    async def _give(self, spot: Spot, reply: Reply) -> None:
        rendered = render(reply)
        said, files = body(rendered), await uploads(reply, rendered)
        if spot.token:
            if await self._in_place(spot, said, files):
                return
            await self._directly(spot.user, said, files)
            return
        if reply.private and not spot.direct:
            try:
                await self._directly(spot.user, said, files)
            except PlaceLost:
                await self._said(
                    spot,
                    {"content": _ALONE},
                    [],
                )
            return
        await self._said(spot, said, files)

    async def _in_place(self, spot: Spot, said: dict[str, Any], files: list[Any]) -> bool:
        now = self._clock.now()
        if spot.heard_at is not None and now - spot.heard_at > _LIVES:
            return False
        path = f"/webhooks/{spot.application}/{spot.token}/messages/@original"
        try:
            await self._rest.call("PATCH", path, said, files=files)
        except (DiscordRefused, PlaceLost):
            return False
        return True

    async def _directly(self, user: str, said: dict[str, Any], files: list[Any]) -> None:
        channel = await self._chat.direct(user)
        await self._rest.call("POST", f"/channels/{channel}/messages", said, files=files)

    async def _said(self, spot: Spot, said: dict[str, Any], files: list[Any]) -> None:
        answered = {"message_id": spot.message, "fail_if_not_exists": False}
        await self._rest.call(
            "POST",
            f"/channels/{spot.channel}/messages",
            {"allowed_mentions": {"parse": []}, **said, "message_reference": answered},
            files=files,
        )
