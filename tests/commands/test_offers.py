"""``offers`` at the desk: who is asked, who is not and why, and what is left out."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import pytest

from bot.commands.desk import Desk
from bot.commands.reach import _FACTS, names
from bot.domain.errors import NeedsHuman
from bot.domain.market import Offer, Want
from bot.domain.talk import Kind, Reply, Tone
from bot.domain.vendor import Capabilities, Profile
from tests.commands.vendors import Vendor, offer, profile
from tests.support.small_town import SmallTown

SPOT = Capabilities(spot=True)
ENDED = Capabilities(no_spot="Two ended its spot machines in 2026")
SILENT = Capabilities(untold=frozenset({"reliability", "down_mbps"}))
THREE = profile("three", setting="THREE_API_KEY")
FOUR = profile("four", setting="FOUR_API_KEY")


async def ask(town: SmallTown, line: str, vendors: Sequence[Vendor], more: Sequence[Profile] = ()) -> Reply:
    """Type a line where these vendors are configured; the profiles of others are known."""
    house = dataclasses.replace(
        town.life.desk.house,
        providers={one.name: one for one in vendors},
        profiles=[*(one.profile for one in vendors), *more],
    )
    return await Desk(house).handle(town.town.request(line))


async def test_every_wish_reaches_every_vendor(town: SmallTown):
    """From the line to the vendor's question, whole."""
    one, two = Vendor("one", [offer()]), Vendor("two")
    reply = await ask(
        town,
        "offers any 3090 in EU reliability 95% verified cuda 12.4 net 500mbps disk 80GB max $1/h",
        [one, two],
    )
    assert one.wants == two.wants
    (want,) = one.wants
    assert (want.region, want.reliability, want.verified, want.cuda, want.down_mbps) == (
        "EU", 0.95, True, "12.4", 500,
    )  # fmt: skip
    assert (want.gpu, want.disk_gb, want.cpu_ok) == ("RTX 3090", 80, False)
    assert reply.title == "No such offer right now"  # its disk is too small: looked at again


@pytest.mark.parametrize("line", ["offers", "offers any 3090", "offers in EU"])
async def test_who_is_not_configured_is_named_in_one_line(town: SmallTown, line: str):
    """Where all are meant; it is no fault, and the others' offers are there."""
    reply = await ask(town, line, [Vendor("one", [offer()])], [THREE, FOUR])
    assert reply.title == "1 offer, from $0.31/h"
    assert reply.lines[-1] == "Three and Four are not configured: set THREE_API_KEY, FOUR_API_KEY."
    assert reply.tone is Tone.CALM


async def test_one_that_was_named_says_nothing_about_the_others(town: SmallTown):
    """Who asks one vendor is not told what else could be set up."""
    reply = await ask(town, "offers one", [Vendor("one", [offer()])], [THREE])
    assert not any("configured" in line for line in reply.lines)


async def test_a_named_one_that_is_not_configured_is_refused_with_what_to_set(town: SmallTown):
    """Its word is understood all the same."""
    reply = await ask(town, "offers three 3090", [Vendor("one")], [THREE])
    assert reply.kind is Kind.REFUSED
    assert reply.title == "Three is not configured: set THREE_API_KEY."
    assert reply.lines == ("'providers' shows what is.",)


async def test_spot_is_refused_where_there_is_none_with_the_reason(town: SmallTown):
    """Before the vendor is asked; who has spot is named."""
    two = Vendor("two", [offer("two")], capabilities=ENDED)
    reply = await ask(town, "offers two spot", [Vendor("one", capabilities=SPOT), two])
    assert reply.kind is Kind.REFUSED
    assert reply.title == "Two rents no spot machines: Two ended its spot machines in 2026."
    assert reply.lines == ("Leave 'spot' out, or ask one.",)
    assert not two.wants


async def test_up_refuses_spot_like_offers_does(town: SmallTown):
    """One rule for both, and nothing is opened."""
    reply = await ask(town, "up two 3090 spot", [Vendor("two", capabilities=ENDED)])
    assert reply.kind is Kind.REFUSED
    assert reply.title == "Two rents no spot machines: Two ended its spot machines in 2026."
    assert reply.lines == ("Leave 'spot' out.",)
    assert not await town.life.store.rentals.open_ones()


