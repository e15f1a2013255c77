"""RunPod as a provider: pods of the secure and the community cloud, on demand."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import httpx

from adapters.http import USER_AGENT, Pause, wait
from adapters.providers.runpod import account, checks
from adapters.providers.runpod.bills import bill
from adapters.providers.runpod.judge import Absent, Conflict, refused
from adapters.providers.runpod.logs import last_words
from adapters.providers.runpod.machines import machine
from adapters.providers.runpod.offers import CLOUDS, Asked, floor, offers, rows_of
from adapters.providers.runpod.order import body_of, still
from adapters.providers.runpod.profile import CAPABILITIES, GRAPHQL_URL, PROFILE, URL
from adapters.providers.runpod.wire import Wire
from adapters.providers.runpod.young import Young
from bot.domain.deadman import Ask, Switch
from bot.domain.errors import NeedsHuman, OutcomeUnknown, ProviderError, TryLater, VendorChanged
from bot.domain.market import Account, Bill, Finding, LaunchOrder, Leftover, Machine, Offer, Want
from bot.ports import Clock, NothingMore

_FRESH = timedelta(seconds=10)
"""So long an answer of the catalogue serves whoever asks the same; a launch ends that."""
_LOOK = timedelta(seconds=10)
_CREATE = timedelta(seconds=25)
"""Together below what ``Capabilities.launch_limit`` promises."""


class RunpodProvider(NothingMore):
    """One account, named by its key. The public key goes with the launch, so that nothing has to be enrolled, and
    nothing stays on the account beside the pod, so that nothing has to be tidied."""

    profile = PROFILE
    capabilities = CAPABILITIES

    def __init__(
        self,
        *,
        key: str,
        clock: Clock,
        url: str = URL,
        graphql_url: str = GRAPHQL_URL,
        transport: httpx.AsyncBaseTransport | None = None,
        pause: Pause = wait,
        patience: timedelta = timedelta(seconds=3),
    ) -> None:
        """``patience``: how long a pod's log stream is listened to. ``transport`` and ``pause`` are the simulators'
        doors."""
        self.name = PROFILE.family
        self._clock = clock
        self._patience = patience
        self._url = url.rstrip("/")
        self._wire = Wire(
            key=key, url=url, graphql_url=graphql_url, clock=clock, pause=pause, transport=transport
        )
        self.http = self._wire.http
        self._young = Young(clock)
        self._catalogue: dict[Asked, tuple[datetime, list[Any]]] = {}
        self._asking: dict[Asked, asyncio.Lock] = {}

    async def close(self) -> None:
        """Drop the connections."""
        await self.http.close()

    async def offers(self, want: Want) -> Sequence[Offer]:
        """Both clouds at once. There are no spot pods."""
        if want.spot:
            return ()
        clouds = CLOUDS[:1] if want.verified else CLOUDS
        asked = [Asked(cloud, want.count, floor(want.cuda)) for cloud in clouds]
        answers = await asyncio.gather(*(self._rows(one) for one in asked), return_exceptions=True)
        found: dict[str, Offer] = {}
        for one, rows in zip(asked, answers, strict=True):
            if isinstance(rows, BaseException):
                raise rows
            found.update((offer.id, offer) for offer in offers(self.name, one, rows, want))
        return sorted(found.values(), key=lambda offer: (offer.hourly, offer.id))

    async def launch(self, offer: Offer, order: LaunchOrder) -> str:
        """The live price once more, then one create. A pod that turns out dearer than agreed is still a pod: its id is
        returned, and its ``Machine.hourly`` tells."""
        asked = _asked(offer)
        try:
            row = await self._row(asked, offer.detail["gpu"])
            compute = still(offer, order, asked, row)
        finally:
            self._catalogue.clear()  # whatever comes of it, the next look is a fresh one
        try:
            async with asyncio.timeout(_CREATE.total_seconds()):
                answer = await self._wire.create(body_of(offer, order, asked, compute))
        except TimeoutError:
            raise OutcomeUnknown("RunPod took too long to answer the order") from None
        except ProviderError as error:
            raise refused(error) from None
        created = answer.body.get("id") if isinstance(answer.body, dict) else None
        if not isinstance(created, str) or not created:
            raise OutcomeUnknown("RunPod took the order and did not say what it created")
        self._young.born(created)
        return created

    async def inspect(self, machine_id: str) -> Machine | None:
        """None only for RunPod's own 404, and not for one about a pod that was created a moment ago."""
        try:
            row = await self._wire.read("inspect", _pod(machine_id))
        except Absent as absent:
            self._young.doubt(machine_id, absent)
            return None
        if not isinstance(row, dict) or row.get("id") != machine_id:
            raise VendorChanged("RunPod's answer about a pod is about something else")
        self._young.seen(machine_id)
        return machine(self.name, row)

    async def machines(self) -> Sequence[Machine]:
        """All pages of the listing."""
        found = [machine(self.name, row) for row in await self._wire.pods()]
        self._young.seen(*(one.id for one in found))
        return found

    async def destroy(self, machine_id: str) -> None:
        """DELETE. RunPod's own 404 is success; whether the pod is gone is for ``inspect`` to say."""
        try:
            answer = await self._wire.delete(_pod(machine_id))
        except Absent:
            return
        except Conflict as conflict:
            raise NeedsHuman(f"RunPod will not end this pod by itself: {conflict.reason}") from None
        if answer.status != 204 and answer.body is None:
            raise VendorChanged(f"RunPod's answer to an end cannot be read (status {answer.status})")
        self._young.seen(machine_id)

    async def account(self) -> Account:
        return await account.account(self._wire, self._clock)

    async def words(self, machine_id: str) -> str:
        return await last_words(self._wire, f"{_pod(machine_id)}/logs", self._patience)

    def switch(self, machine_id: str) -> Switch:
        """The pod's own key. Whether it may delete its pod is not settled (runpod.md, 10): delete is tried, then stop,
        which lets the GPU go."""
        own = f"{self._url}/{_pod(machine_id)}"
        return Switch(
            CAPABILITIES.self_destruct,
            key="RUNPOD_API_KEY",
            found_in=("/etc/rp_environment", "/proc/1/environ"),
            probe=Ask("GET", own),
            asks=(Ask("DELETE", own), Ask("POST", f"{own}/action", '{"action": "stop"}')),
            agent=USER_AGENT,
        )

    async def leftovers(self) -> Sequence[Leftover]:
        return await account.leftovers(self._wire, self.name)

    async def bill(self, machine_id: str, label: str, since: datetime, until: datetime) -> Bill | None:
        return await bill(self._wire, machine_id, since, until)

    async def check(self) -> Sequence[Finding]:
        return await checks.findings(self._wire, self._clock)

    async def _rows(self, asked: Asked) -> list[Any]:
        async with self._asking.setdefault(asked, asyncio.Lock()):
            at, rows = self._catalogue.get(asked, (None, []))
            if at is None or not timedelta(0) <= self._clock.now() - at < _FRESH:
                at = self._clock.now()
                rows = rows_of(await self._wire.read(asked.cloud, "catalog/gpus", **asked.params))
                self._catalogue[asked] = (at, rows)
            return rows

    async def _row(self, asked: Asked, gpu: str) -> Any:
        """The catalogue's row of one type, read now. Nothing has been created yet, whatever comes back."""
        try:
            async with asyncio.timeout(_LOOK.total_seconds()):
                rows = rows_of(await self._wire.read("price", "catalog/gpus", **asked.params))
        except TimeoutError:
            raise TryLater("RunPod took too long to tell its price") from None
        except VendorChanged as error:
            raise TryLater(error.reason) from None
        return next((row for row in rows if isinstance(row, dict) and row.get("id") == gpu), None)


def _asked(offer: Offer) -> Asked:
    try:
        return Asked(offer.detail["cloud"], offer.count, offer.detail["cuda"])
    except KeyError:
        raise VendorChanged("this offer is none of RunPod's") from None


def _pod(machine_id: str) -> str:
    return f"pods/{quote(machine_id, safe='')}"
