"""Why a word fits nowhere: the sentence, what was expected in its place, and the nearest that would work."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection

from bot.commands import host_units, regions, units
from bot.commands.caret import ask, word
from bot.commands.catalogue import BY_NAME, COMMANDS
from bot.commands.measures import about, measure
from bot.commands.options import OPTIONS, Slot
from bot.commands.scope import Scope, listing
from bot.commands.spoken import ALL, MINE
from bot.commands.values import DEEDS, provider_names, unknown
from bot.commands.words import Word
from bot.domain import gpus
from bot.domain.errors import AskAgain
from bot.domain.nearest import nearest

_GPU_LIKE = re.compile(
    r"(?:nvidia|geforce|quadro|tesla|radeon|titan|rtx|gtx|rx|apple)\b.*|[a-z]{0,3}[-_ ]?[0-9]{3,4}[a-z-]*",
    re.IGNORECASE,
)
_MONEY_LIKE = re.compile(
    r"[-−–—+]? *(?:us\$|[$€£¥]).*|[-−–—+]?[0-9.,]+(?:e[0-9]+)? *(?:usd|dollars?|c|cents?|¢|\$|€|£|eur|euros?)",
    re.IGNORECASE,
)
_RATE_LIKE = re.compile(r"[-−–—+]? *(?:us\$|\$)?[.,]?[0-9][^/]*(?:/|per +)[a-z]*", re.IGNORECASE)
_PATH_LIKE = re.compile(r"(?:\.{0,2}|~|[a-z]:)[/\\].*", re.IGNORECASE)
_RUN_TOGETHER = re.compile(r"(?P<name>[a-z]+)[:=]?(?P<rest>[$0-9.].*)", re.IGNORECASE)
_TIME_LIKE = re.compile(r"[-−–—+]?[0-9.,:]+ *(?:s|m|h|d|w|sec|min|hr|hour|day|week)[a-z0-9.]*", re.IGNORECASE)
_SHARE_LIKE = re.compile(r"[-−–—+]?[0-9.,]+ *%")
_SPEED_LIKE = re.compile(r"[-−–—+]?[0-9.,]+ *(?:[kmg]i?b(?:it)?s?/s|[kmg]b(?:ps|its?))", re.IGNORECASE)
_SIZE_LIKE = re.compile(r"[-−–—+]?[0-9.,]+ *[gmt]i?b?", re.IGNORECASE)
_NUMBER_LIKE = re.compile(r"[-−–—+]?(?:[0-9.,]+(?:e[-+]?[0-9]+)?|nan|inf|infinity|∞)", re.IGNORECASE)
_LIKE = (
    (_SHARE_LIKE, (Slot.RELIABILITY,), "a share"),
    (_SPEED_LIKE, (Slot.NET,), "a network speed"),
    (_RATE_LIKE, (Slot.MAX, Slot.RATE, Slot.AMOUNT), "a price per hour"),
    (_MONEY_LIKE, (Slot.BUDGET, Slot.MAX, Slot.AMOUNT, Slot.RATE), "an amount of money"),
    (_SIZE_LIKE, (Slot.DISK, Slot.VRAM), "a size"),
    (_TIME_LIKE, (Slot.HOURS, Slot.AMOUNT), "a time"),
)


def expected(scope: Scope, said: Collection[Slot] = ()) -> str:
    """What this command could still take."""
    known = scope.vocabulary
    parts = []
    for option in scope.spec.options:
        if option.slot in said:
            continue
        match option.slot:
            case Slot.PROVIDER:
                parts.append(f"a provider ({listing(known.usable(), 6)})")
            case Slot.GPU:
                parts.append("a GPU (3090, a100-80)")
            case Slot.RECIPE:
                parts.append(f"a recipe ({listing(known.recipes, 4)})")
            case Slot.PRESET:
                parts.append(f"a preset ({listing(known.presets, 4)})")
            case Slot.WHICH | Slot.RENTAL | Slot.LINES | Slot.TOPIC:
                parts.append(option.noun)
            case _:
                parts.append(option.sample)
    if scope.spec.takes_inputs:
        parts.append("name=value")
    return ", ".join(parts) or "nothing more"


def input_name(scope: Scope, found: Word) -> str:
    """The recipe parameter that ``--name`` or ``name=`` says, or the fault for what this command does not take."""
    name, known = found.name, scope.vocabulary
    options = [each for option in scope.spec.options for each in option.names]
    value = not found.has_value and name not in known.inputs and _is_value(scope, name)
    near = name if value or name in options else nearest(name, (*known.inputs, *options))
    if scope.spec.takes_inputs and found.dashes != "-" and not value:
        as_spelled = known.input(name)
        if as_spelled is not None and (known.inputs or near not in options):
            return as_spelled
    dashes = "--" if found.dashes and not value else ""
    end = found.start + len(found.dashes) + len(name)
    sentence = f"`{scope.spec.name}` has no option {word(found.dashes + name)}."
    if found.dashes == "-" and not value:
        sentence = f"{word(found.dashes + name)} begins with one dash; options begin with two."
    wanted = ", ".join(f"--{each.names[0]}" for each in scope.spec.options) or "no option"
    raise ask(scope.line, found.start, end, sentence, expected=wanted, nearest=near and dashes + near)


def _is_value(scope: Scope, name: str) -> bool:
    """Whether the name of a flag would be a value without its dashes: ``--all``, ``--vast``."""
    slots, known = scope.spec.slots, scope.vocabulary
    return (
        (Slot.WHICH in slots and name in (MINE, ALL))
        or (Slot.DEED in slots and name in DEEDS)
        or (Slot.PROVIDER in slots and known.provider(name) is not None)
        or (Slot.RECIPE in slots and known.recipe(name) is not None)
        or (Slot.PRESET in slots and known.preset(name) is not None)
        or (Slot.GPU in slots and bool(gpus.lookup(name)))
    )


def _digits(scope: Scope, found: Word) -> AskAgain | None:
    """Digits of another script, which look like ours and are not taken for them."""
    if not any(not ch.isascii() and unicodedata.category(ch) in ("Nd", "Nl", "No") for ch in found.text):
        return None
    plain = unicodedata.normalize("NFKC", found.text)
    near = plain if plain.isascii() and len(plain) <= 40 else ""
    return scope.fault(found, "Only the digits 0 to 9 are understood.", "the digits 0 to 9", near)


def _quantity(scope: Scope, words: list[Word], at: int) -> AskAgain | None:
    """An amount, a price, a time or a size that does not say what it is for, or is wrong in itself."""
    found = words[at]
    for like, slots, noun in _LIKE:
        if not like.fullmatch(found.text):
            continue
        takers = [slot for slot in slots if slot in scope.spec.slots]
        if not takers:
            return _not_taken(scope, found, noun)
        try:
            _, taken = measure(scope, takers[0], words, at)
        except AskAgain as fault:
            if noun != "an amount of money" or takers[0] is not Slot.MAX:
                return fault
            taken = 1
        text = scope.text(scope.run(words, at)[:taken])
        ways = tuple(_named(slot, text, hourly=noun == "a price per hour") for slot in takers)
        sentence = f"{word(text)} is {noun}, and it is not said for what."
        return ask(scope.line, found.start, words[at + taken - 1].end, sentence, expected=listing(ways),
                   nearest=ways[0] if len(ways) == 1 else "")  # fmt: skip
    return None


def _named(slot: Slot, text: str, *, hourly: bool) -> str:
    hour = "/h" if slot in (Slot.MAX, Slot.RATE) and not hourly else ""
    return f"{OPTIONS[slot].words[0]} {text}{hour}"


def _not_taken(scope: Scope, found: Word, noun: str) -> AskAgain:
    sentence = f"{word(found.text)} is {noun}, and `{scope.spec.name}` takes none."
    return scope.fault(found, sentence, expected(scope))


def _unnamed(scope: Scope, said: Collection[Slot], words: list[Word], at: int) -> AskAgain | None:
    """A folder, or a parameter's name, that lacks the other half."""
    found, spec = words[at], scope.spec
    if Slot.DATA in spec.slots and Slot.DATA not in said and _PATH_LIKE.fullmatch(found.text):
        path = scope.line[found.start : found.end]
        sentence = f"{word(found.text)} looks like a folder, and it is not said for what."
        return scope.fault(found, sentence, "data and the folder", f"data {path}")
    name = scope.vocabulary.input(found.text) if spec.takes_inputs and scope.vocabulary.inputs else None
    if name is None or not found.is_plain:
        return None
    follows = words[at + 1] if at + 1 < len(words) and not words[at + 1].name else None
    end = follows.end if follows else found.end
    value = scope.line[follows.start : follows.end] if follows else ""
    return ask(scope.line, found.start, end, f"{word(found.text)} needs its value after an equals sign.",
               expected=f"{name}=value", nearest=f"{name}={value}" if value else "")  # fmt: skip