async def test_spot_of_any_asks_those_that_have_it(town: SmallTown):
    """The others are not asked, and why is said."""
    one = Vendor("one", [offer(spot=True), offer(id="steady")], capabilities=SPOT)
    two, plain = Vendor("two", capabilities=ENDED), Vendor("plain/a")
    reply = await ask(town, "offers 3090 spot", [one, two, plain, Vendor("plain/b")])
    assert [each["id"] for each in reply.data["offers"]] == ["77"]
    assert reply.lines[:2] == (
        "Two rents no spot machines: Two ended its spot machines in 2026.",
        "Plain rents no spot machines.",
    )
    assert not two.wants and not plain.wants


async def test_a_vendor_that_never_tells_what_is_asked_for_is_left_out_and_named(town: SmallTown):
    """Nothing is assumed of a host that nobody vouches for, and nobody wonders where a vendor went."""
    dumb = offer("two", "b", "0.10", reliability=None, down_mbps=None)
    vendors = [Vendor("one", [offer()]), Vendor("two", [dumb], capabilities=SILENT)]
    reply = await ask(town, "offers 3090 reliability 95% in EU", vendors)
    assert [each["id"] for each in reply.data["offers"]] == ["77"]
    assert reply.lines[0] == "Left out, for the reliability is not told there: Two."
    assert reply.data["left_out"] == ["Left out, for the reliability is not told there: Two."]
    unasked = await ask(town, "offers 3090 in EU", vendors)
    assert [each["id"] for each in unasked.data["offers"]] == ["b", "77"]
    assert not any("Left out" in line for line in unasked.lines)


def test_only_facts_of_a_wish_can_be_untold():
    """The words for what a vendor does not tell are those of the wish itself."""
    assert {one.name for one in dataclasses.fields(Want)} >= _FACTS.keys()


def test_names_are_listed_as_people_say_them():
    """Each once."""
    assert (names([]), names(["a"]), names("aba"), names("abc")) == ("", "a", "a and b", "a, b and c")


@pytest.mark.parametrize(
    ("line", "cpu"),
    [
        ("offers", True),
        ("offers in EU", True),
        ("offers cpu", True),
        ("offers 3090", False),
        ("offers vram 8GB", False),
        ("offers x2", False),
        ("offers verified", False),
        ("offers reliability 90%", False),
        ("offers cuda 12", False),
        ("offers net 100mbps", False),
    ],
)
async def test_a_computer_without_a_gpu_is_offered_where_nothing_else_was_asked_for(
    town: SmallTown, line: str, cpu: bool
):
    """It has no CUDA and no vendor who vouches for it."""
    own = offer("one", gpu="CPU only", vram_gb=0, hourly="0", cpu_only=True)
    reply = await ask(town, line, [Vendor("one", [own])])
    assert bool(reply.data["offers"]) is cpu


@pytest.mark.parametrize("line", ["estimate sdxl-lora", "advise sdxl-lora", "providers"])
async def test_what_could_be_set_up_is_said_wherever_providers_are_compared(town: SmallTown, line: str):
    """No provider "comes later": it is configured, or it is said what to set."""
    reply = await ask(town, line, [Vendor("one", [offer()])], [THREE])
    assert "Three is not configured: set THREE_API_KEY." in reply.lines
    assert not any("Renting from" in text for text in reply.lines)


async def test_providers_shows_who_is_ready_who_is_broken_and_who_is_not_set_up(town: SmallTown):
    """An account that cannot be asked is a fault of that vendor's row, and of no other."""

    async def refuses() -> list[Offer]:
        raise NeedsHuman("the key was refused")

    reply = await ask(town, "providers", [Vendor("one"), Vendor("two", answer=refuses)], [THREE])
    assert [row[-1] for row in reply.tables[0].rows] == ["ready", "fault", "not configured"]
    assert reply.lines[-1] == "Three is not configured: set THREE_API_KEY."
    assert reply.data["providers"][2]["setting"] == "THREE_API_KEY"
