"""One create: whether the offer still stands, and what is sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapters.providers.runpod.machines import STAMP
from adapters.providers.runpod.offers import IMAGE, UNREADABLE, Asked, price, stock
from adapters.providers.runpod.profile import disk_hourly, disk_of
from bot.domain.errors import NoCapacity, PriceChanged
from bot.domain.market import LaunchOrder, Offer
from bot.domain.money import Usd


def still(offer: Offer, order: LaunchOrder, asked: Asked, row: Mapping[str, Any] | None) -> Usd:
    """The live price of the GPUs. Raises ``NoCapacity`` where they are not to be had any more, and ``PriceChanged``
    where they and the disk cost more than was agreed: the create itself has no price limit."""
    gpu, centre = offer.detail["gpu"], offer.detail["dc"]
    try:
        compute = price(row, asked) if row else None
        where = stock(row) if row else []
    except UNREADABLE:
        raise NoCapacity(f"RunPod's line about {gpu} cannot be read") from None
    if compute is None or not where or (centre and centre not in where):
        raise NoCapacity(f"RunPod has no {gpu} in {offer.where} any more")
    now = compute + disk_hourly(disk_of(order.disk_gb))
    if order.most_hourly is not None and now > order.most_hourly:
        raise PriceChanged(f"now {now.rate()}, agreed were at most {order.most_hourly.rate()}")
    return compute


def body_of(offer: Offer, order: LaunchOrder, asked: Asked, compute: Usd) -> dict[str, Any]:
    """The create's body: a closed schema, in which ``disk`` and ``ports`` have no usable default (runpod.md, 3.1).
    ``startSsh`` starts the image's sshd; the key itself is in the environment, because the account's own keys are
    somebody's and may be none."""
    gpu: dict[str, Any] = {"id": offer.detail["gpu"], "count": asked.count, "minCudaVersion": asked.cuda}
    ram = int(offer.detail.get("ram_each", "0"))
    public = order.public_key.strip()
    env = {
        "PUBLIC_KEY": public,
        "SSH_PUBLIC_KEY": public,
        "LASTCALL_LABEL": order.label,
        STAMP: str(compute.dollars),
    }
    centre = offer.detail["dc"]
    return {
        "name": order.label,
        "image": order.image or IMAGE,
        "gpu": gpu | ({"minRamPerGpu": ram} if ram else {}),
        "cloud": asked.cloud,
        "disk": disk_of(order.disk_gb),
        "ports": ["22/tcp"],
        "startSsh": True,
        "env": env,
        **({"dataCenterIds": [centre]} if centre else {}),
    }
