"""What RunPod's refusals mean. There are no codes beyond the HTTP status, so that a 400 is told by its prose
(runpod.md, 2.1 and 2.3).
"""

from __future__ import annotations

import re
from datetime import timedelta

from adapters.http import Answer, first_words
from bot.domain.errors import NeedsHuman, NoCapacity, OutcomeUnknown, ProviderError, TryLater, VendorChanged

_EDGE_PAUSE = timedelta(minutes=1)
_NO_ROOM = re.compile(
    r"no longer any instances available|no instances (?:are )?currently available|supply_constraint"
    r"|not enough free gpus|does not have the resources to deploy",
    re.IGNORECASE,
)
_UNPAID = re.compile(r"insufficient|balance|funds|payment|spend(?:ing)? limit", re.IGNORECASE)
_POOL = re.compile(r"\bpool\b|\bcommunity\b|\bsecure cloud\b", re.IGNORECASE)
_NO_RIGHT = re.compile(
    r"unauthori[sz]ed|forbidden|permission|access denied|not allowed|api key", re.IGNORECASE
)
_OPAQUE = re.compile(r"something went wrong|try again later", re.IGNORECASE)


class Absent(VendorChanged):
    """A 404 in the shape of RFC 9457: v2 itself says that there is no such thing."""


class Conflict(VendorChanged):
    """409: not in this state, or not for a member of a cluster."""


class BadRequest(VendorChanged):
    """400: a rule is broken, or there is no room; only the prose tells."""


class Retired(VendorChanged):
    """410: this generation of the API has ended. It says nothing about any machine."""


class Invalid(VendorChanged):
    """422: a field that is not known or not of its type."""


class Denied(NeedsHuman):
    """403 as JSON: the key has no such right, or the account may not use this pool."""


def judge(answer: Answer, said: str) -> ProviderError | None:
    """The error for an answer that is no success; None leaves it to the general rules. ``said`` is the vendor's
    sentence, redacted."""
    body = answer.body if isinstance(answer.body, dict) else None
    if body is not None and answer.status != 404 and isinstance(body.get("id"), str) and body["id"]:
        return OutcomeUnknown(f"status {answer.status}, and yet it names a machine: {said}")
    match answer.status:
        case 400:
            return BadRequest(said)
        case 401:
            return NeedsHuman(f"RunPod does not take the key: {said}")
        case 402:
            return NeedsHuman(f"RunPod wants to be paid first: {said}")
        case 403 if body is None:
            return TryLater(
                f"RunPod's edge turned the call away before the key was read: {said}", after=_EDGE_PAUSE
            )
        case 403:
            return Denied(f"RunPod does not allow it with this key: {said}")
        case 404 if body is not None and _in_shape(body, 404):
            return Absent(said)
        case 409:
            return Conflict(said)
        case 410:
            return Retired(f"this address is of an API that RunPod has retired: {said}")
        case 422:
            return Invalid(said)
        case _:
            return None


def sentence(answer: Answer) -> str:
    """The vendor's sentence and, for a 422, which fields it means."""
    errors = answer.body.get("errors") if isinstance(answer.body, dict) else None
    more = [one for one in errors if isinstance(one, str)] if isinstance(errors, list) else []
    return "; ".join([first_words(answer), *more])


def refused(error: ProviderError) -> ProviderError:
    """What a refused create means for the offer. Every other 400 is a fault of ours or theirs and no sign that there
    is no room: on 2026-08-28 each create failed so, and dearer cards would have been tried in vain."""
    said = error.reason
    if isinstance(error, BadRequest) and _NO_ROOM.search(said):
        return NoCapacity(said)
    if isinstance(error, Invalid):  # nothing was created, and repeating does not help
        return NeedsHuman(f"RunPod does not take the order: {said}")
    if isinstance(error, BadRequest | Denied) and _UNPAID.search(said):
        return NeedsHuman(said)
    if isinstance(error, Denied) and _POOL.search(said):
        return NoCapacity(said)
    return error


def told_by_graphql(said: str) -> ProviderError:
    """An error that came with HTTP 200 and a sentence."""
    if _NO_RIGHT.search(said):
        return NeedsHuman(f"RunPod does not show the balance to this key: {said}")
    if _OPAQUE.search(said):
        return TryLater(said)
    return VendorChanged(said)


def _in_shape(body: dict[str, object], status: int) -> bool:
    said = body.get("title"), body.get("detail")
    return body.get("status") == status and any(isinstance(one, str) for one in said)
