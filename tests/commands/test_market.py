"""Asking the market: all at once, nobody waited for too long, and no vendor's filter taken on trust."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bot.domain.errors import NeedsHuman, ProviderError, TryLater
from bot.domain.market import Offer, Want
from bot.domain.money import Usd
from bot.market import each, gather
from tests.commands.vendors import Vendor, offer, silent

SOON = timedelta(milliseconds=30)


async def refuses():
    """What a vendor says to a bad key."""
    raise NeedsHuman("the key was refused")


async def test_all_are_asked_at_once_and_ranked_together():
    """Each answers only when both were asked, so that one after the other would never end."""
    both = asyncio.Barrier(2)

    async def meeting(offers: list[Offer]) -> list[Offer]:
        await both.wait()
        return offers

    one = Vendor("one", answer=lambda: meeting([offer("one", "a", "0.20"), offer("one", "b", "0.40")]))
    two = Vendor("two", answer=lambda: meeting([offer("two", "c", "0.30")]))
    found, problems = await gather([one, two], Want())
    assert [each.id for each in found] == ["a", "c", "b"]
    assert problems == {}


async def test_of_one_price_the_providers_own_order_stays():
    """A vendor may know which of two is better; what leaves a GPU free still comes first."""
    cpu = offer("one", "x", "0.20", cpu_only=True, gpu="CPU only")
    one = Vendor("one", [offer("one", "z", "0.20"), offer("one", "a", "0.20"), cpu])
    found, _ = await gather([one], Want(cpu_ok=True))
    assert [each.id for each in found] == ["x", "z", "a"]


@pytest.mark.parametrize(
    ("want", "lie"),
    [
        (Want(gpu="RTX 3090"), {"gpu": "RTX 3090 Ti"}),
        (Want(gpu="RTX 3090"), {"gpu": "CPU only", "cpu_only": True}),
        (Want(), {"gpu": "CPU only", "cpu_only": True}),
        (Want(vram_gb=24), {"vram_gb": 16}),
        (Want(count=2), {"count": 1}),
        (Want(), {"count": 4}),
        (Want(disk_gb=80), {"disk_gb": 79}),
        (Want(max_hourly=Usd.of("0.30")), {}),
        (Want(spot=True), {"spot": False}),
        (Want(), {"spot": True}),
        (Want(region="EU"), {"places": ("US", "us-west-1")}),
        (Want(region="us-west-1"), {"places": ("US", "us-west-2")}),
        (Want(region="SE"), {"places": ()}),
        (Want(reliability=0.995), {}),
        (Want(reliability=0.5), {"reliability": None}),
        (Want(verified=True), {"verified": False}),
        (Want(verified=True), {"verified": None}),
        (Want(cuda="12.10"), {}),
        (Want(cuda="12"), {"cuda": ""}),
        (Want(down_mbps=1000), {}),
        (Want(down_mbps=1), {"down_mbps": None}),
        (Want(lifetime=timedelta(hours=4)), {"lasts": timedelta(hours=3)}),
        (Want(avoid=frozenset({"77"})), {}),
    ],
)
async def test_what_a_vendor_did_not_filter_is_left_out(want: Want, lie: dict[str, object]):
    """Every filter is checked again here, and what is asked for and not told is not there."""
    honest = offer(id="good", hourly="0.10", count=want.count, disk_gb=want.disk_gb, spot=want.spot,
                   places=("SE", "EU", "us-west-1"), reliability=0.999, cuda="13.0", down_mbps=9000)  # fmt: skip
    found, problems = await gather([Vendor("one", [offer(**lie), honest])], want)
    assert [each.id for each in found] == ["good"]
    assert problems == {}


async def test_a_card_that_the_wish_covers_is_kept():
    """``A100 80GB`` does not say which form: SXM and PCIe are both meant."""
    cards = [offer(id="s", gpu="A100 SXM 80GB", vram_gb=80), offer(id="p", gpu="A100 PCIe 80GB", vram_gb=80)]
    found, _ = await gather([Vendor("one", [*cards, offer()])], Want(gpu="A100 80GB"))
    assert [each.id for each in found] == ["s", "p"]


async def test_who_could_not_answer_is_told_by_name_with_the_reason():
    """The others' offers are there all the same."""
    found, problems = await gather([Vendor("one", [offer()]), Vendor("two", answer=refuses)], Want())
    assert [each.id for each in found] == ["77"]
    assert problems == {"two": "the key was refused"}


async def test_a_vendor_that_takes_too_long_is_cut_off():
    """The answer of the others is not held up, its own call is ended, and it is said how long was waited."""
    slow = silent("slow")
    found, problems = await gather([slow, Vendor("one", [offer()])], Want(), patience=SOON)
    assert [each.id for each in found] == ["77"]
    assert problems == {"slow": "it did not answer within 0.03 s"}
    assert slow.cancelled


async def test_one_that_is_asked_alone_has_only_its_own_limits():
    """There is nobody to hold up: an answer after the others' patience is an answer."""
    asked = asyncio.Event()

    async def late() -> list[Offer]:
        await asked.wait()
        return [offer()]

    answer = asyncio.create_task(gather([Vendor("one", answer=late)], Want(), patience=timedelta(0)))
    for _ in range(5):
        await asyncio.sleep(0)
    assert not answer.done()
    asked.set()
    found, problems = await answer
    assert [each.id for each in found] == ["77"] and problems == {}


async def test_a_fault_of_ours_is_raised_and_no_vendors_problem():
    """Also a time-out that is not the one we set: what nobody expected must be seen in the log."""

    async def leaks() -> list[Offer]:
        raise TimeoutError("a socket")

    for vendors in ([Vendor("one", answer=leaks)], [Vendor("one", answer=leaks), Vendor("two", [offer()])]):
        with pytest.raises(TimeoutError, match="a socket"):
            await gather(vendors, Want())


async def test_who_stops_asking_stops_all_questions():
    """Cancelled from outside, nothing goes on asking behind the back."""
    vendors = [silent("one"), silent("two")]
    asking = asyncio.create_task(gather(vendors, Want()))
    for _ in range(5):
        await asyncio.sleep(0)
    assert all(each.wants for each in vendors)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert [one.cancelled for one in vendors] == [True, True]


async def test_any_question_can_be_put_to_all():
    """Answers come in the order of the providers, an error in the place of who could not."""
    vendors = [silent("slow"), Vendor("one"), Vendor("two", answer=refuses)]
    told = await each(vendors, lambda one: one.account(), patience=SOON)
    assert isinstance(told[0], TryLater) and isinstance(told[2], NeedsHuman)
    assert not isinstance(told[1], ProviderError) and told[1].note == "one is well."
