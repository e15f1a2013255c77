"""Vast.ai behind the ``Provider`` port: each method is a call or two, and what their answers prove."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import httpx

from adapters.http import USER_AGENT, Answer, Http, Pause, wait
from adapters.providers.vast import checks, keys, machines, offers, order
from adapters.providers.vast.bills import bill
from adapters.providers.vast.listing import everything
from adapters.providers.vast.market import Market
from adapters.providers.vast.wire import BadArgs, Gone, judge, number, refuses, sentence
from bot.domain.deadman import Ask, Ends, Switch
from bot.domain.errors import (
    NoCapacity,
    OutcomeUnknown,
    PriceChanged,
    ProviderError,
    TryLater,
    VendorChanged,
)
from bot.domain.market import Account, AccountNote, Bill, Finding, LaunchOrder, Leftover, Machine, Offer, Want
from bot.domain.money import Usd
from bot.domain.vendor import Capabilities, Profile
from bot.ports import Clock

PROFILE = Profile(
    family="vast",
    title="Vast.ai",
    best_for="the lowest price, where a machine may fail and the data is no secret (hosts are strangers)",
    gpu_options="the widest choice: RTX 3060 to 5090, A-series, A100, H100; one to eight per machine",
    price_range="from about $0.20/h for an RTX 3090, disk included; traffic extra, set by each host",
    ease="API key and prepaid credit; every host differs, so each is checked before it is used",
    example_gpu="RTX 3090",
    example_hourly=Usd.of("0.20"),
    boot=timedelta(minutes=5),
    setting="VAST_API_KEY",
)
"""The figures are typical ones from the vendor's and third parties' pages as we found them, not live prices; boot is
the middle of the 1 to 10 minutes that booting and pulling an image take."""

_EVERY = {
    "offers": timedelta(seconds=6.1),
    "launch": timedelta(seconds=5),
    "machines": timedelta(seconds=1.1),
    "inspect": timedelta(seconds=2.1),
    "destroy": timedelta(seconds=3.1),
    "keys": timedelta(seconds=1.1),
    "account": timedelta(seconds=1.1),
    "bill": timedelta(seconds=1.1),
}
"""The vendor's least intervals (vast.md, 9) and a little."""
_PAGES = 3
_LOOK_S, _CREATE_S = 12, 17
"""What a launch may take for its look at the price and for the order: together less than ``launch_limit``."""


