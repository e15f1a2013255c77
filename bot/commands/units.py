"""Money, prices, times and sizes as people write them. Strict: a number needs its unit, and a bound is a bound.

``$5`` and ``50c`` are money, ``$0.40/h`` a price, ``1h30m`` a time, ``80GB`` a size. A bare number is asked
about, because ``budget 5`` could as well have been five hours.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import timedelta
from decimal import ROUND_CEILING, Decimal
from typing import NoReturn

from bot.domain.money import Usd
from bot.domain.nearest import nearest

MOST_MONEY = Usd.of(10_000)
LEAST_MONEY = Usd.of("0.01")
MOST_HOURLY = Usd.of(100)
LEAST_HOURLY = Usd.of("0.001")
LONGEST = timedelta(days=30)
SHORTEST = timedelta(minutes=1)
MOST_DISK_GB = 16_000

MONEY_EXAMPLE = "an amount in dollars such as $5 or 50c"
RATE_EXAMPLE = "a price per hour such as $0.40/h"
TIME_EXAMPLE = "a time such as 90m, 2h, 1h30m or 1d"
SIZE_EXAMPLE = "a size such as 80GB or 1TB"


class UnitFault(ValueError):
    """Why ``text[start:end]`` is no such value. A sentence about the text begins with "It", which callers
    that know the whole line replace by the text."""

    def __init__(self, sentence: str, start: int, end: int, expected: str, nearest: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.start = start
        self.end = end
        self.expected = expected
        self.nearest = nearest


NUM = r"(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)"
_CENT = r"(?:c|ct|cents?|¢)"
_DOLLAR = r"(?:\$|us\$|usd|dollars?)"
_AMOUNT = re.compile(rf"(?P<sign>us\$|\$|usd)? *(?P<number>{NUM}) *(?P<unit>{_DOLLAR}|{_CENT})?")
_RATE = re.compile(r"(?P<amount>.*?) *(?:/|\bper\b) *(?P<per>[^/]*)")
_PART = re.compile(rf"(?P<number>{NUM}) *(?P<unit>[a-z]+)?,? *(?:and +)?")
_SIZE = re.compile(rf"(?P<number>{NUM}) *(?P<unit>[a-z]+)?")
_BARE = re.compile(NUM)

_HOUR_WORDS = ("h", "hr", "hrs", "hour", "hours")
_TIMES = {
    timedelta(seconds=1): ("s", "sec", "secs", "second", "seconds"),
    timedelta(minutes=1): ("m", "min", "mins", "minute", "minutes"),
    timedelta(hours=1): _HOUR_WORDS,
    timedelta(days=1): ("d", "day", "days"),
    timedelta(weeks=1): ("w", "week", "weeks"),
}
_TIME_UNITS = {word: length for length, words in _TIMES.items() for word in words}
_SIZE_UNITS = {
    "m": Decimal("0.001"), "mb": Decimal("0.001"), "mib": Decimal(1) / 1024,
    "g": Decimal(1), "gb": Decimal(1), "gib": Decimal(1),
    "t": Decimal(1000), "tb": Decimal(1000), "tib": Decimal(1024),
}  # fmt: skip
_SIGN = "[-−–—]? *"
MONEY_SPAN = re.compile(rf"{_SIGN}{_AMOUNT.pattern}(?: *(?:/|per +) *[a-z]+)?")
"""What may be several words of one amount or price, right or wrong: ``0.40 usd per hour``."""
_ONE_TIME = rf"{NUM} *(?:{'|'.join(_TIME_UNITS)})"
TIME_SPAN = re.compile(rf"{_SIGN}{_ONE_TIME}(?:,? *(?:and +)?{_ONE_TIME})*")
"""What may be several words of one time."""
SIZE_SPAN = re.compile(rf"{_SIGN}{NUM} *(?:{'|'.join(_SIZE_UNITS)})")
"""What may be two words of one size."""
_FOREIGN = re.compile(r"[€£¥₹₽₩]|\b(?:eur|euros?|gbp|pounds?|chf|jpy|yen|cad|aud|inr)\b")
_NOT_A_NUMBER = re.compile(r"(?:us\$|\$|usd)? ?[-+]?(?:nan|inf|infinity|∞)\b|∞")
_NEGATIVE = re.compile(r"[-−–—] ?(?:us\$|\$)? ?[0-9.]|(?:us\$|\$) ?[-−–—]")
_EXPONENT = re.compile(r"[0-9.]e[-+]?[0-9]")
_GROUPED = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])")


def _folded(text: str) -> str:
    """Lower case with plain spaces, position for position."""
    return "".join(" " if ch.isspace() else ch.lower() if len(ch.lower()) == 1 else ch for ch in text)


def _plain_digits(text: str) -> str:
    """The same with digits 0 to 9, when that is possible and all else is ASCII; else empty."""
    digits = "".join(str(unicodedata.decimal(ch, ch)) for ch in unicodedata.normalize("NFKC", text))
    return digits if digits.isascii() else ""


def plus(text: str, before: str = "", after: str = "") -> str:
    """``text`` with its unit when it is a short bare number; as it is when it is more; empty when it is long."""
    clean = text.strip()
    if len(clean) > 20:
        return ""
    return f"{before}{clean}{after}" if is_bare_number(clean) else clean


def sober(text: str, expected: str, before: str = "", after: str = "") -> str:
    """``text`` folded, or a fault for what is a number only at first sight."""
    low = _folded(text)

    def fault(found: re.Match[str] | None, sentence: str, better: str = "") -> None:
        if found:
            raise UnitFault(sentence, 0, len(text), expected, better)

    for ch in text:
        if not ch.isascii() and unicodedata.category(ch) in ("Nd", "Nl", "No"):
            sentence = "Only the digits 0 to 9 are understood."
            raise UnitFault(sentence, 0, len(text), expected, plus(_plain_digits(text), before, after))
    fault(_NOT_A_NUMBER.match(low), "It is not a number.")
    unsigned = re.sub(r"[-−–—] ?", "", text, count=1)
    fault(_NEGATIVE.match(low), "It must be more than zero.", plus(unsigned, before, after))
    fault(_EXPONENT.search(low), "It must be written out, without an exponent.")
    if "," in low and not re.search(r"[a-z],", low):
        grouped = _GROUPED.search(low)
        better = plus(text.replace(",", "" if grouped else "."), before, after)
        sentence = "It has a comma, which is read differently in different places."
        raise UnitFault(sentence, 0, len(text), expected, better)
    return low


def _short(amount: Usd) -> str:
    """``$10000``, as it can be typed."""
    return f"${amount.dollars.normalize():f}"


def _bounded(value: Usd, text: str, low: Usd, high: Usd, noun: str, *, hourly: bool) -> Usd:
    """``value``, or the fault that names the bound it breaks."""
    show = Usd.rate if hourly else _short
    expected = RATE_EXAMPLE if hourly else MONEY_EXAMPLE
    if value.micros <= 0:
        raise UnitFault("It must be more than zero.", 0, len(text), expected)
    if value < low:
        raise UnitFault(f"{noun} is at least {show(low)}.", 0, len(text), expected, show(low))
    if value > high:
        raise UnitFault(f"{noun} is at most {show(high)}.", 0, len(text), expected, show(high))
    return value


def _dollars(low: str, text: str, expected: str) -> tuple[Decimal, bool]:
    """The number of dollars and whether a currency was said."""
    found = _AMOUNT.fullmatch(low)
    if found:
        number = Decimal(found["number"])
        cents = bool(found["unit"] and re.fullmatch(_CENT, found["unit"]))
        if not (cents and found["sign"]):
            return number / 100 if cents else number, bool(found["sign"] or found["unit"])
    elif _FOREIGN.search(low):
        raise UnitFault("Only US dollars are understood.", 0, len(text), expected)
    begun = _AMOUNT.match(low)
    if begun and 0 < begun.end() < len(low):
        better = "" if begun["sign"] or begun["unit"] else "usd"
        raise UnitFault("It has a unit that is not one of money.", begun.end(), len(text), expected, better)
    raise UnitFault("It is no amount of money.", 0, len(text), expected)


def _usd(number: Decimal) -> Usd:
    """Exact, and without working on a number that no bound would let pass."""
    return Usd.of(min(number, Decimal(10**9)))


def parse_money(text: str) -> Usd:
    """``$5``, ``5$``, ``5 usd``, ``50c``: more than nothing, at most $10,000."""
    low = sober(text, MONEY_EXAMPLE, before="$")
    rate = _RATE.fullmatch(low)
    if rate and re.match(r"[$0-9.]", low):
        better = plus(text[: rate.end("amount")], "$")
        raise UnitFault("It is a price per hour; a total is needed.", 0, len(text), MONEY_EXAMPLE, better)
    number, said = _dollars(low, text, MONEY_EXAMPLE)
    if not said:
        raise UnitFault("It has no unit.", 0, len(text), MONEY_EXAMPLE, plus(text, "$"))
    return _bounded(_usd(number), text, LEAST_MONEY, MOST_MONEY, "An amount", hourly=False)


def parse_rate(text: str) -> Usd:
    """``$0.40/h``, ``0.4/hr``, ``40c per hour``: more than nothing, at most $100/h. The Usd is hourly."""
    low = sober(text, RATE_EXAMPLE, "$", "/h")
    found = _RATE.fullmatch(low)
    if not found:
        number, _ = _dollars(low, text, RATE_EXAMPLE)
        better = f"${number:f}/h" if len(low) <= 20 else ""
        raise UnitFault("It does not say per what; prices are per hour.", 0, len(text), RATE_EXAMPLE, better)
    amount = found["amount"]
    number, _ = _dollars(amount, text[: len(amount)], RATE_EXAMPLE)
    if found["per"] not in _HOUR_WORDS:
        at = found.start("per") if found["per"] else 0
        better = f"{text[: len(amount)]}/h"
        raise UnitFault("Prices are per hour here.", at, len(text), RATE_EXAMPLE, better if not at else "h")
    return _bounded(_usd(number), text, LEAST_HOURLY, MOST_HOURLY, "A price", hourly=True)


def _times(low: str, text: str) -> timedelta:
    """The parts of a time added up; every unit at most once."""
    used: set[timedelta] = set()
    seconds, at = Decimal(0), 0
    while at < len(low):
        part = _PART.match(low, at)
        if not part:
            raise UnitFault("It is no time.", 0, len(text), TIME_EXAMPLE)
        unit = part["unit"]
        if not unit:
            better = f"{text[: part.end('number')]}{'m' if used else 'h'}" if len(text) <= 20 else ""
            raise UnitFault("It has no unit.", 0, len(text), TIME_EXAMPLE, better)
        if unit not in _TIME_UNITS:
            near = nearest(unit, _TIME_UNITS)
            raise UnitFault("It has an unknown unit of time.", *part.span("unit"), TIME_EXAMPLE, near)
        if _TIME_UNITS[unit] in used:
            raise UnitFault("It says the same unit twice.", *part.span("unit"), TIME_EXAMPLE)
        used.add(_TIME_UNITS[unit])
        seconds += min(Decimal(part["number"]), Decimal(10**9)) * int(_TIME_UNITS[unit].total_seconds())
        at = part.end()
    return timedelta(microseconds=int(min(seconds, Decimal(10**9)) * 1_000_000))


def parse_duration(text: str) -> timedelta:
    """``2h``, ``90m``, ``1h30m``, ``2 hours``, ``1d``: at least a minute, at most 30 days."""
    low = sober(text, TIME_EXAMPLE, after="h").strip()
    clock = re.fullmatch(r"([0-9]{1,2}):([0-9]{2})", low)
    if clock:
        better = f"{int(clock[1])}h{clock[2]}m"
        raise UnitFault("It could be hours or minutes.", 0, len(text), TIME_EXAMPLE, better)
    if not low:
        raise UnitFault("It is no time.", 0, len(text), TIME_EXAMPLE)
    length = _times(low, text)
    if not length:
        raise UnitFault("It must be more than zero.", 0, len(text), TIME_EXAMPLE)
    if length < SHORTEST:
        raise UnitFault("A time is at least 1 minute.", 0, len(text), TIME_EXAMPLE, "1m")
    if length > LONGEST:
        raise UnitFault(
            f"A time is at most {LONGEST.days} days.", 0, len(text), TIME_EXAMPLE, f"{LONGEST.days}d"
        )
    return length


def _no_size(low: str, text: str) -> NoReturn:
    begun = _SIZE.match(low)
    if begun and begun["unit"]:
        near = nearest(begun["unit"], _SIZE_UNITS).upper()
        raise UnitFault("It has an unknown unit of size.", begun.start("unit"), len(text), SIZE_EXAMPLE, near)
    raise UnitFault("It is no size.", 0, len(text), SIZE_EXAMPLE)


def parse_size(text: str, most_gb: int = MOST_DISK_GB) -> int:
    """``80GB``, ``80 GiB``, ``1TB`` as whole GB, rounded up; at least 1 GB, at most ``most_gb``."""
    low = sober(text, SIZE_EXAMPLE, after="GB").strip()
    found = _SIZE.fullmatch(low)
    if not found or (found["unit"] and found["unit"] not in _SIZE_UNITS):
        _no_size(low, text)
    if not found["unit"]:
        raise UnitFault("It has no unit.", 0, len(text), SIZE_EXAMPLE, plus(text, after="GB"))
    exact = min(Decimal(found["number"]), Decimal(10**9)) * _SIZE_UNITS[found["unit"]]
    if not exact:
        raise UnitFault("It must be more than zero.", 0, len(text), SIZE_EXAMPLE)
    if exact < 1:
        raise UnitFault("A size is at least 1 GB.", 0, len(text), SIZE_EXAMPLE, "1GB")
    if exact > most_gb:
        bound = f"{most_gb // 1000}TB" if most_gb >= 1000 else f"{most_gb}GB"
        raise UnitFault(f"A size is at most {bound} here.", 0, len(text), SIZE_EXAMPLE, bound)
    return int(exact.to_integral_value(rounding=ROUND_CEILING))


def is_near_unit(text: str) -> bool:
    """A slip of a unit that is written out: ``hurs``."""
    words = [word for word in (*_TIME_UNITS, *_SIZE_UNITS, "dollars", "cents", "usd") if len(word) > 2]
    return len(text) > 2 and text.isascii() and text.isalpha() and bool(nearest(text, words))


def is_bare_number(text: str) -> bool:
    """A number that says nothing about what it counts."""
    return _BARE.fullmatch(text.strip()) is not None
