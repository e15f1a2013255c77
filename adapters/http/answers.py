"""An answer as it came, its words, and how long it asks to wait."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import httpx


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. ``body`` is the parsed JSON (numbers with a point are ``Decimal``), or None where the text is
    none."""

    status: int
    body: Any
    text: str
    headers: httpx.Headers

    @property
    def ok(self) -> bool:
        """Whether the status says success."""
        return 200 <= self.status < 300


def first_words(answer: Answer) -> str:
    """The vendor's sentence, wherever this answer has it; never html."""
    body = answer.body
    if isinstance(body, dict):
        if isinstance(body.get("error"), dict):
            body = body["error"]
        for name in ("detail", "msg", "message", "error", "title"):
            if isinstance(body.get(name), str) and body[name]:
                return str(body[name])
    text = answer.text.strip()
    if not text or text.startswith("<") or body is not None:  # raw JSON may hold somebody's tokens
        return f"an answer without a word (status {answer.status})"
    return text


def retry_after(
    headers: Mapping[str, str], now: datetime, usual: timedelta = timedelta(seconds=3)
) -> timedelta:
    """What ``Retry-After`` says (seconds or a date), or ``usual``; at most an hour."""
    said = headers.get("Retry-After", "").strip()
    if said.isdigit() and len(said) < 9:
        return min(timedelta(seconds=int(said)), timedelta(hours=1))
    try:
        when = parsedate_to_datetime(said)
    except (TypeError, ValueError):
        return usual
    if when.tzinfo is None:
        return usual
    length: timedelta = when - now
    return max(timedelta(0), min(length, timedelta(hours=1)))
