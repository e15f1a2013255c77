"""Every option that a command can take, once: the parser, ``help``, completion and forms all read this table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Slot(StrEnum):
    """A place in a command that one value can fill. Saying it twice with two values is a fault."""

    PROVIDER = "provider"
    GPU = "gpu"
    COUNT = "count"
    HOURS = "for"
    BUDGET = "budget"
    MAX = "max"
    RATE = "rate"
    DISK = "disk"
    VRAM = "vram"
    REGION = "in"
    RELIABILITY = "reliability"
    VERIFIED = "verified"
    CUDA = "cuda"
    NET = "net"
    SPOT = "spot"
    CPU = "cpu"
    DATA = "data"
    RECIPE = "recipe"
    PRESET = "preset"
    RENTAL = "id"
    RERUN = "rerun"
    WHICH = "which"
    AMOUNT = "by"
    LINES = "lines"
    TOPIC = "command"
    DEED = "deed"
    MACHINE = "machine"
    WHOSE = "whose"
    PERIOD = "period"
    CSV = "csv"


@dataclass(frozen=True, slots=True)
class OptionSpec:
    """How one slot is said."""

    slot: Slot
    noun: str
    """As a sentence names it: ``a budget``."""
    shape: str
    """As usage shows it when it is said."""
    summary: str
    words: tuple[str, ...] = ()
    """Names that may be said without dashes, first the one that is shown; with dashes they may be, too."""
    flags: tuple[str, ...] = ()
    """Names that need their dashes."""
    samples: tuple[str, ...] = ()
    """Values for "expected" and completion where the vocabulary has none."""
    bare: bool = False
    """The value may stand alone, wherever it is like no other."""
    switch: bool = False
    """It has no value: saying it is all."""

    @property
    def names(self) -> tuple[str, ...]:
        """Everything it may be called."""
        return (*self.words, *self.flags)

    @property
    def sample(self) -> str:
        """One way to say it: ``for 2h``, ``spot``, ``4090``."""
        value = self.samples[0] if self.samples else self.shape
        named = f"{self.words[0]} {value}" if self.words else value
        return self.words[0] if self.switch else value if self.bare and self.slot != Slot.HOURS else named


_OPTIONS: Final = (
    OptionSpec(Slot.PROVIDER, "a provider", "provider", "Where to rent; `any` is the cheapest of all",
               words=("on",), flags=("provider",), bare=True),
    OptionSpec(Slot.GPU, "a GPU", "GPU", "Which GPU, however it is written",
               words=("gpu",), samples=("3090", "a100-80", '"RTX 4090"'), bare=True),
    OptionSpec(Slot.COUNT, "a number of GPUs", "x2", "How many GPUs in one machine",
               words=("count",), samples=("x2", "x4", "x8"), bare=True),
    OptionSpec(Slot.HOURS, "a time", "for 2h", "How long at most",
               words=("for",), flags=("hours",), samples=("2h", "90m", "1h30m", "1d"), bare=True),
    OptionSpec(Slot.BUDGET, "a budget", "budget $5", "The most that all of it may cost",
               words=("budget",), samples=("$5", "$2", "$20")),
    OptionSpec(Slot.MAX, "a highest price", "max $0.40/h", "The most that an hour may cost",
               words=("max",), samples=("$0.40/h", "$1/h", "$2.50/h")),
    OptionSpec(Slot.RATE, "a price", "rate $0.20/h", "The price per hour to reckon with",
               words=("rate",), samples=("$0.20/h", "$0.40/h"), bare=True),
    OptionSpec(Slot.DISK, "a disk", "disk 80GB", "Room on the machine's disk",
               words=("disk",), samples=("80GB", "40GB", "200GB")),
    OptionSpec(Slot.VRAM, "memory per GPU", "vram 24GB", "Least memory per GPU",
               words=("vram",), samples=("24GB", "16GB", "48GB")),
    OptionSpec(Slot.REGION, "a region", "in SE", "A country, a part of the world or a vendor's own region",
               words=("in", "region"), samples=("SE", "EU", "US", "us-west-1")),
    OptionSpec(Slot.RELIABILITY, "a reliability", "reliability 95%", "Least share of the time that the host was up",
               words=("reliability",), samples=("95%", "99%", "99.5%")),
    OptionSpec(Slot.VERIFIED, "verified", "verified", "Only hosts that the vendor has checked, or its own",
               words=("verified",), bare=True, switch=True),
    OptionSpec(Slot.CUDA, "a CUDA version", "cuda 12.4", "Least CUDA version that the driver runs",
               words=("cuda",), samples=("12.4", "12.8", "13.0")),
    OptionSpec(Slot.NET, "a network speed", "net 500mbps", "Least download speed of the host",
               words=("net", "network"), samples=("500mbps", "100mbps", "1gbps")),
    OptionSpec(Slot.SPOT, "spot", "spot", "Interruptible, cheaper; it may be taken away",
               words=("spot",), bare=True, switch=True),
    OptionSpec(Slot.CPU, "cpu", "cpu", "A machine without a GPU will do",
               words=("cpu",), bare=True, switch=True),
    OptionSpec(Slot.DATA, "a folder", "data FOLDER", "The pictures; `attached` is what came with the message",
               words=("data",), samples=("./pictures", "attached")),
    OptionSpec(Slot.RECIPE, "a recipe", "recipe", "What to train", flags=("recipe",), bare=True),
    OptionSpec(Slot.PRESET, "a preset", "preset", "How thoroughly", flags=("preset",), bare=True),
    OptionSpec(Slot.RENTAL, "a rental id", "id", "Which rental",
               flags=("id",), samples=("k7m2qd",), bare=True),
    OptionSpec(Slot.RERUN, "the rental to repeat", "rerun id", "Train the same again: recipe, data set, parameters",
               words=("rerun",), flags=("again",), samples=("k7m2qd",)),
    OptionSpec(Slot.WHICH, "a rental id, `mine` or `all`", "id|mine|all", "One rental, yours, or everybody's",
               flags=("id",), samples=("k7m2qd", "mine", "all"), bare=True),
    OptionSpec(Slot.AMOUNT, "more time or money", "1h|$2", "How much more",
               words=("by",), samples=("1h", "$2", "30m"), bare=True),
    OptionSpec(Slot.LINES, "a number", "n", "How many of the last ones",
               flags=("lines", "last"), samples=("50", "200"), bare=True),
    OptionSpec(Slot.TOPIC, "a command", "command", "Which command", flags=("command",), bare=True),
    OptionSpec(Slot.DEED, "a deed", "all|kill|adopt|ignore", "Strangers' machines too, or what becomes of one",
               flags=("do",), samples=("all", "kill", "adopt", "ignore"), bare=True),
    OptionSpec(Slot.WHOSE, "a person or `team`", "me|team|@person", "Your own spend, the team's, or somebody's in it",
               flags=("of", "person"), samples=("me", "team", "@ann"), bare=True),
    OptionSpec(Slot.PERIOD, "a period", "day|week|month", "Today, since Monday, or since the first; in UTC",
               flags=("period",), samples=("day", "week", "month"), bare=True),
    OptionSpec(Slot.CSV, "csv", "csv", "Also as a file for a spreadsheet", words=("csv",), bare=True, switch=True),
    OptionSpec(Slot.MACHINE, "a machine", "provider/id", "Which machine, as `orphans` calls it",
               flags=("machine",), bare=True),
)  # fmt: skip
OPTIONS: Final[Mapping[Slot, OptionSpec]] = MappingProxyType({each.slot: each for each in _OPTIONS})
