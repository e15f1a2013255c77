"""Countries and the parts of the world they belong to, so that a region can be asked for as ``EU``."""

from __future__ import annotations

_PARTS = {
    "EU": "AT BE BG CH CY CZ DE DK EE ES FI FR GB GR HR HU IE IS IT LT LU LV MD MK MT NL NO PL PT RO RS SE SI SK UA UK",
    "US": "US",
    "NA": "US CA MX",
    "AS": "AE AM AZ CN GE HK ID IL IN JP KR KZ MY PH QA SA SG TH TR TW VN",
    "OC": "AU NZ",
    "SA": "AR BR CL CO PE UY",
    "AF": "EG KE MA NG ZA",
}
"""``EU`` is Europe as people mean it when they choose a data centre, not the union."""


def places(country: str, *more: str) -> tuple[str, ...]:
    """The tags of a place: its country, the parts of the world it is in, and a vendor's own names for it."""
    code = country.strip().upper()
    parts = [part for part, members in _PARTS.items() if code in members.split()]
    return tuple(dict.fromkeys(tag for tag in (code, *parts, *more) if tag))
