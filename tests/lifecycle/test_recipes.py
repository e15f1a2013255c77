"""A recipe of a real tool through a whole rental: its files, models, gates, secrets, steps by the card, and mishaps."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from adapters.simulators.training import tiny_safetensors, tqdm_line
from adapters.simulators.units import Beat, Play
from bot import recipes
from bot.commands.handlers.rent import want_of
from bot.domain.market import Want
from bot.domain.rental import Ending
from bot.ports import Ran, UnitJob
from tests.recipes.rendered import SHIPPED
from tests.support.small_town import SECOND, SmallTown
from tests.support.towns import Found

LINE = "train sdxl-lora quick on world data ./images"
FAILED = Ran(1, b"", b"not there\n")


@dataclass(frozen=True)
class SdScripts:
    """Plays what the recipe's own ``config.toml`` asks for; other units end at once, well."""

    log: bytes = b""
    exit_code: int = 0

    def __call__(self, unit: str, job: UnitJob, files: Mapping[str, bytes]) -> Play:
        """A training of two seconds."""
        if not unit.startswith("train"):
            return Play()
        config = tomllib.loads(files["config.toml"].decode())
        steps, name = config["max_train_steps"], config["output_name"]
        if self.exit_code:
            return Play([Beat(SECOND, self.log)], lasts=SECOND, exit_code=self.exit_code)
        last = tqdm_line(steps, steps, 2 * SECOND, 0.1).encode()
        left = {f"/out/{name}.safetensors": tiny_safetensors(0, steps)}
        beats = [Beat(SECOND, b"\r" + last + b"\r\nmodel saved.\n", left)]
        return Play(beats, lasts=2 * SECOND, folders=("/out",))


def pictured() -> Mapping[str, recipes.RecipeFile]:
    """The shipped ones, for two images of any size."""
    found = {}
    for name, file in SHIPPED.items():
        data = file.recipe.dataset.model_copy(update={"min_images": 1, "min_side": 1})
        text = file.text.replace("min_images: 5", "min_images: 1")
        recipe = file.recipe.model_copy(update={"dataset": data})
        digest = hashlib.sha256(text.encode()).hexdigest()
        found[name] = recipes.RecipeFile(recipe, file.folder, digest, text)
    return found


async def town_of(found: Found, **more: Any) -> SmallTown:
    """A town where these can be trained with what the tests have."""
    return await found(recipes=pictured(), **{"script": SdScripts(), **more})


def job_of(town: SmallTown, unit: str) -> UnitJob:
    """What a unit was started with."""
    return town.world.ever()[0].units[unit].job


async def test_a_recipe_of_a_real_tool_lives_through_a_rental(found: Found):
    """Nothing in the bot knows the tool: its files are rendered, its words are run where it says, its bar is read."""
    town = await town_of(found)
    tab = await town.rent(LINE)
    rental = await town.until_closed(tab)
    assert rental.ending is Ending.DONE, town.card(tab)
    machine = town.world.ever()[0]
    config = tomllib.loads(machine.files["config.toml"].decode())
    assert config["output_name"] == f"sdxl-lora-{tab}" and config["network_dim"] == 16
    assert {"tools/fetch_file.py", "dataset.toml"} <= set(machine.files)
    train = job_of(town, "train-1")
    assert train.cwd == "sd-scripts" and "sdxl_train_network.py" in train.argv
    assert train.limit == timedelta(minutes=30) and train.secrets == {}


async def test_steps_follow_the_card_that_came(found: Found):
    """5 minutes on an RTX 3090 are 250 steps; nobody knew the card when it was asked for. What is said stays."""
    town = await town_of(found)
    tab = await town.rent(LINE)
    rental = await town.until_closed(tab)
    assert (rental.progress.step, rental.progress.total) == (250, 250)
    assert rental.job is not None and rental.job.steps != 250
    other = await town_of(found)
    tab = await other.rent(f"{LINE} steps=77 rank=8")
    assert (await other.until_closed(tab)).progress.total == 77
    config = tomllib.loads(other.world.ever()[0].files["config.toml"].decode())
    assert (config["max_train_steps"], config["network_dim"]) == (77, 8)


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_a_recipe_asks_of_an_offer_only_what_every_vendor_tells(name: str):
    """A wish that a vendor does not tell leaves out all that it has, and the team's own computers."""
    want = want_of(SHIPPED[name].recipe, Want())
    assert not (want.down_mbps or want.cuda or want.region or want.verified or want.reliability)