def _number(scope: Scope, found: Word, said: Collection[Slot]) -> AskAgain | None:
    """A number without a unit, which nobody guesses at: every way to say what it counts."""
    text, slots = found.text, scope.spec.slots
    if not _NUMBER_LIKE.fullmatch(text):
        return None
    if Slot.LINES in slots:
        return unknown(scope, OPTIONS[Slot.LINES], found)
    if not {Slot.HOURS, Slot.AMOUNT, Slot.MAX, Slot.RATE}.intersection(slots):
        return None
    if not units.is_bare_number(text):
        try:
            units.parse_money(text)
        except units.UnitFault as fault:
            return scope.fault(found, about(text, fault), expected(scope, said))
    short = text if len(text) <= 6 else "2"
    ways = {Slot.COUNT: f"x{short}", Slot.HOURS: f"for {short}h", Slot.BUDGET: f"budget ${short}",
            Slot.MAX: f"max ${short}/h", Slot.DISK: f"disk {short}GB", Slot.VRAM: f"vram {short}GB",
            Slot.RATE: f"rate ${short}/h", Slot.AMOUNT: f"{short}h or ${short}"}  # fmt: skip
    of_hosts = {Slot.RELIABILITY: host_units.parse_share, Slot.CUDA: host_units.parse_cuda}
    if "." in short:
        ways |= {slot: f"{slot} {short}" for slot, parser in of_hosts.items() if _reads(parser, short)}
    wanted = listing(tuple(way for slot, way in ways.items() if slot in slots and slot not in said))
    return scope.fault(found, f"The number {word(text)} does not say what it counts.", wanted)


