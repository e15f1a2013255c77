"""What is asked of a host, as people write it: its reliability, its CUDA version, its network, its region.

``95%`` and ``0.95`` are a share, ``12.4`` a version, ``500mbps`` and ``1 gbit/s`` a speed, ``SE`` and ``us-west-1`` a
place. As strict as ``units``, and with its faults.
"""

from __future__ import annotations

import re
from decimal import ROUND_CEILING, Decimal
from typing import Final

from bot.commands import regions
from bot.commands.units import NUM, UnitFault, is_bare_number, plus, sober

SHARE_EXAMPLE = "a share of the time such as 95% or 0.95"
CUDA_EXAMPLE = "a CUDA version such as 12.4"
SPEED_EXAMPLE = "a network speed such as 500mbps or 1gbps"
REGION_EXAMPLE = "a country (SE), a part of the world (EU) or a vendor's own region (us-west-1)"
OLDEST_CUDA, NEWEST_CUDA = 9, 19
"""Sane bounds: the images of today begin at 11, and 13 is the newest as this is written."""
FASTEST_MBPS: Final = 100_000

_PERCENT = r"(?:%|percent|pct)"
_SPEED_UNITS = {
    **dict.fromkeys(("mbps", "mbit/s", "mbit", "mbits", "mbits/s", "m"), 1),
    **dict.fromkeys(("gbps", "gbit/s", "gbit", "gbits", "gbits/s", "g"), 1000),
}
_BYTES = re.compile(rf"(?P<number>{NUM}) *(?P<size>[mMgG])i?(?:(?P<slashed>[bB])/[sS]|Bps)")
"""``MB/s`` and ``mb/s``; ``MBps`` only with that capital, for ``MBPS`` is ``mbps`` on a phone that shouts."""
_SHARE = re.compile(rf"(?P<number>{NUM}) *(?P<unit>{_PERCENT})?")
_VERSION = re.compile(r"(?P<major>[0-9]{1,4})(?:\.(?P<minor>[0-9]{1,2}))?(?P<patch>\.[0-9]+)?")
_SPEED = re.compile(rf"(?P<number>{NUM}) *(?P<unit>[a-z]+(?:/[a-z]+)?)?")
SHARE_SPAN = re.compile(rf"[-−–—]? *{NUM} *{_PERCENT}")
"""What may be two words of one share."""
SPEED_SPAN = re.compile(
    rf"[-−–—]? *{NUM} *(?:{'|'.join(sorted(_SPEED_UNITS, key=len, reverse=True))}|[kmg]b/s)"
)
"""What may be two words of one speed."""


def parse_share(text: str) -> float:
    """``95%``, ``99.5 %``, ``0.95``: more than nothing, at most all of it (1)."""
    part = text.lstrip("-−–— ").startswith(("0", "."))
    low = sober(text, SHARE_EXAMPLE, after="" if part else "%").strip()
    found = _SHARE.fullmatch(low)
    if not found:
        raise UnitFault("It is no share.", 0, len(text), SHARE_EXAMPLE)
    number = min(Decimal(found["number"]), Decimal(10**9))
    share = number / 100 if found["unit"] else number
    if not share:
        raise UnitFault("It must be more than zero.", 0, len(text), SHARE_EXAMPLE)
    if share > 1 and not found["unit"] and number <= 100:
        raise UnitFault("It has no unit.", 0, len(text), SHARE_EXAMPLE, plus(text, after="%"))
    if share > 1:
        raise UnitFault("A share is at most 100%.", 0, len(text), SHARE_EXAMPLE, "100%")
    return float(share)


def parse_cuda(text: str) -> str:
    """``12.4``, ``12``, ``13.0`` (which is ``13``): a version that a driver can tell, major and minor."""
    low = sober(text, CUDA_EXAMPLE).strip()
    found = _VERSION.fullmatch(low)
    if not found:
        near = low.removeprefix("v") if _VERSION.fullmatch(low.removeprefix("v")) else ""
        raise UnitFault("It is no CUDA version.", 0, len(text), CUDA_EXAMPLE, near)
    major, minor = int(found["major"]), int(found["minor"] or 0)
    version = f"{major}.{minor}" if minor else f"{major}"
    if not OLDEST_CUDA <= major <= NEWEST_CUDA:
        together = f"{low[:2]}.{low[2:]}" if re.fullmatch(r"1[0-9]{2}", low) else ""
        sentence = f"A CUDA version is {OLDEST_CUDA} to {NEWEST_CUDA} here."
        raise UnitFault(sentence, 0, len(text), CUDA_EXAMPLE, together)
    if found["patch"]:
        raise UnitFault("It says more than a driver tells.", 0, len(text), CUDA_EXAMPLE, version)
    return version


def parse_speed(text: str) -> int:
    """``500mbps``, ``1 gbit/s`` as whole Mbit/s, rounded up: at least 1, at most 100 Gbit/s."""
    low = sober(text, SPEED_EXAMPLE, after="mbps").strip()
    doubtful = _BYTES.fullmatch(text.strip())
    if doubtful:
        raise UnitFault("It could be bits or bytes.", 0, len(text), SPEED_EXAMPLE, _in_bits(doubtful))
    found = _SPEED.fullmatch(low)
    if not found:
        raise UnitFault("It is no network speed.", 0, len(text), SPEED_EXAMPLE)
    unit = found["unit"]
    if not unit:
        raise UnitFault("It has no unit.", 0, len(text), SPEED_EXAMPLE, plus(text, after="mbps"))
    if unit not in _SPEED_UNITS:
        raise UnitFault("It has an unknown unit of speed.", *found.span("unit"), SPEED_EXAMPLE, "mbps")
    mbps = min(Decimal(found["number"]), Decimal(10**9)) * _SPEED_UNITS[unit]
    if not mbps:
        raise UnitFault("It must be more than zero.", 0, len(text), SPEED_EXAMPLE)
    if mbps > FASTEST_MBPS:
        raise UnitFault("A network speed is at most 100gbps here.", 0, len(text), SPEED_EXAMPLE, "100gbps")
    return int(mbps.to_integral_value(rounding=ROUND_CEILING))


def _in_bits(found: re.Match[str]) -> str:
    """``500MB/s`` as ``4000mbps``; a small ``b`` is taken for bits."""
    bits = 1 if found["slashed"] == "b" else 8
    number = min(Decimal(found["number"]), Decimal(FASTEST_MBPS)) * bits
    return f"{number.normalize():f}{found['size'].lower()}bps"


def parse_region(text: str) -> str:
    """``SE``, ``sweden``, ``EU``, ``us-west-1``: a code in capitals, or a vendor's own region in small letters."""
    found = regions.find(text)
    if found:
        return found
    if is_bare_number(text) or not text.strip():
        raise UnitFault("It is no region.", 0, len(text), REGION_EXAMPLE)
    raise UnitFault("It is no region that I know.", 0, len(text), REGION_EXAMPLE, regions.near(text))