async def test_models_are_fetched_where_they_are_not_there_whole(found: Found):
    """As units that outlive a line, with the recipe's own command; the check decides, before and after."""
    town = await town_of(found)
    whole: set[str] = set()

    def check(machine: Any, argv: Any, _stdin: bytes) -> Ran:
        if argv[-1] != "--check" or "install-model-base" in machine.units:
            whole.add(argv[3])
            return Ran(0, b"", b"")
        return FAILED

    town.shell.answer(["python3"], check)
    tab = await town.rent(LINE)
    rental = await town.until_closed(tab)
    assert rental.ending is Ending.DONE, town.card(tab)
    argv = job_of(town, "install-model-base").argv
    assert argv[1].endswith("tools/fetch_file.py") and argv[2].endswith("sd_xl_base_1.0.safetensors")
    assert argv[3].endswith("/models/sd_xl_base_1.0.safetensors") and argv[3] in whole


async def test_a_gate_of_the_recipe_condemns_a_machine(found: Found):
    """No bf16 on this card: the next machine is taken, and the sentence is the recipe's."""
    town = await town_of(found)

    def gate(machine: Any, argv: Any, _stdin: bytes) -> Ran:
        first = machine is town.world.ever()[0]
        asked = "get_device_capability" in argv[-1]
        return Ran(1, b"capability 7 5\n", b"AssertionError\n") if first and asked else Ran(0, b"", b"")

    town.shell.answer([], gate_after(town, gate))
    tab = await town.rent(LINE)
    rental = await town.until_closed(tab)
    assert rental.ending is Ending.DONE and len(rental.attempts) == 2
    said = " ".join(line.text for line in await town.journal(tab))
    assert "gate 3, bf16" in said


def gate_after(town: SmallTown, gate: Any) -> Any:
    """Answers for the tool's own Python; everything else is answered as ever."""
    usual = town.shell._answer

    def answer(machine: Any, argv: Any, stdin: bytes) -> Ran:
        if argv and argv[0].endswith("venv/bin/python"):
            return gate(machine, argv, stdin)
        kept = town.shell._answers
        town.shell._answers = []
        try:
            return usual(machine, tuple(argv), stdin)
        finally:
            town.shell._answers = kept

    return answer


@pytest.mark.parametrize(
    ("line", "fix"),
    [
        (LINE, "Ask again with checkpointing=true, or for a card with more memory."),
        (f"{LINE} batch=4", "Ask again with batch=1, or"),
        (f"{LINE} checkpointing=yes", "Ask again with resolution=768, or"),
    ],
)
async def test_out_of_memory_is_told_with_the_next_rung_of_the_ladder(found: Found, line: str, fix: str):
    """The recipe's ladder, from where this run stood."""
    log = b"torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB\n"
    town = await town_of(found, script=SdScripts(log, exit_code=1))
    tab = await town.rent(line)
    rental = await town.until_closed(tab)
    card = town.card(tab)
    assert rental.ending is Ending.FAILED and "The card's memory ran out" in card and "2.00 GiB" in card
    assert fix in card


async def test_an_exit_that_the_recipe_knows_is_told_in_its_words(found: Found):
    """137 without a word: the kernel took the machine's memory back."""
    town = await town_of(found, script=SdScripts(b"loading\n", exit_code=137))
    tab = await town.rent(LINE)
    await town.until_closed(tab)
    assert "The machine's memory (RAM) ran out" in town.card(tab) and "more RAM" in town.card(tab)


async def test_a_gated_model_without_its_token_is_refused_before_anything_is_rented(found: Found):
    """Which variable is missing, and what else it takes."""
    town = await town_of(found)
    reply = await town.ask("train flux-lora quick on world data ./images")
    told = " ".join((reply.title, *reply.lines))
    assert "LASTCALL_RECIPE_HF_TOKEN is not set" in told and "licence" in told
    assert not town.world.ever()


async def test_a_token_reaches_the_units_and_nothing_else(found: Found):
    """From memory to memory: no file, no command line, no journal, no row has it."""
    town = await town_of(found, secrets={"HF_TOKEN": "hf_veryprivate", "OTHER": "not asked for"})
    tab = await town.rent("train flux-lora quick on world data ./images")
    rental = await town.until_closed(tab)
    assert rental.ending is Ending.DONE, town.card(tab)
    machine = town.world.ever()[0]
    train = job_of(town, "train-1")
    assert train.secrets == {"HF_TOKEN": "hf_veryprivate"}
    assert "hf_veryprivate" not in repr((train.argv, train.env, machine.files, town.shell.ran, rental))
    assert "hf_veryprivate" not in " ".join(line.text for line in await town.journal(tab))
