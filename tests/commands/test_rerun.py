"""``train rerun``: the same training once more, with what was said otherwise."""

from __future__ import annotations

import shutil
from datetime import timedelta

import pytest

from bot.domain.money import Usd
from bot.domain.talk import Kind
from tests.support.small_town import MINUTE, SmallTown
from tests.support.town import BEN, EVE


async def _done(town: SmallTown) -> str:
    tab = await town.rent("train tiny-lora quick on world data ./images steps=8 rank=8 budget $2 for 1h")
    await town.until_closed(tab)
    return tab


async def test_it_repeats_recipe_pictures_parameters_and_terms(town: SmallTown):
    """All of it, also of a closed rental; and it trains to its end."""
    old = await town.rental(await _done(town))
    tab = await town.rent(f"train rerun {old.id}")
    new = await town.rental(tab)
    assert new.id != old.id and new.job is not None and old.job is not None
    assert (new.job.recipe, new.job.preset, new.job.inputs) == (
        old.job.recipe,
        old.job.preset,
        old.job.inputs,
    )
    assert (new.job.dataset_sha256, new.budget, new.lifetime) == (
        old.job.dataset_sha256,
        Usd.of(2),
        timedelta(hours=1),
    )
    assert new.want.provider == "world"
    assert (await town.until_closed(tab)).pulled_at is not None


async def test_what_is_said_takes_the_place_of_what_was(town: SmallTown):
    """A parameter, a budget, a preset; the rest stays. A teammate may repeat it, too, and pays for it themselves."""
    old = await _done(town)
    reply = await town.ask(f"train --again {old} steps=16 budget $3", actor=BEN)
    new = await town.rental(reply.rental)
    assert new.job is not None
    assert (new.job.inputs["steps"], new.job.inputs["rank"], new.budget) == (16, 8, Usd.of(3))
    assert new.owner == BEN and new.lifetime == 60 * MINUTE


@pytest.mark.parametrize("line", ["train rerun zzzzz9", "train rerun", "train rerun soon"])
async def test_an_id_that_is_none_is_answered_with_what_to_type(town: SmallTown, line: str):
    """Missing, unknown, or no id at all."""
    reply = await town.ask(line)
    assert reply.kind in (Kind.REFUSED, Kind.MISUNDERSTOOD) and reply.lines


async def test_what_cannot_be_repeated_says_why(town: SmallTown):
    """A bare machine, pictures that are gone, another team's rental."""
    old = await _done(town)
    bare = await town.rent("up world 3090 for 1h")
    assert (await town.ask(f"train rerun {bare}")).title == f"{bare} trained nothing."
    assert (await town.ask(f"train rerun {old}", actor=EVE)).title == f"{old} belongs to another team."
    job = (await town.rental(old)).job
    assert job is not None
    shutil.rmtree(job.dataset)
    reply = await town.ask(f"train rerun {old}")
    assert (
        reply.title == "The pictures of that training are not kept any more."
        and "data ./folder" in reply.lines[0]
    )
