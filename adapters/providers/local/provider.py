"""A computer of one's own as a provider: this one, or a workstation reached by SSH.

Every computer is a provider of its own name, so that one that is offline never keeps another's rentals open.
"""

from __future__ import annotations

import hashlib
import re
import socket
import sys
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from adapters.providers.local import hardware
from adapters.providers.local.host import Host
from adapters.providers.local.hosts import Workstation
from adapters.providers.local.offers import Seller, locks_of, offers
from bot.domain.errors import NeedsHuman, VendorChanged
from bot.domain.hardware import Hardware
from bot.domain.market import Access, Account, AccountNote, LaunchOrder, Machine, MachineState, Offer, Want
from bot.domain.money import ZERO, Usd
from bot.domain.vendor import Capabilities, Profile
from bot.ports import NothingMore, Shell

PROFILE = Profile(
    family="local",
    title="Local",
    best_for="trying things out and small LoRAs at no rent; data that must not leave the house",
    gpu_options="what is in this computer and in your workstations",
    price_range="electricity only",
    ease="nothing to sign up for",
    example_gpu="",
    example_hourly=ZERO,
    boot=timedelta(seconds=2),
    down_mbps=100,
    owned=True,
)
MARK = "LASTCALL_MACHINE"
WAYS = ("auto", "ssh", "process")
_STATES = {state.value: state for state in MachineState}


class LocalProvider(NothingMore):
    """``way_in`` says how rentals get into their machine: ``auto``, ``ssh`` (an sshd of its own), ``process``, or
    ``host`` (through the connection by which the host itself is reached)."""

    profile = PROFILE
    capabilities = Capabilities(
        untold=frozenset({"region", "reliability", "verified", "cuda", "down_mbps"}),
        settle=timedelta(seconds=5),
        launch_limit=timedelta(seconds=20),
        boot_limit=timedelta(seconds=60),
        teardown_latency=timedelta(seconds=30),
    )

    def __init__(self, name: str, host: Host, *, way_in: str, kwh_usd: Decimal = Decimal(0)) -> None:
        self.name = name
        self._host = host
        self._way_in = way_in
        self._seller = Seller(provider=name, where=host.title, kwh_usd=kwh_usd)

    async def discover(self) -> Hardware:
        """What this computer has. Raises ``ProviderError`` when it cannot be asked."""
        return (await self._look()).hardware

    async def offers(self, want: Want) -> Sequence[Offer]:
        """Free GPUs that fit; the CPU, where there is no GPU and the wish allows it."""
        return offers(await self._look(), want, self._seller)

    async def launch(self, offer: Offer, order: LaunchOrder) -> str:
        """Take the GPUs' locks and make the machine's folder and way in. The label is the machine's id."""
        if len(order.public_key.splitlines()) > 1:
            raise NeedsHuman("the public key of the order is not one line")
        locks = locks_of(offer)
        await self._host.create(
            {
                "label": order.label,
                "public_key": order.public_key.strip(),
                "disk_gb": order.disk_gb,
                "locks": locks,
                "env": {MARK: order.label, **_visible(locks)},
                "shell": "process" if self._way_in == "host" else self._way_in,
                "keep": {"key_ref": order.key_ref, "hourly": offer.hourly.micros},
            }
        )
        return order.label

    async def inspect(self, machine_id: str) -> Machine | None:
        """None when its folder is gone."""
        view = await self._host.ask("inspect", label=machine_id)
        return None if view is None else self._machine(view)

    async def machines(self) -> Sequence[Machine]:
        """Every machine folder of this computer, half made ones included."""
        return [self._machine(view) for view in await self._host.ask("list")]

    async def destroy(self, machine_id: str) -> None:
        """End what we started there, wipe it, free the GPU. Cut off in the middle, it is simply asked again."""
        await self._host.ask("destroy", label=machine_id)

    async def account(self) -> Account:
        """What was found, in a sentence; electricity has no balance."""
        found = await self.discover()
        return Account(AccountNote.READY, found.sentence, hardware=found)

    async def _look(self) -> hardware.Look:
        return hardware.read(await self._host.ask("probe"), self._host.title)

    def _machine(self, view: Mapping[str, Any]) -> Machine:
        try:
            made = view["made"]
            keep = made["keep"] if made else {}
            return Machine(
                provider=self.name,
                id=view["label"],
                label=view["label"],
                state=_STATES[view["state"]],
                access=self._access(view["folder"], made) if made else None,
                hourly=Usd(keep["hourly"]) if keep else None,
                reason=view["reason"],
            )
        except (KeyError, TypeError) as error:
            raise VendorChanged(f"{self._host.title}: the listing of its machines cannot be read") from error

    def _access(self, folder: str, made: Mapping[str, Any]) -> Access:
        inside = replace(self._host.access, workdir=f"{folder}/work", env=made["env"])
        sshd = made["sshd"]
        if not sshd:
            return inside
        return replace(
            inside,
            kind="ssh",
            host="127.0.0.1",
            port=sshd["port"],
            user=sshd["user"],
            key_ref=made["keep"]["key_ref"],
            host_keys=(sshd["host_key"],),
        )


