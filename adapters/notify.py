"""The second medium: whatever Apprise can reach. An address is a secret, and is never said.

Apprise is loaded when something is told for the first time, and aside: it takes seconds to, and most processes never
shout.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, InvalidStateError
from datetime import timedelta
from functools import partial
from types import ModuleType
from typing import Any

from bot.domain.talk import Tone

LIMIT = timedelta(seconds=30)
"""What an address gets to take a message; it is counted as failed after that."""

_log = logging.getLogger("lastcall.notify")
logging.getLogger("apprise").disabled = True  # its lines have addresses in them, which are secrets
for _chatty in ("urllib3", "requests", "requests_oauthlib", "oauthlib"):
    logging.getLogger(_chatty).setLevel(logging.CRITICAL)  # so have theirs; nobody else here uses them


class AppriseNotifier:
    """``bot.ports.Notifier`` for addresses as Apprise writes them (``ntfy://topic``, ``json://host/path``)."""

    def __init__(self, addresses: Sequence[str], *, limit: timedelta = LIMIT) -> None:
        self._addresses = tuple(addresses)
        self._limit = limit

    async def shout(self, title: str, text: str) -> Sequence[str]:
        if not self._addresses:
            return ()
        try:
            apprise = await asyncio.to_thread(_loaded)
        except Exception:  # noqa: BLE001 - whoever shouts has enough trouble
            _log.warning("the second medium cannot be loaded", exc_info=True)
            return tuple(str(number) for number, _ in enumerate(self._addresses, 1))
        told = await asyncio.gather(
            *(self._tell(apprise, number, one, title, text) for number, one in enumerate(self._addresses, 1))
        )
        return tuple(failed for failed in told if failed)

    async def _tell(self, apprise: ModuleType, number: int, address: str, title: str, text: str) -> str:
        """Nothing, or the name of an address that did not take it."""
        name = str(number)
        try:
            service = _service(apprise, address)
            if service is None:
                return f"{name} (no address that Apprise knows)"
            name = f"{number} ({_plain(service.service_name)})"
            taken = await _told(apprise, service, title, text, self._limit)
        except Exception as error:  # noqa: BLE001 - one that fails must not keep the others from being told
            _log.warning("address %s: %s", name, type(error).__name__)
            return name
        return "" if taken else name


class AppriseAddresses:
    """``bot.ports.Addresses``: one address at a time, of which more than yes or no is told."""

    def __init__(self, *, limit: timedelta = LIMIT) -> None:
        self._limit = limit

    async def service(self, address: str) -> str:
        """Addresses of the computer that Lastcall runs on (its desktop, its log) are none of a team's."""
        apprise = await asyncio.to_thread(_loaded)
        if address.partition("://")[0].lower() in _OWN_COMPUTER:
            return ""
        service = await asyncio.to_thread(_service, apprise, address)
        return "" if service is None else _plain(service.service_name)

    async def tell(self, address: str, title: str, text: str, tone: Tone) -> str:
        try:
            apprise = await asyncio.to_thread(_loaded)
            service = await asyncio.to_thread(_service, apprise, address)
            if service is None:
                return "Apprise does not know such an address any more"
            taken = await _told(apprise, service, title, text, self._limit, _TYPES[tone])
        except TimeoutError:
            return f"it did not answer within {self._limit.total_seconds():.0f} s"
        except Exception as error:  # noqa: BLE001 - what an address breaks must not keep others from being told
            return f"it failed ({type(error).__name__})"
        return "" if taken else "it did not take the message"


_TYPES = {Tone.CALM: "info", Tone.GOOD: "success", Tone.WARN: "warning", Tone.ALARM: "failure"}
_OWN_COMPUTER = ("dbus", "kde", "qt", "glib", "gnome", "macosx", "windows", "syslog", "rsyslog")


def _service(apprise: ModuleType, address: str) -> Any:
    # Without a limit and a pool of its own it stays in our thread.
    asset = apprise.AppriseAsset(app_id="Lastcall", async_mode=False, service_timeout=0)
    return apprise.Apprise.instantiate(address, asset=asset)


async def _told(
    apprise: ModuleType, service: Any, title: str, text: str, limit: timedelta, type_: str = "failure"
) -> bool:
    one = apprise.Apprise(asset=service.asset)
    one.add(service)
    say = partial(one.notify, body=text, title=title, notify_type=type_, body_format="text")
    async with asyncio.timeout(limit.total_seconds()):
        return bool(await asyncio.wrap_future(_aside(say)))


def _aside(call: Callable[[], Any]) -> Future[Any]:
    """In a thread that nobody waits for at the end of the process. Apprise's own ``async_notify`` keeps a pool that is
    waited for, so that a server whose answer drips would hold up the end for ever."""
    done: Future[Any] = Future()

    def work() -> None:
        with contextlib.suppress(InvalidStateError):  # given up meanwhile
            try:
                done.set_result(call())
            except Exception as error:  # noqa: BLE001 - the one who waits is told
                done.set_exception(error)

    threading.Thread(target=work, name="notify", daemon=True).start()
    return done


def _plain(service: Any) -> str:
    return str(service)[:40]


def _loaded() -> ModuleType:
    import apprise  # noqa: PLC0415

    apprise.Apprise.instantiate(
        "json://localhost"
    )  # finds all its services, which takes longer than the import
    return apprise
