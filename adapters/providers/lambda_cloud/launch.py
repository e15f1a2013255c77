"""From an offer to a machine: the price once more, a key of its own, and one launch call that is never repeated."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from adapters.http import Answer, Http
from adapters.providers.lambda_cloud.judge import BAD_PARAMETERS, NO_OBJECT, Coded, Trouble, created, refusal
from adapters.providers.lambda_cloud.keys import Keys
from adapters.providers.lambda_cloud.machines import LABEL_TAG
from adapters.providers.lambda_cloud.offers import ARM, Kind, kinds
from adapters.providers.lambda_cloud.profile import CREATE, PREPARE
from bot.domain import label as labels
from bot.domain.errors import NoCapacity, OutcomeUnknown, PriceChanged, TryLater, VendorChanged
from bot.domain.market import LaunchOrder, Offer

IMAGE = "lambda-stack-24-04"
"""Ubuntu with driver, CUDA and PyTorch. Where it is not to be had, Lambda's newest is taken instead."""

_LONGEST_LINE = 200


class Launches:
    """One account's launches, one at a time: the vendor takes five in a minute (lambda.md, 1.2)."""

    def __init__(
        self,
        http: Http,
        keys: Keys,
        every: timedelta,
        *,
        prepare: timedelta = PREPARE,
        create: timedelta = CREATE,
    ) -> None:
        """``every``: least time between two launches. ``prepare`` and ``create`` are real time."""
        self._http, self._keys, self._every = http, keys, every
        self._prepare, self._create_within = prepare.total_seconds(), create.total_seconds()
        self._image = IMAGE
        self._under_way = False
        self._line_ends = http.clock.now()

    async def launch(self, offer: Offer, order: LaunchOrder) -> str:
        """The id of the new machine. The errors are those of ``bot.ports.Provider.launch``."""
        with self._turn():
            try:
                async with asyncio.timeout(self._prepare):
                    _still_agreed(await self._kind(offer), offer, order)
                    await self._keys.register(order.label, order.public_key)
            except TimeoutError:
                raise TryLater("Lambda answers too slowly; nothing was rented") from None
            except (VendorChanged, OutcomeUnknown) as odd:
                raise TryLater(f"{odd.reason}; nothing was rented") from None
            return await self._create(offer, order)

    async def _kind(self, offer: Offer) -> Kind | None:
        body = await self._http.read("offers", "GET", "/instance-types")
        return kinds(body).get(offer.detail.get("type", ""))

    async def _create(self, offer: Offer, order: LaunchOrder) -> str:
        body = self._order(offer, order)
        try:
            async with asyncio.timeout(self._create_within):
                answer = await self._http.write(
                    "launch", "POST", "/instance-operations/launch", json=body, timeout=self._create_within
                )
        except TimeoutError:
            raise OutcomeUnknown("no answer to the launch in time") from None
        except Coded as said:
            if (
                "image" in body
                and said.code in (BAD_PARAMETERS, NO_OBJECT)
                and "image" in said.reason.lower()
            ):
                self._image = ""
                raise TryLater(f"{said.reason} The next launch takes Lambda's newest image.") from None
            raise refusal(said) from None
        except (Trouble, VendorChanged) as odd:
            raise OutcomeUnknown(odd.reason) from None
        return _only_id(answer)

    def _order(self, offer: Offer, order: LaunchOrder) -> dict[str, Any]:
        """The body. Name, tags and key all carry the label, because each was seen to be dropped or can be changed."""
        ours = labels.parse(order.label)
        tags = {"managed-by": "lastcall", LABEL_TAG: order.label}
        if ours is not None:
            tags["expires-at"] = str(int(ours.until.timestamp()))
        body: dict[str, Any] = {
            "region_name": offer.detail["region"],
            "instance_type_name": offer.detail["type"],
            "ssh_key_names": [order.label],
            "file_system_names": [],
            "name": order.label,
            "tags": [{"key": key, "value": value} for key, value in tags.items()],
        }
        # A family can name an image of the wrong architecture; the default is right for the type (lambda.md, 2.7).
        if self._image and offer.gpu not in ARM:
            body["image"] = {"family": self._image}
        return body

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Who comes while a launch is under way is told when to come again, each at another moment: they must not
        all come back at once."""
        now: datetime = self._http.clock.now()
        if self._under_way:
            # A clock that was set back must not make anybody wait for the old future.
            self._line_ends = min(max(self._line_ends, now), now + _LONGEST_LINE * self._every) + self._every
            raise TryLater("another launch is under way at Lambda", after=self._line_ends - now)
        self._under_way = True
        try:
            yield
        finally:
            self._under_way = False


def _still_agreed(kind: Kind | None, offer: Offer, order: LaunchOrder) -> None:
    """Raises ``NoCapacity`` when it is sold out by now and ``PriceChanged`` when it costs more than was agreed: both
    for the price of a read, where a launch that is refused costs a turn of twelve seconds."""
    region = offer.detail.get("region", "")
    if kind is None or region not in kind.regions:
        raise NoCapacity(f"{offer.detail.get('type', offer.id)} is sold out in {region or 'this region'} now")
    most = order.most_hourly
    if most is not None and kind.hourly > most:
        raise PriceChanged(
            f"{kind.name} is now {kind.hourly.rate()}, agreed were at most {most.rate()}; nothing was rented"
        )


def _only_id(answer: Answer) -> str:
    """One id. Raises ``OutcomeUnknown`` for any other answer: something may run, and is found by its label."""
    found = created(answer.body)
    if len(found) != 1 or not found[0]:
        raise OutcomeUnknown(f"Lambda took the launch and named {len(found)} machines")
    return found[0]