def this_computer(
    shell: Shell,
    *,
    data_dir: Path,
    kwh_usd: Decimal = Decimal(0),
    way_in: str = "auto",
    tools: str | None = None,
    shared: bool = False,
) -> LocalProvider:
    """The computer that the bot runs on. ``shared``: other computers work on the same database, so that this one's
    name must be its own: ``local/<host>-<digits>``. ``tools`` replaces PATH (and NVML) when GPUs are looked for.

    Raises ``ValueError`` for a ``way_in`` that does not exist."""
    if way_in not in WAYS:
        raise ValueError(f"LASTCALL_LOCAL_SHELL is {way_in!r}; it can be {', '.join(WAYS)}")
    folder = data_dir.absolute()
    host = Host(
        Access(kind="process", workdir="/", python=sys.executable),
        shell,
        title="this computer",
        root=str(folder / "machines"),
        locks=str(folder / "locks"),
        tools=tools,
    )
    name = f"local/{_own_word(folder)}" if shared else "local"
    return LocalProvider(name, host, way_in=way_in, kwh_usd=kwh_usd)


def _own_word(folder: Path) -> str:
    """The same for every process of this computer and data folder, another for all others."""
    plain = re.sub(r"[^a-z0-9]+", "-", socket.gethostname().lower()).strip("-")[:20] or "host"
    try:
        identity = Path("/etc/machine-id").read_text(encoding="ascii").strip()
    except OSError:
        identity = str(uuid.getnode())
    return f"{plain}-{hashlib.sha256(f'{identity} {folder}'.encode()).hexdigest()[:4]}"


def workstation(
    one: Workstation,
    shell: Shell,
    *,
    namespace: str,
    kwh_usd: Decimal = Decimal(0),
    home: str = "~/.lastcall",
    tools: str | None = None,
) -> LocalProvider:
    """A computer reached by SSH with the operator's own key. Deployments keep their machines apart by namespace, but
    share the locks: a GPU is a GPU."""
    host = Host(
        Access(kind="ssh", workdir="/", host=one.host, port=one.port, user=one.user),
        shell,
        title=one.title,
        root=f"{home}/{namespace}/machines",
        locks=f"{home}/locks",
        tools=tools,
    )
    return LocalProvider(f"local/{one.host}", host, way_in="host", kwh_usd=kwh_usd)


def _visible(locks: Sequence[str]) -> dict[str, str]:
    """So that a rental sees its own GPUs and no other's."""
    if all(lock.startswith("GPU-") for lock in locks):
        return {"CUDA_VISIBLE_DEVICES": ",".join(locks)}
    if all(lock.startswith("amd-") for lock in locks):
        return {"HIP_VISIBLE_DEVICES": ",".join(lock.removeprefix("amd-") for lock in locks)}
    return {}
