"""The recipe schema: what a training needs, as data. The bot's code knows no training tool by name.

Version 1 of the schema (``recipe: 1``). Unknown keys are errors, so that a typo is never a silent default.
Field meanings follow the survey of five trainers in the project's reference notes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from bot.domain.recipe_blocks import (
    CardRule,
    Checkpoints,
    DryRun,
    ErrorRule,
    GateRule,
    Memory,
    MemoryRung,
    Model,
    Name,
    Parameter,
    Pattern,
    Resume,
    Speed,
    Value,
    When,
)

PRESETS = ("quick", "standard", "thorough")
PRESET_MINUTES = {"quick": 5, "standard": 30, "thorough": 120}
"""Pure training time that the three names stand for, in minutes."""


FOR_RECIPES = "LASTCALL_RECIPE_"
"""Our variables that begin so are what recipes may pass on, under the rest of the name."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Preset(_Strict):
    """A named set of inputs. ``steps`` are fixed here or follow from the card's speed and the minutes."""

    steps: int | None = Field(default=None, ge=1)
    minutes: float = Field(gt=0)
    """Pure training time this preset is for, minutes."""
    limit_minutes: float | None = Field(default=None, gt=0)
    """The training is stopped after this long, loading and caching included; not said: after ``minutes``."""
    inputs: dict[Name, Value] = {}


class Requirements(_Strict):
    """Becomes the offer search and the gate: one source for both."""

    gpu: bool = True
    """False: a machine without a GPU will do."""
    vram_gb: float = 0
    """Least memory per GPU, GiB."""
    vram_comfort_gb: float = 0
    """With this much nothing has to be traded for memory, GiB."""
    ram_gb: float = 1
    disk_gb: float = 1
    driver_major: int = 0
    """Least NVIDIA driver, major version."""
    inodes: int = 1000


class InstallStep(_Strict):
    """Skipped when ``check`` exits 0; otherwise ``run`` and then ``check`` again."""

    id: str = Field(pattern=r"^[a-z0-9-]{1,40}$")
    check: tuple[str, ...] = Field(min_length=1)
    run: tuple[str, ...] = Field(min_length=1)
    minutes: float = Field(default=10, gt=0)
    """Stopped after this long."""


