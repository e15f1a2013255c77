"""What the reaper stands on: the accounts that the settings name, this computer if it has machines, and no database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from adapters import registry
from adapters.clock import SystemClock
from adapters.http import Pause, wait
from adapters.notify import AppriseNotifier
from adapters.shell import Shells
from bot.domain.label import NAMESPACE
from bot.domain.reaped import Visit
from bot.ports import Clock, Notifier, Provider
from bot.settings import Settings
from bot.wiring.parts import logins


@dataclass(frozen=True, slots=True)
class Reaping:
    """``blind``: what is set and cannot even be tried, each with its reason. ``notes``: what is not looked at, and
    need not be."""

    clock: Clock
    pause: Pause
    providers: tuple[Provider, ...]
    shells: Shells
    blind: tuple[Visit, ...]
    notes: tuple[str, ...]

    async def close(self) -> None:
        """Drop what is open."""
        await self.shells.close()
        for provider in self.providers:
            await provider.close()


class _NoKeys:
    """Rentals' own keys are in the database; ending a machine needs none of them."""

    async def private_key(self, ref: str) -> str:
        raise KeyError(ref)


def reaping_of(settings: Settings, namespace: str | None, faults: Mapping[str, str]) -> Reaping:
    """The real ones. ``namespace`` None is every namespace; ``faults`` says of a setting's field what is wrong with it:
    what needs one of these is not asked, and told as unknown."""
    clock, shells = SystemClock(), Shells(_NoKeys())
    blind: list[Visit] = []
    notes: list[str] = []
    own = [
        *_this_computer(settings, shells, faults, blind, notes),
        *_workstations(settings, namespace, shells, blind),
    ]
    clouds = registry.clouds(_readable(settings, faults, blind), clock)
    return Reaping(clock, wait, (*own, *clouds), shells, tuple(blind), tuple(notes))


def _readable(settings: Settings, faults: Mapping[str, str], blind: list[Visit]) -> list[registry.Login]:
    """The accounts whose key and address can be read: a key is not sent to another address than the one that was meant.
    The others of a vendor's settings (the port of SSH, where it tells the balance) end no machine."""
    found = []
    for login in logins(settings):
        key, address = f"{login.family}_api_key", f"{login.family}_api_url"
        wrong = [faults[field] for field in (key, address) if field in faults]
        if not wrong:
            found.append(login)
        # Without a key that is set, or was meant to be, nothing is rented there.
        elif login.key or key in faults:
            blind.append(Visit(login.family, unknown=" ".join(wrong)))
    return found


def _this_computer(
    settings: Settings, shells: Shells, faults: Mapping[str, str], blind: list[Visit], notes: list[str]
) -> Sequence[Provider]:
    """Its machines are folders below the data folder: without that there is nothing to be found, and no rent to pay."""
    folder = settings.data / "machines"
    try:
        there = folder.is_dir()
    except OSError as error:
        blind.append(Visit("local", unknown=f"{folder}: {error.strerror}"))
        return ()
    if not there:
        notes.append(f"This computer is not looked at: there is no folder {folder}.")
        return ()
    if "local_shell" in faults:
        blind.append(Visit("local", unknown=faults["local_shell"]))
        return ()
    return registry.computers(
        shells,
        data_dir=settings.data,
        namespace="",
        local_shell=settings.local_shell,
        # An address that cannot be read was meant to be one that is shared.
        shared=bool(settings.database_url) or "database_url" in faults,
    )


def _workstations(
    settings: Settings, namespace: str | None, shells: Shells, blind: list[Visit]
) -> Sequence[Provider]:
    """Each keeps its machines in a folder named by the namespace."""
    if not settings.local_hosts:
        return ()
    if namespace is None:
        why = "workstations keep the machines of each namespace apart: look at them with --namespace NAME"
        blind.append(Visit("local hosts", unknown=why))
        return ()
    try:
        return registry.computers(
            shells, data_dir=settings.data, namespace=namespace, local_hosts=settings.local_hosts
        )[1:]
    except ValueError as error:  # a slip there must not spare what runs in a cloud
        blind.append(Visit("local hosts", unknown=str(error)))
        return ()


def noted_namespace(settings: Settings) -> str:
    """The one that is set, or that a bot on this computer keeps beside its database; empty where neither is."""
    if settings.namespace:
        return settings.namespace
    try:
        kept = (settings.data / "namespace").read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""
    return kept if NAMESPACE.fullmatch(kept) else ""


def notifier_of(settings: Settings) -> Notifier:
    """The second medium; it has no address where none is set."""
    return AppriseNotifier(settings.notify_addresses)