def _reads(parser: Callable[[str], object], text: str) -> bool:
    try:
        parser(text)
    except units.UnitFault:
        return False
    return True


def _region(scope: Scope, found: Word, said: Collection[Slot]) -> AskAgain | None:
    """A country or a vendor's region that lacks its word."""
    if Slot.REGION not in scope.spec.slots or Slot.REGION in said or not regions.is_surely_one(found.text):
        return None
    near = f"{OPTIONS[Slot.REGION].words[0]} {found.text}"
    sentence = f"{word(found.text)} looks like a region, and it is not said for what."
    return scope.fault(found, sentence, f"such as {near}", near)


def _of_others(scope: Scope, found: Word) -> str:
    """What the word would be in another command, or empty."""
    text, known = found.text, scope.vocabulary
    if known.provider(text):
        return "a provider"
    if gpus.lookup(text):
        return "a GPU"
    if known.recipe(text):
        return "a recipe"
    if known.preset(text):
        return "a preset"
    if scope.option(text, dashed=False):
        return ""
    if any(text.lower() in option.words for option in OPTIONS.values()):
        return "an option of other commands"
    if text.lower() in BY_NAME:
        return "a command of its own"
    return ""


def _near(scope: Scope, text: str) -> str:
    """The nearest word that would fit in this command."""
    slots, known = scope.spec.slots, scope.vocabulary
    words = {each: each for option in scope.spec.options for each in option.words}
    if Slot.PROVIDER in slots:
        words |= provider_names(known)
    if Slot.RECIPE in slots:
        words |= {each: each for each in known.recipes}
    if Slot.PRESET in slots:
        words |= {each: each for each in known.presets}
    if Slot.WHICH in slots:
        words |= {MINE: MINE, ALL: ALL}
    plain = unicodedata.normalize("NFKC", text).strip("`'\".,;:!?()[]<>")
    guess = gpus.find(plain) if Slot.GPU in slots else gpus.Unknown()
    if apart := _apart(scope, plain):
        return apart
    near = words.get(nearest(plain, words) or plain.lower(), "")
    by_gpu = gpus.slug(guess.nearest) if isinstance(guess, gpus.Unknown) and guess.nearest else ""
    if isinstance(guess, gpus.GpuModel):
        by_gpu = gpus.slug(guess.name)
    return by_gpu or near if any(ch.isdigit() for ch in plain) else near or by_gpu


