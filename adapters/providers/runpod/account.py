"""Balance, burn, and what bills without a pod that runs."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from adapters.providers.runpod.judge import Retired
from adapters.providers.runpod.machines import persistent_gb
from adapters.providers.runpod.profile import stopped_disk_monthly, volume_monthly
from adapters.providers.runpod.wire import Wire
from bot.domain.clocktime import short
from bot.domain.errors import VendorChanged
from bot.domain.market import Account, AccountNote, Leftover
from bot.domain.money import ZERO, Usd
from bot.ports import Clock

_LONG_H = 10_000


async def account(wire: Wire, clock: Clock) -> Account:
    """What GraphQL tells; when that has ended (early 2027), at least whether the key works."""
    try:
        told = await wire.myself(("clientBalance", "currentSpendPerHr"))
    except Retired:
        await wire.read("account", "account/ssh-keys")
        return Account(
            AccountNote.READY, "the key works; RunPod tells no balance any more", as_of=clock.now()
        )
    balance, burn = dollars(told.get("clientBalance")), dollars(told.get("currentSpendPerHr"))
    if balance is None:
        raise VendorChanged("RunPod's GraphQL did not tell the balance")
    return Account(AccountNote.READY, _note(balance, burn or ZERO), balance, burn, clock.now())


def _note(balance: Usd, burn: Usd) -> str:
    if burn <= ZERO:
        return f"{balance} left, nothing is spent"
    left = balance.lasts(burn)
    length = short(left) if left.total_seconds() < _LONG_H * 3600 else "more than a year"
    return f"{balance} left, {burn.rate()} is spent: lasts {length}"


def dollars(value: Any) -> Usd | None:
    """An amount of GraphQL's, also one below zero; None where it is none."""
    if not isinstance(value, int | Decimal) or isinstance(value, bool):
        return None
    try:
        return Usd.of(value)
    except (ValueError, InvalidOperation):
        return None


async def leftovers(wire: Wire, provider: str) -> list[Leftover]:
    """Network volumes, attached or not, and the disks of pods that were stopped. Raises ``VendorChanged`` for a row
    without an id: what cannot be named cannot be removed."""
    volumes = await wire.pages("account", "network-volumes", "networkVolumes")
    pods = await wire.pods()
    kept = [row for row in pods if row.get("status") == "EXITED" and persistent_gb(row)]
    return [*(_volume(provider, row) for row in volumes), *(_stopped(provider, row) for row in kept)]


def _volume(provider: str, row: Any) -> Leftover:
    if not isinstance(row, dict) or not isinstance(row.get("id"), str):
        raise VendorChanged("RunPod's listing has a network volume without an id")
    size = row.get("size")
    usual = isinstance(size, int) and row.get("type", "STANDARD") == "STANDARD"  # the faster ones are dearer
    return Leftover(
        provider=provider,
        id=row["id"],
        what="network volume",
        name=str(row.get("name", ""))[:80],
        monthly=volume_monthly(size) if usual and isinstance(size, int) else None,
        where=str(row.get("dataCenter", "")),
    )


def _stopped(provider: str, row: Mapping[str, Any]) -> Leftover:
    return Leftover(
        provider=provider,
        id=row["id"],
        what="stopped pod",
        name=str(row.get("name", ""))[:80],
        monthly=stopped_disk_monthly(persistent_gb(row)),
        where=str(row.get("dataCenterId") or ""),
    )
