"""Vast.ai's answers in our errors, and values out of its rows. Statuses alone say little here: a wrong key is a 404,
an offer that is gone a 400, and a refusal may have created a machine all the same (vast.md, 1.1 and 3.5)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from adapters.http import Answer, first_words, retry_after
from bot.domain.errors import NeedsHuman, NoCapacity, OutcomeUnknown, ProviderError, TryLater, VendorChanged
from bot.domain.money import Usd

MONTH_H = 720
"""Hours in the month that storage is priced by (vast.md, 2.4)."""
GIB_MB = 1024
_ONLY_A_PERSON = {
    "insufficient_credit", "spend_rate_limit", "missing_billing", "no_ssh_key_for_vm", "team_ssh_keys_not_supported",
}  # fmt: skip
_ARGUMENTS = {"invalid_args", "invalid_price"}
"""Refusals of both kinds surely created nothing, as long as they come with a status of 4xx and without a contract."""
_THRESHOLD = re.compile(r"threshold ?= ?([0-9]{1,3}(?:\.[0-9]+)?)", re.ASCII)
_SOON = timedelta(seconds=3)
_QUOTA_PAUSE = timedelta(hours=1)
"""Where a used-up quota does not say when it begins anew."""

_ABSURD = Decimal(10) ** 15

Redact = Callable[[str], str]


class BadArgs(VendorChanged):
    """The vendor does not take what was sent, and has done nothing."""


class Gone(VendorChanged):
    """A 404 in which the vendor itself says that there is no such instance."""


def judge(answer: Answer, redact: Redact, now: datetime) -> ProviderError | None:
    """What a refusal means. None leaves it to the general rules of the wire."""
    body = answer.body if isinstance(answer.body, dict) else {}
    code, said = str(body.get("error") or ""), sentence(answer, redact)
    if body.get("new_contract") is not None:
        return OutcomeUnknown(f"{said} (and machine {body['new_contract']} was created all the same)")
    if code == "search_quota_exceeded":
        return TryLater("the day's quota of offers is used up", after=_quota(body))
    if answer.status == 429:
        return TryLater(said, after=retry_after(answer.headers, now, _threshold(said)))
    refused = 400 <= answer.status < 500
    if code == "auth_error" or (refused and "log in" in said.lower()):
        return NeedsHuman(said)
    if refused and ("no_such_ask" in f"{code} {said}" or "is not your own" in said):
        return NoCapacity(said)
    if refused and code in _ONLY_A_PERSON:
        return NeedsHuman(said)
    if refused and code in _ARGUMENTS:
        return BadArgs(said)
    if answer.status == 404 and (
        code == "no_such_instance" or (code == "not_found" and "instance" in said.lower())
    ):
        return Gone(said)
    return None


def sentence(answer: Answer, redact: Redact) -> str:
    """The vendor's own words in one line."""
    return redact(" ".join(first_words(answer).split()))[:300]


def refuses(body: Mapping[str, Any]) -> bool:
    """A refusal that came with a status of success: nothing else in it is believed."""
    return body.get("success") is False


def _quota(body: Mapping[str, Any]) -> timedelta:
    seconds = number(body, "retry_after")
    return _QUOTA_PAUSE if seconds is None else timedelta(seconds=max(1, min(int(seconds), 86_400)))


def _threshold(said: str) -> timedelta:
    """The least interval that a refusal names ("endpoint threshold=4.5"), or three seconds."""
    found = _THRESHOLD.search(said)
    return max(_SOON, timedelta(seconds=float(found[1]))) if found else _SOON


def number(row: Mapping[str, Any], name: str) -> Decimal | None:
    """A number of a size that can be meant, also one that came as a text; None where there is none."""
    value = row.get(name)
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        return None
    try:
        amount = Decimal(value)
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and abs(amount) < _ABSURD else None


def text(row: Mapping[str, Any], name: str) -> str:
    """A text in one line, or nothing."""
    value = row.get(name)
    return " ".join(value.split()) if isinstance(value, str) else ""


def disk_hourly(row: Mapping[str, Any], disk_gb: Decimal) -> Decimal | None:
    """Dollars per hour for that much disk; None where the price is not told."""
    per_month = number(row, "storage_cost")
    return None if per_month is None else per_month * disk_gb / MONTH_H


def all_in(row: Mapping[str, Any], disk_gb: Decimal, gpu: Decimal | None) -> Usd | None:
    """GPUs and disk per hour, in doubt the dearer of what is told and what the parts come to: ``dph_total`` was seen
    for another disk than the one that was asked for. None where neither can be read."""
    disk, told = disk_hourly(row, disk_gb), number(row, "dph_total")
    parts = None if gpu is None or disk is None else gpu + disk
    amounts = [one for one in (parts, told) if one is not None and one >= 0]
    return Usd.of(max(amounts)) if amounts else None
