"""The forms of ``up`` and ``train``: what can be chosen is true now, and what they say is what the quote says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.commands import forms, weighing
from bot.commands.form_line import FIELDS
from bot.domain.allowance import Defaults, Role
from bot.domain.errors import NeedsHuman
from bot.domain.form import Field, Form, Weighed
from bot.domain.money import Usd
from bot.domain.talk import Actor, Request
from bot.domain.vendor import Capabilities
from tests.commands.vendors import Vendor, offer, silent
from tests.support.small_town import SmallTown
from tests.support.town import ANN, HERE
from tests.support.towns import Found

BOSS = Actor("sim", ANN.team, "boss", "boss")
SOON = timedelta(milliseconds=30)
UP = {"provider": "any", "gpu": "rtx-3090", "for": "2h", "budget": "$5"}
TRAIN = {"recipe": "tiny-lora", "preset": "quick", "provider": "any", "for": "1h", "budget": "$5"}


def asks(town: SmallTown, actor: Actor = ANN) -> Request:
    """Somebody looks at a form; nothing is said yet."""
    return Request(actor, HERE, "", "", town.clock.now())


def stock(town: SmallTown, *vendors: Any) -> None:
    """These vendors, and no others."""
    desk = town.life.desk
    desk.house = replace(desk.house, providers={one.name: one for one in vendors})


async def shown(town: SmallTown, command: str = "up", values: Mapping[str, str] | None = None) -> Form:
    """The form, whose vendors have but a moment."""
    return await forms.build(town.life.desk.house, ANN, command, values or {}, patience=SOON)


async def weighed(town: SmallTown, command: str, values: Mapping[str, str], **more: str) -> Weighed:
    """The filled form on the scales."""
    return await town.life.desk.weigh(asks(town), command, {**values, **more})


def field(form: Form, name: str) -> Field:
    """One question."""
    return next(one for one in form.fields if one.name == name)


def labels(form: Form, name: str) -> list[str]:
    """What can be read in a list."""
    return [one.label for one in field(form, name).choices]


@pytest.mark.parametrize("text", ["up", "  UP ", "/gpu up", "!gpu  Up", "gpu up", "/GPU\tup\n"])
def test_a_command_that_is_left_open_asks_for_its_form(text: str):
    """However it is written."""
    assert forms.open_form(text) == "up"
    assert forms.open_form(text.lower().replace("up", "train")) == "train"


@pytest.mark.parametrize(
    "text", ["", "/gpu", "up vast", "up help", "upp", "status", "up up", "train x", "x" * 9999]
)
def test_every_other_line_does_not(text: str):
    """It says something already, or nothing."""
    assert forms.open_form(text) == ""


async def test_cards_have_live_prices_and_what_is_sold_out_is_not_there(town: SmallTown):
    """The cheapest of each, cheapest first."""
    one = Vendor("one", [offer("one", "a", "0.31"), offer("one", "b", "0.21")])
    two = Vendor("two", [offer("two", "c", "0.40", gpu="RTX 4090"), offer("two", "d", "0.01", gpu="Odd 1")])
    stock(town, one, two)
    form = await shown(town)
    assert labels(form, "gpu") == [
        "Any card, from $0.01/h on two",
        "RTX 3090, from $0.21/h on one",
        "RTX 4090, from $0.40/h on two",
    ]
    assert [choice.value for choice in field(form, "gpu").choices] == ["any", "rtx-3090", "rtx-4090"]
    assert [choice.value for choice in field(form, "provider").choices] == ["any", "one", "two"]
    assert "listed without a price" not in form.note


@pytest.mark.parametrize("alone", [True, False])
async def test_who_does_not_answer_is_told_and_known_cards_are_still_offered(town: SmallTown, alone: bool):
    """In time, also where nobody else is asked."""
    vendors = [silent("two")] if alone else [silent("two"), Vendor("one", [offer("one", "a", "0.31")])]
    stock(town, *vendors)
    form = await shown(town)
    assert form.note.startswith("two could not be asked: it did not answer within 0.03 s.")
    assert "H100 SXM, price not known" in labels(form, "gpu")
    assert ("RTX 3090, price not known" in labels(form, "gpu")) is alone


async def test_lengths_go_as_far_as_a_machine_may_live(town: SmallTown):
    """And what holds when nobody says otherwise is chosen already."""
    house = town.life.desk.house
    terms = replace(house.terms, lifetime=timedelta(minutes=90), max_lifetime=timedelta(hours=5))
    town.life.desk.house = replace(house, terms=terms)
    form = await shown(town)
    lengths = field(form, "for")
    assert [one.value for one in lengths.choices] == ["30m", "1h", "90m", "2h", "4h"]
    assert (lengths.value, field(form, "budget").value) == ("90m", str(terms.budget))


async def test_what_was_said_before_is_filled_in_as_far_as_it_can_be_chosen(town: SmallTown):
    """A card that was sold since cannot."""
    form = await shown(town, values={"budget": "$3", "gpu": "h200", "for": "2h", "other": "x"})
    assert [field(form, name).value for name in ("budget", "gpu", "for")] == ["$3", "any", "2h"]


async def test_training_asks_for_what_can_be_trained(town: SmallTown):
    """A recipe that comes later is no choice; names of fields are unique."""
    form = await shown(town, "train")
    recipes = [name for name, one in town.life.desk.house.recipes.items() if one.recipe.run]
    assert [one.value for one in field(form, "recipe").choices] == sorted(recipes)
    assert [one.value for one in field(form, "preset").choices] == ["quick", "standard", "thorough"]
    assert "rank" in field(form, "inputs").hint
    assert [one.name for one in form.fields] == list(FIELDS["train"])


async def test_spot_is_asked_where_somebody_has_it(town: SmallTown):
    """A question that has one answer is none."""
    stock(town, Vendor("one"))
    assert "spot" not in [one.name for one in (await shown(town)).fields]
    stock(town, Vendor("one", capabilities=Capabilities(spot=True)))
    assert field(await shown(town), "spot").value == "no"


async def test_a_viewer_has_nothing_to_fill_in(found: Found):
    """And is told who can change that."""
    town = await found(defaults=Defaults(role=Role.VIEWER))
    form = await town.life.desk.form(asks(town), "up", {})
    assert form.refusal.startswith("You may look, and not rent here.") and not form.fields
    assert (await weighed(town, "up", UP)).errors[""].startswith("You may look")


async def test_the_worst_case_is_the_quotes_own(town: SmallTown):
    """To the cent, with traffic and the recipe's own sample: the line is sent off, and the quote is looked at."""
    for host in town.town.hosts:
        host.traffic_per_gb = Usd.of("0.01")
    trainings = ({**TRAIN, "data": str(town.images)}, {**TRAIN, "inputs": "rank=8"})
    for command, values in (("up", {**UP, "gpu": "any"}), *(("train", one) for one in trainings)):
        found = await weighed(town, command, values)
        assert not found.errors, found
        tab = await town.rent(found.line)
        rental = await town.until(tab, lambda rental: rental.quoted_at)
        assert "GB of traffic" in rental.worst_how and found.how.endswith(f"{rental.worst_how}.")
        assert found.most == f"This cannot cost more than {rental.worst_case}."


