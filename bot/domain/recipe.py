"""The recipe schema: what a training needs, as data. The bot's code knows no training tool by name.

Version 1 of the schema (``recipe: 1``). Unknown keys are errors, so that a typo is never a silent default.
Field meanings follow the survey of five trainers in the project's reference notes.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

PRESETS = ("quick", "standard", "thorough")
PRESET_MINUTES = {"quick": 5, "standard": 30, "thorough": 120}
"""Pure training time that the three names stand for, in minutes."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Parameter(_Strict):
    """One input that a person may set: ``rank=16``."""

    type: Literal["int", "float", "str", "bool"]
    default: int | float | str | bool
    min: float | None = None
    max: float | None = None
    choices: tuple[str, ...] = ()
    help: str = ""

    def read(self, name: str, text: str) -> int | float | str | bool:
        """The value that ``text`` stands for. Raises ``ValueError`` with a sentence."""
        value = self._convert(name, text)
        if isinstance(value, int | float) and not isinstance(value, bool):
            if self.min is not None and value < self.min:
                raise ValueError(f"{name} is at least {self.min:g}, not {text}.")
            if self.max is not None and value > self.max:
                raise ValueError(f"{name} is at most {self.max:g}, not {text}.")
        if self.choices and str(value) not in self.choices:
            raise ValueError(f"{name} is one of {', '.join(self.choices)}, not {text}.")
        return value

    def _convert(self, name: str, text: str) -> int | float | str | bool:
        if self.type == "str":
            if not text or len(text) > 200 or not text.isprintable():
                raise ValueError(f"{name} is a text of 1 to 200 printable characters.")
            return text
        if self.type == "bool":
            if text.lower() in ("yes", "true", "on", "1"):
                return True
            if text.lower() in ("no", "false", "off", "0"):
                return False
            raise ValueError(f"{name} is yes or no, not {text}.")
        pattern = r"[+-]?\d{1,12}" if self.type == "int" else r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?"
        if not re.fullmatch(pattern, text, re.ASCII):
            what = "a whole number" if self.type == "int" else "a number such as 1e-4"
            raise ValueError(f"{name} is {what}, not {text}.")
        return int(text) if self.type == "int" else float(text)


class Preset(_Strict):
    """A named set of inputs. ``steps`` are fixed here or follow from the card's speed and the minutes."""

    steps: int | None = Field(default=None, ge=1)
    minutes: float = Field(gt=0)
    """Pure training time this preset may take at most, minutes."""
    inputs: dict[str, int | float | str | bool] = {}


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
    """A file written on the machine from the inputs. ``values`` are filled in and written as JSON."""

    path: str
    values: dict[str, Any]


class Run(_Strict):
    """The training command: an argv list, never a shell string."""

    argv: tuple[str, ...] = Field(min_length=1)
    stop_grace_s: int = Field(default=20, ge=0)


class ProgressSpec(_Strict):
    """How the log is read (one tqdm pattern; the description tells training from other bars)."""

    description: str = "steps"
    """Regular expression for the whole description of the training bar (``Epoch .*, Steps``)."""
    loss_keys: tuple[str, ...] = ("avr_loss", "step_loss", "smooth loss", "loss")
    stages: dict[str, str] = {}
    """Regular expression to stage name, tried in order on every line."""
    stall_after_s: int = Field(default=600, ge=5)
    """No byte in the log for this long is a stall, seconds."""
    nan_lines: int = Field(default=20, ge=1)
    """This many readings of a loss that is no number end the run."""


class ErrorRule(_Strict):
    """A text in the log and what helps."""

    match: str
    sentence: str
    fix: str = ""


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
    tool_version: str
    inputs: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,30}$")], Parameter] = {}
    presets: dict[str, Preset] = {}
    requirements: Requirements = Requirements()
    environment: Environment = Environment()
    dataset: Dataset = Dataset()
    render: tuple[Render, ...] = ()
    run: Run | None = None
    """None: can be estimated and advised on, its training comes with a later release."""
    progress: ProgressSpec = ProgressSpec()
    errors: tuple[ErrorRule, ...] = ()
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
        for pattern in (self.progress.description, *self.progress.stages):
            re.compile(pattern)
        for rule in self.errors:
            re.compile(rule.match)
        return self

    def preset(self, name: str) -> Preset:
        """The preset's own block, or the time budget that its name stands for."""
        return self.presets.get(name) or Preset(minutes=PRESET_MINUTES[name])

    def train_limit(self, name: str) -> timedelta:
        """Time budget of pure training."""
        return timedelta(minutes=self.preset(name).minutes)


def fill(text: str, values: dict[str, str]) -> str:
    """``{name}`` replaced from ``values``; an unknown name raises ``KeyError``. ``{{`` stays a brace."""
    return re.sub(r"\{([a-z_]+)\}", lambda found: values[found.group(1)], text)
