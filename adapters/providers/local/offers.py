"""What a computer offers now: its free GPUs, or its CPU. Pure: a look and a wish in, offers out.

The price is electricity: watts × price of a kWh. The watts are the GPUs' enforced power limits, the most that they
may draw; where none is told, an assumption stands in. The rest of the computer is not counted: it is on anyway.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from adapters.providers.local.gpus import Card
from adapters.providers.local.hardware import AMD_NOTE, APPLE_NOTE, Look, name_of
from bot.domain.errors import NoCapacity
from bot.domain.gpus import covers
from bot.domain.hardware import GpuKind, Hardware
from bot.domain.market import Offer, Want
from bot.domain.money import Usd

CPU_ONLY = "CPU only"
CPU_LOCK = "cpu"
CPU_WATTS = 65
"""Assumption: the usual thermal design power of a desktop processor."""
UNKNOWN_GPU_WATTS = {GpuKind.NVIDIA: 300, GpuKind.AMD: 300, GpuKind.APPLE: 60}
"""Assumptions for GPUs that do not tell their power limit."""
NOT_FREE = 0.5
"""A card with less than this share of its memory free works for somebody else."""
WORTH_TELLING = 0.95
NOTES = {GpuKind.APPLE: APPLE_NOTE, GpuKind.AMD: AMD_NOTE}


@dataclass(frozen=True, slots=True)
class Seller:
    """Who offers: the provider's name, where its computer is, and what a kWh costs there, in dollars."""

    provider: str
    where: str
    kwh_usd: Decimal


def offers(look: Look, want: Want, seller: Seller) -> list[Offer]:
    """All that fits, cheapest first; of the same price, the smaller card first, to leave the bigger to who needs it.

    Raises ``NoCapacity`` when it is the computer that is too small, with what it lacks."""
    computer = look.hardware
    if want.spot:
        return []
    short = _short_of(computer, want)
    if short:
        raise NoCapacity(f"{seller.where} has {short}")
    made = [*_cpu(look, want, seller), *_gpus(look, want, seller)]
    fitting = [offer for offer in made if want.max_hourly is None or offer.hourly <= want.max_hourly]
    return sorted(fitting, key=lambda offer: (offer.hourly, offer.vram_gb, offer.id))


def _short_of(computer: Hardware, want: Want) -> str:
    """What keeps anything from being offered here, whatever the card."""
    if computer.disk_free_gb < want.disk_gb:
        return f"{computer.disk_free_gb:.1f} GB of free disk, and {want.disk_gb} GB are asked for"
    if computer.ram_gb < want.ram_gb:
        return f"{computer.ram_gb:.1f} GB of memory, and {want.ram_gb} GB are asked for"
    return ""


def locks_of(offer: Offer) -> tuple[str, ...]:
    """What has to be locked for an offer: its id names it."""
    return tuple(offer.id.split("+"))


def _cpu(look: Look, want: Want, seller: Seller) -> list[Offer]:
    host = f"{CPU_LOCK}-{look.host}"
    wants_gpu = want.gpu is not None or want.count > 1 or want.vram_gb > 0
    if wants_gpu or not want.cpu_ok or CPU_LOCK in look.held or host in want.avoid:
        return []
    offer = Offer(
        provider=seller.provider,
        id=CPU_LOCK,
        gpu=CPU_ONLY,
        count=1,
        vram_gb=0,
        hourly=_electricity(CPU_WATTS, seller),
        disk_gb=want.disk_gb,
        where=seller.where,
        host=host,
        cpu_only=True,
        note=f"{_on_the_processor(look)} {_meter(CPU_WATTS, 'assumed', seller)}",
    )
    return [offer]


def _on_the_processor(look: Look) -> str:
    if look.hardware.kind is GpuKind.NONE:
        return "No GPU: only recipes that allow CPU can run."
    return "Runs on the processor and leaves the GPU free."


def _gpus(look: Look, want: Want, seller: Seller) -> list[Offer]:
    avoided = {lock for host in want.avoid for lock in host.split("+")}
    models: dict[str, list[Card]] = defaultdict(list)
    for card in look.cards:
        if (
            _is_free(card)
            and not {card.lock, _lock(look, card)} & (look.held.keys() | avoided)
            and _fits(card, want)
        ):
            models[name_of(card.gpu)].append(card)
    return [
        _gpu_offer(look, cards[at : at + want.count], want, seller)
        for cards in models.values()
        for at in range(0, len(cards) - want.count + 1, max(1, want.count))
    ]


def _lock(look: Look, card: Card) -> str:
    """The card's fingerprint: its UUID is its own in all the world; other names are only so on one computer."""
    return card.lock if card.lock.startswith("GPU-") else f"{card.lock}-{look.host}"


def _is_free(card: Card) -> bool:
    free, whole = card.gpu.free_gb, card.gpu.vram_gb
    return free is None or free >= whole * NOT_FREE


def _fits(card: Card, want: Want) -> bool:
    right_model = want.gpu is None or covers(want.gpu, name_of(card.gpu))
    return right_model and card.gpu.vram_gb >= want.vram_gb


def _gpu_offer(look: Look, cards: Sequence[Card], want: Want, seller: Seller) -> Offer:
    kind = look.hardware.kind
    watts = sum(UNKNOWN_GPU_WATTS[kind] if card.gpu.watts is None else card.gpu.watts for card in cards)
    source = "assumed" if any(card.gpu.watts is None for card in cards) else "power limit"
    sentences = (NOTES.get(kind), _shared(cards), _meter(watts, source, seller))
    return Offer(
        provider=seller.provider,
        id="+".join(card.lock for card in cards),
        gpu=name_of(cards[0].gpu),
        count=len(cards),
        vram_gb=min(card.gpu.vram_gb for card in cards),
        hourly=_electricity(watts, seller),
        disk_gb=want.disk_gb,
        where=seller.where,
        host="+".join(_lock(look, card) for card in cards),
        vendor=look.hardware.kind.value,
        note=". ".join(sentence for sentence in sentences if sentence),
    )


def _shared(cards: Sequence[Card]) -> str:
    """Said when another program holds some of a card's memory."""
    for card in cards:
        free, whole = card.gpu.free_gb, card.gpu.vram_gb
        if free is not None and free < whole * WORTH_TELLING:
            return f"Another program uses this GPU: {free:g} of {whole:g} GB are free"
    return ""


def _electricity(watts: float, seller: Seller) -> Usd:
    return Usd.of(seller.kwh_usd * Decimal(str(watts)) / 1000)


def _meter(watts: float, source: str, seller: Seller) -> str:
    if not seller.kwh_usd:
        return "Your own computer: electricity is not counted (LASTCALL_KWH_USD is 0)"
    return f"Electricity only: {watts:g} W ({source}) at ${seller.kwh_usd}/kWh"
