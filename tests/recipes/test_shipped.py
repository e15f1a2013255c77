"""Every shipped recipe renders, is read back with its tool's own option names, and its presets fit its card."""

from __future__ import annotations

import json

import pytest

from bot import recipes
from bot.domain import gpus
from bot.domain.fitting import memory_gb, steps_on, usable_gb
from bot.domain.recipe import PRESETS
from bot.domain.recipe_faults import fault_of
from tests.recipes.rendered import SHIPPED, options, rendered

SD_SCRIPTS = {
    "sdxl-lora": "sdxl_train_network.py",
    "sd15-lora": "train_network.py",
    "flux-lora": "flux_train_network.py",
}
CARDS = [one for one in gpus.CATALOGUE if one.vendor == gpus.NVIDIA and one.vram_gb]
WITH_GPU = sorted(name for name, file in SHIPPED.items() if file.recipe.requirements.gpu)


def test_what_is_shipped():
    """Five trainings of real models by three tools, and what needs no GPU. Each is trainable, by each preset."""
    found = {name: file.recipe.tool for name, file in SHIPPED.items()}
    assert found["sdxl-lora"] == found["sd15-lora"] == found["flux-lora"] == "kohya-ss sd-scripts"
    assert found["flux-lora-ai-toolkit"] == "ai-toolkit" and found["sdxl-lora-diffusers"] == "diffusers"
    assert found["tiny-lora"]
    for file in SHIPPED.values():
        assert file.recipe.run and file.recipe.outputs and set(file.recipe.presets) == set(PRESETS)
        assert fault_of(file.recipe) is None


def test_no_file_of_the_folder_is_left_out():
    """Each ``.yaml`` is a recipe whose name is the file's."""
    assert {path.stem for path in recipes.SHIPPED.glob("*.yaml")} == set(SHIPPED)


def test_the_schema_for_editors_is_the_codes():
    """``python -m bot.recipes > recipes/schema.json`` brings it up to date."""
    kept = json.loads((recipes.SHIPPED / "schema.json").read_text(encoding="utf-8"))
    assert kept == json.loads(json.dumps(recipes.schema()))


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize(("name", "script"), SD_SCRIPTS.items())
def test_sd_scripts_gets_its_own_options(name: str, script: str, preset: str):
    """Both TOML files hold only names that the script and its data set reader know at the version that is pinned."""
    recipe = SHIPPED[name].recipe
    version, known = options("sd-scripts")
    assert recipe.tool_version == version
    run = rendered(recipe, preset, "RTX 4090", 24)
    assert script in run.argv and run.argv[-2:] == ("--config_file", "/w/config.toml")
    assert set(run.files["config.toml"]) <= known[script]
    data = run.files["dataset.toml"]
    assert set(data) == {"general", "datasets"} and set(data["general"]) <= known["general"]
    for one in data["datasets"]:
        assert set(one) <= known["datasets"]
        assert all(set(subset) <= known["subsets"] for subset in one["subsets"])


def test_flux_on_sd_scripts_changes_the_four_defaults_that_must_be():
    """And names four single files; the U-Net alone is trained, which the cached text needs."""
    config = rendered(SHIPPED["flux-lora"].recipe, "standard", "RTX 4090", 24).files["config.toml"]
    assert (config["guidance_scale"], config["timestep_sampling"]) == (1.0, "shift")
    assert (config["model_prediction_type"], config["discrete_flow_shift"]) == ("raw", 3.1)
    fetched = {f"/w/{one.dest}" for one in SHIPPED["flux-lora"].recipe.models}
    assert {config[one] for one in ("pretrained_model_name_or_path", "clip_l", "t5xxl", "ae")} == fetched
    assert config["network_train_unet_only"] and config["cache_text_encoder_outputs"] and config["fp8_base"]


def test_what_is_typed_arrives_in_the_tools_file():
    """By type: a whole number, a number, a word, a yes."""
    recipe = SHIPPED["sdxl-lora"].recipe
    typed = {
        "rank": "16",
        "lr": "2e-4",
        "optimizer": "Prodigy",
        "checkpointing": "yes",
        "steps": "77",
        "batch": "2",
    }
    run = rendered(recipe, "quick", "RTX 4090", 24, **typed)
    config = run.files["config.toml"]
    assert (config["network_dim"], config["learning_rate"], config["max_train_steps"]) == (16, 0.0002, 77)
    assert (config["optimizer_type"], config["gradient_checkpointing"]) == ("Prodigy", True)
    assert run.files["dataset.toml"]["datasets"][0]["batch_size"] == 2
    assert run.job.steps == 77


@pytest.mark.parametrize("preset", PRESETS)
def test_ai_toolkit_gets_its_own_options(preset: str):
    """Each block of its YAML holds only names that its own classes read."""
    recipe = SHIPPED["flux-lora-ai-toolkit"].recipe
    version, known = options("ai-toolkit")
    assert recipe.tool_version == version
    config = rendered(recipe, preset, "RTX 4090", 24).files["config.yaml"]
    assert set(config) == {"job", "config", "meta"} and config["job"] == "extension"
    assert config["config"]["name"] == "cats-k7m2qd"
    (process,) = config["config"]["process"]
    assert set(process) <= known["process"]
    for block in ("network", "save", "train", "model", "sample"):
        assert set(process[block]) <= known[block]
    assert set(process["train"]["ema_config"]) <= known["ema_config"]
    assert all(set(one) <= known["datasets"] for one in process["datasets"])
    assert process["train"]["skip_first_sample"] and process["train"]["disable_sampling"]


