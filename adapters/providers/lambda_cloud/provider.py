"""Lambda as a provider: what the port promises, call by call (reference: lambda.md)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from urllib.parse import quote

import httpx

from adapters.http import Answer, Http, Pause, wait
from adapters.providers.lambda_cloud import check
from adapters.providers.lambda_cloud import offers as market
from adapters.providers.lambda_cloud.judge import NO_OBJECT, Coded, Throttled, judged
from adapters.providers.lambda_cloud.keys import Keys
from adapters.providers.lambda_cloud.launch import Launches
from adapters.providers.lambda_cloud.machines import burn, is_billed, machine
from adapters.providers.lambda_cloud.profile import CAPABILITIES, NAME, PROFILE
from adapters.providers.lambda_cloud.wire import Row, data_of, id_of, part, rows_of, text, whole
from bot.domain.errors import OutcomeUnknown, ProviderError, VendorChanged
from bot.domain.market import Account, AccountNote, Finding, LaunchOrder, Leftover, Machine, Offer, Want
from bot.domain.money import Usd
from bot.ports import Clock, NothingMore

URL = "https://cloud.lambda.ai/api/v1"
EVERY = {"any": timedelta(milliseconds=1050), "launch": timedelta(seconds=12)}
"""One call in a second, one launch in twelve (lambda.md, 1.2), whatever the number of rentals."""
NOTE = "Lambda tells no balance; it invoices weekly"
_PER_GIB_MONTH = Decimal("0.20")
"""The rate of Lambda's own example; the API tells none (lambda.md, 4)."""


class LambdaProvider(NothingMore):
    """One Lambda account."""

    name = NAME
    profile = PROFILE
    capabilities = CAPABILITIES

    def __init__(
        self,
        *,
        key: str,
        clock: Clock,
        url: str = URL,
        ssh_port: int = 22,
        transport: httpx.AsyncBaseTransport | None = None,
        pause: Pause = wait,
    ) -> None:
        """``url``: with the path, ``…/api/v1``. ``ssh_port``: where machines let people in; the API does not say."""
        self.http = Http(
            url, key=key, clock=clock, judge=self._judge, every=EVERY, transport=transport, pause=pause
        )
        self._ssh_port = ssh_port
        self._keys = Keys(self.http)
        self._launches = Launches(self.http, self._keys, EVERY["launch"])

    async def close(self) -> None:
        """Drop the connections."""
        await self.http.close()

    async def offers(self, want: Want) -> Sequence[Offer]:
        """One offer for each type and each region that has one left."""
        return market.offers(await self.http.read("offers", "GET", "/instance-types"), want)

    async def launch(self, offer: Offer, order: LaunchOrder) -> str:
        return await self._launches.launch(offer, order)

    async def inspect(self, machine_id: str) -> Machine | None:
        row = await self._row(machine_id)
        return machine(row, self._ssh_port, self.http.redact) if row is not None else None

    async def machines(self) -> Sequence[Machine]:
        found = (machine(row, self._ssh_port, self.http.redact) for row in await self._rows())
        return [one for one in found if one is not None]

    async def destroy(self, machine_id: str) -> None:
        """One id per call: a bad one spoils a batch. An error proves nothing, so that the machine is looked at: one
        that was ending already fails in some versions of the API (lambda.md, 2.4)."""
        try:
            answer = await self.http.write(
                "destroy", "POST", "/instance-operations/terminate", json={"instance_ids": [machine_id]}
            )
            _acknowledged(answer, machine_id)
        except ProviderError as error:
            gone = isinstance(error, Coded) and error.code == NO_OBJECT
            if not gone and not await self._is_ending(machine_id):
                raise

    async def account(self) -> Account:
        """Burn is what all machines that are not ending cost; None where one of them does not tell."""
        rows = await self._rows()
        note = f"{NOTE}; machines that are billed: {sum(map(is_billed, rows))}"
        return Account(AccountNote.READY, note, burn_hourly=burn(rows), as_of=self.http.clock.now())

    async def tidy(self, label: str) -> None:
        await self._keys.remove(label)

    async def leftovers(self) -> Sequence[Leftover]:
        """File systems: they outlive machines, and bill until somebody deletes them (lambda.md, 2.6)."""
        body = await self.http.read("leftovers", "GET", "/file-systems")
        return [_leftover(row) for row in rows_of(body, "file systems")]

    async def check(self) -> Sequence[Finding]:
        async def types() -> dict[str, market.Kind]:
            return market.kinds(await self.http.read("offers", "GET", "/instance-types"))

        look = check.Looks(types, self.account, self._keys.all, lambda: self.http.vendor_skew)
        return await check.findings(look)

    def _judge(self, answer: Answer) -> ProviderError | None:
        """A throttle is for the whole account, so that every call waits."""
        error = judged(answer, self.http.clock.now(), self.http.redact)
        if isinstance(error, Throttled):
            self.http.turns.hold("any", error.after)
        return error

    async def _rows(self) -> list[Row]:
        return list(rows_of(await self.http.read("machines", "GET", "/instances"), "instances"))

    async def _row(self, machine_id: str) -> Row | None:
        """None by Lambda's own word only: its code, not just any 404."""
        try:
            body = await self.http.read("inspect", "GET", f"/instances/{quote(machine_id, safe='')}")
        except Coded as said:
            if said.code == NO_OBJECT:
                return None
            raise
        row = data_of(body, "an instance")
        if not isinstance(row, dict) or id_of(row, "an instance") != machine_id:
            raise VendorChanged("Lambda answers about another instance than was asked for")
        return row

    async def _is_ending(self, machine_id: str) -> bool:
        """Whether it is known to end or to be gone; not when it cannot be asked for."""
        try:
            row = await self._row(machine_id)
        except ProviderError:
            return False
        return row is None or not is_billed(row)


def _acknowledged(answer: Answer, machine_id: str) -> None:
    """Raises ``OutcomeUnknown`` unless the answer echoes the machine: without that nothing was done to it."""
    body = answer.body if isinstance(answer.body, dict) else {}
    echoed = part(body, "data").get("terminated_instances")
    rows = [one for one in echoed if isinstance(one, dict)] if isinstance(echoed, list) else []
    if machine_id not in {text(row, "id") for row in rows}:
        raise OutcomeUnknown("Lambda took the call and did not say that it ends the machine")


def _leftover(row: Row) -> Leftover:
    used = whole(row.get("bytes_used"))
    return Leftover(
        provider=NAME,
        id=id_of(row, "a file system"),
        what=f"file system, at about ${_PER_GIB_MONTH} per GiB and month",
        name=text(row, "name"),
        monthly=None if used is None else Usd.of(_PER_GIB_MONTH * used / 2**30),
        where=text(part(row, "region"), "name"),
    )