class VastProvider:
    """One account of Vast.ai, or of whatever speaks its language at ``url``."""

    name = "vast"
    profile = PROFILE
    capabilities = Capabilities(
        spot=True,
        self_destruct=Ends.MACHINE,
        settle=timedelta(seconds=90),
        launch_limit=timedelta(seconds=30),
        launch_every=timedelta(seconds=5.5),
        boot_limit=timedelta(minutes=10),
        teardown_latency=timedelta(minutes=2),
        books=True,
    )

    def __init__(
        self,
        *,
        key: str,
        url: str,
        clock: Clock,
        transport: httpx.AsyncBaseTransport | None = None,
        pause: Pause = wait,
    ) -> None:
        self._url = url.rstrip("/")
        self.http = Http(
            url, key=key, clock=clock, judge=self._judge, every=_EVERY, transport=transport, pause=pause
        )
        self._market = Market(self.http)

    async def close(self) -> None:
        """Drop the connections."""
        await self.http.close()

    async def offers(self, want: Want) -> Sequence[Offer]:
        """The cheapest that fit. Where a page is full and nothing on it fits, the next is asked for."""
        if not offers.sold(want):
            return []
        rows: list[Any] = []
        found: list[Offer] = []
        least: Decimal | None = None
        for _ in range(_PAGES):
            page = await self._market.rows(offers.query(want, least))
            rows += page
            found = offers.read_all(rows, want, self.name)
            least = max((p for row in page if (p := _price(row)) is not None), default=None)
            if found or len(page) < offers.PAGE or least is None:
                break
        return found

    async def launch(self, offer: Offer, order_: LaunchOrder) -> str:
        """One look at the live price, one order; whatever comes of it, the market is another one afterwards."""
        order.onstart(order_.public_key)
        try:
            bid = await self._look(offer, order_)
            return await self._create(offer, order.body(order_, offer.cuda, bid))
        finally:
            self._market.forget()

    async def inspect(self, machine_id: str) -> Machine | None:
        """None when the vendor answers ``{"instances": null}`` with status 200, or says in words that there is none."""
        try:
            answer = await self.http.ask("inspect", "GET", _path(machine_id), params={"owner": "me"})
        except Gone:
            return None
        body = answer.body
        if answer.status != 200 or not isinstance(body, dict) or "instances" not in body or refuses(body):
            raise VendorChanged(f"an answer about instance {machine_id} that has no instance in it")
        row = body["instances"]
        if row is None:
            return None
        if machines.identity(row) != machine_id:
            raise VendorChanged(f"an answer about another instance than {machine_id}")
        return machines.read(row, self.name, self.http.redact)

    async def machines(self) -> Sequence[Machine]:
        """Every page, and the count fits."""
        return [machines.read(row, self.name, self.http.redact) for row in await everything(self.http)]

    async def destroy(self, machine_id: str) -> None:
        """Delete it. That it was gone before is believed when it cannot be found either."""
        try:
            answer = await self.http.write("destroy", "DELETE", _path(machine_id), json={})
        except Gone as gone:
            if await self.inspect(machine_id) is not None:
                raise OutcomeUnknown(f"it is said not to be there, and it is: {gone.reason}") from None
            return
        if not isinstance(answer.body, dict) or answer.body.get("success") is not True:
            raise OutcomeUnknown(f"no word of success: {sentence(answer, self.http.redact)}")

    async def account(self) -> Account:
        """``credit`` is the prepaid money; ``balance`` is the side of the invoices (vast.md, 8.2)."""
        credit = await self._credit()
        costs = [machines.burn(row, self.name, self.http.redact) for row in await everything(self.http)]
        return Account(
            AccountNote.READY,
            f"prepaid credit {credit}, {len(costs)} instance{'' if len(costs) == 1 else 's'} on the account",
            balance=credit,
            burn_hourly=Usd(sum(cost.micros for cost in costs)),
            as_of=self.http.clock.now(),
        )

    async def enrol(self, machine_id: str, public_key: str) -> None:
        """Attach the key by the API: what ``onstart`` wrote does not last (vast.md, 7.1)."""
        await keys.attach(self.http, f"{_path(machine_id)}ssh/", public_key.strip())

    async def words(self, machine_id: str) -> str:
        """Its ``status_msg``, the only detail of a failure that there is (vast.md, 4.4)."""
        machine = await self.inspect(machine_id)
        return machine.reason if machine is not None else ""

    def switch(self, machine_id: str) -> Switch:
        """The container's own key can show, start, stop and destroy this one instance (vast.md, 7.4). A login does
        not see the container's environment; its first process does."""
        own = self._url + _path(machine_id)
        return Switch(
            Ends.MACHINE,
            key="CONTAINER_API_KEY",
            found_in=("/proc/1/environ", "/etc/environment"),
            probe=Ask("GET", own),
            asks=(Ask("DELETE", own, "{}"),),
            agent=USER_AGENT,
        )

    async def tidy(self, label: str) -> None:
        """Keys are attached to instances and go with them."""

    async def leftovers(self) -> Sequence[Leftover]:
        """Stopped instances that no bot like this one rented: their disks bill until they are deleted."""
        rows = await everything(self.http)
        read = (machines.leftover(row, self.name, self.http.redact) for row in rows)
        return [one for one in read if one is not None]

    async def bill(self, machine_id: str, label: str, since: datetime, until: datetime) -> Bill | None:
        """The charges of its days."""
        return await bill(self.http, machine_id, label, since, until)

    async def check(self) -> Sequence[Finding]:
        """Account, instances and offers, each by the call that needs its permission; credit and clock."""
        part, search = self.profile.title, {**offers.query(Want()), "limit": 1}
        found: list[Finding] = []
        for scope, what, call in (
            ("user_read", "read the account", self._credit),
            ("instance_read", "list instances", self.machines),
            ("misc", "search for offers", lambda: self._market.rows(search)),
        ):
            finding = await checks.right(part, scope, what, call)
            if finding not in found:  # a vendor that cannot be reached is told once
                found.append(finding)
        try:
            found.append(checks.money(part, await self.account()))
        except ProviderError:
            pass  # what keeps it from being told stands above
        clock = checks.clock(part, self.http.vendor_skew)
        return [*found, clock] if clock else found

    async def _credit(self) -> Usd:
        body = await self.http.read("account", "GET", "/api/v0/users/current/")
        credit = number(body, "credit") if isinstance(body, dict) else None
        if credit is None:
            raise VendorChanged("an account without a credit")
        return Usd.of(credit)

    async def _look(self, offer: Offer, order_: LaunchOrder) -> Decimal | None:
        try:
            async with asyncio.timeout(_LOOK_S):
                return await self._agreed(offer, order_)
        except TimeoutError:
            raise TryLater("the live price did not come in time") from None

    async def _create(self, offer: Offer, body: dict[str, Any]) -> str:
        path = f"/api/v0/asks/{quote(offer.id, safe='')}/"
        try:
            async with asyncio.timeout(_CREATE_S):
                answer = await self.http.write("launch", "PUT", path, json=body)
        except TimeoutError:
            raise OutcomeUnknown("the answer to the order did not come in time") from None
        except BadArgs as error:  # this offer does not take it; another host may
            raise NoCapacity(error.reason) from None
        except VendorChanged as error:
            raise OutcomeUnknown(error.reason) from None
        return order.contract(answer, sentence(answer, self.http.redact))

    async def _agreed(self, offer: Offer, order_: LaunchOrder) -> Decimal | None:
        """The bid to make, None where none is made. Raises ``NoCapacity`` for an offer that is not there any more and
        ``PriceChanged`` for one that is dearer than agreed."""
        disk = offers.disk_of(order_.disk_gb)
        rows = await self._market.live(offers.query_one(offer, disk))
        row = next((one for one in rows if isinstance(one, dict) and offers.number_of(one) == offer.id), None)
        if row is None or row.get("rentable") is False:
            raise NoCapacity(f"offer {offer.id} is no longer available")
        bid = _at_least(offer, offers.bid_for(row)) if offer.spot else None
        hourly = offers.price_of(row, disk, bid)
        if hourly is None or (offer.spot and bid is None):
            raise VendorChanged(f"offer {offer.id} does not tell its price any more")
        if order_.most_hourly is not None and hourly > order_.most_hourly:
            raise PriceChanged(f"now {hourly.rate()}, agreed were at most {order_.most_hourly.rate()}")
        return bid

    def _judge(self, answer: Answer) -> ProviderError | None:
        return judge(answer, self.http.redact, self.http.clock.now())


def _path(machine_id: str) -> str:
    return f"/api/v0/instances/{quote(machine_id, safe='')}/"


def _at_least(offer: Offer, now: Decimal | None) -> Decimal | None:
    """The bid that was shown, or what it takes by now."""
    shown = number(offer.detail, "bid")
    return max((one for one in (shown, now) if one is not None), default=None) if now is not None else None


def _price(row: Any) -> Decimal | None:
    return number(row, "dph_total") if isinstance(row, dict) else None
