"""Names of files as strangers write them, made fit to be names here. Pure."""

from __future__ import annotations

import unicodedata

_LONGEST = 200
"""Bytes; file systems take 255, and a number may be put to it."""
_LONGEST_SUFFIX = 10
_SHOWN = 60


def clean(part: str) -> str:
    """One way to write each letter (computers differ), nothing that cannot be seen, and not too long. An image and its
    caption are changed alike."""
    text = unicodedata.normalize("NFC", part.encode("utf-8", "replace").decode())
    text = "".join(mark if mark.isprintable() else "_" for mark in text)
    if len(text.encode()) <= _LONGEST:
        return text
    stem, dot, suffix = text.rpartition(".")
    if not dot or len(suffix) > _LONGEST_SUFFIX:
        stem, suffix = text, ""
    kept = stem.encode()[: _LONGEST - 4 * _LONGEST_SUFFIX].decode("utf-8", "ignore")
    return f"{kept}.{suffix}" if suffix else kept


def clean_name(name: str) -> str:
    """The last part of whatever somebody called a file."""
    return clean(name.replace("\\", "/").rpartition("/")[2]).lstrip(".") or "file"


def shown(name: str) -> str:
    """As a sentence quotes it."""
    safe = clean(name)
    return f"'{safe[:_SHOWN]}…'" if len(safe) > _SHOWN else f"'{safe}'"