@pytest.mark.parametrize("preset", PRESETS)
def test_diffusers_gets_its_own_options(preset: str):
    """Each switch is one of its example's, and switches follow the inputs."""
    recipe = SHIPPED["sdxl-lora-diffusers"].recipe
    version, known = options("diffusers")
    assert recipe.tool_version == version
    argv = rendered(recipe, preset, "RTX 4090", 24).argv
    words = argv[argv.index("train_dreambooth_lora_sdxl.py") + 1 :]
    assert all(word.startswith("--") for word in words)
    assert {word[2:].partition("=")[0] for word in words} <= known["train_dreambooth_lora_sdxl.py"]
    assert "--gradient_checkpointing" in words and "--use_8bit_adam" in words
    plain = rendered(recipe, preset, "RTX 4090", 24, eight_bit="no").argv
    assert "--use_8bit_adam" not in plain


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("name", WITH_GPU)
def test_every_preset_fits_every_card_that_the_recipe_takes(name: str, preset: str):
    """93 % of what the card is sold with is the least that gate 3 lets pass, and a tenth of that stays free."""
    recipe = SHIPPED[name].recipe
    least = recipe.requirements.vram_gb
    cards = {one.vram_gb for one in CARDS if one.vram_gb >= least} | {
        least,
        recipe.requirements.vram_comfort_gb,
    }
    for vram in sorted(cards):
        # As marketplaces tell it: a 24 GB card shows 24564 MiB.
        for shown in (vram, vram - 0.1):
            takes = memory_gb(recipe, rendered(recipe, preset, None, shown).job.inputs)
            assert takes is not None and takes <= usable_gb(vram), (vram, takes)


@pytest.mark.parametrize("name", WITH_GPU)
def test_a_card_that_is_too_small_would_not_fit(name: str):
    """So the rule above can fail: half of the least is not enough."""
    recipe = SHIPPED[name].recipe
    small = recipe.requirements.vram_gb / 2
    takes = memory_gb(recipe, rendered(recipe, "thorough", None, small).job.inputs)
    assert takes is not None and takes > usable_gb(small)


@pytest.mark.parametrize(
    ("name", "card", "inputs", "steps"),
    [
        ("sdxl-lora", "RTX 3090", {}, (250, 1500, 4000)),
        ("sdxl-lora", "RTX 4090", {}, (333, 2000, 4000)),
        ("sdxl-lora", "H100 SXM", {}, (500, 3000, 4000)),
        ("flux-lora", "RTX 4090", {"resolution": 1024}, (100, 600, 2400)),
        ("flux-lora", "RTX 4090", {"resolution": 512}, (214, 1285, 4000)),
        ("flux-lora", "H100 PCIe", {"resolution": 1024}, (166, 1000, 4000)),
        ("flux-lora-ai-toolkit", "RTX 4090", {"resolution": 1024}, (100, 600, 2400)),
        ("sd15-lora", "A100 SXM 80GB", {}, (1500, 4000, 4000)),
    ],
)
def test_a_presets_minutes_are_steps_by_the_cards_speed(
    name: str, card: str, inputs: dict[str, int], steps: tuple[int, ...]
):
    """5 minutes, 30 minutes and 2 hours, up to what is of use: the table of the survey."""
    recipe = SHIPPED[name].recipe
    for preset, wanted in zip(PRESETS, steps, strict=True):
        default = {one: parameter.default for one, parameter in recipe.inputs.items()}
        assert steps_on(recipe, preset, {**default, **inputs}, card) == wanted


def test_a_card_that_nobody_measured_is_taken_to_be_slow_and_two_images_a_step_take_twice_as_long():
    """Fewer steps are done in time; too many would be cut off."""
    recipe = SHIPPED["sdxl-lora"].recipe
    known = rendered(recipe, "quick", "RTX 3090", 24).job.steps
    strange = rendered(recipe, "quick", "RTX A5000", 24).job.steps
    assert rendered(recipe, "quick", None, 24).job.steps == strange < known
    assert rendered(recipe, "quick", "RTX 3090", 24, batch="2").job.steps == known // 2


def test_a_small_card_trades_speed_for_memory_unless_the_person_says_otherwise():
    """With fewer steps for the same time, as each takes longer."""
    recipe = SHIPPED["sdxl-lora"].recipe
    large, small = (rendered(recipe, "quick", "RTX 3090", gb).job for gb in (24, 12))
    assert (large.inputs["checkpointing"], small.inputs["checkpointing"]) == (False, True)
    assert small.steps == 176 < large.steps == small.inputs["steps"] + 74
    said = rendered(recipe, "quick", "RTX 3090", 12, checkpointing="no").job
    assert said.inputs["checkpointing"] is False