class Environment(_Strict):
    """Where and with what the tool runs. ``{workdir}``, ``{host_python}`` and ``{python}`` are filled in."""

    python: tuple[str, ...] = ("{host_python}", "{workdir}/venv/bin/python")
    """Candidates; the first one for which every install check passes is used."""
    env: dict[str, str] = {}
    secrets: tuple[Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{1,60}$")], ...] = ()
    """Names of variables that Lastcall passes on to installing and training: from memory to memory, never in a command
    line, a file or a log. Its own ``LASTCALL_RECIPE_HF_TOKEN`` is their ``HF_TOKEN``."""
    fetch: tuple[str, ...] = ()
    """Fetches one of ``models``: ``{url}``, ``{file}`` (its whole path) and ``{sha256}`` are filled in. With the word
    ``--check`` after it, it exits 0 when the file is there, whole."""
    files: tuple[str, ...] = ()
    """Files beside the recipe that are sent to ``tools/`` (relative to the recipe's folder)."""
    install: tuple[InstallStep, ...] = ()


class Dataset(_Strict):
    """What gate 1 asks of the images."""

    layout: Literal["flat-captions"] = "flat-captions"
    image_types: tuple[str, ...] = ("jpg", "jpeg", "png")
    min_images: int = Field(default=1, ge=1)
    max_images: int = Field(default=10000, ge=1)
    min_side: int = Field(default=1, ge=1)
    """Shortest side in pixels below which a warning is given."""
    sample: tuple[str, ...] = ()
    """Command that makes a sample data set into ``{dest}`` when nobody names one."""


class Render(_Strict):
    """A file written on the machine from the inputs. ``values`` are filled in, written, and read back."""

    path: str
    format: Literal["json", "toml", "yaml"] = "json"
    values: dict[str, Any]


class Extra(_Strict):
    """Words that are added to the training command when ``when`` holds: switches."""

    when: When
    argv: tuple[str, ...] = Field(min_length=1)


class Run(_Strict):
    """The training command: an argv list, never a shell string."""

    argv: tuple[str, ...] = Field(min_length=1)
    extra: tuple[Extra, ...] = ()
    cwd: str = Field(default=".", pattern=r"^[A-Za-z0-9.][\w./-]*$")
    """Below the work folder."""
    stop_grace_s: int = Field(default=20, ge=0)


class ProgressSpec(_Strict):
    """How the log is read (one tqdm pattern; the description tells training from other bars)."""

    description: Pattern = "steps"
    """Regular expression for the whole description of the training bar (``Epoch .*, Steps``); ``{name}`` is the name
    of the output."""
    loss_keys: tuple[str, ...] = ("avr_loss", "step_loss", "smooth loss", "loss")
    stages: dict[Pattern, str] = {}
    """Regular expression to stage name, tried in order on every line."""
    stall_after_s: int = Field(default=600, ge=5)
    """No byte in the log for this long is a stall, seconds."""
    nan_lines: int = Field(default=20, ge=1)
    """This many readings of a loss that is no number end the run."""


class Outputs(_Strict):
    """What is pulled. Nothing is torn down on success before the required files are verified."""

    folder: str = "out"
    final: str
    """Name of the file that makes the run a success; ``{name}`` is the output's name."""
    patterns: tuple[str, ...]
    """Globs below ``folder`` that are pulled at the end."""
    salvage: tuple[str, ...] = ()
    """Globs that are pulled when the run ended early; empty: the same."""
    megabytes: float = Field(default=100, gt=0)
    """About what is to be pulled; sizes the salvage window."""


class Bill(_Strict):
    """Times and sizes of the whole bill beside pure training."""

    install_minutes: tuple[float, float] = (3, 10)
    model_gb: float = 0
    """Base model to fetch, GB."""
    cache_minutes: tuple[float, float] = (0.5, 3)
    """Latent and text caching."""


class Recipe(_Strict):
    """One recipe file."""

    recipe: Literal[1]
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{1,40}$")
    title: str
    description: str
    family: str
    """What it trains (``sdxl``, ``flux``, ``sd15``, ``test``)."""
    tool: str
    tool_version: str = Field(min_length=1)
    """A release or a commit: what moves under a running team is no version."""
    inputs: dict[Name, Parameter] = {}
    presets: dict[str, Preset] = {}
    speed: Speed | None = None
    """None: every preset says its own steps."""
    memory: tuple[Memory, ...] = ()
    cards: tuple[CardRule, ...] = ()
    requirements: Requirements = Requirements()
    environment: Environment = Environment()
    models: tuple[Model, ...] = ()
    gates: tuple[GateRule, ...] = ()
    dataset: Dataset = Dataset()
    render: tuple[Render, ...] = ()
    run: Run | None = None
    """None: it can be estimated and advised on, and not trained."""
    dry_run: DryRun | None = None
    progress: ProgressSpec = ProgressSpec()
    errors: tuple[ErrorRule, ...] = ()
    memory_ladder: tuple[MemoryRung, ...] = ()
    checkpoints: Checkpoints | None = None
    resume: Resume = Resume()
    outputs: Outputs | None = None
    bill: Bill = Bill()
    advice: dict[Literal["fits", "small", "none", "apple", "faster"], str] = {}
    """Sentences of ``/gpu advise`` that only this recipe can know."""

    @model_validator(mode="after")
    def _whole(self) -> Recipe:
        for name in self.presets:
            if name not in PRESETS:
                raise ValueError(f"preset {name!r} is not one of {', '.join(PRESETS)}")
        if self.run and (self.outputs is None or not self.presets):
            raise ValueError("a recipe with 'run' needs 'outputs' and 'presets'")
        return self

    def preset(self, name: str) -> Preset:
        """The preset's own block, or the time budget that its name stands for."""
        return self.presets.get(name) or Preset(minutes=PRESET_MINUTES[name])

    def train_limit(self, name: str) -> timedelta:
        """When the training unit is stopped, from its start."""
        preset = self.preset(name)
        return timedelta(minutes=preset.limit_minutes or preset.minutes)

    def lacks(self, have: Mapping[str, str]) -> str:
        """The name of a token that has to be set before anything is rented, because a model is gated; or nothing."""
        if not any(one.gated for one in self.models):
            return ""
        return next((name for name in self.environment.secrets if not have.get(name)), "")

    @property
    def model_gb(self) -> float:
        """Base models to fetch, GB (decimal)."""
        return self.bill.model_gb or sum(one.gb for one in self.models)


_PLACE = r"\{([a-z_][a-z0-9_]*(?::[a-z0-9_]+)?)\}"


def fill(text: str, values: dict[str, str]) -> str:
    """``{name}`` and ``{input:rank}`` replaced from ``values``; an unknown name raises ``KeyError``."""
    return re.sub(_PLACE, lambda found: values[found.group(1)], text)


def places_of(value: Any) -> set[str]:
    """The names in ``{...}`` in a text, or in the texts of a list or a table."""
    if isinstance(value, str):
        return set(re.findall(_PLACE, value))
    parts = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
    return {name for part in parts for name in places_of(part)}
