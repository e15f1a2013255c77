"""The configuration file of one run: every value checked before anything is loaded."""

import json
import math
from dataclasses import MISSING, dataclass, fields
from pathlib import Path

RESOLUTION_STEP = 8
NAME_BYTES = 200  # leaves room for "-step00000100-state" within the usual 255


class ConfigError(Exception):
    """A human must change the configuration; the message is one sentence saying where."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """One run. Keys without a default must be in the file."""

    data_dir: str  # flat folder of images with .txt captions
    output_dir: str  # made if absent; relative paths start at the working directory
    output_name: str  # stem of every file written
    steps: int  # of optimisation, in all, also when resumed
    rank: int = 16
    alpha: float = 16.0  # the adapters' strength is alpha / rank
    learning_rate: float = 0.005
    batch_size: int = 16
    seed: int = 42
    save_every: int = 100  # steps between checkpoints
    resolution: int = 32  # pixels a side, multiple of 8


BOUNDS: dict[str, tuple[float, float]] = {
    "steps": (1, 100_000),
    "rank": (1, 128),
    "alpha": (0.001, 1024),
    "learning_rate": (1e-9, 1e6),
    "batch_size": (1, 64),
    "seed": (0, 2**32 - 1),
    "save_every": (1, 100_000),
    "resolution": (16, 64),
}


def load_config(path: str) -> Config:
    """Read and check a configuration file. Raises ConfigError."""
    try:
        text = Path(path).read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ConfigError(f"cannot read the configuration: {error.strerror}") from error
    except ValueError as error:
        raise ConfigError("the configuration is not UTF-8 text") from error
    try:
        raw = json.loads(text, object_pairs_hook=_without_doubles)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"the configuration is not valid JSON: {error}") from error
    if not isinstance(raw, dict):
        raise ConfigError("the configuration must be a JSON object")
    return _checked(raw)


def _without_doubles(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            raise ConfigError(f"configuration key {key!r} is there twice")
        found[key] = value
    return found


def _checked(raw: dict[str, object]) -> Config:
    known = {field.name: field for field in fields(Config)}
    for key in raw:
        if key not in known:
            raise ConfigError(f"unknown configuration key {key!r}; known are {', '.join(known)}")
    values: dict[str, object] = {}
    for name, field in known.items():
        if name in raw:
            check = _text if field.type is str else _number
            values[name] = check(name, raw[name], whole=field.type is int)
        elif field.default is MISSING:
            raise ConfigError(f"configuration key {name!r} is missing")
    config = Config(**values)  # type: ignore[arg-type]  # each was checked by its own type
    if config.resolution % RESOLUTION_STEP:
        raise ConfigError(f"'resolution' must be a multiple of {RESOLUTION_STEP}")
    _check_name(config.output_name)
    return config


def _text(name: str, value: object, *, whole: bool) -> str:
    if not isinstance(value, str) or not value or "\0" in value:
        raise ConfigError(f"{name!r} must be text that is not empty, not {value!r}")
    return value


def _number(name: str, value: object, *, whole: bool) -> int | float:
    low, high = BOUNDS[name]
    kind = "a whole number" if whole else "a number"
    # bool is a kind of int in Python, but `true` steps are a mistake.
    if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)):
        raise ConfigError(f"{name!r} must be {kind}, not {value!r}")
    if not math.isfinite(value) or not low <= value <= high:
        raise ConfigError(f"{name!r} must be {kind} from {low:g} to {high:.10g}, not {value!r}")
    return value if whole else float(value)


def _check_name(name: str) -> None:
    """`output_name` becomes file names and metadata: no folders, no hidden files, real text."""
    try:
        length = len(name.encode())
    except UnicodeEncodeError as error:
        raise ConfigError("'output_name' holds characters that are no text") from error
    if "/" in name or name.startswith("."):
        raise ConfigError(f"'output_name' must be a plain file name, not {name!r}")
    if length > NAME_BYTES:
        raise ConfigError(f"'output_name' is longer than {NAME_BYTES} bytes")