def _apart(scope: Scope, text: str) -> str:
    """``budget$5`` as ``budget $5``; empty for what is not an option and its value."""
    together = _RUN_TOGETHER.fullmatch(text)
    known = together is not None and scope.option(together["name"], dashed=False)
    return f"{together['name'].lower()} {together['rest']}" if together and known else ""


def explain(scope: Scope, said: Collection[Slot], words: list[Word], at: int) -> AskAgain:
    """The fault at ``words[at]``, which no slot of this command understands."""
    found, slots = words[at], scope.spec.slots
    if not found.text.strip():
        return scope.fault(found, "These quotes are empty.", expected(scope, said))
    fault = _digits(scope, found) or _unnamed(scope, said, words, at)
    no_gpu = _taken_for_unit(found) or _apart(scope, found.text)
    if fault is None and Slot.GPU in slots and _GPU_LIKE.fullmatch(found.text) and not no_gpu:
        fault = unknown(scope, OPTIONS[Slot.GPU], found)
    fault = fault or _quantity(scope, words, at) or _number(scope, found, said) or _region(scope, found, said)
    if fault:
        return fault
    other = _of_others(scope, found)
    if other:
        return _not_taken(scope, found, other)
    for slot in (Slot.RECIPE, Slot.WHICH, Slot.RENTAL, Slot.TOPIC, Slot.DEED, Slot.MACHINE):
        if slot in slots and slot not in said and not (slot is Slot.RECIPE and _near(scope, found.text)):
            if slot is Slot.RECIPE and slot not in scope.spec.required:
                continue
            return unknown(scope, OPTIONS[slot], found)
    near = _near(scope, found.text)
    return scope.fault(found, f"I do not know {word(found.text)} here.", expected(scope, said), near)


def _taken_for_unit(found: Word) -> bool:
    """``100gb``, ``120min`` and ``500mbps`` look like a GPU only at first sight."""
    text = found.text.lower()
    spans = (units.TIME_SPAN, units.SIZE_SPAN, host_units.SPEED_SPAN)
    return any(span.fullmatch(text) for span in spans) or (
        units.MONEY_SPAN.fullmatch(text) is not None and not units.is_bare_number(text)
    )


def command(line: str, found: Word, vocabulary_words: Collection[str]) -> AskAgain:
    """The first word is no command."""
    text = unicodedata.normalize("NFKC", found.text).strip("/!-—–`'\".,;:?()[]<>").lower()
    meant = {each: spec.name for spec in COMMANDS for each in spec.meant if spec.available}
    near = text if text in BY_NAME else meant.get(text) or nearest(text, BY_NAME)
    first = text in vocabulary_words or (bool(text) and bool(gpus.lookup(text)))
    if first and not near:
        near = f"up {text}"
    names = ", ".join(spec.name for spec in COMMANDS if spec.available)
    sentence = f"{word(found.text)} is no command."
    return ask(line, found.start, found.end, sentence, expected=f"one of {names}", nearest=near)
