"""The account's named SSH keys: one per launch, named by its label, and gone with it."""

from __future__ import annotations

from urllib.parse import quote

from adapters.http import Http
from adapters.providers.lambda_cloud.judge import KEY_IN_USE, NO_OBJECT, Coded
from adapters.providers.lambda_cloud.wire import Row, data_of, id_of, rows_of, text
from bot.domain.errors import NeedsHuman, OutcomeUnknown, TryLater, VendorChanged

KIND = "keys"
MOST = 1024
"""Keys that an account holds (lambda.md, 2.5)."""


class Keys:
    """One account's keys."""

    def __init__(self, http: Http) -> None:
        self._http = http

    async def register(self, name: str, public_key: str) -> None:
        """See to it that exactly this key has this name. Nothing is rented by it, so that every doubt is ``TryLater``.

        Raises ``NeedsHuman`` when the name belongs to another key: labels are never used twice, so that somebody
        else uses ours."""
        try:
            answer = await self._http.write(
                KIND, "POST", "/ssh-keys", json={"name": name, "public_key": public_key.strip()}
            )
            if _material(text(data_of(answer.body, "a new SSH key"), "public_key")) == _material(public_key):
                return
            reason = "Lambda's answer to a new SSH key cannot be read"
        except Coded as said:
            reason = said.reason
        except (OutcomeUnknown, VendorChanged) as lost:
            reason = lost.reason
        await self._make_sure(name, public_key, reason)

    async def remove(self, name: str) -> None:
        """Delete every key of that name; none is success. Raises ``TryLater`` while a machine uses it."""
        for row in await self.named(name):
            try:
                await self._http.write(
                    KIND, "DELETE", f"/ssh-keys/{quote(id_of(row, 'an SSH key'), safe='')}"
                )
            except Coded as said:
                if said.code == KEY_IN_USE:
                    raise TryLater(said.reason) from None
                if said.code != NO_OBJECT and await self.named(name):
                    raise

    async def named(self, name: str) -> list[Row]:
        """Those of that name."""
        return [row for row in await self.all() if text(row, "name") == name]

    async def all(self) -> list[Row]:
        """Every key of the account."""
        return list(rows_of(await self._http.read(KIND, "GET", "/ssh-keys"), "SSH keys"))

    async def _make_sure(self, name: str, public_key: str, reason: str) -> None:
        found = [_material(text(row, "public_key")) for row in await self.named(name)]
        if not found:
            raise TryLater(f"the key was not registered: {reason}")
        if found != [_material(public_key)]:
            raise NeedsHuman(f"another SSH key is called {name} on this Lambda account; remove it by hand")


def _material(line: str) -> tuple[str, ...]:
    """Type and body of an OpenSSH line, without its comment."""
    return tuple(line.split()[:2])
