"""Every command and every option, once: the parser, ``help`` and completion all read these tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from bot.commands.vocabulary import Vocabulary


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


@dataclass(frozen=True, slots=True)
class CommandSpec:
    """One command: what it takes, and how it is explained."""

    name: str
    summary: str
    """One line, no full stop."""
    slots: tuple[Slot, ...] = ()
    required: tuple[Slot, ...] = ()
    takes_inputs: bool = False
    """Also ``name=value`` for a recipe's parameters."""
    patterns: tuple[str, ...] = ()
    """Examples; ``{provider}``, ``{recipe}`` and ``{preset}`` stand for words of the vocabulary."""
    meant: tuple[str, ...] = ()
    """What people type when they mean this; suggested, never accepted."""
    tail: str = ""
    """What follows when the words have an order of their own, as usage shows it."""
    available: bool = True
    """False: a later release brings it, and it answers so."""
    after: str = field(default="")
    """A sentence that help adds."""

    @property
    def options(self) -> tuple[OptionSpec, ...]:
        """What it takes, in the order of usage."""
        return tuple(OPTIONS[slot] for slot in self.slots)

    @property
    def usage(self) -> str:
        """``extend id 1h|$2``; square brackets mean that it may be left out."""
        if not self.available:
            return f"{self.name} …"
        shapes = [
            f"<{each.shape}>" if each.slot in self.required else f"[{each.shape}]" for each in self.options
        ]
        inputs = ["[name=value …]"] if self.takes_inputs else []
        tail = [self.tail] if self.tail else []
        return " ".join([self.name, *shapes, *inputs, *tail])

    def examples(self, vocabulary: Vocabulary) -> tuple[str, ...]:
        """The examples in this vocabulary's words; what it has no word for is left out."""
        usable = [each.name for each in vocabulary.providers if each.available]
        words = {"provider": usable[:1], "recipe": vocabulary.recipes[:1], "preset": vocabulary.presets[:1]}
        said = {key: values[0] for key, values in words.items() if values}
        fit = [
            each for each in self.patterns if all(f"{{{key}}}" not in each or key in said for key in words)
        ]
        return tuple(each.format(**said) for each in fit)


_MACHINE = (Slot.PROVIDER, Slot.GPU, Slot.COUNT)
_HOST = (Slot.REGION, Slot.RELIABILITY, Slot.VERIFIED, Slot.CUDA, Slot.NET)
_LIMITS = (Slot.MAX, Slot.DISK, Slot.VRAM, *_HOST, Slot.SPOT, Slot.CPU)
_TERMS = (Slot.HOURS, Slot.BUDGET)
_ONE = (Slot.RENTAL,)

