"""Where a machine may be: countries and parts of the world by code and by name, and a vendor's own regions.

A vendor's own regions change without notice, so that any word of their shape (``us-west-1``, ``eu-ro-1``) is taken as
it is; a country or a part of the world has to be one.
"""

from __future__ import annotations

import re

from bot.domain.nearest import nearest

_CODES = """
AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY
BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK
FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR
IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK
ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM
PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF
TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW EU OC
"""
"""ISO 3166-1 alpha-2, and the parts of the world that ``bot.domain.places`` knows and that are no country's code."""
_NAMES = {
    "EU": "europe", "NA": "north america", "AS": "asia", "OC": "oceania", "SA": "south america", "AF": "africa",
    "AE": "emirates", "AR": "argentina", "AT": "austria", "AU": "australia", "BE": "belgium", "BG": "bulgaria",
    "BR": "brazil", "CA": "canada", "CH": "switzerland", "CL": "chile", "CN": "china", "CO": "colombia",
    "CY": "cyprus", "CZ": "czechia", "DE": "germany", "DK": "denmark", "EE": "estonia", "EG": "egypt", "ES": "spain",
    "FI": "finland", "FR": "france", "GB": "united kingdom", "GE": "georgia", "GR": "greece", "HK": "hong kong",
    "HR": "croatia", "HU": "hungary", "ID": "indonesia", "IE": "ireland", "IL": "israel", "IN": "india",
    "IS": "iceland", "IT": "italy", "JP": "japan", "KE": "kenya", "KR": "south korea", "KZ": "kazakhstan",
    "LT": "lithuania", "LU": "luxembourg", "LV": "latvia", "MD": "moldova", "MT": "malta", "MX": "mexico",
    "MY": "malaysia", "NG": "nigeria", "NL": "netherlands", "NO": "norway", "NZ": "new zealand", "PE": "peru",
    "PH": "philippines", "PL": "poland", "PT": "portugal", "QA": "qatar", "RO": "romania", "RS": "serbia",
    "SE": "sweden", "SG": "singapore", "SI": "slovenia", "SK": "slovakia", "TH": "thailand", "TR": "turkey",
    "TW": "taiwan", "UA": "ukraine", "US": "united states", "UY": "uruguay", "VN": "vietnam", "ZA": "south africa",
}  # fmt: skip
_ALSO = {
    "uk": "GB",
    "usa": "US",
    "uae": "AE",
    "korea": "KR",
    "england": "GB",
    "holland": "NL",
    "great britain": "GB",
}
_BY_NAME = {name: code for code, name in _NAMES.items()} | _ALSO
_KNOWN = frozenset(_CODES.split())
_OWN = re.compile(r"[a-z]{2,}[a-z0-9]*(?:-[a-z0-9]+){1,4}")
_SURELY_OWN = re.compile(r"[a-z]{2,}-[a-z]+-[0-9]{1,2}")
SPAN = re.compile("|".join(name for name in sorted(_BY_NAME) if " " in name))
"""Names of several words, in lower case."""


def find(text: str) -> str:
    """``SE`` for a country, ``EU`` for a part of the world, a vendor's own region in small letters; else empty."""
    low = text.strip().lower()
    if low in _BY_NAME:
        return _BY_NAME[low]
    if low.upper() in _KNOWN:
        return low.upper()
    return low if len(low) <= 40 and _OWN.fullmatch(low) else ""


def near(text: str) -> str:
    """The code of the country whose name this is a slip of, or empty."""
    return _BY_NAME.get(nearest(text.strip().lower(), _BY_NAME), "")


def is_surely_one(text: str) -> bool:
    """Whether a word that stands alone is meant for a region: a code in capitals, a name, or ``us-west-1``. Small
    ``no``, ``it`` and ``at`` are English, and no countries."""
    low = text.lower()
    return (len(text) == 2 and text in _KNOWN) or low in _BY_NAME or _SURELY_OWN.fullmatch(low) is not None