async def test_nothing_is_written_by_weighing(town: SmallTown):
    """Not a row, not a word, not a folder."""
    await weighed(town, "train", {**TRAIN, "data": str(town.images)})
    await weighed(town, "train", TRAIN)
    assert await town.life.store.rentals.open_ones() == []
    assert not await town.life.store.outbox.unsaid()
    assert not (town.life.desk.house.data / "samples").exists()


@pytest.mark.parametrize(
    ("values", "name", "told"),
    [
        ({"gpu": "h200"}, "gpu", "No H200 is free anywhere now."),
        ({"budget": "$0.05"}, "budget", "The cheapest that fits can cost $"),
        ({"for": "29d"}, "for", "No machine lives longer"),
        ({"gpu": "any", "count": "7"}, "gpu", "x7 is free"),
    ],
)
async def test_what_cannot_be_is_told_at_its_field(
    town: SmallTown, values: dict[str, str], name: str, told: str
):
    """Before it is sent off."""
    errors = (await weighed(town, "up", UP, **values)).errors
    assert list(errors) == [name] and told in errors[name]


@pytest.mark.parametrize(
    ("values", "name", "told"),
    [
        ({"data": "/no/such"}, "data", "no such folder"),
        ({"data": "cats"}, "data", "relative path"),
        ({"data": "/"}, "data", "no images"),
        ({"data": "attached"}, "data", "form cannot take a file"),
        ({"preset": ""}, "preset", "How thorough?"),
        ({"inputs": "rank=999"}, "inputs", "from 1 to 128"),
        ({"for": "1m"}, "for", "too short"),
        ({"recipe": "flux-lora"}, "recipe", "LASTCALL_RECIPE_HF_TOKEN is not set"),
    ],
)
async def test_what_cannot_be_trained_is_told_at_its_field(
    town: SmallTown, values: dict[str, str], name: str, told: str
):
    """The free part of the gates."""
    errors = (await weighed(town, "train", TRAIN, **values)).errors
    assert list(errors) == [name] and told in errors[name]


async def test_budgets_are_asked_without_being_charged(found: Found):
    """Each limit at the field that would help; a need for approval is said."""
    town = await found(defaults=Defaults(admins=frozenset({BOSS.key})))
    limits = {"person day 5c": "budget", "person rate 1c/h": "gpu", "team machines 0": ""}
    for limit, name in limits.items():
        await town.ask(f"budget set {limit}", actor=BOSS)
        assert list((await weighed(town, "up", UP)).errors) == [name]
        await town.ask(f"budget set {' '.join(limit.split()[:2])} off", actor=BOSS)
    await town.ask("budget set approval total 1c", actor=BOSS)
    found_ = await weighed(town, "up", UP)
    assert not found_.errors and "Somebody else has to agree: it can cost more than $0.01." in found_.how


async def test_where_a_price_cannot_be_asked_the_form_may_still_be_sent_off(town: SmallTown):
    """The quote names it; until then there is no sentence that might be untrue."""

    async def refuses() -> Any:
        raise NeedsHuman("the key was refused")

    stock(town, Vendor("one", answer=refuses))
    found = await weighed(town, "up", UP, provider="one")
    assert not found.errors and found.most == ""
    assert found.how.startswith("one could not be asked: the key was refused.")


async def test_nothing_escapes(town: SmallTown):
    """A fault of ours is told with a reference, in a form as in a line."""

    async def broken() -> Any:
        raise ZeroDivisionError

    stock(town, Vendor("one", answer=broken))
    assert "reference" in (await town.life.desk.form(asks(town), "up", {})).refusal
    assert "reference" in (await weighed(town, "up", UP)).errors[""]
    assert "reference" in (await town.life.desk.form(asks(town), "fly", {})).refusal


async def test_a_form_of_somebody_who_waits_is_weighed_in_time(town: SmallTown):
    """A vendor that never answers holds nobody up."""
    stock(town, silent("one"))
    house = town.life.desk.house
    found = await weighing.weigh(house, asks(town), "up", {**UP, "provider": "one"}, patience=SOON)
    assert not found.errors and "did not answer within" in found.how
