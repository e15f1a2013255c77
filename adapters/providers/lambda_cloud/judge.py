"""What Lambda's refusals mean (lambda.md, 1.1 and 1.2). Codes decide; the sentences may change."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from adapters.http import Answer, first_words, retry_after
from adapters.providers.lambda_cloud.wire import part, text, texts
from bot.domain.errors import (
    NeedsHuman,
    NoCapacity,
    OutcomeUnknown,
    ProviderError,
    TryLater,
    VendorChanged,
)

NO_OBJECT = "global/object-does-not-exist"
BAD_PARAMETERS = "global/invalid-parameters"
KEY_IN_USE = "ssh-keys/key-in-use"

SLOW_DOWN = timedelta(seconds=5)
"""Where a throttle names no time; other clients begin there, too."""
LONGEST = timedelta(minutes=1)
"""No throttle keeps a machine from being ended for longer."""
_BANNED = re.compile(r"error[ _]code\W{1,4}1015\b")
_TROUBLE = ("global/internal-error", "global/unknown")


class Coded(VendorChanged):
    """A refusal with a code that only the call itself can read: nothing was done, and repeating does not help."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class Throttled(TryLater):
    """Too many calls by whoever uses the account; nothing was done."""


class Trouble(TryLater):
    """Something failed over there. To a write it says nothing about what was done before."""


class Inactive(NeedsHuman):
    """The account is shut: nothing can be launched, and nothing ended, through the API."""


def judged(answer: Answer, now: datetime, redact: Callable[[str], str]) -> ProviderError | None:
    """An answer that is not a success, as an error; None leaves it to the rules that hold everywhere."""
    said = redact(" ".join(_sentence(answer).split()))[:300]
    if answer.status == 429 or _is_throttle(answer):
        after = min(retry_after(answer.headers, now, SLOW_DOWN), LONGEST)
        return Throttled(f"Lambda asks for fewer calls ({said})", after=after)
    if created(answer.body):
        return OutcomeUnknown(f"Lambda says that it failed, and names a machine: {said}")
    code = _code(answer.body)
    if code == "global/account-inactive":
        return Inactive(f"Lambda has shut the account: {said}")
    if answer.status in (401, 403) or code == "global/invalid-api-key":
        return NeedsHuman(f"Lambda refuses: {said}")
    if answer.status >= 500:
        return None
    if code in _TROUBLE or code.startswith("provider/"):
        return Trouble(f"Lambda has trouble: {said}")
    return Coded(code, said) if code else None


def refusal(said: Coded) -> ProviderError:
    """A coded answer to a launch. Nothing was created, but for codes that nobody has written down."""
    words = said.reason.lower()
    match said.code.rpartition("/")[2]:
        case "insufficient-capacity" | "quota-exceeded":
            return NoCapacity(said.reason)
        case "object-does-not-exist" if "key" in words:
            return TryLater(said.reason)
        case "object-does-not-exist":
            return NoCapacity(said.reason)
        case "invalid-parameters" if "region" in words:
            return NoCapacity(said.reason)
        case "invalid-parameters" | "file-system-in-wrong-region":
            return NeedsHuman(f"Lambda refuses the launch: {said.reason}")
        case _:
            return OutcomeUnknown(f"Lambda answers with a code that we do not know: {said.reason}")


def created(body: Any) -> list[str]:
    """The ids of machines that an answer to a launch names."""
    return texts(part(body, "data").get("instance_ids")) if isinstance(body, dict) else []


def _code(body: Any) -> str:
    return text(part(body, "error"), "code") if isinstance(body, dict) else ""


def _is_throttle(answer: Answer) -> bool:
    """Lambda's edge blocks in its own words, as 403 as well as 429; Lambda's own 403 is JSON with another content."""
    at_the_edge = answer.status == 403 and not isinstance(answer.body, dict)
    return at_the_edge or _BANNED.search(answer.text) is not None


def _sentence(answer: Answer) -> str:
    """Message and suggestion."""
    error = part(answer.body, "error") if isinstance(answer.body, dict) else {}
    words = [text(error, "message") or first_words(answer), text(error, "suggestion")]
    return " ".join(word for word in words if word)