_NOW: Final = (
    CommandSpec("up", "Rent a machine; shows the price and the worst case first",
                (*_MACHINE, *_TERMS, *_LIMITS),
                patterns=("up {provider}", "up {provider} 3090",
                          "up any 4090 x2 for 2h budget $5 max $0.40/h disk 80GB spot",
                          'up any "RTX 3090" --for 90m --budget $2'),
                meant=("rent", "launch", "create", "run", "start", "new", "open"),
                after="The order does not matter, and every option may also be written with dashes."),
    CommandSpec("train", "Rent, train a recipe, bring the results and close the tab",
                (Slot.RECIPE, Slot.PRESET, *_MACHINE, *_TERMS, *_LIMITS, Slot.DATA, Slot.RERUN), (Slot.RECIPE,),
                takes_inputs=True,
                patterns=("train {recipe}", "train {recipe} {preset} on {provider} data ./cats",
                          "train {recipe} on any 4090 data ./cats trigger=ohwx budget $5",
                          "train {recipe} {preset} data attached",
                          "train rerun k7m2qd", "train rerun k7m2qd on any 4090"),
                meant=("lora", "finetune", "fine-tune")),
    CommandSpec("status", "What runs and what it has cost so far", (Slot.WHICH,),
                patterns=("status", "status k7m2qd", "status all"), meant=("ls", "list", "ps", "show", "info")),
    CommandSpec("down", "End a rental; closed when the provider says so", (Slot.WHICH,), (Slot.WHICH,),
                patterns=("down k7m2qd", "down mine", "down all"),
                meant=("kill", "destroy", "delete", "terminate", "end", "close", "remove", "rm", "halt")),
    CommandSpec("extend", "More time or more money for a rental",
                (Slot.RENTAL, Slot.AMOUNT), (Slot.RENTAL, Slot.AMOUNT),
                patterns=("extend k7m2qd 1h", "extend k7m2qd $2"), meant=("more", "longer", "prolong")),
    CommandSpec("confirm", "Yes to a quote", (*_ONE, Slot.BUDGET),
                patterns=("confirm", "confirm k7m2qd", "confirm k7m2qd budget $2"),
                meant=("yes", "ok", "okay", "go", "y", "accept")),
    CommandSpec("cancel", "No to a quote", _ONE, patterns=("cancel", "cancel k7m2qd"),
                meant=("no", "abort", "never")),
    CommandSpec("offers", "What could be rented now, cheapest first", (*_MACHINE, *_LIMITS),
                patterns=("offers", "offers {provider} 3090", "offers 4090 max $0.40/h",
                          "offers any 3090 in EU reliability 95% verified cuda 12.4 net 500mbps"),
                meant=("price", "prices", "market", "find", "search", "gpus", "available")),
    CommandSpec("estimate", "What a training takes and costs, per GPU", (Slot.RECIPE, Slot.GPU, Slot.RATE),
                patterns=("estimate", "estimate {recipe}", "estimate {recipe} 3090 rate $0.20/h"),
                meant=("calculate", "quote", "calc")),
    CommandSpec("advise", "Which GPU and provider suit a recipe", (Slot.RECIPE,), (Slot.RECIPE,),
                patterns=("advise {recipe}",), meant=("recommend", "suggest", "which")),
    CommandSpec("providers", "How the providers compare and which are set up",
                patterns=("providers",), meant=("clouds", "vendors", "compare")),
    CommandSpec("logs", "The last lines of a rental's log", (Slot.RENTAL, Slot.LINES),
                patterns=("logs k7m2qd", "logs k7m2qd 200"), meant=("tail", "output")),
    CommandSpec("pull", "Bring the results so far", _ONE, patterns=("pull k7m2qd",),
                meant=("fetch", "download", "results", "get")),
    CommandSpec("stop", "Finish a training early: it saves, comes home, and is torn down", _ONE,
                patterns=("stop", "stop k7m2qd"), meant=("finish", "enough", "pause"),
                after="What was trained so far is kept. A machine without a training is ended by `down`."),
    CommandSpec("ssh", "How to get onto the machine", _ONE, patterns=("ssh k7m2qd",),
                meant=("connect", "shell", "login")),
    CommandSpec("history", "What happened to a rental, or the last rentals", (Slot.RENTAL, Slot.LINES),
                patterns=("history", "history k7m2qd", "history 20"), meant=("journal", "events", "past")),
    CommandSpec("snooze", "Quiet a rental's reminders for a while", (Slot.RENTAL, Slot.HOURS),
                patterns=("snooze", "snooze k7m2qd", "snooze k7m2qd for 1h"),
                meant=("mute", "silence", "quiet", "shush"),
                after="30 minutes, if none is said, and 4 hours at most; the last 10 minutes are never quiet."),
    CommandSpec("orphans", "Machines and leftovers that no rental knows", (Slot.DEED, Slot.MACHINE),
                patterns=("orphans", "orphans all", "orphans kill {provider}/4711",
                          "orphans adopt {provider}/4711", "orphans ignore 4711"),
                meant=("orphan", "strays", "leftovers", "foreign", "zombies"),
                after="`all` shows other people's machines, too; they are never touched."),
    CommandSpec("approve", "Yes to somebody else's rental", (*_ONE, Slot.BUDGET), _ONE,
                patterns=("approve k7m2qd", "approve k7m2qd budget $20"), meant=("allow", "permit", "grant")),
    CommandSpec("decline", "No to somebody else's rental, and why", tail="<id> [reason]",
                patterns=("decline k7m2qd", "decline k7m2qd too dear for a test"), meant=("refuse", "deny", "reject")),
    CommandSpec("budget", "What may be spent, what is charged, and who may what",
                tail="[show | set <whose> <what> <value|off|default> | role @who <role>]",
                patterns=("budget", "budget set person day $10", "budget set @ann month $100",
                          "budget set channel month $50", "budget set team month $300",
                          "budget set team machines 5", "budget set team rate $4/h",
                          "budget set team hours 08:00-20:00 Europe/Berlin", "budget set approval total $20",
                          "budget set approval cards H100,A100", "budget set team month off",
                          "budget role @ann admin"),
                meant=("budgets", "limit", "limits", "allowance", "quota", "role"),
                after="For one rental: `budget $5` after `up` or `train`."),
    CommandSpec("notify", "The team's notification channels: which, for what, from which rung",
                tail="[list | add <here|address> [topic …] [from rung] | test <n> | remove <n>]",
                patterns=("notify", "notify add here", "notify add here cards receipts",
                          "notify add ntfy://ntfy.sh/our-gpus from direct",
                          "notify add mailto://user:secret@mail.example?to=ann@example.org teardown reminders",
                          "notify test 2", "notify remove 2"),
                meant=("notifications", "alerts", "remind", "subscribe", "channel"),
                after="An address (mail, ntfy, Telegram, PagerDuty, Teams, a webhook …) is written as Apprise writes"
                      " it; it is kept encrypted and never shown again. Rungs: thread, owner, channel, direct, pager."),
    CommandSpec("costs", "What was spent, by whom and on what, and where the month is going",
                (Slot.WHOSE, Slot.PERIOD, Slot.CSV),
                patterns=("costs", "costs team week", "costs @ann month csv"),
                meant=("cost", "spend", "spent", "bill", "invoice", "ledger", "money"),
                after="Days are UTC days. For what runs now: `status all`."),
    CommandSpec("help", "All commands, or one of them with examples", (Slot.TOPIC,),
                patterns=("help", "help up"), meant=("man", "usage", "commands", "info", "h")),
)  # fmt: skip

_LATER: Final = tuple(
    CommandSpec(name, summary, available=False, after=after)
    for name, summary, after in (
        ("check-data", "Judge a folder of pictures before training", ""),
        ("report", "A week of rentals on a page", ""),
    )
)

COMMANDS: Final[tuple[CommandSpec, ...]] = (*_NOW, *_LATER)
BY_NAME: Final[Mapping[str, CommandSpec]] = MappingProxyType({each.name: each for each in COMMANDS})
