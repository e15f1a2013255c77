"""Commands by their values, for chats that ask for each by name: every line that is made of them is read."""

from __future__ import annotations

import pytest

from bot.commands.catalogue import BY_NAME
from bot.commands.grammar import parse
from bot.commands.shapes import WORDS, line_of, shapes
from bot.domain.errors import AskAgain
from bot.domain.market import ANY
from bot.domain.talk import Kind
from tests.commands.words import VOCABULARY as KNOWN
from tests.support.small_town import SmallTown
from tests.support.town import ANN, BEN

SAID = {
    "provider": "vast", "gpu": "RTX 4090", "count": "2", "hours": "2h", "budget": "$5", "max": "$0.40/h",
    "disk": "80GB", "vram": "24GB", "in": "SE", "reliability": "95%", "verified": "yes", "cuda": "12.4",
    "net": "500mbps", "spot": "yes", "data": "./my cats", "recipe": "sdxl-lora",
    "preset": "quick", "id": "k7m2qd", "by": "1h", "lines": "50", "command": "up", "do": "all", "of": "team",
    "period": "week", "csv": "yes", "rate": "$0.20/h", "inputs": "", "words": "",
}  # fmt: skip
TAILS = {"decline": "k7m2qd too dear", "budget": "set team month $50"}


@pytest.mark.parametrize("shape", shapes(), ids=lambda shape: shape.command)
def test_a_command_with_all_its_values_is_a_line_that_is_read(shape):
    """However many there are; required ones come first, and none has more than a chat can show."""
    values = {one.name: SAID[one.name] for one in shape.options if one.name in SAID}
    if shape.command == "history":
        del values["lines"]  # one rental, or the last few
    values[WORDS] = TAILS.get(shape.command, "")
    assert parse(line_of(shape.command, values), KNOWN)
    needed = [one.required for one in shape.options]
    assert needed == sorted(needed, reverse=True) and len(shape.options) <= 25


def test_every_command_that_works_has_its_shape():
    """No more than 25 with one for whole lines."""
    assert {one.command for one in shapes()} == {name for name, one in BY_NAME.items() if one.available}
    assert len(shapes()) <= 24


def test_a_value_says_nothing_but_itself():
    """Quotes, dashes and blanks cannot smuggle in another option."""
    read = parse(line_of("up", {"provider": "vast", "hours": "2h", "gpu": "3090"}), KNOWN)
    assert read == parse("up vast 3090 for 2h", KNOWN)
    with pytest.raises(AskAgain):
        parse(line_of("up", {"provider": "vast --budget=$900"}), KNOWN)


async def test_cards_are_suggested_with_the_price_of_now(town: SmallTown):
    """Those that begin with what was typed, the priced ones first."""
    found = await town.life.desk.suggest(ANN, "up", "gpu", "3090", {"provider": ANY})
    assert found[0].value == "rtx-3090" and found[0].label == "RTX 3090, from $0.20/h on world"
    everything = await town.life.desk.suggest(ANN, "up", "gpu", "", {})
    assert len(everything) == 25 and everything[0].value == "rtx-3090"


async def test_rentals_are_suggested_with_what_they_cost(town: SmallTown):
    """One's own before the team's."""
    theirs, mine = await town.rent("up world 3090 for 1h", actor=BEN), await town.rent("up world 3090 for 1h")
    found = await town.life.desk.suggest(ANN, "down", "id", "", {})
    assert [one.value for one in found] == [mine, theirs, "mine", "all"]
    assert "$0.00" in found[0].label and found[1].label.endswith("ben's")


async def test_the_last_parameter_is_completed(town: SmallTown):
    """What stands before it stays as it is."""
    found = await town.life.desk.suggest(ANN, "train", "inputs", "steps=8 ra", {"recipe": "tiny-lora"})
    assert [one.value for one in found] == ["steps=8 rank="]


async def test_what_nobody_knows_suggests_nothing(town: SmallTown):
    """No command, no option of that name."""
    desk = town.life.desk
    assert not await desk.suggest(ANN, "fly", "gpu", "", {})
    assert not await desk.suggest(ANN, "up", "wings", "", {})
    reply = await town.ask(desk.line("up", {"provider": "a\tb"}))
    assert reply.kind is Kind.MISUNDERSTOOD
