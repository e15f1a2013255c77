"""Every command, once: the parser, ``help`` and completion all read this table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from bot.commands.options import OPTIONS, OptionSpec, Slot
from bot.commands.vocabulary import Vocabulary


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
